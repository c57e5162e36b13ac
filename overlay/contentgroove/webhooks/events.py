"""From the body of a webhook to an event, its dedupe key, and back to a body.

One pass decodes the whole body. The generated struct keeps each included resource as raw JSON, because its type may be
unknown, and needs a second pass. The tagged structs of this module distinguish clips and transcriptions by their `type`
while the body is decoded. They are built from the generated structs, so they follow every change of those.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from contentgroove_api import Times
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from contentgroove_api.models.webhook_event import WebhookEvent
from contentgroove_api.models.webhook_payload import WebhookPayload
from contentgroove_api.types import check_levels
from msgspec.json import Decoder

from contentgroove._core.levels import check_value_levels
from contentgroove._core.tracebacks import with_safe_repr
from contentgroove._models.base import JsonSource, to_utc
from contentgroove._models.pages import UnreadableItem  # noqa: TC001 - for get_type_hints() of the events
from contentgroove.errors import MissingFieldError, WebhookPayloadError
from contentgroove.models import Clip, Media, Transcription

if TYPE_CHECKING:
    from collections.abc import Iterable

PROCESSING_FINISHED = "media.processing_finished"
"""The only event that the API documents."""

MAX_KEY_LENGTH = 400
"""In characters: short enough for an index of any database."""

_BOM = b"\xef\xbb\xbf"

# `re` compiles it on first use and caches it: few events need it, and compiling takes as long as importing this module.
_QUERY = rb'("https?://[^"\\?]*)\?(?:[^"\\]|\\.)*"'
"""In JSON text, a string that is a URL with a query."""


def _tagged_struct(wire: type[msgspec.Struct], name: str, *, tag: str | None = None, **types: Any) -> Any:
    """Build a variant of a generated struct, with new types of some fields.

    `tag` is the value of `type` that selects it in a union. Pickling requires that a variable has the same `name`.
    """
    field: Any = msgspec.field  # its overloads accept one kind of default, not both
    fields: list[Any] = [
        (
            item.name,
            types.get(item.name, item.type),
            field(default=item.default, default_factory=item.default_factory, name=item.encode_name),
        )
        for item in msgspec.structs.fields(wire)
        if tag is None or item.encode_name != "type"
    ]
    return msgspec.defstruct(
        name, fields, tag=tag, tag_field=tag and "type", module=__name__, frozen=True, kw_only=True
    )


TaggedClip = _tagged_struct(WireClip, "TaggedClip", tag="clips")
TaggedTranscription = _tagged_struct(WireTranscription, "TaggedTranscription", tag="transcriptions")

_list: Any = list
TaggedPayload = _tagged_struct(
    WebhookPayload, "TaggedPayload", included=_list[TaggedClip | TaggedTranscription] | None | msgspec.UnsetType
)
TaggedEvent = _tagged_struct(WebhookEvent, "TaggedEvent", payload=TaggedPayload)


class _Envelope(msgspec.Struct):
    event: str
    payload: msgspec.Raw = msgspec.Raw(b"null")


# (assumed: webhook-numeric-strings, rest-numbers, webhook-envelope)
# The service sends some numbers as strings ("98.865532"), so decoding is lax.
_envelope_decoder = Decoder(_Envelope, strict=False)
_event_decoder: Decoder[Any] = Decoder(TaggedEvent, strict=False)
_type_decoder = Decoder(str)

_DATA_PATH = ("payload", "data")
# (assumed: webhook-included, webhook-clips-without-state)
_INCLUDED_PATH = ("payload", "included")
_INCLUDED_MODELS: dict[str, type[Clip | Transcription]] = {"clips": Clip, "transcriptions": Transcription}


class _EventBase:
    __slots__ = ()

    @property
    def raw(self) -> dict[str, Any]:
        """The body as plain JSON, including fields that this version of the library does not know.

        Raises:
            WebhookPayloadError: A part that this version does not decode exceeds the limits of Python's JSON decoder.
        """
        # The standard library decodes numbers that msgspec rejects, such as integers of more than 64 bits.
        import json

        try:
            return cast("dict[str, Any]", json.loads(cast("Event", self).body))
        except (ValueError, RecursionError) as error:
            reason = str(error)[:300]
            raise WebhookPayloadError(f"The event's body cannot be decoded as plain JSON: {reason}.") from error


@with_safe_repr
@dataclass(frozen=True, slots=True)
class MediaProcessingFinished(_EventBase):
    """A media's processing has finished.

    Attributes:
        event: `media.processing_finished`.
        media: The media.
        clips: The clips that the service suggests, in the order sent.
        transcription: The spoken text, which the API has only in this event (assumed: transcription-only-in-webhook).
            None if it was not sent.
        dedupe_key: The same for every delivery of this event: event, resource type, id and start of processing. If
            the service omits the start, all deliveries about one media count as one event.
        body: The body as received.
        attempt: The number of this attempt to handle the event, from 1.
        unreadable: What is included and cannot be read, because it has no readable type or id. If what is included is
            not a list, it is the only item.
    """

    event: str
    media: Media
    clips: tuple[Clip, ...]
    transcription: Transcription | None
    dedupe_key: str
    body: bytes = field(repr=False)
    attempt: int = field(default=1, compare=False)
    unreadable: tuple[UnreadableItem, ...] = ()


@with_safe_repr
@dataclass(frozen=True, slots=True)
class UnknownEvent(_EventBase):
    """An event that this version of the library does not know.

    Attributes:
        event: Its name.
        dedupe_key: The same for every delivery of this event: as for known events if the payload has type, id and
            start of processing, else a digest of the payload without the queries of its URLs.
        body: The body as received.
        attempt: The number of this attempt to handle the event, from 1.
    """

    event: str
    dedupe_key: str
    body: bytes = field(repr=False)
    attempt: int = field(default=1, compare=False)


Event: TypeAlias = MediaProcessingFinished | UnknownEvent


def parse_event(body: bytes | bytearray | memoryview | str | Mapping[str, Any]) -> Event:
    """Parse the body of a webhook.

    Args:
        body: The request's body as bytes or text, or its JSON if a framework has already parsed it.

    Returns:
        The event; an `UnknownEvent` if this version does not know its name.

    Raises:
        WebhookPayloadError: The body is not an event: not JSON, without a name, or about a media without a readable
            id. No content of a body raises anything else. What is odd in the rest is said when it is read: see
            `missing` of the models.
    """
    content = to_bytes(body)
    try:
        check_levels(content)
        return _parse_finished(content) or _parse_unknown(content)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        reason = str(error) or type(error).__name__
    # The body contains signed URLs, so it is not a variable when the error is raised, here and in the decoders.
    size = len(content)
    del body, content
    raise WebhookPayloadError(
        f"The body ({size:,} bytes) is not a ContentGroove webhook: {reason[:300]}. Respond with status "
        "400 and check who sends to this URL."
    )


def to_bytes(body: object) -> bytes:
    """Return a body as bytes, without a byte order mark; raises WebhookPayloadError if that is impossible."""
    if isinstance(body, bytes):
        content = body
    elif isinstance(body, (bytearray, memoryview)):
        content = bytes(cast("bytearray", body))
    elif isinstance(body, str):
        try:
            content = body.encode()
        except UnicodeEncodeError as error:
            raise WebhookPayloadError(f"The body cannot be encoded as UTF-8: {error}.") from error
    elif isinstance(body, Mapping):
        content = _encode_mapping(cast("Mapping[str, Any]", body))
    else:
        raise WebhookPayloadError(f"The body must be bytes, text or a mapping, not {type(body).__name__}.")
    return content.removeprefix(_BOM)


def _encode_mapping(mapping: Mapping[str, Any]) -> bytes:
    # The standard library's encoder rejects NaN, which msgspec's would write as null.
    import json

    try:
        check_value_levels(mapping)
        return json.dumps(dict(mapping), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WebhookPayloadError(f"The body cannot be encoded as JSON: {str(error)[:300]}.") from error


def _parse_finished(content: bytes) -> MediaProcessingFinished | None:
    """Parse the known event; None if it is another one."""
    try:
        if not content.isascii():
            content.decode()  # the decoders do not check the values that they skip
        known: Any = _event_decoder.decode(content)
        resources: Any = known.payload.included or ()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # Imported here because few events need it.
        from contentgroove._models.partial_structs import without_half_characters

        readable = without_half_characters(content)
        if _envelope_decoder.decode(readable).event == PROCESSING_FINISHED:
            return replace(_read_finished(readable), body=content)
        if not isinstance(error, msgspec.ValidationError):
            raise  # the key of another event may need any part
        return None  # another event may have another payload
    if known.event != PROCESSING_FINISHED:
        return None
    media = Media(known.payload.data, JsonSource(content, _DATA_PATH))
    source = JsonSource(content, _INCLUDED_PATH)
    clips: list[Clip] = []
    transcriptions: list[Transcription] = []
    for index, resource in enumerate(resources):
        if resource.__class__ is TaggedClip:
            clips.append(Clip(resource, source, index))
        else:
            transcriptions.append(Transcription(resource, source, index))
    return _finished(content, media, clips, transcriptions)


def _finished(
    content: bytes,
    media: Media,
    clips: list[Clip],
    transcriptions: list[Transcription],
    unreadable: tuple[UnreadableItem, ...] = (),
) -> MediaProcessingFinished:
    transcription = transcriptions[0] if transcriptions else None
    if len(transcriptions) > 1:
        named = getattr(media, "transcription_id", None)
        transcription = next((item for item in transcriptions if item.id == named), transcription)
    key = event_key_for(media)
    return MediaProcessingFinished(
        PROCESSING_FINISHED, media, tuple(clips), transcription, key, content, unreadable=unreadable
    )


def _read_finished(content: bytes) -> MediaProcessingFinished:
    """Read an event with included resources of unknown types, or one that matches the contract only in parts.

    Raises:
        UnreadableError: It has no media with a readable id.
    """
    # Imported here because few events need it.
    from contentgroove._models.partial_structs import UnreadableError, member, members

    payload = members(member(members(content, "the body"), "payload"), "payload")
    data = member(payload, "data")
    try:
        media = Media._read(data, JsonSource(content, _DATA_PATH))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - applications have no JSON of single resources
    except UnreadableError as error:
        raise UnreadableError(f"in payload.data, {error}") from None
    found, unreadable = _read_included(payload.get("included"), JsonSource(content, _INCLUDED_PATH))
    clips = [item for item in found if isinstance(item, Clip)]
    transcriptions = [item for item in found if isinstance(item, Transcription)]
    return _finished(content, media, clips, transcriptions, unreadable)


def _read_included(
    content: msgspec.Raw | None, source: JsonSource
) -> tuple[list[Clip | Transcription], tuple[UnreadableItem, ...]]:
    """Read the included resources of known types; also return what cannot be read."""
    from contentgroove._models.partial_documents import unreadable_item
    from contentgroove._models.partial_structs import UnreadableError, elements, member, members

    found: list[Clip | Transcription] = []
    unreadable: list[UnreadableItem] = []
    if content is None or bytes(content) == b"null":
        return found, ()
    try:
        parts = elements(content, "payload.included")
    except UnreadableError as error:
        return found, (unreadable_item(0, str(error), content, "included"),)
    for index, part in enumerate(parts):
        try:
            kind = _type_decoder.decode(member(members(part, "it"), "type"))
            if model := _INCLUDED_MODELS.get(kind):
                found.append(model._read(part, source, index))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
        except (UnreadableError, msgspec.DecodeError) as error:
            unreadable.append(unreadable_item(index, str(error), part, "included"))
    return found, tuple(unreadable)


def _parse_unknown(content: bytes) -> UnknownEvent:
    envelope = _envelope_decoder.decode(content)
    payload = msgspec.json.decode(envelope.payload)
    return UnknownEvent(envelope.event, _unknown_event_key(envelope.event, payload), content)


def finished_event_body(media: Media, included: Iterable[Clip | Transcription]) -> bytes:
    """Write the body of the webhook from the resources of the API."""
    resources = [_as_sent(resource) for resource in included]
    return msgspec.json.encode(
        {"event": PROCESSING_FINISHED, "payload": {"data": _as_sent(media), "included": resources}}
    )


def _as_sent(resource: Media | Clip | Transcription) -> msgspec.Raw:
    # As the service sent it, with the fields that this version of the library does not know.
    text = resource._source.text(resource._index)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above
    # Events are UTF-8 as a whole, while a response of which a field is not can be read without that field.
    return msgspec.Raw(text.decode(errors="replace"))


# (assumed: webhook-once-per-media)
def dedupe_key(event: str, kind: str, resource_id: str, started: dt.datetime | str | None) -> str:
    """Return the key of an event: equal for all deliveries of it, different for different events.

    The service sends no event id. A digest of the body is not enough: a second delivery of an event can contain newly
    signed URLs. If `started` is None, all events of one name about a resource have the same key.
    """
    parts = f"{event}{kind}{resource_id}"
    if ":" in parts or "%" in parts:
        event, kind, resource_id = _escape(event), _escape(kind), _escape(resource_id)
    return _storable_key(f"{event}:{kind}:{resource_id}:{_normalised_time(started)}")


def key_prefix(event: str, kind: str, resource_id: str) -> str:
    """Return the start of the keys of an event about a resource, for all runs of processing."""
    return f"{_escape(event)}:{_escape(kind)}:{_escape(resource_id)}:"


def event_key_for(media: Media) -> str:
    """Return the dedupe key of the event that a media has finished."""
    try:
        started: dt.datetime | str | None = media.processing_started_at
    except MissingFieldError:
        # Not a time that can be read, but the same in all deliveries, and another one for another run.
        wire: Any = media._wire  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - only it has what was sent
        started = (wire.attributes.sent_text("processing_started_at") or "").strip('"')
    return dedupe_key(PROCESSING_FINISHED, "medias", media.id, started)


def _unknown_event_key(event: str, payload: Any) -> str:
    """Return the key of an unknown event: by resource and run if the payload names them, else by a digest."""
    data = _member(payload, "data")
    kind, resource_id = _member(data, "type"), _member(data, "id")
    started = _member(_member(data, "attributes"), "processing_started_at")
    if isinstance(kind, str) and isinstance(resource_id, str) and isinstance(started, str):
        return dedupe_key(event, kind, resource_id, started)
    # The queries of URLs contain signatures and expiry times.
    stable = re.sub(_QUERY, rb'\1"', msgspec.json.encode(payload, order="deterministic"))
    return _storable_key(f"{_escape(event)}:{_digest(stable)}")


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _normalised_time(started: dt.datetime | str | None) -> str:
    if started is None:
        return ""
    if isinstance(started, str):
        try:
            return _normalised_time(msgspec.convert(started, Times.datetime))
        except msgspec.ValidationError:
            return started
    if started.tzinfo is not dt.UTC:
        # In UTC, a time at either end of the calendar would be outside of it.
        with contextlib.suppress(OverflowError):
            started = to_utc(started).astimezone(dt.UTC)
    return started.isoformat()


def _escape(part: str) -> str:
    # Otherwise ("a:b", "c") and ("a", "b:c") would have the same key.
    return part.replace("%", "%25").replace(":", "%3A")


def _storable_key(key: str) -> str:
    # The sender chooses these parts: PostgreSQL text cannot contain NUL, and an index cannot contain megabytes.
    if len(key) <= MAX_KEY_LENGTH and key.isprintable():
        return key
    return _digest(key.encode())


def _digest(content: bytes) -> str:
    # Imported here because few events need it, and its import takes a third as long as that of this package.
    import hashlib

    return f"sha256:{hashlib.sha256(content).hexdigest()}"
