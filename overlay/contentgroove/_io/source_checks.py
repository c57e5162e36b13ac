"""What is checked of a source before anything is sent, and the sentences for what cannot be uploaded."""

from __future__ import annotations

import contextlib
import inspect
import io
import itertools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from contentgroove._core.checkpoints import printable_name
from contentgroove._core.inputs import invalid_input, short_repr
from contentgroove._core.io import CallbackError
from contentgroove._core.redaction import redact_text
from contentgroove._core.uploads import media_type_problem, unusable_file

from .foreign_errors import raise_if_foreign, was_raised_by_signal_handler
from .http import SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove.errors import InvalidInputError, UploadError

SNIFF_BYTES = 8192
"""Bytes that are read to distinguish audio and video from other files."""

MAX_SHOWN_PATH = 300
"""Characters of a path that a message contains: content that was passed as a path may have gigabytes."""

MAX_NEIGHBOURS = 2000
"""Files of a folder that are compared with a missing one."""

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):/+", re.ASCII)


def check_size(size: object) -> None:
    """Check the size that the application states."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise invalid_input(f"size must be a whole number of bytes, not {short_repr(size)}.")


def require_size(kind: str, size: int | None) -> int:
    """Return the size of a stream, which only the application knows."""
    if size is None:
        raise invalid_input(
            f"{kind} can only be uploaded with size=, its total number of bytes: the store needs an exact length."
        )
    return size


def check_media_type(name: str | None, start: bytes) -> None:
    """Raise an UploadError if a file's name and first bytes show that it is neither audio nor video."""
    problem = media_type_problem(name, start, _guess_media_type)
    if problem is not None:
        formats = "most video formats (mp4 is best) and aac, mp3, flac, ogg, wav and wma"
        problem = f"{name or 'The data'} is not audio or video: {problem}. The service accepts {formats}."
        raise unusable_file(problem, "not_audio_or_video", name)


def _guess_media_type(start: bytes) -> str | None:
    import filetype

    guessed: object = filetype.guess_mime(start)  # pyright: ignore[reportUnknownMemberType]
    return guessed if isinstance(guessed, str) else None


def has_async_read(file: object) -> bool:
    """Return whether a file is read by awaiting it."""
    return inspect.iscoroutinefunction(getattr(file, "read", None))


def require_binary(file: object) -> None:
    """Raise an InvalidInputError for a file that does not return bytes at once."""
    if has_async_read(file):
        raise invalid_input(
            "The file has an async read(): pass its path, or pass size=, its total number of bytes, to an "
            "AsyncContentGroove."
        )
    if isinstance(file, io.TextIOBase):
        raise invalid_input("The file is open in text mode: open it with mode 'rb'.")


def async_stream_error() -> InvalidInputError:
    """Create the error of an async stream in a sync client."""
    return invalid_input("An async iterator needs an AsyncContentGroove: pass a path, a file or an iterator of bytes.")


@contextlib.contextmanager
def as_unreadable() -> Generator[None, None, None]:
    """Turn what reading a source raises into a SourceUnreadableError."""
    try:
        yield
    except Exception as error:
        # An exception of the file is not a failure of the connection: a retry would not help.
        raise source_error(error) from error


def source_error(error: Exception) -> Exception:
    """Return the error of a source that cannot be read; one that carries it if a signal handler raised it."""
    if was_raised_by_signal_handler(error):
        return CallbackError(error)
    return SourceUnreadableError(str(error) or type(error).__name__)


def unreadable_error(subject: str, error: Exception, name: str | None, file: object = None) -> UploadError:
    """Create the error of a file that fails before anything was sent."""
    if was_raised_by_signal_handler(error):
        raise error
    problem = str(error) or type(error).__name__
    if getattr(file, "closed", False) is True:
        problem = "it is closed"
    elif isinstance(error, io.UnsupportedOperation) and isinstance(file, io.IOBase) and not file.readable():
        problem = "it is not open for reading; open it with mode 'rb'"
    return unusable_file(f"{subject} cannot be read: {problem}.", "unreadable", name)


