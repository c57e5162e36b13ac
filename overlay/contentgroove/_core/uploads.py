"""From a file to a media: prepare, send to the store, create; once, whatever breaks on the way."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from contentgroove.errors import APIError, InvalidInputError, OutcomeUnknownError, UploadError, UploadErrorReason

from . import direct_uploads, medias
from .calls import call
from .checkpoints import LAST_SECOND, Checkpoint, Fingerprint, checkpoints_in, encode, resume, unsaved
from .effects import Ask, Failure, Put, Reply, Save, Sleep
from .listing import ListQuery, fetch_page
from .moments import moment
from .redaction import redact_url
from .waiting import Patience, for_media

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contentgroove.models import Media

    from .calls import Session
    from .effects import Flow

MAX_SIZE = 5 * 1024**3
"""Bytes: the limit of a single PUT to S3, which the documentation's "5gb per file" is taken to mean."""

CLOCK_SKEW = 120.0
"""Seconds that the service's clocks may differ from each other when a lost creation is looked for."""

LOOKS = 3
"""How often a lost creation is looked for before it is repeated: it may still be on its way."""

_CODE = re.compile(rb"<Code>([A-Za-z.]{1,60})</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,300})</Message>")
_EXPIRED = frozenset({"ExpiredToken", "RequestExpired"})
_SIGNATURE = frozenset({"SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthorizationQueryParametersError"})


class Kept(Struct, frozen=True):
    """Where an upload writes down how far it is.

    Attributes:
        place: The checkpoint's file.
        content: What it holds, None if there is no file yet.
        others: Reads the files beside it, which may be checkpoints of other uploads.
    """

    place: str
    content: bytes | None
    others: Callable[[], Iterable[bytes]]


class UploadPlan(Struct, frozen=True):
    """What is to be uploaded.

    Attributes:
        file: The file's name for messages, None if it has none.
        rewindable: Whether it can be sent a second time.
        checkpoint: Where the upload is; a fresh one at its beginning.
        kept: Where progress is written down, None if it is not.
        claimed: The medias that uploads of this client made, and the `upload_id` of each, so that none is taken for
            another's; one whose id could not be written down is still its own upload's.
    """

    file: str | None
    rewindable: bool
    checkpoint: Checkpoint
    kept: Kept | None
    claimed: dict[str, str]

    @property
    def name(self) -> str | None:
        """The media's name."""
        return self.checkpoint.name


def make_plan(
    file: Fingerprint,
    fresh: tuple[str | None, str | None],
    session: Session,
    *,
    rewindable: bool,
    claimed: dict[str, str],
    kept: Kept | None,
) -> UploadPlan:
    """Plan an upload, from its beginning or from a checkpoint.

    Args:
        file: What tells the file from others.
        fresh: The media's name and description.
        session: What calls of the client share.
        rewindable: Whether the file can be sent a second time.
        claimed: The medias that uploads of this client made, and the `upload_id` of each.
        kept: Where progress is written down, None if it is not.

    Raises:
        InvalidInputError: The checkpoint is another upload's, or the file cannot have one.
        UploadError: The file has changed since the checkpoint was written.
    """
    checkpoint = Checkpoint(base_url=session.base_url, file=file, name=fresh[0], description=fresh[1])
    if kept is not None:
        if file.modified is None:
            raise InvalidInputError(
                "Only an upload of a path can have a checkpoint: what is in memory is gone when the process is. "
                "Nothing was sent."
            )
        checkpoint = resume(kept.content, checkpoint, kept.place)
    return UploadPlan(file.name, rewindable, checkpoint, kept, claimed)


def upload(plan: UploadPlan, session: Session, patience: Patience | None) -> Flow[Media]:
    """Upload a file and create its media, from wherever the checkpoint says.

    Args:
        plan: What is to be uploaded.
        session: What calls of the client share.
        patience: How to wait for the media to be processed, None not to.

    Raises:
        UploadError: The store did not take the file.
        CheckpointError: A checkpoint could not be written.
        ContentGrooveError: A call failed.
    """
    # Checked before anything is sent: a name that cannot be sent must not cost an upload.
    known = plan.checkpoint
    medias.create(source_url=None, upload_id="", name=known.name, description=known.description)
    if known.media_id is not None:
        plan.claimed[known.media_id] = known.upload_id or ""
        _, media = yield from call(medias.get(known.media_id), session)
    else:
        if known.upload_id is None or known.state == "prepared":
            # Whether the file of a prepared upload arrived is not known; a new upload costs nothing. Writing that down
            # shows whether anything can be written before anything is sent.
            yield from _note(plan, structs.replace(known, state="new", upload_id=None))
            known = yield from _send(plan, session)
        media = yield from _create(plan, known, session)
        plan.claimed[media.id] = known.upload_id or ""
        known = yield from _note(plan, structs.replace(known, state="created", media_id=media.id))
    if patience is not None:
        media = yield from for_media(media.id, patience, session)
    if media.is_finished and known.state != "finished":
        yield from _note(plan, structs.replace(known, state="finished", media_id=media.id))
    return media


