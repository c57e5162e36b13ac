"""Checks of medias: what their creation takes, how they are processed, updated and deleted."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from .checks import (
    UNKNOWN_ID,
    Finding,
    NotTriedError,
    Probe,
    attribute,
    check,
    clips_named,
    described,
    ids_of,
    is_refusal,
    judge,
    number,
)
from .creations import has_facts
from .exchanges import Exchange, entries, is_newest_first, member

_OK = 200
_NO_CONTENT = 204
_NOT_FOUND = 404
_SAMPLE_SECONDS = 6.0
_SAMPLE_SIZE = (320, 180)
_LOOKS = 4
_LONG = 2000
_TOLERANCE = 0.25
"""Seconds: containers and decoders count the last frame differently."""


def _created(probe: Probe) -> Exchange:
    return probe.created.require(probe.created.created)


@check("create-returns-200")
def create_returns_200(probe: Probe) -> Finding:
    """Read the status of the creation."""
    exchange = _created(probe)
    return judge(exchange.status == _OK, f"{described(exchange)}.", exchange)


@check("data-type-optional")
def data_type_optional(probe: Probe) -> Finding:
    """Look whether the creation needed `data.type`."""
    exchange = _created(probe)
    holds = not probe.created.needs_type
    return judge(holds, f"data.type was {'not ' * holds}needed.", *probe.created.refusals[:1], exchange)


@check("media-name-optional")
def media_name_optional(probe: Probe) -> Finding:
    """Look whether the creation needed a name."""
    exchange = _created(probe)
    holds = not probe.created.needs_name
    return judge(holds, f"A name was {'not ' * holds}needed.", *probe.created.refusals[:1], exchange)


@check("media-name-empty")
def media_name_empty(probe: Probe) -> Finding:
    """Read the name of a media that was created without one."""
    exchange = _created(probe)
    if probe.created.needs_name:
        raise NotTriedError("The service demands a name.")
    return judge(attribute(exchange.data, "name") == "", f"It is {attribute(exchange.data, 'name')!r}.", exchange)


@check("media-name-twice")
def media_name_twice(probe: Probe) -> Finding:
    """Give the media the name of another one."""
    others = [item for item in (*probe.created.unreachable[:1], *probe.created.not_media[:1]) if item.succeeded]
    if not others:
        raise NotTriedError("No second media was created.")
    _require_updates(probe)
    exchange = _put(probe, {"name": attribute(others[0].data, "name")})
    return judge(not is_refusal(exchange), f"{described(exchange)} for the name of another media.", exchange)


@check("source-url-http")
def source_url_http(probe: Probe) -> Finding:
    """Create medias whose URL is none of the web, and none at all."""
    _created(probe)
    exchanges = [
        probe.created.create("/medias", probe.created.named() | {"source_url": url})
        for url in ("ftp://contentgroove-doctor.invalid/film.mp4", "film.mp4")
    ]
    holds = all(is_refusal(exchange) for exchange in exchanges)
    return judge(
        holds, f"POST /medias returned {exchanges[0].status} for ftp, {exchanges[1].status} for a name.", *exchanges
    )


@check("description-long")
def description_long(probe: Probe) -> Finding:
    """Update the description to a long one that ends with the marker."""
    text = f"{'Long. ' * 400}"[: _LONG - len(probe.created.marker)] + probe.created.marker
    _require_updates(probe)
    exchange = _put(probe, {"description": text})
    polled = str(attribute(probe.read(f"/medias/{probe.created.media_id}").data, "description"))
    seen = f"{described(exchange)}; {len(polled)} of {_LONG} characters are there."
    return judge(exchange.succeeded and probe.created.marker in polled and len(polled) >= _LONG, seen, exchange)


@check("description-verbatim")
def description_verbatim(probe: Probe) -> Finding:
    """Compare the description of the media with what was sent."""
    plain = (_created(probe), probe.created.first_state)
    if any(attribute(item.data, "description") != probe.created.marker for item in plain):
        return judge(False, "A plain one is not as it was sent.", *plain)  # noqa: FBT003
    special = [item for item in probe.created.unreachable if item.succeeded]
    if not special:
        raise NotTriedError("A plain one is as it was sent, but none with blanks, markup and other scripts was sent.")
    found, sent = [str(attribute(item.data, "description")) for item in special], probe.created.verbatim
    if all(text == sent for text in found):
        return judge(True, "It is as it was sent, with blanks, markup and other scripts.", *special[-1:])  # noqa: FBT003
    stripped = all(text.strip() == sent.strip() for text in found)
    seen = "Blanks at its ends are lost." if stripped else "Blanks, markup or other scripts in it are changed."
    return judge(False, f"{seen} A plain one is as it was sent.", special[-1])  # noqa: FBT003


@check("list-has-new-media")
def list_has_new_media(probe: Probe) -> Finding:
    """Look for the media in the list that was read right after its creation."""
    exchange = probe.created.require(probe.created.fresh)
    holds = probe.created.media_id in ids_of(entries(exchange.data))
    if not holds and not is_newest_first(entries(exchange.data)):
        raise NotTriedError(
            "The list does not begin with the newest medias, so that the new one may be on a later page."
        )
    return judge(holds, f"The new media is {'in' if holds else 'missing from'} the list.", exchange)


@check("processing-null-first")
def processing_null_first(probe: Probe) -> Finding:
    """Read the state of the created media."""
    exchange = _created(probe)
    found, started = attribute(exchange.data, "is_processing"), attribute(exchange.data, "processing_started_at")
    holds = found is None and isinstance(started, str)
    seen = f"is_processing is {found}, processing_started_at is {'set' if started else 'not set'}."
    return judge(holds, seen, exchange)


@check("facts-null-first")
def facts_null_first(probe: Probe) -> Finding:
    """Read the facts of the created media."""
    exchange = _created(probe)
    names = ("source_file_duration", "source_file_content_type", "source_file_height", "source_file_width")
    found = [name for name in names if attribute(exchange.data, name) is not None]
    return judge(not found, f"Set already: {', '.join(found) or 'none'}.", exchange)


@check("external-id-later")
def external_id_later(probe: Probe) -> Finding:
    """Compare the external id at the creation and at the end."""
    first, last = _created(probe), probe.created.finished
    before, after = attribute(first.data, "external_id"), attribute(last.data, "external_id")
    holds = before is None and isinstance(after, str) and after.isdigit()
    return judge(holds, f"It is {'null' if before is None else 'set'} first, {after!r} later.", first, last)


@check("processing-false-last")
def processing_false_last(probe: Probe) -> Finding:
    """Look how the media showed that it is finished."""
    states = probe.created.states
    early = [
        item for item in states if member(item.data, "attributes", "is_processing") is False and not has_facts(item)
    ]
    if early:
        return judge(False, "is_processing is false before the facts of the file are there.", early[0])  # noqa: FBT003
    known = [item for item in states if member(item.data, "attributes", "source_file_duration") is not None]
    if known and all(member(item.data, "attributes", "is_processing") is not False for item in known):
        seen = f"The facts are there, and is_processing is {member(known[-1].data, 'attributes', 'is_processing')}."
        return judge(False, seen, known[-1])  # noqa: FBT003
    return judge(True, "is_processing became false.", probe.created.finished)  # noqa: FBT003


@check("processing-stays-false")
def processing_stays_false(probe: Probe) -> Finding:
    """Read the state of the finished media again."""
    first = probe.created.finished
    again = probe.read(f"/medias/{probe.created.media_id}")
    found = attribute(again.data, "is_processing")
    return judge(found is False, f"is_processing is {found} after it was false.", first, again)


@check("duration-seconds")
def duration_seconds(probe: Probe) -> Finding:
    """Compare the duration of the finished media with that of the file."""
    _needs_sample(probe)
    exchange = probe.created.finished
    found = number(attribute(exchange.data, "source_file_duration"))
    holds = found is not None and abs(found - _SAMPLE_SECONDS) <= _TOLERANCE
    return judge(holds, f"A file of 6 seconds has the duration {found}.", exchange)


@check("size-pixels")
def size_pixels(probe: Probe) -> Finding:
    """Compare the size of the finished media with that of the file."""
    _needs_sample(probe)
    exchange = probe.created.finished
    found = tuple(number(attribute(exchange.data, f"source_file_{name}")) for name in ("width", "height"))
    return judge(found == _SAMPLE_SIZE, f"A film of 320 by 180 pixels has the size {found}.", exchange)


@check("media-content-type")
def media_content_type(probe: Probe) -> Finding:
    """Read the content type of the finished media."""
    _needs_sample(probe)
    exchange = probe.created.finished
    found = attribute(exchange.data, "source_file_content_type")
    return judge(found == "video/mp4", f"It is {found!r}.", exchange)


@check("original-created-at-set")
def original_created_at_set(probe: Probe) -> Finding:
    """Compare two times of the finished media."""
    exchange = probe.created.finished
    found, created = (attribute(exchange.data, name) for name in ("original_created_at", "created_at"))
    holds = found is not None and (found == created or _seconds_between(found, created) <= 1)
    return judge(holds, f"They are {found} and {created}.", exchange)


def _seconds_between(one: object, other: object) -> float:
    try:
        times = [dt.datetime.fromisoformat(str(value)) for value in (one, other)]
        return abs((times[0] - times[1]).total_seconds())
    except (ValueError, TypeError):
        return math.inf


@check("preview-image")
def preview_image(probe: Probe) -> Finding:
    """Look for the picture's URL in the finished media."""
    exchange = probe.created.finished
    found = attribute(exchange.data, "source_file_preview_image_url")
    holds = isinstance(found, str) and found.startswith("http")
    return judge(holds, f"Its URL is {'there' if holds else 'missing'}.", exchange)


