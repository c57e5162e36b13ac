"""From the body of a webhook to an event, its dedupe key, and back to a body.

One pass decodes the whole body. The generated struct keeps each included resource as raw JSON, because its type may be
unknown, and needs a second pass. The tagged structs of this module distinguish clips and transcriptions by their `type`
while the body is decoded. They are built from the generated structs, so they follow every change of those.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from contentgroove_api.models.webhook_event import WebhookEvent
from contentgroove_api.models.webhook_payload import WebhookPayload
from contentgroove_api.types import check_levels
from msgspec.json import Decoder

from contentgroove._core.levels import check_value_levels
from contentgroove._core.tracebacks import with_safe_repr
from contentgroove._model_base import JsonSource, to_utc
from contentgroove.errors import WebhookPayloadError
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


class _TypeOnly(msgspec.Struct):
    type: str


# The service sends some numbers as strings ("98.865532"), so decoding is lax.
_envelope_decoder = Decoder(_Envelope, strict=False)
_event_decoder: Decoder[Any] = Decoder(TaggedEvent, strict=False)
_lenient_decoder = Decoder(WebhookEvent, strict=False)
_type_decoder = Decoder(_TypeOnly, strict=False)
_included_decoder: Decoder[Any] = Decoder(TaggedClip | TaggedTranscription, strict=False)


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
        transcription: The spoken text, which the API has only in this event. None if it was not sent.
        dedupe_key: The same for every delivery of this event: event, resource type, id and start of processing. If
            the service omits the start, all deliveries about one media count as one event.
        body: The body as received.
        attempt: The number of this attempt to handle the event, from 1.
    """

    event: str
    media: Media
    clips: tuple[Clip, ...]
    transcription: Transcription | None
    dedupe_key: str
    body: bytes = field(repr=False)
    attempt: int = field(default=1, compare=False)


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
        WebhookPayloadError: The body is not an event. No content of a body raises anything else.
    """
    content = to_bytes(body)
    try:
        if not content.isascii():
            content.decode()  # the decoders do not check the values that they skip
        check_levels(content)
        return _parse_finished(content) or _parse_unknown(content)
    except (msgspec.DecodeError, RecursionError, UnicodeError, OverflowError) as error:
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
        known: Any = _event_decoder.decode(content)
        resources: Any = known.payload.included or ()
    except msgspec.ValidationError:
        if _envelope_decoder.decode(content).event != PROCESSING_FINISHED:
            return None  # another event may have another payload
        # An included resource has an unknown type, or the body is invalid, which these decoders report.
        known = _lenient_decoder.decode(content)
        resources = [_decode_included(item) for item in known.payload.included or ()]
    if known.event != PROCESSING_FINISHED:
        return None
    media = Media(known.payload.data, JsonSource(content, ("payload", "data")))
    source = JsonSource(content, ("payload", "included"))
    clips: list[Clip] = []
    transcription: Transcription | None = None
    for index, resource in enumerate(resources):
        if resource.__class__ is TaggedClip:
            clips.append(Clip(resource, source, index))
        elif resource is not None and (transcription is None or resource.id == media.transcription_id):
            transcription = Transcription(resource, source, index)
    key = event_key_for(media)
    return MediaProcessingFinished(PROCESSING_FINISHED, media, tuple(clips), transcription, key, content)


def _decode_included(item: msgspec.Raw) -> Any:
    """Decode an included resource; None if its type is unknown."""
    known = _type_decoder.decode(item).type in {"clips", "transcriptions"}
    return _included_decoder.decode(item) if known else None


def _parse_unknown(content: bytes) -> UnknownEvent:
    envelope = _envelope_decoder.decode(content)
    payload = msgspec.json.decode(envelope.payload)
    return UnknownEvent(envelope.event, _unknown_event_key(envelope.event, payload), content)


def finished_event_body(media: Media, clips: Iterable[Clip]) -> bytes:
    """Write the body of the webhook from the resources of the API."""
    included = [_as_sent(clip) for clip in clips]
    return msgspec.json.encode(
        {"event": PROCESSING_FINISHED, "payload": {"data": _as_sent(media), "included": included}}
    )


def _as_sent(resource: Media | Clip) -> dict[str, Any]:
    # As the service sent it, with the fields that this version of the library does not know.
    return resource._source.read(resource._index)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above


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
    return dedupe_key(PROCESSING_FINISHED, "medias", media.id, media.processing_started_at)


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
            return _normalised_time(msgspec.convert(started, dt.datetime))
        except msgspec.ValidationError:
            return started
    if started.tzinfo is not dt.UTC:
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
