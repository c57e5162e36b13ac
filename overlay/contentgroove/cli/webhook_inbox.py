"""Events on the command line: their output, and `contentgroove webhooks replay`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from contentgroove._core.moments import moment
from contentgroove.errors import WebhookPayloadError
from contentgroove.webhooks import MediaProcessingFinished, parse_event
from contentgroove.webhooks.events import PROCESSING_FINISHED, key_prefix
from contentgroove.webhooks.inbox import is_unreadable
from contentgroove.webhooks.receiver import MAX_BODY_BYTES
from contentgroove.webhooks.unreadable import replay

from .exit_codes import CommandError, ExitCode
from .output import UNREADABLE, Column

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove.webhooks import Event, Inbox, ReceiverStatus, StoredEvent

    from .output import Output
    from .webhook_posting import Target

MAX_LISTED = 10_000
"""Dead events that are searched for unreadable bodies."""

EVENT_COLUMNS: list[Column[StoredEvent]] = [
    Column("state", lambda event: event.state, 7),
    Column("attempts", lambda event: str(event.attempts), 8),
    Column("recorded", lambda event: moment(event.recorded_at).isoformat(timespec="seconds"), 25),
    Column("media", lambda event: _event_fields(event)["media_id"], 36),
    Column("key", lambda event: event.key),
    Column("error", lambda event: event.error.partition("\n")[0]),
]


def print_event(out: Output, event: Event, *, duplicate: bool) -> None:
    """Print a received event."""
    details = [event.dedupe_key]
    if isinstance(event, MediaProcessingFinished):
        clips = f"{len(event.clips)} clip{'s' * (len(event.clips) != 1)}"
        details = [event.media.id, clips, getattr(event.media, "name", UNREADABLE)]
    document = {**_document(event), "duplicate": duplicate, "key": event.dedupe_key}
    out.line(document, [event.event, "again" if duplicate else "new", *details])


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


def print_status(out: Output, status: ReceiverStatus, *, overdue: float, worker_within: float | None) -> None:
    """Print the state of an inbox, and fail if it is not healthy."""
    reasons: list[str] = []
    if status.overdue:
        reasons.append(f"An event is due for more than {overdue:g} s: no worker runs, or none keeps up.")
    if status.paused:
        reasons.append(f"The worker pauses for {status.paused:.0f} s because of an outage: see its log.")
    if worker_within is not None and not _was_seen(status, worker_within):
        reasons.append(f"No worker was seen in the last {worker_within:g} s.")
    document = {
        "healthy": not reasons,
        "pending": status.pending,
        "claimed": status.claimed,
        "done": status.done,
        "dead": status.dead,
        "oldest_pending_seconds": status.oldest_pending,
        "overdue": status.overdue,
        "paused_seconds": status.paused,
        "last_handled_at": status.last_handled_at,
        "worker_seen_at": status.worker_seen_at,
    }
    shown = {name.replace("_", " "): _shown(value) for name, value in document.items()}
    out.print_item(shown, document)
    if reasons:
        raise CommandError(ExitCode.FAILED, " ".join(reasons), "Run: contentgroove webhooks work")


def _was_seen(status: ReceiverStatus, within: float) -> bool:
    seen = status.worker_seen_at
    return seen is not None and (dt.datetime.now(dt.UTC) - seen).total_seconds() <= within


def _shown(value: object) -> str | None:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.1f}"
        case dt.datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return None if value is None else str(value)


def post_event(out: Output, file: Path, target: Target) -> None:
    """POST a saved body as the service would, and print the status."""
    event = _read_event_file(file)
    posted = target.post(event.body)
    if posted.status is not None:
        document = {"key": event.dedupe_key, "to": target.shown, "status": posted.status}
        out.line(document, (event.dedupe_key, f"{posted.status}"))
    target.require_delivered(posted)


def record_event(out: Output, file: Path, inbox: Inbox) -> None:
    """Record a saved body in an inbox, as if it had just been delivered."""
    event = _read_event_file(file)
    duplicate = not inbox.record(event.dedupe_key, event.body)
    print_event(out, event, duplicate=duplicate)
    if duplicate:
        out.warn(f"The inbox has this event already. To handle it again, replay its key: {event.dedupe_key}")


def read_bodies_again(out: Output, inbox: Inbox) -> None:
    """Read all kept bodies that could not be read again with this version."""
    keys = sorted(stored.key for stored in inbox.events("dead", MAX_LISTED) if is_unreadable(stored.key))
    if not keys:
        out.print_note("No body is unreadable.")
    failed = sum(not _read_body_again(out, key, inbox) for key in keys)
    if failed:
        raise CommandError(
            ExitCode.PARTIAL if failed < len(keys) else ExitCode.REFUSED,
            f"{failed} of {len(keys)} bodies still cannot be read.",
            "They stay in the inbox: see contentgroove webhooks events --state dead",
        )


def _read_body_again(out: Output, key: str, inbox: Inbox) -> bool:
    try:
        event = replay(inbox, key)
    except WebhookPayloadError as error:
        out.warn(f"{key} still cannot be read: {error.message}")
        return False
    if event is None:
        out.warn(f"{key} is read by another process at this moment.")
        return False
    out.line({"key": event.dedupe_key, "replayed": True}, (event.dedupe_key, "replayed"))
    return True


def replay_event(out: Output, name: str, inbox: Inbox) -> None:
    """Let an event in an inbox be handled again; its name is its key, or the id of its media."""
    keys = (
        [name] if inbox.has(name) else sorted(inbox.keys_with_prefix(key_prefix(PROCESSING_FINISHED, "medias", name)))
    )
    if not keys:
        raise CommandError(
            ExitCode.NOT_FOUND,
            f"There is no file {name}, and the inbox has no event with this key or media id.",
            "List its events: contentgroove webhooks events --inbox FILE",
        )
    if len(keys) > 1:
        raise CommandError(
            ExitCode.USAGE, f"Media {name} has {len(keys)} events. Pass the key of one: {', '.join(keys)}."
        )
    if is_unreadable(keys[0]):
        if not _read_body_again(out, keys[0], inbox):
            raise CommandError(ExitCode.REFUSED, "It stays in the inbox.", "Update contentgroove, then replay it.")
        return
    if not inbox.replay(keys[0]):
        raise CommandError(
            ExitCode.REFUSED, f"{keys[0]} is already waiting to be handled.", "Run: contentgroove webhooks work"
        )
    out.line({"key": keys[0], "replayed": True}, (keys[0], "replayed"))


def _read_event_file(file: Path) -> Event:
    try:
        with file.open("rb") as opened:
            body = opened.read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise CommandError(ExitCode.FILE, f"Cannot read {file}: {error.strerror}.") from error
    if len(body) > MAX_BODY_BYTES:
        raise CommandError(ExitCode.FILE, f"{file} has more than {MAX_BODY_BYTES:,} bytes, the limit of receivers.")
    try:
        return parse_event(body)
    except WebhookPayloadError as error:
        raise CommandError(ExitCode.FILE, f"{file} is not a webhook: {error.message}") from error


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