@check("transcription-named-later")
def transcription_named_later(probe: Probe) -> Finding:
    """Compare the relationship to the transcription at the creation and at the end."""
    first, last = _created(probe), probe.created.finished
    before, after = (member(item.data, "relationships", "transcription", "data") for item in (first, last))
    if after is None and not probe.created.spoken:
        raise NotTriedError("The file has no speech, so that it may have no transcription: pass --file.")
    holds = before is None and member(after, "type") == "transcriptions"
    return judge(holds, f"First {before}, then {'an identifier' if after else after}.", first, last)


@check("clips-suggested")
def clips_suggested(probe: Probe) -> Finding:
    """Look for clips of the finished media."""
    exchange = probe.created.finished
    found = clips_named(exchange)
    if not found and not probe.created.spoken:
        raise NotTriedError("The file has no speech, so that it may have no clips: pass --file.")
    return judge(found, f"The finished media has {len(found)} clips.", exchange)


def _end_of(exchanges: list[Exchange], subject: str) -> Exchange:
    if not exchanges:
        raise NotTriedError(f"The media {subject} was not created.")
    return exchanges[-1]


@check("fetch-error-flag")
def fetch_error_flag(probe: Probe) -> Finding:
    """Look how the media ended whose URL cannot be fetched."""
    return _failed(_end_of(probe.created.unreachable, "whose URL cannot be fetched"), probe.created.unreachable)


