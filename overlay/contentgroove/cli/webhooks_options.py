"""Where commands on webhooks find the inbox and the token."""

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
    "--inbox", metavar="FILE|postgresql://…", help="An inbox's SQLite file, or its PostgreSQL database."
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
    """Give the token of --token-file or CONTENTGROOVE_WEBHOOK_TOKEN; None without. Never an argument: others see those.

    Raises:
        CommandError: The file cannot be read, or holds no token.
    """
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        with file.open(encoding="utf-8") as opened:
            token = opened.read(_MAX_TOKEN_FILE).strip()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandError(ExitCode.USAGE, f"The token file {file} cannot be read: {reason}.") from error
    if not token:
        raise CommandError(ExitCode.USAGE, f"The token file {file} is empty.", "It must hold the token alone.")
    return token


@contextlib.contextmanager
def open_inbox(place: str | None, *, create: bool) -> Generator[SQLiteInbox | PostgresInbox | MemoryInbox]:
    """Open an inbox in a file or a database, without either in memory.

    Args:
        place: The file, or the database's URL.
        create: Whether a file is made if it does not exist.

    Raises:
        CommandError: It does not exist, or the URL holds a password, which other users of this machine could read.
    """
    from contentgroove.webhooks import MemoryInbox, PostgresInbox, SQLiteInbox

    if place is None:
        yield MemoryInbox()
    elif place.startswith(("postgresql://", "postgres://")):
        if "password=" in place or ":" in place.partition("://")[2].rpartition("@")[0]:
            raise CommandError(
                ExitCode.USAGE,
                "Other users of this machine can read a password among the arguments.",
                "Take it out of --inbox, and put it into PGPASSWORD or ~/.pgpass.",
            )
        with PostgresInbox(place) as database:
            yield database
    else:
        if not create and not Path(place).exists():
            raise CommandError(ExitCode.USAGE, f"There is no inbox {place}.", "A receiver makes it: SQLiteInbox(path).")
        with SQLiteInbox(place) as file:
            yield file
