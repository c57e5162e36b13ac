"""From a webhook's body to an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import msgspec
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from contentgroove_api.models.webhook_event import WebhookEvent
from contentgroove_api.types import check_levels
from msgspec.json import Decoder

from contentgroove._core.levels import check_value_levels
from contentgroove._view import JsonSource
from contentgroove.errors import WebhookPayloadError
from contentgroove.models import Clip, Media, Transcription

from .dedupe import dedupe_key, payload_key
from .wire import TaggedClip, TaggedEvent

PROCESSING_FINISHED = "media.processing_finished"
"""The only event that the API documents."""

_BOM = b"\xef\xbb\xbf"


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
_clip_decoder = Decoder(WireClip, strict=False)
_transcription_decoder = Decoder(WireTranscription, strict=False)


@dataclass(frozen=True, slots=True)
class MediaProcessingFinished:
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

    @property
    def raw(self) -> dict[str, Any]:
        """The body as plain JSON, including fields that this version of the library does not know.

        Raises:
            WebhookPayloadError: A part that this version does not decode exceeds the limits of Python's JSON decoder.
        """
        return _load_json(self.body)


@dataclass(frozen=True, slots=True)
class UnknownEvent:
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

    @property
    def raw(self) -> dict[str, Any]:
        """The body as plain JSON.

        Raises:
            WebhookPayloadError: A part that this version does not decode exceeds the limits of Python's JSON decoder.
        """
        return _load_json(self.body)


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
        raise WebhookPayloadError(
            f"The body ({len(content):,} bytes) is not a ContentGroove webhook: {reason[:300]}. Respond with status "
            "400 and check who sends to this URL."
        ) from error


def to_bytes(body: object) -> bytes:
    """Return a body as bytes, without a byte order mark.

    Raises:
        WebhookPayloadError: The body is not bytes, text or a mapping, or cannot be encoded.
    """
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
        kind = resource.__class__
        if kind is TaggedClip or kind is WireClip:
            clips.append(Clip(resource, source, index))
        elif resource is not None and (transcription is None or resource.id == media.transcription_id):
            transcription = Transcription(resource, source, index)
    return MediaProcessingFinished(
        PROCESSING_FINISHED,
        media,
        tuple(clips),
        transcription,
        dedupe_key(PROCESSING_FINISHED, "medias", media.id, media.processing_started_at),
        content,
    )


def _decode_included(item: msgspec.Raw) -> WireClip | WireTranscription | None:
    """Decode an included resource; None if its type is unknown."""
    kind = _type_decoder.decode(item).type
    if kind == "clips":
        return _clip_decoder.decode(item)
    return _transcription_decoder.decode(item) if kind == "transcriptions" else None


def _parse_unknown(content: bytes) -> UnknownEvent:
    envelope = _envelope_decoder.decode(content)
    return UnknownEvent(envelope.event, payload_key(envelope.event, msgspec.json.decode(envelope.payload)), content)


def _load_json(content: bytes) -> dict[str, Any]:
    # The standard library decodes numbers that msgspec rejects, such as integers of more than 64 bits.
    import json

    try:
        return cast("dict[str, Any]", json.loads(content))
    except (ValueError, RecursionError) as error:
        raise WebhookPayloadError(f"The event's body cannot be decoded as plain JSON: {str(error)[:300]}.") from error
