"""`contentgroove webhooks trigger`: an event of the contract with chosen fields."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any, cast, get_args

from contentgroove_api.models.webhook_event_event import WebhookEventEvent
from contentgroove_api.types import check_levels

from contentgroove.errors import WebhookPayloadError
from contentgroove.webhooks import parse_event
from contentgroove.webhooks.events import PROCESSING_FINISHED
from contentgroove.webhooks.receiver import MAX_BODY_BYTES

from .exit_codes import CommandError, ExitCode
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .output import Output
    from .webhook_posting import Target

EVENTS: tuple[str, ...] = get_args(WebhookEventEvent)
"""The events of the contract."""

Json = dict[str, Any]


def example_event(media_id: str, now: dt.datetime) -> Json:
    """Write an event about a media with one clip and a transcription; a test checks it against the contract."""
    moment = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    clip_id, transcription_id = str(uuid.uuid4()), str(uuid.uuid4())
    text = "One small step for a man."
    media = {
        "created_at": moment,
        "description": "An example.",
        "external_id": None,
        "has_fetch_error": False,
        "is_processing": False,
        "name": "Example",
        "original_created_at": None,
        "processing_started_at": moment,
        "source_created_at": moment,
        "source_file_content_type": "video/mp4",
        "source_file_duration": "98.865532",
        "source_file_height": 280,
        "source_file_preview_image_url": "https://files.example/preview.jpg",
        "source_file_width": 320,
        "source_url": "https://files.example/source.mp4",
    }
    clip = {
        "created_at": moment,
        "end_char": len(text),
        "end_time": "38.92",
        "external_id": None,
        "media_file_content_type": "video/mp4",
        "media_file_duration": 38.92,
        "media_file_height": 240,
        "media_file_preview_image_url": "https://files.example/clip.jpg",
        "media_file_url": "https://files.example/clip.mp4",
        "media_file_width": 320,
        "name": "One small step",
        "rank": 0,
        "start_char": 0,
        "start_time": "0",
        "text": text,
    }
    data = {
        "id": media_id,
        "type": "medias",
        "attributes": media,
        "relationships": {"clips": {"data": [{"id": clip_id, "type": "clips"}]}},
        "transcription": {"data": {"id": transcription_id, "type": "transcriptions"}},
    }
    included = [
        {
            "id": clip_id,
            "type": "clips",
            "attributes": clip,
            "relationships": {"media": {"data": {"id": media_id, "type": "medias"}}},
        },
        {"id": transcription_id, "type": "transcriptions", "attributes": {"text": text}, "relationships": {}},
    ]
    return {"event": PROCESSING_FINISHED, "payload": {"data": data, "included": included}}


def build_event(
    out: Output,
    event: str,
    *,
    file: Path | None,
    media_id: str | None,
    name: str | None,
    changes: Iterable[str],
    any_event: bool,
) -> Json:
    """Return an event with chosen fields; each of them is checked before anything is sent.

    Raises:
        CommandError: The event is not one of the contract, or a field or the file cannot be used.
    """
    if event not in EVENTS:
        _check_unknown(out, event, any_event=any_event)
    if file is None:
        # Each is another event for a receiver, as for the service.
        chosen = example_event(media_id or str(uuid.uuid4()), dt.datetime.now(dt.UTC))
    else:
        chosen = _read_object(file)
        if media_id is not None:
            _set(chosen, ("payload", "data", "id"), media_id, "--media-id")
    chosen["event"] = event
    if name is not None:
        _set(chosen, ("payload", "data", "attributes", "name"), name, "--name")
    for change in changes:
        path, equals, text = change.partition("=")
        parts = tuple(path.split("."))
        if not equals or not all(parts):
            raise CommandError(ExitCode.USAGE, f"{change!r} is not PATH=VALUE, such as data.attributes.name=Film.")
        # `data.id` is how the API's document names a field; `payload.data.id` is where it is in the body.
        parts = parts if parts[0] in {"event", "payload"} else ("payload", *parts)
        if not _set(chosen, parts, _value(text), path) and file is None:
            out.warn(f"{path} is not a field of the event in the contract; it is sent nevertheless.")
    return chosen


def trigger_event(out: Output, event: Json, target: Target) -> None:
    """POST an event, and print its key and the status."""
    body = encode(event)
    try:
        key = parse_event(body).dedupe_key
    except WebhookPayloadError as error:
        out.warn(f"A receiver cannot read this event: {error.message}")
        key = None
    posted = target.post(body)
    if posted.status is not None:
        document = {"key": key, "to": target.shown, "status": posted.status}
        delivered = "delivered" if posted.delivered else "not delivered"
        out.line(document, (key or "(unreadable)", f"{posted.status}", delivered))
    target.require_delivered(posted)


def encode(event: Json) -> bytes:
    """Write an event as its body."""
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _check_unknown(out: Output, event: str, *, any_event: bool) -> None:
    if any_event:
        out.warn(f"The contract has no event {event!r}; it is sent nevertheless.")
        return
    advice = did_you_mean(event, EVENTS).strip() or f"It has: {', '.join(EVENTS)}."
    raise CommandError(
        ExitCode.USAGE,
        f"The contract has no event {event!r}. {advice}",
        "To see what your app does with it nevertheless, pass --any-event.",
    )


def _read_object(file: Path) -> Json:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise CommandError(ExitCode.FILE, f"Cannot read {file}: {error.strerror}.") from error
    if len(content) > MAX_BODY_BYTES:
        raise CommandError(ExitCode.FILE, f"{file} has more than {MAX_BODY_BYTES:,} bytes, the limit of receivers.")
    try:
        found: object = _decode(content)
    except ValueError as error:
        raise CommandError(ExitCode.FILE, f"{file} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise CommandError(ExitCode.FILE, f"{file} must contain a JSON object, as `webhooks trigger --print` prints.")
    return cast("Json", found)


def _decode(content: bytes) -> object:
    check_levels(content)
    return json.loads(content.decode("utf-8-sig"), parse_constant=_reject)


def _reject(constant: str) -> object:
    raise ValueError(f"{constant} is not a number of JSON")


def _value(text: str) -> object:
    """Return a value as JSON if it is JSON, otherwise as text."""
    try:
        return _decode(text.encode("utf-8", "surrogateescape"))
    except ValueError:
        return text


def _set(event: Json, path: tuple[str, ...], value: object, named: str) -> bool:
    """Set a field; objects on the way are created. Returns whether it existed.

    Raises:
        CommandError: The path leads through something that is not an object, or past the end of an array.
    """
    here: Any = event
    for position, part in enumerate(path):
        is_last = position == len(path) - 1
        if isinstance(here, list):
            items = cast("list[Any]", here)
            index = int(part) if part.isascii() and part.isdigit() and len(part) < 10 else -1  # noqa: PLR2004 - digits of any index
            if not 0 <= index < len(items):
                where = ".".join(path[:position])
                raise CommandError(ExitCode.USAGE, f"{named}: {where} has {len(items)} items, counted from 0.")
            if is_last:
                items[index] = value
                return True
            here = items[index]
        elif isinstance(here, dict):
            members = cast("Json", here)
            existed = part in members
            if is_last:
                members[part] = value
                return existed
            here = members.setdefault(part, {})
        else:
            where = ".".join(path[:position])
            raise CommandError(ExitCode.USAGE, f"{named}: {where} is neither an object nor an array.")
    return False