@check("not-media-flag")
def not_media_flag(probe: Probe) -> Finding:
    """Look how the media ended whose file is text."""
    return _failed(_end_of(probe.created.not_media, "whose file is text"), probe.created.not_media)


def _failed(exchange: Exchange, exchanges: list[Exchange]) -> Finding:
    if is_refusal(exchanges[0]):
        return judge(False, f"{described(exchanges[0])}.", exchanges[0])  # noqa: FBT003
    state, flag = attribute(exchange.data, "is_processing"), attribute(exchange.data, "has_fetch_error")
    if state is not False:
        raise NotTriedError("It was not finished in the time for waiting.")
    return judge(flag is True, f"is_processing is {state}, has_fetch_error is {flag}.", exchange)


def _put(probe: Probe, attributes: dict[str, Any]) -> Exchange:
    return probe.write("PUT", f"/medias/{probe.created.media_id}", attributes)


def _require_updates(probe: Probe) -> None:
    whole = _put(probe, {"name": "Doctor's film", "description": probe.created.marker})
    if not whole.succeeded:
        raise NotTriedError(f"{described(whole)} for an ordinary update, which this check builds on.")


@check("put-is-partial")
def put_is_partial(probe: Probe) -> Finding:
    """Update the name alone."""
    whole = _put(probe, {"name": "Doctor's film", "description": probe.created.marker})
    before = attribute(probe.read(f"/medias/{probe.created.media_id}").data, "description")
    exchange = _put(probe, {"name": "Doctor's other name"})
    after = probe.read(f"/medias/{probe.created.media_id}")
    if not whole.succeeded or not before or attribute(after.data, "name") != "Doctor's other name":
        raise NotTriedError(f"{described(exchange)} and changed no name, or there is no description to keep.")
    holds = attribute(after.data, "description") == before
    return judge(holds, f"The description {'stayed' if holds else 'changed'}.", exchange, after)


