"""Where the command line takes the API key from: never its arguments, which other users of a machine can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove.errors import ConfigurationError

from .failures import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_FILE_VARIABLE = "CONTENTGROOVE_API_KEY_FILE"
_MAX_KEY_FILE = 4096


def find_api_key(key_file: Path | None, environment: Mapping[str, str]) -> str:
    """Give the key of --api-key-file, CONTENTGROOVE_API_KEY or CONTENTGROOVE_API_KEY_FILE, the first that is there.

    Raises:
        CommandError: There is none, or it is unusable.
    """
    from contentgroove._core.settings import API_KEY_VARIABLE, check_key

    key = environment.get(API_KEY_VARIABLE)
    named = environment.get(KEY_FILE_VARIABLE)
    try:
        if key_file is not None:
            return check_key(_read_key_file(key_file), f"The file {key_file} holds")
        if key:
            return check_key(key, f"{API_KEY_VARIABLE} is")
        if named:
            return check_key(_read_key_file(Path(named)), f"The file {named} ({KEY_FILE_VARIABLE}) holds")
    except ConfigurationError as error:
        raise CommandError(ExitCode.AUTH, error.message) from error
    raise CommandError(
        ExitCode.AUTH,
        f"There is no API key: set {API_KEY_VARIABLE}, or put it into a file and pass --api-key-file FILE.",
        "Keys are made at https://app.contentgroove.com/api_keys.",
    )


def _read_key_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_KEY_FILE + 1)
    except OSError as error:
        raise CommandError(ExitCode.AUTH, f"The API key file {path} cannot be read: {error.strerror}.") from error
    if len(content) > _MAX_KEY_FILE:
        raise CommandError(
            ExitCode.AUTH,
            f"The API key file {path} has more than {_MAX_KEY_FILE:,} bytes.",
            "It must hold the key alone.",
        )
    return content.decode("utf-8", "replace").strip()
