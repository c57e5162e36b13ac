"""Where commands on webhooks find the inbox and the token."""

from __future__ import annotations

import contextlib
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failures import CommandError, Exit

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove.webhooks import MemoryInbox, SQLiteInbox

TOKEN_VARIABLE = "CONTENTGROOVE_WEBHOOK_TOKEN"  # noqa: S105 - the name of a variable
_MAX_TOKEN_FILE = 4096

InboxOption = Annotated[Path | None, typer.Option("--inbox", metavar="FILE", help="An inbox's SQLite file.")]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="Read the URL's secret token from this file.")
]


class State(StrEnum):
    """The states of an inbox's events."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    DEAD = "dead"


def find_token(file: Path | None) -> str | None:
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
        raise CommandError(Exit.USAGE, f"The token file {file} cannot be read: {reason}.") from error
    if not token:
        raise CommandError(Exit.USAGE, f"The token file {file} is empty.", "It must hold the token alone.")
    return token


@contextlib.contextmanager
def opened_inbox(file: Path | None, *, create: bool) -> Generator[SQLiteInbox | MemoryInbox]:
    """Open an inbox's file, without one an inbox in memory.

    Args:
        file: The file.
        create: Whether it is made if it does not exist.

    Raises:
        CommandError: It does not exist.
    """
    from contentgroove.webhooks import MemoryInbox, SQLiteInbox

    if file is None:
        yield MemoryInbox()
        return
    if not create and not file.exists():
        raise CommandError(Exit.USAGE, f"There is no inbox {file}.", "A receiver makes it: SQLiteInbox(path).")
    with SQLiteInbox(file) as inbox:
        yield inbox
