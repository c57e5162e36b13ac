"""What an upload has to remember to go on after its process was killed.

The states, each written before the next step begins: `new` (nothing was sent; it shows that the file can be written),
`prepared` (an upload exists), `sent` (the store has the file),
`creating` (the POST may go out at any moment), `created` (the media's id is known), `finished` (it is processed). The
presigned URL is never written: it is a credential, and a new one costs nothing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from contentgroove_api.types import check_levels
from msgspec import Meta, Struct

from contentgroove.errors import CheckpointError, InvalidInputError, UploadError

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 1

State = Literal["new", "prepared", "sent", "creating", "created", "finished"]


MAX_TIMESTAMP = 253_402_300_799
"""The end of the year 9999, in seconds since 1970."""


class Fingerprint(Struct, frozen=True):
    """What tells one file from another without reading it.

    Attributes:
        name: The file's name, as `printable_name` gives it.
        size: Its bytes.
        modified: When it was last changed, in nanoseconds since 1970; None if it has no such time.
    """

    name: str | None
    size: int
    modified: int | None


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Where an upload is.

    Attributes:
        base_url: The API that it goes to.
        file: The file.
        name: The media's name.
        description: The media's description.
        state: The last state reached.
        upload_id: The prepared upload, which creating the media needs.
        since: The service's time when the upload was prepared, in seconds since 1970.
        media_id: The media, once it is created.
        version: Of this format.
    """

    base_url: str
    file: Fingerprint
    name: str | None
    description: str | None
    state: State = "new"
    upload_id: str | None = None
    since: Annotated[float, Meta(ge=0, le=MAX_TIMESTAMP)] = 0.0
    media_id: str | None = None
    version: int = VERSION


# Made here, where one thread alone is: msgspec crashes where several are the first to decode a type that refers to
# another.
_DECODER = msgspec.json.Decoder(Checkpoint)


def printable_name(name: str | None) -> str | None:
    """Give a file's name with escapes in place of bytes that are no text, which no JSON and no terminal can carry."""
    return None if name is None else name.encode("utf-8", "backslashreplace").decode()


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Write a checkpoint."""
    return msgspec.json.encode(checkpoint) + b"\n"


def parse_checkpoints(contents: Iterable[bytes]) -> list[Checkpoint]:
    """Read what is a checkpoint of some files, and leave the rest."""
    found: list[Checkpoint] = []
    for content in contents:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found.append(_decoded(content))
    return found


def _decoded(content: bytes) -> Checkpoint:
    check_levels(content)
    return _DECODER.decode(content)


def checkpoint_write_error(checkpoint: Checkpoint, path: str, error: OSError) -> InvalidInputError | CheckpointError:
    """Say that a checkpoint could not be written, and what that means for its upload.

    Args:
        checkpoint: What could not be written.
        path: Its file.
        error: What kept it.
    """
    happened = f"The checkpoint {path} cannot be written: {error.strerror or error}."
    advice = "Make room for it, or see to it that its folder can be written to"
    match checkpoint.state:
        case "new":
            return InvalidInputError(f"{happened} {advice}, or pass another path. Nothing was sent.")
        case "prepared":
            then = f"No media was created. {advice}, and upload again."
        case "sent":
            then = f"The file was sent, no media was created. {advice}, and upload again, which sends it again."
        case "creating":
            then = f"The file was sent, no media was created. {advice}; the same call goes on from there."
        case "created" | "finished":
            then = (
                f"The media was created: {checkpoint.media_id}. Note its id and do not upload the file again; or "
                f"{advice[0].lower()}{advice[1:]}, and make the same call, which looks for it first."
            )
    return CheckpointError(f"{happened} {then}", checkpoint=path, media_id=checkpoint.media_id)


def resume_checkpoint(content: bytes | None, fresh: Checkpoint, path: str) -> Checkpoint:
    """Read a checkpoint back and check that it belongs to this upload.

    Args:
        content: The file's content, None if there is no file yet.
        fresh: The checkpoint that a new upload would begin with.
        path: The file, for messages.

    Raises:
        InvalidInputError: It is no checkpoint, or one of another upload.
        UploadError: The video file has changed since.
    """
    if content is None:
        return fresh
    try:
        found = _decoded(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(
            f"{path} is no checkpoint of an upload ({error}). Pass another path, or delete it to begin anew. "
            "Nothing was sent."
        ) from error
    if found.version != VERSION:
        raise InvalidInputError(
            f"{path} was written by another version of this library (format {found.version}); finish the upload "
            "with that one, or delete the file to begin anew. Nothing was sent."
        )
    same = (fresh.base_url, fresh.file.name, fresh.name, fresh.description)
    if (found.base_url, found.file.name, found.name, found.description) != same:
        raise InvalidInputError(
            f"{path} belongs to the upload of {found.file.name or 'other data'} as {found.name!r} to "
            f"{found.base_url}. "
            "Use one checkpoint for each upload. Nothing was sent."
        )
    if found.state in {"new", "prepared"} and found.file != fresh.file:
        # Nothing of the file as it was is used: it is sent anew in any case.
        return fresh
    if found.file != fresh.file:
        raise UploadError(
            f"{fresh.file.name or 'The data'} has changed since {path} was written. Delete the checkpoint to upload "
            "the new content. Nothing was sent.",
            reason="changed",
            file=fresh.file.name,
        )
    return found
