"""Which media is that of an upload whose creation got no response: the one with its marker, else it is unknown.

Medias that only resemble it are candidates for a person to look at. Other processes and machines upload, too, so that
the only media of the right name and time can still be another upload's.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import UNSET, Struct, field, structs

from contentgroove.errors import ContentGrooveError

from . import operations
from .calls import call
from .checkpoints import save_checkpoint
from .inputs import invalid_input, short_repr
from .moments import moment
from .paging import ListArguments, fetch_page

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from contentgroove.models import Media

    from .calls import Session
    from .checkpoints import Checkpoint
    from .io import CheckpointStore

Identify: TypeAlias = Literal["description"]
"""Where an upload carries the marker by which its media is found if the response to its creation is lost."""

IDENTIFY_DESCRIPTION: Identify = "description"

# (assumed: clocks-differ)
CLOCK_SKEW = 120.0
"""Seconds that the service's clocks may differ from each other, in the search for a lost creation."""

# (assumed: list-late, list-has-new-media)
SEARCH_ATTEMPTS = 4
"""Searches before the outcome counts as unknown: the POST may still be on its way, and lists may be late."""

MAX_PAGES = 100
"""Pages that a search reads at most."""

# (assumed: page-size, page-size-capped, sort-order)
PAGE_SIZE = 100
"""A service may return fewer."""

# (assumed: description-verbatim, description-long)
_ANY_TOKEN = re.compile(r"\[sdk-upload ([0-9a-f]{24})\]")
"""A marker as it is sent, and its random part."""

_WRITTEN_MARKER = (
    r"(?i)(?:\s|&nbsp;|&lsqb;|&#\w+;|[\[\\])*(?:sdk-upload(?:\s|&nbsp;|&#\w+;)*)?{}(?:&rsqb;|&#\w+;|[\]\\])*"
)
"""A marker that a service has written in another way, with the space before it."""


def create_marker(identify: Identify | None, random_hex: Callable[[int], str]) -> str | None:
    """Create the marker of an upload; None without `identify`. `random_hex` returns a number of random bytes.

    Raises:
        InvalidInputError: `identify` is neither None nor "description".
    """
    if identify is None:
        return None
    if identify != IDENTIFY_DESCRIPTION:
        raise invalid_input(f"identify must be {IDENTIFY_DESCRIPTION!r} or None, not {short_repr(identify)}.")
    return f"[sdk-upload {random_hex(12)}]"


def choose_marker(checkpoint: Checkpoint, marker: str | None) -> Checkpoint:
    """Return the checkpoint with the marker that the POST will carry: the earlier one once it may have been sent."""
    if checkpoint.state not in {"new", "prepared", "sent"} or checkpoint.is_repeated:
        return checkpoint
    if marker is None:
        return structs.replace(checkpoint, marker=UNSET)
    return structs.replace(checkpoint, marker=marker if checkpoint.marker is UNSET else checkpoint.marker)


def sent_description(checkpoint: Checkpoint) -> str | None:
    """Return the description that the POST carries."""
    if checkpoint.marker is UNSET:
        return checkpoint.description
    return f"{checkpoint.description} {checkpoint.marker}" if checkpoint.description else checkpoint.marker


class Search(Struct):
    """What the lists of medias show of an upload whose outcome is unknown.

    Attributes:
        marked: The medias with its marker, by id.
        candidates: The medias that resemble it, by id.
        error: Why a list could not be read; None if it could.
        complete: False if there are more medias than a search reads.
        read: How many medias the latest search has read.
    """

    marked: dict[str, Media] = field(default_factory=dict[str, "Media"])
    candidates: dict[str, Media] = field(default_factory=dict[str, "Media"])
    error: ContentGrooveError | None = None
    complete: bool = True
    read: int = 0


async def search_medias(checkpoint: Checkpoint, session: Session) -> Search:
    """Read the medias created since an upload was prepared, several times until something is found.

    A list that cannot be read ends the search; it is not an error, so that what happened before can be reported.
    """
    search = Search()
    for attempt in range(SEARCH_ATTEMPTS):
        await session.io.sleep(session.policy.backoff(attempt, lambda: 1.0))
        try:
            await _read_pages(checkpoint, search, session)
        except ContentGrooveError as error:
            search.error = error
            break
        if search.marked or (checkpoint.marker is UNSET and search.candidates):
            break
    return search