def _note(plan: UploadPlan, checkpoint: Checkpoint) -> Flow[Checkpoint]:
    if plan.kept is not None:
        problem: OSError | None = yield Save(encode(checkpoint))
        if problem is not None:
            raise unsaved(checkpoint, plan.kept.place, problem) from problem
    return checkpoint


def _send(plan: UploadPlan, session: Session) -> Flow[Checkpoint]:
    pacing = session.pacing
    attempt = 0
    while True:
        reply, prepared = yield from call(direct_uploads.prepare(), session)
        known = structs.replace(
            plan.checkpoint,
            state="prepared",
            upload_id=prepared.upload_id,
            since=_service_time(reply, pacing.clock.time()),
        )
        yield from _note(plan, known)
        outcome: Reply | Failure = yield Put(prepared.upload_url)
        if isinstance(outcome, Reply) and outcome.is_success:
            return (yield from _note(plan, structs.replace(known, state="sent")))
        error = upload_error(outcome, plan)
        if not error.retryable or not plan.rewindable or attempt >= pacing.policy.max_retries:
            raise error from (outcome.cause if isinstance(outcome, Failure) else None)
        # An expired URL is simply replaced; anything else gets time to pass.
        if error.reason != "expired":
            yield Sleep(pacing.policy.backoff(attempt, pacing.random))
        attempt += 1


def _service_time(reply: Reply, now: float) -> float:
    from email.utils import parsedate_to_datetime

    try:
        said = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return now
    return said if 0 <= said <= LAST_SECOND else now


def _create(plan: UploadPlan, known: Checkpoint, session: Session) -> Flow[Media]:
    operation = medias.create(
        source_url=None, upload_id=known.upload_id, name=known.name, description=known.description
    )
    # An earlier process may have sent the POST before it was killed.
    lost: OutcomeUnknownError | None = None
    in_doubt = known.state == "creating"
    repeats = 0
    while True:
        if in_doubt:
            found, certain = yield from _find(plan, known, session)
            if certain:
                return found[0]
            if found or repeats > session.pacing.policy.max_retries:
                raise _unknown(plan, found, lost) from lost
        yield from _note(plan, structs.replace(known, state="creating"))
        try:
            _, media = yield from call(operation, session)
        except OutcomeUnknownError as error:
            lost, in_doubt = error, True
            repeats += 1
        except APIError:
            if not in_doubt:
                # It was refused, so the next call has nothing to look for.
                yield from _note(plan, structs.replace(known, state="sent"))
            raise
        else:
            return media


def _unknown(plan: UploadPlan, found: list[Media], lost: OutcomeUnknownError | None) -> OutcomeUnknownError:
    ids = ", ".join(media.id for media in found) or "none was found"
    return OutcomeUnknownError(
        f"The file {plan.file or ''} was sent, and whether its media was created is not known (medias that it may be: "
        f"{ids}). Compare them before creating it again.",
        request=None if lost is None else lost.request,
    )


def _find(plan: UploadPlan, known: Checkpoint, session: Session) -> Flow[tuple[list[Media], bool]]:
    """Look for the media that a lost answer may have been about; tell whether what was found is certain to be it."""
    query = ListQuery(filter=None, sort="-created_at", page_number=None, page_size=100, limit=None)
    found: list[Media] = []
    for look in range(LOOKS):
        yield Sleep(session.pacing.policy.backoff(look, lambda: 1.0))
        listing = medias.walk(query)
        page = yield from fetch_page(listing, listing.cursor(), session)
        likely = [media for media in (page or ()) if _may_be(media, known)]
        others: list[Checkpoint] = []
        if likely and plan.kept is not None:
            others = checkpoints_in((yield Ask(plan.kept.others)))
        taken = {other.media_id for other in others}
        found = [
            media
            for media in likely
            # Looked up last: another upload may have taken one meanwhile.
            if media.id not in taken and plan.claimed.get(media.id, known.upload_id) == known.upload_id
        ]
        rivals = [
            other for other in others if other.state == "creating" and any(_may_be(media, other) for media in found)
        ]
        if len(found) == 1 and not rivals:
            return found, True
        if found and not rivals:
            break
    return found, False


