"""From a file to a media: prepare an upload, send the file to the store, create the media (`creation`)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, structs

from contentgroove.errors import UploadError, UploadErrorReason

from . import operations
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
from .redaction import redact_url
from .responses import Response, TransportFailure
from .waiting import PollOptions, wait_for_media

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.models import Media

    from .calls import Session
    from .io import CheckpointStore, Progress, Source

MAX_SIZE = 5 * 1024**3
"""Bytes: the limit of a single PUT to S3, which the documentation's "5gb per file" is taken to mean."""

_CODE = re.compile(rb"<Code>([A-Za-z.]{1,60})</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,300})</Message>")
_EXPIRED = frozenset({"ExpiredToken", "RequestExpired"})
_SIGNATURE = frozenset({"SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthorizationQueryParametersError"})


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
    file = Fingerprint(printable_name(source.name), source.size, modified)
    checkpoint = Checkpoint(base_url=session.settings.base_url, file=file, name=name, description=description)
    if store is not None:
        if source.modified is None:
            raise invalid_input(
                "Only the upload of a path can have a checkpoint: data in memory is lost with the process."
            )
        content = await session.io.call_blocking(store.read)
        checkpoint = resume_checkpoint(content, checkpoint, store.path)
    return UploadPlan(source, progress, choose_marker(checkpoint, marker), store)


async def upload(plan: UploadPlan, session: Session, options: PollOptions | None) -> Media:
    """Upload a file and create its media, from the step in the checkpoint; wait for it if there are options to."""
    # Checked before anything is sent: a name that cannot be sent must not cost an upload.
    checkpoint = plan.checkpoint
    create_operation(structs.replace(checkpoint, upload_id="", marker=UNSET))
    if checkpoint.media_id is not None:
        media = await call(operations.get_media(checkpoint.media_id), session)
    else:
        if checkpoint.upload_id is None or checkpoint.state == "prepared":
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
        outcome = await session.io.put_file(prepared.upload_url, plan.source, plan.progress, session.timeouts)
        if isinstance(outcome, Response) and outcome.is_success:
            return await save_checkpoint(structs.replace(checkpoint, state="sent"), plan.store, session)
        error = upload_error(outcome, plan)
        if not error.retryable or not plan.source.rewindable or attempt >= session.policy.max_retries:
            raise error from (outcome.cause if isinstance(outcome, TransportFailure) else None)
        # An expired URL is replaced at once; any other failure needs time to pass.
        if error.reason != "expired":
            await session.io.sleep(session.policy.backoff(attempt, session.random))
        attempt += 1


def _server_time(response: Response, now: float) -> float:
    from email.utils import parsedate_to_datetime

    try:
        seconds = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return now

    return seconds if 0 <= seconds <= MAX_TIMESTAMP else now


def upload_error(outcome: Response | TransportFailure, plan: UploadPlan) -> UploadError:
    """Create the error of a file that the store did not accept."""
    file = plan.file or "the data"
    if isinstance(outcome, TransportFailure):
        return _connection_error(outcome, file, plan)
    status = outcome.status_code
    code = _search(_CODE, outcome.content)
    message = _search(_MESSAGE, outcome.content) or ""
    reason, advice = _classify_store_error(status, code, message)
    details = " ".join(part for part in (f"{status}", code, f"({redact_url(message)})" if message else None) if part)
    return UploadError(
        f"The store refused {file}: {details}. {advice} No media was created.",
        reason=reason,
        file=plan.file,
        status_code=status,
        code=code,
    )


def _classify_store_error(status: int, code: str | None, message: str) -> tuple[UploadErrorReason, str]:
    if code in _EXPIRED or (status == HTTPStatus.FORBIDDEN and "expired" in message.lower()):
        return "expired", "The upload URL expired before the file was uploaded; upload again."
    if code == "EntityTooLarge" or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "too_large", "The file is larger than the store accepts; shorten or compress it."
    if code in _SIGNATURE:
        return "signature", "The upload URL was changed, or a header that was not signed was sent."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "refused", "The store failed; upload again later."
    return "refused", "Upload again; if it happens again, contact ContentGroove."


def _connection_error(failure: TransportFailure, file: str, plan: UploadPlan) -> UploadError:
    reason: UploadErrorReason
    cause = redact_url(str(failure.cause)) or type(failure.cause).__name__
    if failure.kind == "source_changed":
        reason, text = "changed", f"{file} changed while it was sent ({cause}). Upload it again once it is complete."
    elif failure.kind == "unreadable":
        reason, text = "unreadable", f"{file} could not be read to its end ({cause})."
    elif plan.source.rewindable:
        reason, text = "connection", f"The connection to the store failed while {file} was sent ({cause})."
    else:
        reason = "connection"
        text = (
            f"The connection to the store failed while {file} was sent ({cause}). It cannot be rewound, so it was "
            "not sent again: pass a path or a seekable file to allow retries."
        )
    return UploadError(f"{text} No media was created.", reason=reason, file=plan.file)


def _search(pattern: re.Pattern[bytes], content: bytes) -> str | None:
    found = pattern.search(content)
    return None if found is None else found[1].decode("utf-8", "replace")


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


def media_type_problem(name: str | None, start: bytes, guess_media_type: Callable[[bytes], str | None]) -> str | None:
    """Return why a file with this name and these first bytes cannot be audio or video, None if it can be."""
    import mimetypes

    detected = guess_media_type(start)
    if detected is not None:
        return None if detected.startswith(("audio/", "video/")) else f"its content is {detected}"
    # Python's own table, because other programs change that of the machine, such as Windows' registry.
    by_name = mimetypes.MimeTypes().guess_type(name or "")[0]
    # A file that neither its content nor its name identifies may still have a format that the service reads.
    if by_name is None or by_name == "application/octet-stream" or by_name.startswith(("audio/", "video/")):
        return None
    return f"its name suggests {by_name}"
