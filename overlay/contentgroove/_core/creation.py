"""The POST that creates the media of an upload: sent once, and its outcome known by proof or not at all.

Proof is its response, a checkpoint that names the media, or the marker of this upload in the media's description. The
service may take an `upload_id` a second time (assumed: upload-id-once). So nothing is sent again while an earlier POST
is in doubt, unless the application asks for it (`resolve_upload`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import structs

from contentgroove.errors import (
    APIConnectionError,
    APIError,
    CheckpointError,
    ContentGrooveError,
    InvalidInputError,
    OutcomeUnknownError,
    ResponseDecodeError,
)

from . import operations
from .calls import call
from .checkpoints import encode_checkpoint, parse_checkpoint, save_checkpoint, write_advice
from .identity import CLOCK_SKEW, predates, search_medias, sent_description
from .inputs import invalid_input
from .moments import moment

if TYPE_CHECKING:
    from contentgroove.models import Media

    from .calls import Operation, Session
    from .checkpoints import Checkpoint
    from .identity import Search
    from .io import CheckpointStore

MAX_LISTED = 10
"""Ids of candidates that a message contains; the exception has all candidates."""

_CLIENT_CLOSED_REQUEST = 499
"""What nginx and others report if a connection ended while the service was working."""

# (assumed: upload-id-once, values-refused-422)
_TAKEN = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Refusals by which a service may say that the upload is already used."""


def create_operation(checkpoint: Checkpoint) -> Operation[Media]:
    """Return the request that creates the media of an upload."""
    return operations.create_media(
        source_url=None,
        upload_id=checkpoint.upload_id,
        name=checkpoint.name,
        description=sent_description(checkpoint),
    )


async def create_uploaded_media(checkpoint: Checkpoint, store: CheckpointStore | None, session: Session) -> Media:
    """Create the media of a file that was sent, or find the one that an earlier POST created.

    Raises:
        OutcomeUnknownError: It is unknown whether it was created.
        ContentGrooveError: It was not created.
    """
    if checkpoint.state != "sent":
        # A process that was killed may have sent the POST.
        return await _find_created(checkpoint, store, session, None)
    creating = await save_checkpoint(structs.replace(checkpoint, state="creating"), store, session)
    try:
        return await call(create_operation(checkpoint), session)
    except (OutcomeUnknownError, ResponseDecodeError) as error:
        unknown: ContentGrooveError = error
    except (APIError, APIConnectionError) as error:
        if _is_refused(error, checkpoint):
            await _withdraw(checkpoint, store, session, error)
            raise
        unknown = error
    return await _find_created(creating, store, session, unknown)


def _is_refused(error: APIError | APIConnectionError, checkpoint: Checkpoint) -> bool:
    """Return whether an error proves that its request created nothing."""
    if isinstance(error, APIConnectionError):
        # Raised for a POST only if it was never sent.
        return True
    if checkpoint.is_repeated and error.status_code in _TAKEN:
        # The earlier POST may be what took the upload.
        return False
    # Gateways send 408 for a slow service, too, and a redirect can follow a success.
    return HTTPStatus.BAD_REQUEST <= error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and error.status_code not in {
        HTTPStatus.REQUEST_TIMEOUT,
        _CLIENT_CLOSED_REQUEST,
    }


async def _withdraw(
    checkpoint: Checkpoint, store: CheckpointStore | None, session: Session, refusal: ContentGrooveError
) -> None:
    """Write down that the POST was refused or never sent, so that the next call may send it."""
    try:
        await save_checkpoint(checkpoint, store, session)
    except CheckpointError as error:
        refusal.add_note(
            f"The checkpoint {error.checkpoint} could not be written after that: the next call with it reports an "
            "unknown outcome."
        )


async def _find_created(
    checkpoint: Checkpoint, store: CheckpointStore | None, session: Session, cause: ContentGrooveError | None
) -> Media:
    search = await search_medias(checkpoint, session)
    if len(search.marked) == 1:
        return next(iter(search.marked.values()))
    raise _outcome_unknown_error(checkpoint, store, search, cause) from cause


