"""The API key of the command line. It is never an argument, which other users of the machine could read."""

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
    """Return the key of --api-key-file, CONTENTGROOVE_API_KEY or CONTENTGROOVE_API_KEY_FILE, the first that is set.

    Raises:
        CommandError: No key is set, or it is not valid.
    """
    from contentgroove._core.settings import API_KEY_VARIABLE, check_key

    key = environment.get(API_KEY_VARIABLE)
    default_file = environment.get(KEY_FILE_VARIABLE)
    try:
        if key_file is not None:
            return check_key(_read_key_file(key_file), f"The content of {key_file} is")
        if key:
            return check_key(key, f"{API_KEY_VARIABLE} is")
        if default_file:
            return check_key(
                _read_key_file(Path(default_file)), f"The content of {default_file} ({KEY_FILE_VARIABLE}) is"
            )
    except ConfigurationError as error:
        raise CommandError(ExitCode.AUTH, error.message) from error
    raise CommandError(
        ExitCode.AUTH,
        f"There is no API key: set {API_KEY_VARIABLE}, or put it into a file and pass --api-key-file FILE.",
        "Create a key at https://app.contentgroove.com/api_keys.",
    )


def _read_key_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_KEY_FILE + 1)
    except OSError as error:
        raise CommandError(ExitCode.AUTH, f"Cannot read the API key file {path}: {error.strerror}.") from error
    if len(content) > _MAX_KEY_FILE:
        raise CommandError(
            ExitCode.AUTH,
            f"The API key file {path} has more than {_MAX_KEY_FILE:,} bytes.",
            "It must contain only the key.",
        )
    return content.decode("utf-8", "replace").strip()