def refuse_url(path: Path) -> None:
    """Raise an UploadError, which shows no signature, for a URL that was passed as a path."""
    text = str(path)
    url = _URL.match(text)
    if url is not None and not os.path.exists(text):  # noqa: PTH110 - Path.exists raises for a name that is too long
        raise unusable_file(_url_sentence(text, url["scheme"].lower()), "not_a_file", None)


def path_error(path: Path, error: OSError | ValueError) -> UploadError:
    """Create the error of a path that cannot be opened, with what may help."""
    if isinstance(error, OSError):
        raise_if_foreign(error)
    text = str(path)
    printable = _shown(text)
    name = _shown(path.name)
    if isinstance(error, FileNotFoundError):
        return unusable_file(_missing_sentence(path, printable), "missing", name)
    problem = error.strerror if isinstance(error, OSError) else str(error)
    advice = ""
    if len(text) > MAX_SHOWN_PATH or "\0" in text:
        advice = " A string is taken for a path: pass content as bytes."
    return unusable_file(f"{printable} cannot be read: {problem}.{advice}", "unreadable", name)


def _shown(path: str) -> str:
    text = printable_name(path) or ""
    return text if len(text) <= MAX_SHOWN_PATH else f"{text[:MAX_SHOWN_PATH]}…"


def _missing_sentence(path: Path, printable: str) -> str:
    with contextlib.suppress(OSError):
        if path.is_symlink():
            return f"{printable} is a link to a file that does not exist."
    if path.parts and path.parts[0].startswith("~"):
        return f"{printable} does not exist: ~ is not expanded here, but by Path.expanduser()."
    similar = _similar_name(path)
    hint = f" Did you mean {_shown(similar)}?" if similar else ""
    return f"{printable} does not exist.{hint}"


def _url_sentence(url: str, scheme: str) -> str:
    # A path has lost one of the two slashes.
    shown = _shown(redact_text(re.sub(r":/+", "://", url, count=1)))
    if scheme in {"http", "https"}:
        return f"{shown} is a URL, not a file: medias.create(source_url=…) lets the service fetch it."
    if scheme == "file":
        return f"{shown} is a URL, not a path: pass the path in it."
    return f"{shown} is a URL, not a path: open it with fsspec.open(…) and pass what that returns."


def _similar_name(path: Path) -> str | None:
    from difflib import get_close_matches

    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in itertools.islice(entries, MAX_NEIGHBOURS)]
    except (OSError, ValueError):
        return None
    by_folded = {name.casefold(): name for name in names}
    found = get_close_matches(path.name.casefold(), by_folded, n=1, cutoff=0.75)
    return str(path.with_name(by_folded[found[0]])) if found else None


def file_name(file: object) -> str | None:
    """Return the name of an open file without its folders; None if it has none."""
    # What web frameworks receive has a `filename`, beside which werkzeug's `name` is that of the form field.
    for attribute in ("name", "path") if isinstance(file, io.IOBase) else ("filename", "name", "path"):
        name: object = getattr(file, attribute, None)
        # Such as `<stdin>` and `<urllib response>`.
        is_description = isinstance(name, str) and name.startswith("<") and name.endswith(">")
        if isinstance(name, str) and name and not is_description and not _is_named_after_archive(file, name):
            return base_name(name)
    return None


def _is_named_after_archive(file: object, name: str) -> bool:
    """Return whether a member of a tar archive states the archive's name as its own, as before Python 3.13."""
    tarfile = sys.modules.get("tarfile")
    if tarfile is None or not isinstance(file, tarfile.ExFileObject):
        return False
    archive: object = getattr(cast("Any", file).raw, "fileobj", None)
    return getattr(archive, "name", None) == name


def base_name(path: str) -> str | None:
    """Return the last part of a path; None if it is empty."""
    # Also a path of another storage or system, which may end in a slash.
    return Path(path).name or None