def _outcome_unknown_error(
    checkpoint: Checkpoint, store: CheckpointStore | None, search: Search, cause: ContentGrooveError | None
) -> OutcomeUnknownError:
    candidates = tuple((search.marked or search.candidates).values())
    count = len(candidates)
    ids = ", ".join(media.id for media in candidates[:MAX_LISTED])
    if count > MAX_LISTED:
        ids += f" and {count - MAX_LISTED} more"
    if search.marked:
        found = f"{count} medias have its marker ({ids}): it seems to have been created more than once."
    elif candidates:
        found = f"It may be {'this media' if count == 1 else f'one of these {count} medias'}, or another: {ids}."
    else:
        found = "No media that it may be is listed, but lists can be late."
    if search.error is not None:
        found += f" Not all medias could be read: {search.error.message}"
    elif not search.complete:
        found += f" Only {search.read:,} medias were read."
    look = "Check which one is yours" if candidates else "Look for it in the list of medias later"
    if store is None:
        advice = (
            f"{'If one of them is yours, use it. If none is' if candidates else f'{look}. If it is not there'}, "
            f"client.medias.create(upload_id={checkpoint.upload_id!r}) creates it, a second time if the first "
            "succeeded."
        )
    else:
        advice = (
            f"{look}, call client.medias.resolve({store!r}, media_id=…) with its id, or with "
            "None if it was not created, and repeat the same upload: it continues from there."
        )
    file = checkpoint.file.name or "The data"
    return OutcomeUnknownError(
        f"{file} was uploaded (upload_id {checkpoint.upload_id}), but it is unknown whether its media was created"
        f"{_why(cause)}. {found} Nothing was sent again. {advice}",
        request=getattr(cause, "request", None),
        upload_id=checkpoint.upload_id,
        candidates=candidates,
        checkpoint=None if store is None else store.path,
    )


def _why(cause: ContentGrooveError | None) -> str:
    match cause:
        case None:
            return ""
        case APIError():
            return f": the response to its creation was {cause.status_code}"
        case ResponseDecodeError():
            return ": the response to its creation could not be read"
        case _:
            return ": the response to its creation was lost"


async def resolve_upload(store: CheckpointStore, media_id: str | None, session: Session) -> Media | None:
    """Settle an upload whose outcome is unknown: name its media, or state that there is none (None).

    Raises:
        InvalidInputError: The checkpoint is not one of an upload in doubt, or the media cannot be this upload's.
        NotFoundError: There is no media with this id.
        CheckpointError: The checkpoint could not be written, and nothing was changed.
    """
    content = await session.io.call_blocking(store.read)
    if content is None:
        raise invalid_input(f"There is no checkpoint {store.path}. Pass the path that the upload was called with.")
    checkpoint = parse_checkpoint(content, store.path)
    _require_doubt(checkpoint, store.path, session.settings.base_url)
    if media_id is None:
        media, settled = None, structs.replace(checkpoint, state="sent", repeated=True)
    else:
        media = await call(operations.get_media(media_id), session)
        _require_possible(media, checkpoint)
        settled = structs.replace(checkpoint, state="created", media_id=media.id)
    problem = await session.io.call_blocking(lambda: store.write(encode_checkpoint(settled)), abandon=False)
    if problem is not None:
        raise CheckpointError(
            f"The checkpoint {store.path} cannot be written: {problem.strerror or problem}. Nothing was changed. "
            f"{write_advice(problem)}, and resolve it again.",
            checkpoint=store.path,
            media_id=settled.media_id,
        ) from problem
    return media


def _require_doubt(checkpoint: Checkpoint, path: str, base_url: str) -> None:
    if checkpoint.base_url != base_url:
        raise invalid_input(
            f"{path} belongs to an upload to {checkpoint.base_url}, and this client calls {base_url}. Use a client "
            "with the base_url of the upload."
        )
    if checkpoint.media_id is not None:
        raise invalid_input(
            f"{path} names its media already: {checkpoint.media_id}. Repeat the same upload to get it; there is "
            "nothing to resolve."
        )
    if checkpoint.state != "creating" and not checkpoint.is_repeated:
        raise invalid_input(
            f"{path} is not in doubt: no media was requested yet (state {checkpoint.state}). Repeat the same upload: "
            "it continues from there."
        )


def _require_possible(media: Media, checkpoint: Checkpoint) -> None:
    file = checkpoint.file.name or "the data"
    if getattr(media, "source_url", None) is not None:
        problem = "the service fetched it from its source_url"
    elif predates(media, moment(max(0.0, checkpoint.since - CLOCK_SKEW))):
        problem = f"it was created at {media.created_at.isoformat(timespec='seconds')}, before the upload was prepared"
    else:
        return
    raise InvalidInputError(
        f"Media {media.id} cannot be that of {file}: {problem}. Pass another id, or None if no media was created. "
        "Nothing was changed."
    )
