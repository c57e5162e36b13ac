"""Changes that time causes: processing of medias and clips, and their made-up speech.

If a file is neither video nor audio, or a `source_url` cannot be fetched, the media ends with `has_fetch_error` true,
the only sign of failure in the API, and without a webhook (assumed: not-media-flag, fetch-error-flag,
webhook-none-for-failed).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from contentgroove_mock.simulator.core.deliveries import next_attempt, queue_webhooks
from contentgroove_mock.simulator.core.policies import NEVER
from contentgroove_mock.simulator.core.records import Clip, Transcription

if TYPE_CHECKING:
    import datetime as dt

    from contentgroove_mock.simulator.core.faults import Faults
    from contentgroove_mock.simulator.core.records import Ids, Media, State

# Recordings and state files contain these sentences, so they must not change.
_SENTENCES = (
    "A small lamp lights up before the coloured bars begin to move.",
    "With every second the tone climbs one step and the counter follows.",
    "Whoever cuts this film well will find the steps still in order.",
    "Nothing here was ever spoken aloud, yet every word has its place.",
    "The last bar runs out of the picture and the hall is quiet again.",
)
_SENTENCE_SECONDS = 2.0
_MAX_SENTENCES = 300
_MAX_CLIPS = 3


class Span(NamedTuple):
    """A part of a video, with its times in seconds, and its words and their position in the transcription."""

    start: float
    end: float
    start_char: int
    end_char: int
    text: str


def catch_up(state: State, ids: Ids, faults: Faults, now: dt.datetime) -> None:
    """Bring every media and clip up to date, in the order of their changes."""
    while due := sorted((time, key) for key, time in state.unsettled.view.items() if time <= now):
        for _, key in due:
            item = state.clips[key] if key in state.clips else state.medias[key]
            if item.stage == "queued":
                item.stage = "processing"
                item.external_id = state.next_external_id()
                state.unsettled[key] = item.finishes_at
            elif isinstance(item, Clip):
                _finish_clip(state, item)
            else:
                end_media(state, item, ids, faults, item.finishes_at)


def next_change(state: State) -> dt.datetime | None:
    """Return when a media or clip changes, or a delivery attempt is due, for the next time."""
    times = [*(time for time in state.unsettled.view.values() if time != NEVER), next_attempt(state)]
    return min((time for time in times if time is not None), default=None)


# (assumed: external-id-later, processing-stays-false, webhook-means-finished)
def end_media(state: State, media: Media, ids: Ids, faults: Faults, at: dt.datetime) -> None:
    """End a media's processing: it is finished if its file is a video or audio, and failed otherwise."""
    if media.file is None:
        fail_media(state, media)
        return
    clips = finish_media(state, media, media.file.duration, ids, at)
    queue_webhooks(state, media, clips, ids=ids, faults=faults, at=at)


def finish_media(state: State, media: Media, duration: float, ids: Ids, at: dt.datetime) -> list[Clip]:
    """Give a media its transcription and the suggested clips, which are returned."""
    state.unsettled.pop(media.id, None)
    media.external_id = media.external_id or state.next_external_id()
    media.stage = "finished"
    media.transcription = Transcription(id=ids.uuid(), text=full_text(duration))
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
        for rank, span in enumerate(suggest_clips(duration))
    ]
    state.clips.update({clip.id: clip for clip in clips})
    media.clip_ids += [clip.id for clip in clips]
    return clips


def fail_media(state: State, media: Media) -> None:
    """End a media's processing with a fetch error."""
    state.unsettled.pop(media.id, None)
    media.external_id = media.external_id or state.next_external_id()
    media.stage = "failed"


def hold_media(state: State, media: Media) -> None:
    """Keep a media in processing until it is finished or failed on demand."""
    media.stage = "processing"
    media.external_id = media.external_id or state.next_external_id()
    media.finishes_at = NEVER
    state.unsettled[media.id] = NEVER


def _finish_clip(state: State, clip: Clip) -> None:
    state.unsettled.pop(clip.id, None)
    file = state.medias[clip.media_id].file
    if file is None:
        clip.stage = "failed"
        return
    span = span_between(file.duration, clip.start_time, clip.end_time)
    clip.start_char, clip.end_char, clip.text = span.start_char, span.end_char, span.text
    clip.stage = "finished"


def sentences(duration: float) -> list[Span]:
    """Spread sentences evenly over a video, one every 2 seconds, at most 300."""
    count = max(1, min(_MAX_SENTENCES, round(duration / _SENTENCE_SECONDS)))
    edges = [*(round(duration * index / count, 2) for index in range(count)), duration]
    result: list[Span] = []
    position = 0
    for index, (start, end) in enumerate(itertools.pairwise(edges)):
        text = _SENTENCES[index % len(_SENTENCES)]
        result.append(Span(start, end, position, position + len(text), text))
        position += len(text) + 1
    return result


def full_text(duration: float) -> str:
    """Return the whole transcription of a video of that length."""
    return " ".join(sentence.text for sentence in sentences(duration))


# (assumed: clip-text-spoken, clip-chars)
def span_between(duration: float, start: float, end: float) -> Span:
    """Return the sentences that are heard, at least in part, between two times."""
    heard = [item for item in sentences(duration) if item.start < end and item.end > start]
    first, last = heard[0], heard[-1]
    text = " ".join(item.text for item in heard)
    return Span(start, end, first.start_char, last.end_char, text)


# (assumed: clips-suggested, rank-from-0, rank-best-first)
def suggest_clips(duration: float) -> list[Span]:
    """Cut a video into the clips that the service suggests, best first."""
    spoken = sentences(duration)
    count = min(_MAX_CLIPS, len(spoken))
    edges = [round(len(spoken) * step / count) for step in range(count + 1)]
    parts = [spoken[begin:end] for begin, end in itertools.pairwise(edges)]
    return [span_between(duration, part[0].start, part[-1].end) for part in parts]
