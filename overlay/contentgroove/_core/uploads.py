"""From a file to a media: prepare an upload, send the file to the store, create the media (`creation`)."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, structs

from contentgroove.errors import RETRYABLE_STATUSES, NotFoundError, UploadError, UploadErrorReason

from . import operations, store_errors
from .calls import call, decode_response, fetch_response
from .checkpoints import (
    MAX_TIMESTAMP,
    Checkpoint,
    Fingerprint,
    printable_name,
    resume_checkpoint,
    save_checkpoint,
)
from .creation import create_operation, create_uploaded_media
from .identity import choose_marker, remove_marker
from .inputs import invalid_input
from .pacing import MAX_PAUSE, Cooldown
from .responses import Response, TransportFailure
from .retries import requested_delay
from .secret import Secret, conceal
from .waiting import PollOptions, wait_for_media

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.models import Media

    from .calls import Session
    from .io import CheckpointStore, Progress, Source

# (assumed: upload-limit)
MAX_SIZE = 5 * 1024**3
"""Bytes: the limit of a single PUT to S3, which the documentation's "5gb per file" is taken to mean."""


class UploadPlan(Struct, frozen=True):
    """What is uploaded, and how.

    Attributes:
        source: The content.
        progress: Called after each chunk that was sent.
        checkpoint: How far the upload is; a new one at its beginning.
        store: Where the checkpoint is kept, None if it is not.
    """

    source: Source
    progress: Progress | None
    checkpoint: Checkpoint
    store: CheckpointStore | None

    @property
    def file(self) -> str | None:
        """The file's name for messages, None if it has none."""
        return self.checkpoint.file.name


def default_name(file: str | None) -> str | None:
    """Return the name of a media whose upload gives none: that of its file; bytes that are not text become `?`."""
    return None if file is None else file.encode("utf-8", "replace").decode()


async def plan_upload(
    source: Source,
    *,
    name: str | None,
    description: str | None,
    session: Session,
    progress: Progress | None,
    store: CheckpointStore | None,
    marker: str | None,
) -> UploadPlan:
    """Plan an upload, from its beginning or from a checkpoint; `marker` is for the description of its media.

    Raises:
        InvalidInputError: The checkpoint belongs to another upload, or the source cannot have one.
        UploadError: The file has changed since the checkpoint was written.
    """
    modified = None if store is not None and store.shared else source.modified
    checkpoint = Checkpoint(
        base_url=session.settings.base_url,
        file=Fingerprint(printable_name(source.name), source.size, modified),
        name=default_name(source.name) if name is None else name,
        description=description,
    )
    if store is not None:
        if source.modified is None:
            raise invalid_input(
                "Only the upload of a path can have a checkpoint: data in memory is lost with the process."
            )
        content = await session.io.call_blocking(store.read)
        checkpoint = resume_checkpoint(content, checkpoint, store.path, named_by_file=name is None)
    return UploadPlan(source, progress, choose_marker(checkpoint, marker), store)


async def upload(plan: UploadPlan, session: Session, options: PollOptions | None) -> Media:
    """Upload a file and create its media, from the step in the checkpoint; wait for it if there are options to."""
    # Checked before anything is sent: a name that cannot be sent must not cost an upload.
    checkpoint = plan.checkpoint
    create_operation(structs.replace(checkpoint, upload_id="", marker=UNSET))
    if checkpoint.media_id is not None:
        media = await _fetch_created(checkpoint.media_id, plan.store, session)
    else:
        if checkpoint.upload_id is None or checkpoint.state == "prepared":
            # (assumed: put-outcome-unknown, upload-each-new)
            # It is unknown whether the file of a prepared upload arrived, and a new upload costs nothing. Writing the
            # checkpoint first shows that it can be written, before anything is sent.
            fresh = structs.replace(checkpoint, state="new", upload_id=None)
            await save_checkpoint(fresh, plan.store, session)
            checkpoint = await _send_file(plan, session)
        media = await create_uploaded_media(checkpoint, plan.store, session)
        checkpoint = structs.replace(checkpoint, state="created", media_id=media.id)
        await save_checkpoint(checkpoint, plan.store, session)
    media, checkpoint = await remove_marker(media, checkpoint, plan.store, session)
    if options is not None:
        media = await wait_for_media(media.id, options, session)
    if media.is_finished and checkpoint.state != "finished":
        await save_checkpoint(structs.replace(checkpoint, state="finished"), plan.store, session)
    return media


async def _fetch_created(media_id: str, store: CheckpointStore | None, session: Session) -> Media:
    try:
        return await call(operations.get_media(media_id), session)
    except NotFoundError as error:
        if store is not None:
            error.message += (
                f" The checkpoint {store.path} names this media, which may have been deleted: delete the checkpoint "
                "to upload the file again."
            )
            error.args = (error.message,)
        raise