def _may_be(media: Media, known: Checkpoint) -> bool:
    earliest = moment(max(0.0, known.since - CLOCK_SKEW))
    return (
        media.created_at >= earliest and media.source_url is None and (known.name is None or media.name == known.name)
    )


def upload_error(outcome: Reply | Failure, plan: UploadPlan) -> UploadError:
    """Say why the store does not have the file."""
    file = plan.file or "the data"
    if isinstance(outcome, Failure):
        return _failed(outcome, file, plan)
    status = outcome.status_code
    code = _first(_CODE, outcome.content)
    said = _first(_MESSAGE, outcome.content) or ""
    reason, next_step = _classify(status, code, said)
    details = " ".join(part for part in (f"{status}", code or "", f"({redact_url(said)})" if said else "") if part)
    return UploadError(
        f"The store refused {file}: {details}. {next_step} No media was created.",
        reason=reason,
        file=plan.file,
        status_code=status,
        code=code,
    )


def _classify(status: int, code: str | None, said: str) -> tuple[UploadErrorReason, str]:
    if code in _EXPIRED or (status == HTTPStatus.FORBIDDEN and "expired" in said.lower()):
        return "expired", "The upload URL had expired before the file was through; upload again."
    if code == "EntityTooLarge" or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "too_large", "The file is larger than the store takes; shorten or compress it."
    if code in _SIGNATURE:
        return "signature", "The upload URL was changed, or a header that was not signed was sent."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "refused", "The store failed; upload again later."
    return "refused", "Upload again; if it happens again, ask ContentGroove."


def _failed(failure: Failure, file: str, plan: UploadPlan) -> UploadError:
    reason: UploadErrorReason
    cause = redact_url(str(failure.cause)) or type(failure.cause).__name__
    if failure.kind == "source_changed":
        reason, text = (
            "changed",
            f"{file} changed while it was sent ({cause}). Upload it again once it is complete.",
        )
    elif failure.kind == "unreadable":
        reason, text = "unreadable", f"{file} could not be read to its end ({cause})."
    elif plan.rewindable:
        reason, text = "connection", f"The connection to the store failed while {file} was sent ({cause})."
    else:
        reason = "connection"
        text = (
            f"The connection to the store failed while {file} was sent ({cause}). It cannot be rewound, so it was "
            "not sent again: pass a path or a seekable file to have that done."
        )
    return UploadError(f"{text} No media was created.", reason=reason, file=plan.file)


def _first(pattern: re.Pattern[bytes], content: bytes) -> str | None:
    found = pattern.search(content)
    return None if found is None else found[1].decode("utf-8", "replace")


def check_size(size: int, file: str | None) -> None:
    """Refuse what the store would refuse after hours of sending.

    Raises:
        UploadError: The file is empty or too large.
    """
    shown = file or "The data"
    if size == 0:
        raise UploadError(f"{shown} is empty. Nothing was sent.", reason="empty", file=file)
    if size > MAX_SIZE:
        raise UploadError(
            f"{shown} has {size:,} bytes; the service takes at most {MAX_SIZE:,} (5 GiB) a file. Shorten or "
            "compress it. Nothing was sent.",
            reason="too_large",
            file=file,
        )


def media_type_problem(name: str | None, start: bytes, guess: Callable[[bytes], str | None]) -> str | None:
    """Say why a file cannot be audio or video, None if it may be.

    Args:
        name: The file's name, None if it has none.
        start: The file's first bytes.
        guess: Gives the media type that first bytes show, None if they show none.
    """
    import mimetypes

    seen = guess(start)
    if seen is not None:
        return None if seen.startswith(("audio/", "video/")) else f"its content is {seen}"
    # Python's own table: the one of a machine, such as Windows' registry, says what other programs made it say.
    named = mimetypes.MimeTypes().guess_type(name or "")[0]
    # What neither content nor name gives away may still be a format that the service reads.
    if named is None or named == "application/octet-stream" or named.startswith(("audio/", "video/")):
        return None
    return f"its name says {named}"
