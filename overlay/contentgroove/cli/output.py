"""What commands print: results on standard output, everything else on standard error.

A terminal gets tables, a pipe gets tab-separated lines, and `--json` prints JSON: one document for one item, JSON lines
for several, each as soon as it is known. Every text can be printed, and pipes carry the same bytes on every system.

Names and texts come from the service, files and callers: none of them may move the cursor, change colours, forge
lines or reverse the reading direction of the output.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import os
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from contentgroove._core.redaction import redact_text
from contentgroove.errors import MissingFieldError

from .exit_codes import CommandError, ErrorReport, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from contentgroove._models.base import Model

T = TypeVar("T")

_GAP = 2
_MIN_CELL = 14
"""A terminal's columns that a cell without a fixed width needs; with fewer, rows become blocks of lines."""

# C0 and C1 control characters (ANSI escapes start with one), line and paragraph separators, the controls of
# bidirectional text (Unicode Standard Annex 9), the byte order mark, and lone surrogates.
_CONTROLS = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_CONTROL = re.compile(f"[\x00-\x1f{_CONTROLS}]")
_SPACES = re.compile(r"[\t\n\v\f\r\u2028\u2029]+")
# The JSON encoder has escaped those below 0x20.
_CONTROL_IN_JSON = re.compile(f"[{_CONTROLS}]")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column of a table. Without a width (in a terminal's columns), it gets an equal share of the remaining width."""

    title: str
    value: Callable[[T], str | None]
    width: int | None = None


UNREADABLE = "(unreadable)"
"""Printed for a field that the service sent otherwise than its contract says."""


def document(item: Model[Any]) -> dict[str, Any]:
    """Return a model's JSON document: all attributes, with those that this version does not know in `extra`.

    Those that cannot be read are null, and their names are in `missing`, which other documents do not have.
    """
    known = item.to_dict()
    known.pop("absent", None)
    others: dict[str, Any] = {name: known.pop(name) for name in ("extra", "missing") if name in known}
    return {**dict.fromkeys(sorted(item.missing)), **known, "extra": {}, **others}


def texts_of(item: T, columns: Sequence[Column[T]]) -> dict[str, str | None]:
    """Return what columns show of an item, by title."""
    return {column.title: _cell(item, column) for column in columns}


def _cell(item: T, column: Column[T]) -> str | None:
    try:
        return column.value(item)
    except MissingFieldError:
        return UNREADABLE


class Output:
    """Prints the results and notes of one command.

    Attributes:
        json: True if results are JSON.
        quiet: True to omit notes and progress, which also need a terminal as standard error.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet

    @cached_property
    def console(self) -> Console:
        """Standard output as a terminal."""
        return _console(sys.stdout)

    @cached_property
    def stderr_console(self) -> Console:
        """Standard error as a terminal, for progress and notes."""
        return _console(sys.stderr)

    @property
    def interactive(self) -> bool:
        """True if progress and notes are shown: standard error is a terminal, and they are not suppressed."""
        return not self.quiet and is_terminal(sys.stderr)

    def print_note(self, text: str) -> None:
        """Print a note if standard error is a terminal."""
        if self.interactive:
            self.stderr_console.print(single_line(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print a warning to standard error, also with --quiet or in a log."""
        write_error(f"{_label('warning', 33)} {single_line(text)}")

    def failure(self, failure: ErrorReport) -> None:
        """Print an error and what to do next."""
        write_error(f"{_label('error', 31)} {single_line(failure.message)}")
        if failure.hint:
            write_error(f"  {single_line(failure.hint)}")

    def print_item(self, fields: Mapping[str, str | None], data: Mapping[str, Any]) -> None:
        """Print one item: its values by label, without those that are None, or its JSON document."""
        lines = {label: single_line(value) for label, value in fields.items() if value is not None}
        if self.json:
            self.document(data)
        elif is_terminal(sys.stdout):
            self._detail_block(lines)
        else:
            for label, value in lines.items():
                _write(f"{label}\t{value}")

    def document(self, data: object) -> None:
        """Print a JSON document."""
        _write(to_json(data, indent=2))

    def text(self, text: str, encoding: str = "utf-8", path: Path | None = None) -> None:
        """Print the content of a file, or write it into one: unchanged, except that a terminal gets no controls."""
        if path is None and is_terminal(sys.stdout):
            sys.stdout.write(multi_line(text.replace("\r\n", "\n")))
            return
        # As bytes, so that line endings are the same on every system.
        content = text.encode(encoding, "backslashreplace")
        if path is None:
            with _writing():
                sys.stdout.flush()
                sys.stdout.buffer.write(content)
                sys.stdout.buffer.flush()
            return
        try:
            path.write_bytes(content)
        except OSError as error:
            raise CommandError(ExitCode.FAILED, f"Cannot write {path}: {error.strerror}.") from error

    def line(self, data: Mapping[str, Any], cells: Sequence[str]) -> None:
        """Print one of several results: a JSON line, or cells."""
        gap = "  " if is_terminal(sys.stdout) else "\t"
        _write(to_json(data) if self.json else gap.join(single_line(cell) for cell in cells))

    def summary(self, text: str, *, always: bool = False) -> None:
        """Print a line about the whole run to standard error, also in a log, but with --quiet only if `always`."""
        if always or not self.quiet:
            write_error(single_line(text))

    def table(
        self,
        pages: Iterable[Iterable[T]],
        columns: Sequence[Column[T]],
        data: Callable[[T], Mapping[str, Any]],
        empty: str,
    ) -> None:
        """Print many items, page by page as they arrive; if there are none, a note."""
        count = 0
        for page in pages:
            items = list(page)
            if not items:
                # None of what was sent can be read.
                continue
            if self.json:
                _write("\n".join(to_json(data(item)) for item in items))
            else:
                rows = [[_cell_text(cell) for cell in texts_of(item, columns).values()] for item in items]
                self._print_rows(rows, columns, heading=count == 0)
            count += len(items)
        if not count:
            self.print_note(empty)

    def _print_rows(self, rows: list[list[str]], columns: Sequence[Column[Any]], *, heading: bool) -> None:
        if not is_terminal(sys.stdout):
            _write("\n".join("\t".join(row) for row in rows))
        elif self.console.width < sum((column.width or _MIN_CELL) + _GAP for column in columns) - _GAP:
            for row in rows:
                self._detail_block({column.title: cell for column, cell in zip(columns, row, strict=True) if cell})
                _write("")
        else:
            from rich.table import Table

            overflow = ellipsis_or_crop(self.console)
            table = Table(box=None, show_header=heading, padding=(0, _GAP, 0, 0), pad_edge=False, expand=True)
            for column in columns:
                ratio = 1 if column.width is None else None
                table.add_column(column.title, width=column.width, ratio=ratio, no_wrap=True, overflow=overflow)
            for row in rows:
                table.add_row(*row)
            self.console.print(table)

    def _detail_block(self, fields: Mapping[str, str]) -> None:
        from rich.text import Text

        width = max((len(label) for label in fields), default=0)
        for label, value in fields.items():
            text = Text.assemble((f"{label:<{width}}", "dim"), "  ", value)
            # Not wrapped, because a URL in pieces can neither be clicked nor copied.
            self.console.print(text, soft_wrap=True)


def single_line(text: str) -> str:
    """Return text as one line: line breaks and tabs become spaces, other controls visible numbers."""
    return _CONTROL.sub(_escape_control, _SPACES.sub(" ", text))


def displayable(text: str, stream: Any) -> str:
    """Return text in one line, with the numbers of characters that a terminal's encoding lacks.

    They take more columns than the characters, so that this comes before any layout.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return single_line(text).encode(encoding, "backslashreplace").decode(encoding)


def ellipsis_or_crop(console: Console) -> Literal["ellipsis", "crop"]:
    """Return how a text that is too long ends: in an ellipsis, if the terminal's encoding has it."""
    return "ellipsis" if displayable("…", console.file) == "…" else "crop"


def _cell_text(cell: str | None) -> str:
    text = cell or ""
    return displayable(text, sys.stdout) if is_terminal(sys.stdout) else single_line(text)


def multi_line(text: str) -> str:
    """Return text with its line breaks and tabs; other controls become visible numbers."""
    return _CONTROL.sub(lambda match: match[0] if match[0] in "\t\n" else _escape_control(match), text)


def safe_json(text: str) -> str:
    """Return equivalent JSON text without control characters."""
    return _CONTROL_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape_control(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - the largest number of two hex digits


def to_json(data: object, indent: int | None = None) -> str:
    """Return the JSON of data without control characters."""
    return safe_json(json.dumps(data, ensure_ascii=False, indent=indent, default=_json_default))


def _json_default(value: object) -> object:
    if isinstance(value, dt.datetime):
        # In UTC, a time at either end of the calendar would be outside of it.
        with contextlib.suppress(OverflowError):
            value = value.astimezone(dt.UTC)
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


@contextlib.contextmanager
def _writing() -> Generator[None]:
    """Say what an error of the system was about, such as a disk that is full; a closed pipe is none."""
    try:
        yield
    except OSError as error:
        if is_closed_pipe(error):
            raise
        raise CommandError(ExitCode.FAILED, f"Cannot write to standard output: {error.strerror}.") from error


def _write(text: str) -> None:
    with _writing():
        sys.stdout.write(f"{text}\n")
        # The reader of a pipe waits for each line of a long run.
        sys.stdout.flush()


def _label(word: str, colour: int) -> str:
    return f"\x1b[1;{colour}m{word}:\x1b[0m" if wants_colour(sys.stderr) else f"{word}:"


def write_error(text: str) -> None:
    """Write to standard error if it is open, without the credentials in URLs."""
    try:
        sys.stderr.write(f"{redact_text(text)}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        # Without standard error, only the exit code reports the failure.
        return


def _console(stream: Any) -> Console:
    from rich.console import Console

    # The texts come from the service and from files: nothing in them is markup, an emoji's name or to be coloured.
    # Lines are not wrapped, also those that are printed while progress is shown: their ids and URLs stay whole.
    # rich has no colours for a terminal that calls itself dumb, even if they are forced.
    forced: Literal["auto", "standard"] = "standard" if os.environ.get("TERM") == "dumb" else "auto"
    system = forced if wants_colour(stream) else None
    return Console(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=True, color_system=system)


def wants_colour(stream: Any) -> bool:
    """Return True if output to a stream is coloured: it is a terminal, and the environment does not say otherwise.

    NO_COLOR (https://no-color.org) is stronger than FORCE_COLOR and CLICOLOR_FORCE, which are stronger than the rest.
    """
    if os.environ.get("NO_COLOR"):
        return False
    forced = [value for name in ("FORCE_COLOR", "CLICOLOR_FORCE") if (value := os.environ.get(name))]
    if forced:
        return forced[0] not in {"0", "false"}
    # A console of Windows shows escapes as they are, unless it is a newer one.
    usable = sys.platform != "win32" or bool(os.environ.get("WT_SESSION") or os.environ.get("TERM"))
    plain = os.environ.get("TERM") in {"dumb", "unknown"} or os.environ.get("CLICOLOR") == "0"
    return is_terminal(stream) and usable and not plain


def prepare_streams() -> None:
    """Let standard output and error accept every text.

    Files and pipes become UTF-8 with plain newlines on every system, because the code pages of Windows lack most
    characters. A terminal keeps its encoding, and shows what that lacks by its number.
    """
    for stream in (sys.stdout, sys.stderr):
        # A stream that was closed before the start is None.
        with contextlib.suppress(AttributeError):
            terminal = is_terminal(stream)
            stream.reconfigure(  # type: ignore[union-attr]
                encoding=None if terminal else "utf-8", newline=None if terminal else "\n", errors="backslashreplace"
            )


def is_terminal(stream: Any) -> bool:
    """Return True if a stream is open and a terminal."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def is_closed_pipe(error: BaseException | None, system: str = os.name) -> bool:
    """Return True if an error means that the output pipe was closed by its reader."""
    if isinstance(error, BrokenPipeError):
        return True
    # Windows reports an invalid argument for such a pipe, without a file name.
    return system == "nt" and isinstance(error, OSError) and (error.errno, error.filename) == (errno.EINVAL, None)
