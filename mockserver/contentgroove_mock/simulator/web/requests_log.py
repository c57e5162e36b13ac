"""The log of requests, for tests; credentials are replaced before anything is stored."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  # msgspec reads the fields' types at run time
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from msgspec import Struct

if TYPE_CHECKING:
    from starlette.requests import Request

_MAX_RECORDS = 10_000
_REDACTED = "REDACTED"
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})


class RequestRecord(Struct, kw_only=True):
    """One request.

    Attributes:
        operation: The operationId, or `upload` for a PUT to the file store.
        query: Names and values; the values of credentials are REDACTED.
        headers: Values by lower-case name; those of credentials are REDACTED.
        status: The status of the response; None before it is sent, or if the connection was reset.
    """

    at: dt.datetime
    operation: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    status: int | None = None


class RequestsLog:
    """The last 10,000 requests."""

    def __init__(self) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=_MAX_RECORDS)

    def add(self, request: Request, operation: str, at: dt.datetime) -> RequestRecord:
        """Add a request; its status is set later."""
        record = RequestRecord(
            at=at,
            operation=operation,
            method=request.method,
            path=request.scope["path"],
            query=[
                (name, _REDACTED if _is_secret(name) else value)
                for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
            ],
            headers={name: _REDACTED if name in _SECRET_HEADERS else value for name, value in request.headers.items()},
        )
        self._records.append(record)
        return record

    def all(self) -> list[RequestRecord]:
        """Return the requests, oldest first."""
        return list(self._records)

    def clear(self) -> None:
        """Remove all requests."""
        self._records.clear()


def _is_secret(name: str) -> bool:
    return name.lower() == "api_key" or name.lower().startswith("x-amz-")
