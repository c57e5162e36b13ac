"""What an upload must remember to continue after its process was killed.

Each state is written before the next step starts: `new` (nothing was sent; shows that the file can be written),
`prepared` (an upload exists), `sent` (the store has the file), `creating` (the POST may be sent at any moment),
`created` (the media's id is known), `finished` (it is processed). The presigned URL is never written: it is a
credential, and a new one costs nothing.

An upload is in doubt in the state `creating`: nothing is sent again until its media is found by its marker, or the
application says what became of it (`resolve`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from contentgroove_api.types import check_levels
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from contentgroove.errors import CheckpointError, UploadError

from .inputs import invalid_input, short_repr
from .io import CheckpointWriteError

if TYPE_CHECKING:
    from contentgroove.errors import InvalidInputError

    from .calls import Session
    from .io import CheckpointStore

VERSION = 1
"""The format without a marker, which every release reads."""

MARKED_VERSION = 2
"""The format with a marker, which the first release would ignore; it refuses this version."""

State = Literal["new", "prepared", "sent", "creating", "created", "finished"]


MAX_TIMESTAMP = 253_402_300_799
"""The end of the year 9999, in seconds since 1970."""


MARKER_PATTERN = r"^\[sdk-upload [0-9a-f]{24}\]$"
"""A marker: printable, recognisable, and never part of a text by chance."""


class Fingerprint(Struct, frozen=True):
    """Distinguishes files without reading them.

    Attributes:
        name: The file's name, as `printable_name` returns it.
        size: Its size in bytes.
        modified: When it was last changed, in nanoseconds since 1970; None if it has no such time.
    """

    name: str | None
    size: int
    modified: int | None


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far an upload is.

    Attributes:
        base_url: The API that it is sent to.
        file: The file.
        name: The media's name.
        description: The media's description.
        state: The last state reached.
        upload_id: The prepared upload, which creating the media needs.
        since: The service's time when the upload was prepared, in seconds since 1970.
        media_id: The media, once it is created.
        version: The version of this format.
        marker: What was appended to the media's description to identify it; absent without `identify=`, and once it is
            removed.
        repeated: True if an earlier POST had an unknown outcome and the application asked for another; else absent.
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
    # Absent by default, so that an upload without a marker is written as by the first release.
    marker: Annotated[str, Meta(pattern=MARKER_PATTERN)] | UnsetType = UNSET
    repeated: bool | UnsetType = UNSET

    @property
    def is_repeated(self) -> bool:
        """True if an earlier POST had an unknown outcome."""
        return self.repeated is True

    def __repr__(self) -> str:
        # Without the upload's id, with which a media can be created.
        return f"Checkpoint({self.file!r}, state={self.state!r}, media_id={self.media_id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("file", self.file), ("state", self.state), ("media_id", self.media_id)]


# Created at import, by one thread: msgspec crashes if several threads are the first to decode a type that refers to
# another one.
_DECODER = msgspec.json.Decoder(Checkpoint)


def printable_name(name: str | None) -> str | None:
    """Return a file's name with escapes for bytes that are not text: neither JSON nor a terminal can carry them."""
    return None if name is None else name.encode("utf-8", "backslashreplace").decode()


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Encode a checkpoint."""
    version = VERSION if checkpoint.marker is UNSET else MARKED_VERSION
    return msgspec.json.encode(structs.replace(checkpoint, version=version)) + b"\n"


def parse_checkpoint(content: bytes, path: str) -> Checkpoint:
    """Parse the content of a checkpoint; `path` is for messages.

    Raises:
        InvalidInputError: It is not a checkpoint, or one of a later version.
    """
    try:
        check_levels(content)
        found = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid_input(
            f"{path} is not an upload checkpoint ({error}). Pass another path, or delete the file to start again."
        ) from error
    if found.version not in {VERSION, MARKED_VERSION}:
        raise invalid_input(
            f"{path} was written by another version of this library (format {found.version}). Finish the upload "
            "with that version, or delete the file to start again."
        )
    return found


async def save_checkpoint(checkpoint: Checkpoint, store: CheckpointStore | None, session: Session) -> Checkpoint:
    """Write a checkpoint if the upload has a store for it, and return it.

    Raises:
        InvalidInputError: It cannot be written, and nothing was sent.
        CheckpointError: It cannot be written; the message says what follows for the upload.
    """
    if store is not None:
        # A cancelled task waits for it, so that the file is whole.
        problem = await session.io.call_blocking(partial(store.write, encode_checkpoint(checkpoint)), abandon=False)
        if problem is not None:
            raise checkpoint_write_error(checkpoint, store, problem) from problem
    return checkpoint


def write_advice(error: OSError) -> str:
    """Return what to do about a checkpoint that could not be written, as the beginning of a sentence."""
    return error.advice if isinstance(error, CheckpointWriteError) else "Free disk space, or make its folder writable"


def checkpoint_write_error(
    checkpoint: Checkpoint, store: CheckpointStore, error: OSError
) -> InvalidInputError | CheckpointError:
    """Create the error of a checkpoint that could not be written; its message says what follows for the upload."""
    happened = f"The checkpoint {store.path} cannot be written: {error.strerror or error}."
    advice = write_advice(error)
    taken_over = isinstance(error, CheckpointWriteError) and error.taken_over
    if taken_over and checkpoint.media_id is None:
        return CheckpointError(
            f"{happened} No media was created here. {advice}, and repeat the same upload: it continues from there.",
            checkpoint=store.path,
            taken_over=True,
        )
    match checkpoint.state:
        case "new":
            return invalid_input(f"{happened} {advice}, or pass another path.")
        case "prepared":
            consequence = f"No media was created. {advice}, and upload again."
        case "sent":
            consequence = (
                f"The file was sent, but no media was created. {advice}, and upload again: the file is sent again."
            )
        case "creating":
            consequence = f"The file was sent, but no media was created. {advice}; the same call continues from there."
        case "created":
            consequence = (
                f"The media was created: {checkpoint.media_id}. Note its id and do not upload the file again. Or: "
                f"{advice}, call client.medias.resolve({store!r}, media_id={checkpoint.media_id!r}), and repeat the "
                "same call."
            )
        case "finished":
            consequence = f"The media was created: {checkpoint.media_id}. {advice}, and repeat the same call to get it."
    return CheckpointError(
        f"{happened} {consequence}", checkpoint=store.path, media_id=checkpoint.media_id, taken_over=taken_over
    )


def _difference(found: Checkpoint, fresh: Checkpoint) -> str | None:
    """Return what shows that a checkpoint belongs to another upload than the new one, None if nothing does."""
    if found.base_url != fresh.base_url:
        return f"it goes to {found.base_url}, this one to {fresh.base_url}"
    for attribute, theirs, own in (
        ("file", found.file.name, fresh.file.name),
        ("name", found.name, fresh.name),
        ("description", found.description, fresh.description),
    ):
        if theirs != own:
            return f"its {attribute} is {short_repr(theirs)}, that of this one {short_repr(own)}"
    return None


def resume_checkpoint(content: bytes | None, fresh: Checkpoint, path: str, *, named_by_file: bool) -> Checkpoint:
    """Parse a checkpoint, if there is one, and check that it belongs to the upload whose new checkpoint is `fresh`.

    Args:
        content: The checkpoint's content, None if there is none.
        fresh: The new checkpoint.
        path: The checkpoint's path, for messages.
        named_by_file: Whether the media is named after its file because the call gives no name. Earlier releases gave
            none then, and the upload continues without.

    Raises:
        InvalidInputError: It is not a checkpoint, or belongs to another upload.
        UploadError: The file has changed since.
    """
    if content is None:
        return fresh
    found = parse_checkpoint(content, path)
    if named_by_file and found.name is None:
        fresh = structs.replace(fresh, name=None)
    difference = _difference(found, fresh)
    if difference is not None:
        raise invalid_input(f"{path} belongs to another upload: {difference}. Use one checkpoint for each upload.")
    if found.state in {"new", "prepared"} and found.file != fresh.file:
        # The whole file is sent again, so its earlier content does not matter.
        return fresh
    if found.file != fresh.file:
        raise UploadError(
            f"{fresh.file.name or 'The data'} has changed since {path} was written. Delete the checkpoint to upload "
            "the new content. Nothing was sent.",
            reason="changed",
            file=fresh.file.name,
        )
    return found