@check("null-refused")
def null_refused(probe: Probe) -> Finding:
    """Update the description to null."""
    _require_updates(probe)
    exchange = _put(probe, {"description": None})
    return judge(is_refusal(exchange), f"{described(exchange)} for a null description.", exchange)


@check("attributes-unknown-ignored")
def attributes_unknown_ignored(probe: Probe) -> Finding:
    """Update an attribute that medias do not have."""
    _require_updates(probe)
    exchange = _put(probe, {"contentgroove_doctor": "1"})
    return judge(exchange.succeeded, f"{described(exchange)} for an unknown attribute.", exchange)


@check("unknown-media-404")
def unknown_media_404(probe: Probe) -> Finding:
    """Update and delete a media that does not exist."""
    _require_updates(probe)
    put = probe.write("PUT", f"/medias/{UNKNOWN_ID}", {"name": "Nothing"})
    delete = probe.caller.call("DELETE", f"/medias/{UNKNOWN_ID}")
    return judge(put.status == delete.status == _NOT_FOUND, f"{put.status} and {delete.status}.", put, delete)


def _deletion(probe: Probe) -> tuple[str, Exchange]:
    """Delete the media that is text, once in a run."""
    return probe.created.delete_first()


@check("delete-returns-204")
def delete_returns_204(probe: Probe) -> Finding:
    """Delete a media."""
    _, deleted = _deletion(probe)
    return judge(deleted.status == _NO_CONTENT, f"{described(deleted)}.", deleted)


@check("deleted-is-gone")
def deleted_is_gone(probe: Probe) -> Finding:
    """GET a deleted media."""
    path, deleted = _deletion(probe)
    if not deleted.succeeded:
        raise NotTriedError(f"{described(deleted)}.")
    exchange = probe.get(path)
    return judge(exchange.status == _NOT_FOUND, f"{described(exchange)} after it was deleted.", deleted, exchange)


@check("delete-again-404")
def delete_again_404(probe: Probe) -> Finding:
    """Delete a media twice."""
    path, deleted = _deletion(probe)
    if not deleted.succeeded:
        raise NotTriedError(f"{described(deleted)}.")
    exchange = probe.caller.call("DELETE", path)
    return judge(exchange.status == _NOT_FOUND, f"{described(exchange)} the second time.", deleted, exchange)


@check("media-deletes-clips")
def media_deletes_clips(probe: Probe) -> Finding:
    """Delete the media of a clip; this is the last check of a run."""
    clip = f"/clips/{probe.created.clip_id}"
    probe.read(clip)
    path = f"/medias/{probe.created.media_id}"
    deleted = probe.caller.call("DELETE", path)
    if not deleted.succeeded:
        raise NotTriedError(f"{described(deleted)}.")
    probe.created.forget(path)
    exchange = probe.get(clip)
    for _ in range(_LOOKS):
        if not exchange.succeeded:
            break
        # It does not say that they are gone at once.
        probe.caller.sleep(1.0)
        exchange = probe.get(clip)
    return judge(exchange.status == _NOT_FOUND, f"{described(exchange)} after its media was deleted.", exchange)


def _needs_sample(probe: Probe) -> None:
    if not probe.created.is_sample:
        raise NotTriedError("Only the sample's facts are known: do not pass --file.")
