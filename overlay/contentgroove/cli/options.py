"""Options that several commands share: lists, waits, times, inboxes and tokens."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from contentgroove._core.inputs import EventName, Filter, Sort

from .command import read_secret
from .exit_codes import CommandError, ExitCode
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from contentgroove._core.secret import Secret
    from contentgroove.webhooks import MemoryInbox, Migration, PostgresInbox, SQLiteInbox

    from .output import Output

TOKEN_VARIABLE = "CONTENTGROOVE_WEBHOOK_TOKEN"  # noqa: S105 - the name of a variable
_YEAR = 365 * 86_400
_TIME = re.compile(r"(?:(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,4}):)?(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)", re.ASCII)


def sort_option(orders: str) -> Any:
    """Return the option --sort, with the orders in its help."""
    return typer.Option("--sort", metavar="ORDER", help=f"{orders}; a leading minus reverses the order.")


def filter_option(example: str) -> Any:
    """Return the option --filter, with an example that the API knows for these items."""
    text = f"For example {example} or created_at_gteq=2026-01-31. Can be repeated."
    return typer.Option("--filter", "-f", metavar="FILTER=VALUE", help=text)


def parse_timeout(text: str) -> float:
    """Parse a number of seconds, at most a year."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    # NaN fails this comparison, too.
    if not 0 <= seconds <= _YEAR:
        raise typer.BadParameter(f"{text!r} is not a number of seconds from 0 to {_YEAR:,} (one year).")
    return seconds


_TIMEOUT_HELP = "Maximum time to wait. Processing continues after it."
_WAIT_HELP = "maximum time to wait, by default 3600 for a media and 900 for a clip. Processing continues after it."
_INBOX_HELP = "The inbox: an SQLite file, or the postgresql:// URL of a database."
_INBOX = typer.Option("--inbox", metavar="INBOX", help=_INBOX_HELP)
_TOKEN_FILE = typer.Option("--token-file", metavar="FILE", help="Read the URL's secret token from this file.")

LimitOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Maximum number of items.")]
PageSizeOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of items per request.")]
WaitOption = Annotated[bool, typer.Option("--wait", "-w", help="Wait until processing has finished.")]
TimeoutOption = Annotated[float, typer.Option(parser=parse_timeout, metavar="SECONDS", help=_TIMEOUT_HELP)]
_WAIT_TIMEOUT = typer.Option("--timeout", parser=parse_timeout, metavar="SECONDS", help=f"With --wait: {_WAIT_HELP}")
WaitTimeoutOption = Annotated[float | None, _WAIT_TIMEOUT]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")]
InboxOption = Annotated[str | None, _INBOX]
NeededInboxOption = Annotated[str, _INBOX]
TokenFileOption = Annotated[Path | None, _TOKEN_FILE]


def wait_seconds(timeout: float | None, default: float, *, wait: bool) -> float | None:
    """Return how long to wait for processing, None not to wait."""
    if timeout is not None and not wait:
        raise CommandError(ExitCode.USAGE, "--timeout is how long --wait waits: pass --wait as well, or neither.")
    return (default if timeout is None else timeout) if wait else None


