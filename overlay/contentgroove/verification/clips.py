"""Checks of clips that a user cuts."""

from __future__ import annotations

from typing import Any

from contentgroove._core.secret import Secret

from .checks import (
    UNKNOWN_ID,
    Finding,
    NotTriedError,
    Probe,
    attribute,
    check,
    clips_named,
    described,
    is_refusal,
    judge,
    number,
)
from .creations import CLIP
from .exchanges import Exchange, member

_NOT_FOUND = 404
_UNPROCESSABLE = 422
_TOLERANCE = 0.25
_LOOKS = 4
_HOURS = 1_000_000.0


def _created(probe: Probe) -> Exchange:
    return probe.created.require(probe.created.clip)


def _cut(probe: Probe, **attributes: Any) -> Exchange:
    """Cut a clip of the finished media, with other values; it is deleted in the end, if there is one.

    The first clip shows that the service creates one if the values are right.
    """
    _created(probe)
    media_id = member(probe.created.finished.data, "id")
    start, end = CLIP
    values = {"media_id": media_id, "name": probe.created.named()["name"], "start_time": start, "end_time": end}
    return probe.created.create("/clips", values | attributes)


@check("clip-needs-finished-media")
def clip_needs_finished_media(probe: Probe) -> Finding:
    """Look at the attempt to cut a clip of the unfinished media."""
    exchange = probe.created.require(probe.created.early_clip)
    # The same clip of the finished media shows that this was the reason.
    _created(probe)
    if attribute(probe.created.first_state.data, "is_processing") is False:
        raise NotTriedError("The media was finished at once.")
    return judge(is_refusal(exchange), f"{described(exchange)} for an unfinished media.", exchange)


@check("clip-processing-null-first")
def clip_processing_null_first(probe: Probe) -> Finding:
    """Read the state of the created clip."""
    exchange = _created(probe)
    found = attribute(exchange.data, "is_processing")
    return judge(found is None, f"is_processing is {found}.", exchange)


@check("clip-rank-null")
def clip_rank_null(probe: Probe) -> Finding:
    """Read the rank of the created clip."""
    exchange = _created(probe)
    return judge(attribute(exchange.data, "rank") is None, f"It is {attribute(exchange.data, 'rank')}.", exchange)


@check("clip-file-later")
def clip_file_later(probe: Probe) -> Finding:
    """Compare the URL of the clip's file at the creation and at the end."""
    first, last = _created(probe), probe.created.finished_clip
    before, after = (attribute(item.data, "media_file_url") for item in (first, last))
    holds = before is None and isinstance(after, str)
    seen = f"It is {'null' if before is None else 'set'} first, and {'set' if after else 'null'} at the end."
    return judge(holds, seen, first, last)


@check("clip-duration")
def clip_duration(probe: Probe) -> Finding:
    """Compare the duration of the clip's file with the times that it was cut at."""
    exchange = probe.created.finished_clip
    found = number(attribute(exchange.data, "media_file_duration"))
    expected = CLIP[1] - CLIP[0]
    holds = found is not None and abs(found - expected) <= _TOLERANCE
    return judge(holds, f"A clip of {expected:g} s has the duration {found}.", exchange)


@check("clip-file-public")
def clip_file_public(probe: Probe) -> Finding:
    """GET the clip's file without the key."""
    url = attribute(probe.created.finished_clip.data, "media_file_url")
    if not isinstance(url, str):
        raise NotTriedError("The clip has no URL of a file.")
    exchange = probe.caller.get_file(Secret(url))
    return judge(exchange.succeeded, f"GET without the key returned {exchange.status}.", exchange)


@check("clip-of-media")
def clip_of_media(probe: Probe) -> Finding:
    """Look for the clip in its media."""
    _created(probe)
    exchange = probe.read(f"/medias/{probe.created.media_id}")
    found = clips_named(exchange)
    if not found:
        raise NotTriedError("The media names no clips at all (see clips-suggested).")
    holds = probe.created.clip_id in found
    return judge(holds, f"The media names {len(found)} clips, {'with' if holds else 'without'} the new one.", exchange)


@check("clip-end-after-start")
def clip_end_after_start(probe: Probe) -> Finding:
    """Cut a clip that ends before it starts."""
    exchange = _cut(probe, start_time=CLIP[1], end_time=CLIP[0])
    return judge(is_refusal(exchange), f"{described(exchange)} for end before start.", exchange)


