"""The options for the inbox and the token."""

from __future__ import annotations

import contextlib
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove.webhooks import MemoryInbox, PostgresInbox, SQLiteInbox

TOKEN_VARIABLE = "CONTENTGROOVE_WEBHOOK_TOKEN"  # noqa: S105 - the name of a variable
_MAX_TOKEN_FILE = 4096

_INBOX = typer.Option(
    "--inbox", metavar="FILE|URL", help="The inbox: an SQLite file, or the postgresql:// URL of a database."
)
InboxOption = Annotated[str | None, _INBOX]
NeededInboxOption = Annotated[str, _INBOX]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="Read the URL's secret token from this file.")
]


class State(StrEnum):
    """The states of an inbox's events."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    DEAD = "dead"


def find_secret_token(file: Path | None) -> str | None:
    """Return the token of --token-file or CONTENTGROOVE_WEBHOOK_TOKEN; None if neither is set.

    It is never an argument, which other users of the machine could read.

    Raises:
        CommandError: The file cannot be read, or is empty.
    """
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        with file.open(encoding="utf-8") as opened:
            token = opened.read(_MAX_TOKEN_FILE).strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(ExitCode.USAGE, f"Cannot read the token file {file}: {reason}.") from error
    if not token:
        raise CommandError(ExitCode.USAGE, f"The token file {file} is empty.", "It must contain only the token.")
    return token


@contextlib.contextmanager
def open_inbox(location: str | None, *, create: bool) -> Generator[SQLiteInbox | PostgresInbox | MemoryInbox]:
    """Open an inbox in a file, a database or memory.

    Args:
        location: The file, or the URL of the database; None for an inbox in memory.
        create: True to create a missing file.

    Raises:
        CommandError: It does not exist, or the URL contains a password, which other users of this machine could read.
    """
    from contentgroove.webhooks import MemoryInbox, PostgresInbox, SQLiteInbox

    if location is None:
        yield MemoryInbox()
    elif location.startswith(("postgresql://", "postgres://")):
        if "password=" in location or ":" in location.partition("://")[2].rpartition("@")[0]:
            raise CommandError(
                ExitCode.USAGE,
                "Other users of this machine can read a password in the arguments.",
                "Remove it from --inbox, and put it into PGPASSWORD or ~/.pgpass.",
            )
        with PostgresInbox(location) as database:
            yield database
    else:
        if not create and not Path(location).exists():
            raise CommandError(
                ExitCode.USAGE, f"There is no inbox {location}.", "A receiver creates it: SQLiteInbox(path)."
            )
        with SQLiteInbox(location) as file:
            yield file
