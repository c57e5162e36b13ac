"""The output of events, both received ones and those in an inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._core.moments import moment
from contentgroove.errors import WebhookPayloadError
from contentgroove.webhooks import MediaProcessingFinished, parse_event

from .output import Column

if TYPE_CHECKING:
    from contentgroove.webhooks import Event, StoredEvent


def _media_id(stored: StoredEvent) -> str | None:
    media_id: str | None = _event_fields(stored)["media_id"]
    return media_id


EVENT_COLUMNS: list[Column[StoredEvent]] = [
    Column("state", lambda event: event.state, 7),
    Column("attempts", lambda event: str(event.attempts), 8),
    Column("recorded", lambda event: moment(event.recorded_at).isoformat(timespec="seconds"), 25),
    Column("media", _media_id, 36),
    Column("key", lambda event: event.key),
    Column("error", lambda event: event.error),
]


def cells(event: Event, *, duplicate: bool) -> tuple[str, ...]:
    """Return the cells of a received event."""
    novelty = "again" if duplicate else "new"
    if isinstance(event, MediaProcessingFinished):
        clips = f"{len(event.clips)} clip{'s' * (len(event.clips) != 1)}"
        return (event.event, novelty, event.media.id, clips, event.media.name)
    return (event.event, novelty, event.dedupe_key)


def received_event_json(event: Event, *, duplicate: bool) -> dict[str, Any]:
    """Return the JSON document of a received event."""
    return {**_document(event), "duplicate": duplicate, "key": event.dedupe_key}


def stored_event_json(stored: StoredEvent) -> dict[str, Any]:
    """Return the JSON document of an event in an inbox."""
    return {
        **_event_fields(stored),
        "key": stored.key,
        "state": stored.state,
        "attempts": stored.attempts,
        "handled": sorted(stored.handled),
        "error": stored.error or None,
        "due_at": moment(stored.due) if stored.is_open else None,
        "recorded_at": moment(stored.recorded_at),
        "changed_at": moment(stored.changed_at),
    }


def _event_fields(stored: StoredEvent) -> dict[str, Any]:
    try:
        return _document(parse_event(stored.body))
    except WebhookPayloadError:
        # Recorded by another version, or not by a receiver.
        return {"event": None, "media_id": None, "body": None}


def _document(event: Event) -> dict[str, Any]:
    media_id = event.media.id if isinstance(event, MediaProcessingFinished) else None
    try:
        body = event.raw
    except WebhookPayloadError:
        # It contains numbers that Python's JSON decoder rejects.
        body = None
    return {"event": event.event, "media_id": media_id, "body": body}
