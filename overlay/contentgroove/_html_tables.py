"""Tables for notebooks. What the service sent is shown as text, never as markup, and nothing is loaded by it."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._json_views import Table

MAX_ROWS = 20
"""Rows of a table; how many others there are is said below it."""


def to_html(table: Table) -> str:
    """Write a table, of which all parts are text."""
    rows = [_row("td", row) for row in islice(table.rows, MAX_ROWS)]
    others = len(table.rows) - len(rows)
    if others > 0:
        rows.append(f'<tr><td colspan="{len(table.columns)}">… and {others:,} more</td></tr>')
    caption, head = escape(table.caption), _row("th", table.columns)
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _row(tag: str, cells: Iterable[str]) -> str:
    inner = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"
