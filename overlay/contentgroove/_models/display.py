"""What consoles, logs and notebooks show of models: short texts without credentials.

What the service sent is shown as text, never as markup, and nothing is loaded by it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

from contentgroove._core.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SHOWN = 80
"""Characters of a value in a repr or a table."""

_MAX_REDACTED = 1000
"""Characters of a value that are searched for credentials; no more of it is shown."""

MAX_ROWS = 20
"""Rows of a table; how many others there are is said below it."""


class Table(NamedTuple):
    """What a notebook shows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def short_repr(value: object) -> str:
    """Return a short repr, on one line and without the credentials of URLs."""
    if isinstance(value, tuple):
        return _short(repr(cast("tuple[str, ...]", value)[:_MAX_REDACTED]))
    return _short(repr(value[:_MAX_REDACTED] if isinstance(value, str) else value))


def cell_text(value: object) -> str:
    """Return a short text for a cell of a table, without the credentials of URLs."""
    return _short(", ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value))


def _short(text: str) -> str:
    text = redact_text(text[:_MAX_REDACTED])
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def to_html(table: Table) -> str:
    """Write a table, of which all parts are text."""
    rows = [_row("td", row) for row in islice(table.rows, MAX_ROWS)]
    others = len(table.rows) - len(rows)
    if others > 0:
        rows.append(f'<tr><td colspan="{len(table.columns)}">… and {others:,} more</td></tr>')
    head = _row("th", table.columns)
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    # Imported here, because only notebooks need it.
    from html import escape

    inner = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"