async def _read_pages(checkpoint: Checkpoint, search: Search, session: Session) -> None:
    earliest = moment(max(0.0, checkpoint.since - CLOCK_SKEW))
    query = ListArguments(filter=None, sort="-created_at", page_number=None, page_size=PAGE_SIZE, limit=None)
    listing = operations.list_medias(query)
    cursor = listing.cursor()
    before: dt.datetime | None = None
    newest_first = True
    search.read = 0
    for _ in range(MAX_PAGES):
        page = await fetch_page(listing, cursor, session)
        if page is None:
            return
        search.read += len(page)
        for media in page:
            # All pages are read even if one is found: a second one would show that it was created twice.
            if checkpoint.marker is not UNSET and _has_marker(media, checkpoint.marker):
                search.marked[media.id] = media
            if _resembles(media, checkpoint, earliest):
                search.candidates[media.id] = media
        # By the ends of pages, because the service's clocks may differ between neighbours.
        times = [media.created_at for media in page if "created_at" not in media.missing]
        if not times:
            continue
        first, last = times[0], times[-1]
        newest_first = newest_first and last <= first and (before is None or first <= before)
        before = first
        # A service that ignores the order may list newer ones behind older ones.
        if newest_first and all(time < earliest for time in times):
            return
    search.complete = False


def _resembles(media: Media, checkpoint: Checkpoint, earliest: dt.datetime) -> bool:
    """Return whether nothing that can be read of a media contradicts that it is the upload's."""
    if predates(media, earliest) or getattr(media, "source_url", None) is not None:
        return False
    own = f"{checkpoint.description or ''} {checkpoint.marker or ''}"
    if any(token not in own for token in _ANY_TOKEN.findall(_description(media))):
        # It has the marker of another upload.
        return False
    return "name" in media.missing or _names_agree(media.name, checkpoint.name)


def predates(media: Media, earliest: dt.datetime) -> bool:
    """Return whether a media was created before a time; False if that cannot be read."""
    return "created_at" not in media.missing and media.created_at < earliest


def _token(marker: str) -> str:
    """Return the random part of a marker, which proves as much as the whole, whatever a service makes of the rest."""
    return marker.rpartition(" ")[2].removesuffix("]")


def _has_marker(media: Media, marker: str) -> bool:
    return _token(marker) in _description(media).casefold()


def _description(media: Media) -> str:
    return getattr(media, "description", None) or ""


def _names_agree(listed: str, sent: str | None) -> bool:
    """Return whether a service that tidies names may have made the one of the other."""
    if sent is None:
        return True
    short, full = (" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in (listed, sent))
    # A long name may have been cut.
    return short == full or (bool(short) and full.startswith(short))


async def remove_marker(
    media: Media, checkpoint: Checkpoint, store: CheckpointStore | None, session: Session
) -> tuple[Media, Checkpoint]:
    """Take an upload's marker out of its media's description again; return both as they are then.

    A media whose marker cannot be removed is returned with it, and the log says so: the upload has succeeded. With a
    checkpoint, the same call tries again.
    """
    marker = checkpoint.marker
    if marker is UNSET:
        return media, checkpoint
    cleaned = _without_marker(media, checkpoint, marker)
    if cleaned is not None:
        problem: str | None = None
        try:
            media = await call(operations.update_media(media.id, name=None, description=cleaned), session)
        except ContentGrooveError as error:
            problem = error.message
        else:
            if _has_marker(media, marker):
                problem = "The service kept it."
        if problem is not None:
            await session.io.warn(
                f"Media {media.id} was created, but its description still contains the marker {marker}. {problem} "
                "Remove it with medias.update(), or repeat the same upload if it has a checkpoint."
            )
            return media, checkpoint
    checkpoint = structs.replace(checkpoint, marker=UNSET)
    return media, await save_checkpoint(checkpoint, store, session)


def _without_marker(media: Media, checkpoint: Checkpoint, marker: str) -> str | None:
    """Return the description that a media should have; None if it has no marker."""
    # No update can send null, so a media without a description gets an empty one.
    own = checkpoint.description or ""
    sent = f"{own} {marker}" if own else marker
    shown = _description(media)
    if "description" in media.missing or "description" not in media.fields_set:
        return own
    if len(shown) > len(own) and sent.casefold().startswith(shown.casefold()):
        # As it was sent, or what a service that cuts texts or changes their case has left of it.
        return own
    # Otherwise a person has changed it since, or the service writes it in another way, such as with `&#91;` for `[`.
    if marker in shown:
        return shown.replace(f" {marker}", "").replace(marker, "")
    return re.sub(_WRITTEN_MARKER.format(_token(marker)), "", shown) if _has_marker(media, marker) else None
