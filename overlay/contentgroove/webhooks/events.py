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
from contentgroove._model_base import JsonSource
from contentgroove.errors import WebhookPayloadError
from contentgroove.models import Clip, Media, Transcription

from .dedupe import dedupe_key, payload_key
from .wire import TaggedClip, TaggedEvent

PROCESSING_FINISHED = "media.processing_finished"
"""The one event that the API documents."""

_BOM = b"\xef\xbb\xbf"


class _Envelope(msgspec.Struct):
    event: str
    payload: msgspec.Raw = msgspec.Raw(b"null")


class _TypeOnly(msgspec.Struct):
    type: str


# Lax, because the service sends some numbers as strings ("98.865532").
_envelope_decoder = Decoder(_Envelope, strict=False)
_event_decoder: Decoder[Any] = Decoder(TaggedEvent, strict=False)
_lenient_decoder = Decoder(WebhookEvent, strict=False)
_kind = Decoder(_TypeOnly, strict=False)
_clip = Decoder(WireClip, strict=False)
_transcription = Decoder(WireTranscription, strict=False)


@dataclass(frozen=True, slots=True)
class MediaProcessingFinished:
    """A media's processing has finished.

    Attributes:
        event: `media.processing_finished`.
        media: The media.
        clips: The clips that the service suggests, in the order sent.
        transcription: What is spoken; the only place where the API gives it. None if it was not sent.
        dedupe_key: The same for every delivery of this event: event, resource type, id and the start of processing.
            If the service leaves out the start, every delivery about the same media counts as one event.
        body: The body as it came.
        attempt: Which attempt to handle it this is, from 1.
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
        """The body as plain JSON, with whatever this version of the library does not know.

        Raises:
            WebhookPayloadError: A part that this version does not read holds more than Python's JSON can.
        """
        return _load_json(self.body)


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that this version of the library does not know.

    Attributes:
        event: Its name.
        dedupe_key: The same for every delivery of this event: as for known events where the payload names type, id
            and start of processing, else a digest of the payload without the queries of its URLs.
        body: The body as it came.
        attempt: Which attempt to handle it this is, from 1.
    """

    event: str
    dedupe_key: str
    body: bytes = field(repr=False)
    attempt: int = field(default=1, compare=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The body as plain JSON.

        Raises:
            WebhookPayloadError: A part that this version does not read holds more than Python's JSON can.
        """
        return _load_json(self.body)


Event: TypeAlias = MediaProcessingFinished | UnknownEvent


def parse_event(body: bytes | bytearray | memoryview | str | Mapping[str, Any]) -> Event:
    """Read a webhook.

    Args:
        body: The request's body as bytes or text, or its JSON if a framework has parsed it already.

    Returns:
        The event; one that is not known is an `UnknownEvent`.

    Raises:
        WebhookPayloadError: It is no event; nothing else is ever raised for what a body holds.
    """
    content = to_bytes(body)
    try:
        if not content.isascii():
            content.decode()  # the decoders do not look into what they skip
        check_levels(content)
        return _parse_finished(content) or _parse_unknown(content)
    except (msgspec.DecodeError, RecursionError, UnicodeError, OverflowError) as error:
        reason = str(error) or type(error).__name__
        raise WebhookPayloadError(
            f"The body ({len(content):,} bytes) is no webhook of ContentGroove: {reason[:300]}. Answer 400, and check "
            "who sends to this URL."
        ) from error


def to_bytes(body: object) -> bytes:
    """Give a body as bytes, without a byte order mark.

    Raises:
        WebhookPayloadError: It is none of what a body can be.
    """
    if isinstance(body, bytes):
        content = body
    elif isinstance(body, (bytearray, memoryview)):
        content = bytes(cast("bytearray", body))
    elif isinstance(body, str):
        try:
            content = body.encode()
        except UnicodeEncodeError as error:
            raise WebhookPayloadError(f"The body is text that no UTF-8 can carry: {error}.") from error
    elif isinstance(body, Mapping):
        content = _encode_mapping(cast("Mapping[str, Any]", body))
    else:
        raise WebhookPayloadError(f"A webhook's body is bytes, text or a mapping, not {type(body).__name__}.")
    return content.removeprefix(_BOM)


def _encode_mapping(mapping: Mapping[str, Any]) -> bytes:
    # The standard library's encoder refuses NaN, where msgspec's would write null.
    import json

    try:
        check_value_levels(mapping)
        return json.dumps(dict(mapping), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise WebhookPayloadError(f"The mapping holds what is no JSON: {str(error)[:300]}.") from error


def _parse_finished(content: bytes) -> MediaProcessingFinished | None:
    """Read the event that is known; None if it is another."""
    try:
        known: Any = _event_decoder.decode(content)
        resources: Any = known.payload.included or ()
    except msgspec.ValidationError:
        if _envelope_decoder.decode(content).event != PROCESSING_FINISHED:
            return None  # another event may have another payload
        # It includes something of a type that is not known yet, or it is wrong, which these will say.
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
    """Read an included resource; None if its type is not known."""
    kind = _kind.decode(item).type
    if kind == "clips":
        return _clip.decode(item)
    return _transcription.decode(item) if kind == "transcriptions" else None


def _parse_unknown(content: bytes) -> UnknownEvent:
    envelope = _envelope_decoder.decode(content)
    return UnknownEvent(envelope.event, payload_key(envelope.event, msgspec.json.decode(envelope.payload)), content)


def _load_json(content: bytes) -> dict[str, Any]:
    # The standard library reads numbers that msgspec refuses, such as integers of more than 64 bits.
    import json

    try:
        return cast("dict[str, Any]", json.loads(content))
    except (ValueError, RecursionError) as error:
        raise WebhookPayloadError(f"The event's body cannot be shown as plain JSON: {str(error)[:300]}.") from error