@check("clip-within-media")
def clip_within_media(probe: Probe) -> Finding:
    """Cut a clip that is longer than the media."""
    exchange = _cut(probe, end_time=_HOURS)
    return judge(is_refusal(exchange), f"{described(exchange)} for an end far beyond.", exchange)


@check("clip-times-not-negative")
def clip_times_not_negative(probe: Probe) -> Finding:
    """Cut a clip that starts before the media."""
    exchange = _cut(probe, start_time=-1.0)
    return judge(is_refusal(exchange), f"{described(exchange)} for a negative start.", exchange)


@check("clip-of-unknown-media-404")
def clip_of_unknown_media_404(probe: Probe) -> Finding:
    """Cut a clip of a media that does not exist."""
    exchange = _cut(probe, media_id=UNKNOWN_ID)
    return judge(exchange.status == _NOT_FOUND, f"{described(exchange)} for an unknown media.", exchange)


@check("clip-name-needed")
def clip_name_needed(probe: Probe) -> Finding:
    """Cut clips without a name, and with one of blanks."""
    exchanges = [_cut(probe, name=name) for name in ("", "  ")]
    holds = all(is_refusal(exchange) for exchange in exchanges)
    seen = f"POST /clips returned {exchanges[0].status} for an empty name, {exchanges[1].status} for blanks."
    return judge(holds, seen, *exchanges)


@check("clip-leaves-media")
def clip_leaves_media(probe: Probe) -> Finding:
    """Cut another clip, delete it, and look for it in its media."""
    clip = _cut(probe)
    path = f"/clips/{member(clip.data, 'id')}"
    if not clip.succeeded or member(clip.data, "id") not in clips_named(_media(probe)):
        raise NotTriedError("Its media does not name a new clip (see clip-of-media).")
    deleted = probe.caller.call("DELETE", path)
    if not deleted.succeeded:
        raise NotTriedError(f"{described(deleted)}.")
    exchange = _media(probe)
    holds = member(clip.data, "id") not in clips_named(exchange)
    return judge(holds, f"The media {'does not name' if holds else 'still names'} the deleted clip.", exchange)


def _media(probe: Probe) -> Exchange:
    return probe.read(f"/medias/{probe.created.media_id}")


def _refusal(probe: Probe) -> Exchange:
    """Return the refusal of a clip with a wrong value; raises a `NotTriedError` if the service accepts each."""
    for wrong in ({"name": ""}, {"start_time": CLIP[1], "end_time": CLIP[0]}, {"start_time": "soon"}):
        exchange = _cut(probe, **wrong)
        if is_refusal(exchange):
            return exchange
    raise NotTriedError("The service accepts a clip without a name, one without a length, and a text as a time.")


@check("error-422")
def error_422(probe: Probe) -> Finding:
    """Cut a clip with a value that is refused, and read the errors."""
    exchange = _refusal(probe)
    if exchange.status != _UNPROCESSABLE:
        raise NotTriedError(f"{described(exchange)} for a wrong value, so there is no 422 to read.")
    error = member(exchange.errors, 0)
    named = isinstance(member(error, "title"), str) and isinstance(member(error, "source", "pointer"), str)
    holds = named and isinstance(member(error, "status"), str)
    return judge(holds, f"The body {'has' if holds else 'lacks'} status, title and source.pointer.", exchange)


@check("values-refused-422")
def values_refused_422(probe: Probe) -> Finding:
    """Cut a clip with a value that is refused."""
    exchange = _refusal(probe)
    return judge(exchange.status == _UNPROCESSABLE, f"{described(exchange)} for a wrong value.", exchange)


@check("clip-update-reprocesses")
def clip_update_reprocesses(probe: Probe) -> Finding:
    """Move the end of the finished clip."""
    _ = probe.created.finished_clip
    moved = {"start_time": CLIP[0], "end_time": CLIP[1] + 0.5}
    path = f"/clips/{probe.created.clip_id}"
    exchange = probe.write("PUT", path, moved)
    if not exchange.succeeded:
        raise NotTriedError(f"{described(exchange)}.")
    # What starts the work may come after the response to the update.
    states = [exchange]
    while attribute(states[-1].data, "is_processing") is False and len(states) <= _LOOKS:
        probe.caller.sleep(0.5)
        states.append(probe.read(path))
    found = attribute(states[-1].data, "is_processing")
    return judge(found is not False, f"is_processing is {found} after the update.", exchange, states[-1])
