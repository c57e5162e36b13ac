"""From a webhook's body to an event."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import msgspec
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from contentgroove_api.models.webhook_payload import WebhookPayload
from msgspec.json import Decoder

from contentgroove.errors import WebhookPayloadError
from contentgroove.models import Clip, Media, Source, Transcription

PROCESSING_FINISHED = "media.processing_finished"
"""The one event that the API documents."""

_BOM = b"\xef\xbb\xbf"


class _Envelope(msgspec.Struct):
    event: str
    payload: msgspec.Raw = msgspec.Raw(b"null")


class _Kind(msgspec.Struct):
    type: str


# Lax, because the service sends some numbers as strings ("98.865532").
_envelope = Decoder(_Envelope, strict=False)
_payload = Decoder(WebhookPayload, strict=False)
_kind = Decoder(_Kind, strict=False)
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
        body: The body as it came.
    """

    event: str
    media: Media
    clips: tuple[Clip, ...]
    transcription: Transcription | None
    dedupe_key: str
    body: bytes = field(repr=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The body as plain JSON, with whatever this version of the library does not know."""
        return _read(self.body)


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that this version of the library does not know.

    Attributes:
        event: Its name.
        dedupe_key: The same for every delivery of this event: as for known events where the payload has such a
            resource, else a digest of the payload.
        body: The body as it came.
    """

    event: str
    dedupe_key: str
    body: bytes = field(repr=False)

    @property
    def raw(self) -> dict[str, Any]:
        """The body as plain JSON."""
        return _read(self.body)


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
    content = _bytes(body)
    try:
        envelope = _envelope.decode(content)
        if envelope.event == PROCESSING_FINISHED:
            return _finished(envelope, content)
        return UnknownEvent(envelope.event, _unknown_key(envelope), content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        reason = str(error) or type(error).__name__
        raise WebhookPayloadError(
            f"The body ({len(content):,} bytes) is no webhook of ContentGroove: {reason[:300]}. Answer 400, and check "
            "who sends to this URL."
        ) from error


def _bytes(body: object) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        content = bytes(cast("bytes", body))
    elif isinstance(body, str):
        try:
            content = body.encode()
        except UnicodeEncodeError as error:
            raise WebhookPayloadError(f"The body is text that no UTF-8 can carry: {error}.") from error
    elif isinstance(body, Mapping):
        try:
            content = msgspec.json.encode(dict(cast("Mapping[str, Any]", body)))
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise WebhookPayloadError(f"The mapping holds what is no JSON: {str(error)[:300]}.") from error
    else:
        raise WebhookPayloadError(f"A webhook's body is bytes, text or a mapping, not {type(body).__name__}.")
    return content.removeprefix(_BOM)


def _finished(envelope: _Envelope, content: bytes) -> MediaProcessingFinished:
    payload = _payload.decode(envelope.payload)
    media = Media(payload.data, Source(content, ("payload", "data")))
    clips: list[Clip] = []
    transcriptions: list[Transcription] = []
    included = payload.included
    for index, item in enumerate([] if isinstance(included, msgspec.UnsetType) or included is None else included):
        source = Source(content, ("payload", "included", index))
        kind = _kind.decode(item).type
        if kind == "clips":
            clips.append(Clip(_clip.decode(item), source))
        elif kind == "transcriptions":
            transcriptions.append(Transcription(_transcription.decode(item), source))
    wanted = [item for item in transcriptions if item.id == media.transcription_id]
    return MediaProcessingFinished(
        envelope.event,
        media,
        tuple(clips),
        next(iter(wanted or transcriptions), None),
        dedupe_key(envelope.event, "medias", media.id, media.processing_started_at),
        content,
    )


def dedupe_key(event: str, kind: str, resource_id: str, started: dt.datetime | str | None) -> str:
    """Name an event so that each of its deliveries has the same name.

    Not a digest of the body: a second delivery can carry freshly signed URLs.
    """
    moment = started.astimezone(dt.UTC).isoformat() if isinstance(started, dt.datetime) else started or ""
    return f"{event}:{kind}:{resource_id}:{moment}"


def _unknown_key(envelope: _Envelope) -> str:
    payload: Any = msgspec.json.decode(envelope.payload)
    data: Any = cast("dict[str, Any]", payload).get("data") if isinstance(payload, dict) else None
    if isinstance(data, dict):
        members = cast("dict[str, Any]", data)
        kind, resource_id = members.get("type"), members.get("id")
        if isinstance(kind, str) and isinstance(resource_id, str):
            attributes: Any = members.get("attributes")
            started = (
                cast("dict[str, Any]", attributes).get("processing_started_at") if isinstance(attributes, dict) else ""
            )
            return dedupe_key(envelope.event, kind, resource_id, started if isinstance(started, str) else "")
    canonical = msgspec.json.encode(payload, order="deterministic")
    return f"{envelope.event}:sha256:{hashlib.sha256(canonical).hexdigest()}"


def _read(content: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.json.decode(content))
