"""Changes that time causes: medias and clips go from queued to processing to finished or failed.

If a file is neither video nor audio, or a `source_url` cannot be fetched, the media ends with `has_fetch_error` true,
the only sign of failure in the API, and without a webhook (both assumed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_mock.simulator.core.records import Clip, Transcription
from contentgroove_mock.simulator.core.transcript import full_text, spoken_in, suggested
from contentgroove_mock.simulator.core.webhooks import queue_webhooks

if TYPE_CHECKING:
    import datetime as dt

    from contentgroove_mock.simulator.core.faults import Faults
    from contentgroove_mock.simulator.core.ids import Ids
    from contentgroove_mock.simulator.core.records import Media, State


def catch_up(state: State, ids: Ids, faults: Faults, now: dt.datetime) -> None:
    """Bring every media and clip up to date, in the order of their changes."""
    while due := sorted((time, key) for key, time in state.unsettled.items() if time <= now):
        for _, key in due:
            item = state.clips[key] if key in state.clips else state.medias[key]
            if item.stage == "queued":
                item.stage = "processing"
                item.external_id = state.next_external_id()
                state.unsettled[key] = item.finishes_at
            elif isinstance(item, Clip):
                finish_clip(state, item)
            else:
                end_media(state, item, ids, faults, item.finishes_at)


def next_change(state: State) -> dt.datetime | None:
    """Return when a media or clip changes next."""
    return min(state.unsettled.values(), default=None)


def end_media(state: State, media: Media, ids: Ids, faults: Faults, at: dt.datetime) -> None:
    """End a media's processing: it is finished if its file is a video or audio, and failed otherwise."""
    state.unsettled.pop(media.id, None)
    media.external_id = media.external_id or state.next_external_id()
    if media.file is None:
        media.stage = "failed"
        return
    media.stage = "finished"
    media.transcription = Transcription(id=ids.uuid(), text=full_text(media.file.duration))
    clips = [
        Clip(
            id=ids.uuid(),
            account=media.account,
            media_id=media.id,
            name=span.text.split(",")[0].rstrip(".").lower(),
            start_time=span.start,
            end_time=span.end,
            created_at=at,
            processing_started_at=at,
            starts_at=at,
            finishes_at=at,
            stage="finished",
            external_id=state.next_external_id(),
            rank=rank,
            start_char=span.start_char,
            end_char=span.end_char,
            text=span.text,
        )
        for rank, span in enumerate(suggested(media.file.duration))
    ]
    state.clips.update({clip.id: clip for clip in clips})
    media.clip_ids += [clip.id for clip in clips]
    queue_webhooks(state, media, clips, ids=ids, faults=faults, at=at)


def fail_media(state: State, media: Media) -> None:
    """End a media's processing with a fetch error."""
    state.unsettled.pop(media.id, None)
    media.external_id = media.external_id or state.next_external_id()
    media.stage = "failed"


def finish_clip(state: State, clip: Clip) -> None:
    """End a clip's processing."""
    state.unsettled.pop(clip.id, None)
    file = state.medias[clip.media_id].file
    if file is None:
        clip.stage = "failed"
        return
    span = spoken_in(file.duration, clip.start_time, clip.end_time)
    clip.start_char, clip.end_char, clip.text = span.start_char, span.end_char, span.text
    clip.stage = "finished"