def parse_filters(texts: Sequence[str] | None, names_of: Callable[[], type], out: Output) -> Filter | None:
    """Parse `--filter` options; a repeated filter has all its values.

    A name that is not in the API's document is passed on, because the service may know it, with a warning.

    Args:
        texts: The options.
        names_of: Returns the generated type that has the names, which takes a while to import.
        out: Prints the warnings.
    """
    if not texts:
        return None
    found: dict[str, list[str]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name or name == text:
            raise typer.BadParameter(f"--filter: {text!r} is not FILTER=VALUE, such as created_at_gteq=2026-01-31.")
        if not value.strip():
            out.warn(f"--filter {name} has no value; the service may ignore it, and list everything.")
        found.setdefault(name, []).append(value)
    known = names_of().__annotations__
    for name in found.keys() - known:
        out.warn(f"The API's document has no filter {name!r}; the service may ignore it.{did_you_mean(name, known)}")
    return Filter((name, values[0] if len(values) == 1 else values) for name, values in found.items())


def parse_events(names: list[str] | None, out: Output) -> list[EventName] | None:
    """Return the events of `--event` options; those that the API's document does not have are passed on."""
    from contentgroove._core.names import KnownEvent

    if names is None:
        return None
    known: tuple[str, ...] = get_args(KnownEvent)
    for name in names:
        if name not in known:
            out.warn(f"The API's document has no event {name!r}.{did_you_mean(name, known)}")
    return [EventName(name) for name in names]


def parse_sort(text: str | None, order_type: object) -> Sort | None:
    """Check a `--sort` option against the generated `Literal` type of the orders that the API's document allows."""
    orders: tuple[str, ...] = get_args(order_type)
    if text is not None and text not in orders:
        names = ", ".join(order for order in orders if not order.startswith("-"))
        message = f"--sort: {text!r} is not one of {names}, or one of these with a minus in front."
        raise typer.BadParameter(message + did_you_mean(text, orders))
    return None if text is None else Sort(text)


PROCESSING_STATES: dict[object, str] = {True: "processing", False: "finished", None: "queued"}
"""What `is_processing` means, in one word."""


def parse_time(text: str) -> float:
    """Parse seconds (`83.5`) or a time code (`1:23.5`, `00:01:23.500`).

    Raises:
        ValueError: The text is neither.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time: pass seconds (83.5) or a time code (1:23.5, 00:01:23.500)")
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    return hours * 3600 + minutes * 60 + float(found["seconds"].replace(",", "."))


def find_secret_token(file: Path | None) -> Secret | None:
    """Return the token of --token-file or CONTENTGROOVE_WEBHOOK_TOKEN; None if neither is set.

    It is never an argument, which other users of the machine could read.
    """
    if file is None:
        # It imports the connections, which --help and completion do not need.
        from contentgroove._io.client_options import read_variable

        return read_variable(TOKEN_VARIABLE)
    token = read_secret(file, "token", ExitCode.USAGE)
    if not token.reveal():
        raise CommandError(ExitCode.USAGE, f"The token file {file} is empty.", "It must contain only the token.")
    return token


@contextlib.contextmanager
def open_inbox(location: str | None, *, create: bool) -> Generator[SQLiteInbox | PostgresInbox | MemoryInbox]:
    """Open the inbox in a file (which `create` creates) or at a database's URL; None opens one in memory."""
    from contentgroove.webhooks import MemoryInbox, PostgresInbox, SQLiteInbox

    if location is None:
        yield MemoryInbox()
    elif _is_database(location):
        with PostgresInbox(location) as database:
            yield database
    else:
        if not create:
            _require_file(location)
        with SQLiteInbox(location) as file:
            yield file


def migrate_inbox(location: str, *, dry_run: bool) -> Migration:
    """Migrate the inbox in a file, which must exist, or at a database's URL."""
    from contentgroove.webhooks import PostgresInbox, SQLiteInbox

    if _is_database(location):
        return PostgresInbox.migrate(location, dry_run=dry_run)
    _require_file(location)
    return SQLiteInbox.migrate(location, dry_run=dry_run)


def _is_database(location: str) -> bool:
    """Whether an inbox is at a database's URL, which must not contain a password."""
    if not location.startswith(("postgresql://", "postgres://")):
        return False
    if "password=" in location or ":" in location.partition("://")[2].rpartition("@")[0]:
        message = "Other users of this machine can read a password in the arguments."
        raise CommandError(ExitCode.USAGE, message, "Remove it from --inbox, and use PGPASSWORD or ~/.pgpass.")
    return True


def _require_file(location: str) -> None:
    if not Path(location).exists():
        message = f"There is no inbox {location}."
        raise CommandError(ExitCode.USAGE, message, "A receiver creates it: SQLiteInbox(path).")