async def _send_file(plan: UploadPlan, session: Session) -> Checkpoint:
    attempt = 0
    while True:
        operation = operations.prepare_upload()
        response = await fetch_response(operation, session)
        prepared = decode_response(operation, response, session)
        checkpoint = structs.replace(
            plan.checkpoint,
            state="prepared",
            upload_id=prepared.upload_id,
            since=_server_time(response, session.clock.time()),
        )
        await save_checkpoint(checkpoint, plan.store, session)
        outcome = await _put_file(Secret(prepared.upload_url), plan, session)
        if isinstance(outcome, Response) and outcome.is_success:
            return await save_checkpoint(structs.replace(checkpoint, state="sent"), plan.store, session)
        error = store_errors.upload_error(outcome, plan.file, session.clock.time(), rewindable=plan.source.rewindable)
        delay = error.retry_after
        if (
            not error.retryable
            or not plan.source.rewindable
            or attempt >= session.policy.max_retries
            or (delay is not None and delay > session.policy.max_retry_after)
        ):
            raise error from (outcome.cause_without() if isinstance(outcome, TransportFailure) else None)
        # An expired URL is replaced at once; any other failure needs time to pass. Each attempt gets a new URL, because
        # it is unknown what the store did with the old one, and one more call is cheap beside sending a file.
        if error.reason != "expired":
            await session.io.sleep(session.policy.backoff(attempt, session.random) if delay is None else delay)
        attempt += 1


async def _put_file(url: Secret, plan: UploadPlan, session: Session) -> Response | TransportFailure:
    """Send the file to its store, after a pause that the store has requested; follow redirects."""
    redirects = 0
    while True:
        await _wait_for_store(url, plan, session)
        outcome = await session.io.put_file(url, plan.source, plan.progress, session.timeouts)
        if not isinstance(outcome, Response) or outcome.is_success:
            return outcome
        if outcome.status_code in RETRYABLE_STATUSES:
            requested = requested_delay(outcome.headers, session.clock.time())
            if requested is not None:
                pause = session.stores.setdefault(store_errors.store_of(url.reveal()), Cooldown())
                pause.extend(session.clock.monotonic() + min(requested, MAX_PAUSE))
        target = conceal(store_errors.redirect_target(url.reveal(), outcome))
        if target is None or not plan.source.rewindable or redirects == store_errors.MAX_REDIRECTS:
            return outcome
        url = target
        redirects += 1


async def _wait_for_store(url: Secret, plan: UploadPlan, session: Session) -> None:
    """Wait for the end of the pause that a store has requested; API calls do not wait for it."""
    pause = session.stores.get(store_errors.store_of(url.reveal()))
    remaining = 0.0 if pause is None else pause.remaining(session.clock.monotonic())
    if remaining > session.policy.max_retry_after:
        raise store_errors.paused_error(plan.file, remaining, session.clock.time())
    if remaining:
        # Spread out, or all waiting uploads would start in the same instant.
        await session.io.sleep(remaining + session.random() * min(1.0, remaining))


def _server_time(response: Response, now: float) -> float:
    from email.utils import parsedate_to_datetime

    try:
        seconds = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return now

    return seconds if 0 <= seconds <= MAX_TIMESTAMP else now


def unusable_file(problem: str, reason: UploadErrorReason, file: str | None) -> UploadError:
    """Create the error of a file that cannot be uploaded."""
    return UploadError(f"{problem} Nothing was sent.", reason=reason, file=file)


def check_upload_size(size: int, file: str | None) -> None:
    """Raise an UploadError for a file that the store would refuse after hours of sending."""
    subject = file or "The data"
    if size == 0:
        raise unusable_file(f"{subject} is empty.", "empty", file)
    if size > MAX_SIZE:
        limit = f"the service accepts at most {MAX_SIZE:,} (5 GiB) per file"
        raise unusable_file(f"{subject} has {size:,} bytes; {limit}. Shorten or compress it.", "too_large", file)


# (assumed: media-formats)
def media_type_problem(name: str | None, start: bytes, guess_media_type: Callable[[bytes], str | None]) -> str | None:
    """Return why a file with this name and these first bytes cannot be audio or video, None if it can be."""
    import mimetypes

    detected = guess_media_type(start)
    if detected is not None:
        return None if detected.startswith(("audio/", "video/")) else f"its content is {detected}"
    # Python's own table, because other programs change that of the machine, such as Windows' registry.
    text = _text_kind(start)
    if text is not None:
        return f"its content is {text}"
    by_name = mimetypes.MimeTypes().guess_type(name or "")[0]
    # A file that neither its content nor its name identifies may still have a format that the service reads.
    if by_name is None or by_name == "application/octet-stream" or by_name.startswith(("audio/", "video/")):
        return None
    return f"its name suggests {by_name}"


def _text_kind(start: bytes) -> str | None:
    """Return what kind of text a file begins with, None if it is not text or too short to tell."""
    encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        # The last character may be cut.
        text = codecs.getincrementaldecoder(encoding)().decode(start).lstrip("\ufeff")
    except UnicodeDecodeError:
        return None
    if any(not character.isprintable() and character not in "\t\n\r\f\v" for character in text):
        return None
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        return "an HTML page, such as the error page of a download"
    # Digits or a repeated letter are what tests send for a film.
    letters = len({character for character in text if character.isalpha()})
    return "text" if letters > 1 or (text.strip() and any(character.isspace() for character in text)) else None
