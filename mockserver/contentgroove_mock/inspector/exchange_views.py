"""What the page shows of the request log: a row for each exchange, and one exchange with its messages. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl

from msgspec import Struct

from contentgroove_mock.inspector.bodies import AUTH, CREDENTIALS, Row, ShownBody, note_of, shown_body, shown_rows
from contentgroove_mock.inspector.views import MAX_ROWS, NOTHING, Badge, moment
from contentgroove_mock.simulator.core.faults import UPLOAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contentgroove_mock.contract.violations import Violation
    from contentgroove_mock.inspector.bodies import Body
    from contentgroove_mock.inspector.exchanges import Exchange

_MAX_TARGET = 200
_FIRST_LINE = frozenset({"request.path", "request.method", "response.status"})


class ExchangeRow(Struct, frozen=True):
    """An exchange in the table."""

    number: int
    at: str
    method: str
    target: str
    operation: str
    result: Badge
    milliseconds: str
    violations: int


class Message(Struct, frozen=True):
    """A request or a response.

    Attributes:
        title: The first line, such as `GET /api/v1/medias` or `200`.
        notes: What is wrong with it.
        query: The parameters of the query.
    """

    title: str
    notes: tuple[str, ...]
    query: tuple[Row, ...]
    headers: tuple[Row, ...]
    body: ShownBody


class ExchangeDetails(Struct, frozen=True):
    """An exchange in full; `violations` are locations and what is wrong there."""

    row: ExchangeRow
    violations: tuple[tuple[str, str], ...]
    request: Message
    response: Message


def exchange_rows(exchanges: Iterable[Exchange], text: str = "", *, violations_only: bool = False) -> list[ExchangeRow]:
    """Return the newest exchanges that contain a text in method, path, operation or status, newest first."""
    rows: list[ExchangeRow] = []
    words = text.lower().split()
    for exchange in exchanges:
        if violations_only and not exchange.violations:
            continue
        row = _row(exchange)
        searched = f"{row.method} {exchange.target} {row.operation} {row.result.text}".lower()
        if all(word in searched for word in words):
            rows.append(row)
        if len(rows) == MAX_ROWS:
            break
    return rows


def _row(exchange: Exchange) -> ExchangeRow:
    milliseconds = NOTHING
    if exchange.ended_at is not None:
        milliseconds = f"{(exchange.ended_at - exchange.at).total_seconds() * 1000:.0f}"
    return ExchangeRow(
        exchange.number,
        moment(exchange.at),
        exchange.method,
        _short_target(exchange),
        exchange.operation or NOTHING,
        _result(exchange),
        milliseconds,
        len(exchange.violations),
    )


def _result(exchange: Exchange) -> Badge:
    if exchange.ended_at is None:
        return Badge("in progress", "info")
    if exchange.status is None:
        return Badge("no response", "bad")
    text = str(exchange.status) if exchange.is_complete else f"{exchange.status}, cut off"
    if not exchange.is_complete or exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Badge(text, "bad")
    return Badge(text, "good" if exchange.status < HTTPStatus.BAD_REQUEST else "warn")


def _short_target(exchange: Exchange) -> str:
    target = exchange.target
    if exchange.operation == UPLOAD:
        # All of its parameters sign it.
        target = target.partition("?")[0]
    return target if len(target) <= _MAX_TARGET else f"{target[:_MAX_TARGET]}…"


def exchange_details(exchange: Exchange) -> ExchangeDetails:
    """Return an exchange in full."""
    row = _row(exchange)
    target = exchange.target
    query = parse_qsl(target.partition("?")[2], keep_blank_values=True)
    found = exchange.violations
    return ExchangeDetails(
        row,
        tuple((item.location, note_of(item)) for item in found),
        _message(
            "request",
            f"{exchange.method} {target}",
            found,
            query=query,
            headers=exchange.request_headers,
            body=exchange.request_body,
        ),
        _message(
            "response",
            row.result.text,
            found,
            query=[],
            headers=exchange.response_headers,
            body=exchange.response_body,
        ),
    )


def _message(
    side: Literal["request", "response"],
    title: str,
    violations: Sequence[Violation],
    *,
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    body: Body,
) -> Message:
    """Return a message, with each violation at the part that it is about; at the first line if that is not there."""
    shown_at = {f"{side}.query.{name}" for name, _ in query} | {f"{side}.headers.{name}" for name, _ in headers}
    if any(name.lower() in CREDENTIALS for name, _ in (*query, *headers)):
        shown_at.add(AUTH)
    notes = tuple(
        note_of(item) if item.location in _FIRST_LINE else f"{item.location}: {note_of(item)}"
        for item in violations
        if item.location.startswith(side)
        and item.location not in shown_at
        and item.location.partition("#")[0] != f"{side}.body"
    )
    return Message(
        title,
        notes,
        shown_rows(query, violations, f"{side}.query"),
        shown_rows(headers, violations, f"{side}.headers"),
        shown_body(body, violations, f"{side}.body"),
    )
