"""What the checker says of an exchange that breaks the contract."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from contentgroove import errors
from contentgroove._core.redaction import redact_url
from msgspec import Struct

Rule: TypeAlias = Literal[
    "unknown-path",
    "unknown-method",
    "path-parameter",
    "unknown-parameter",
    "missing-parameter",
    "parameter-value",
    "unknown-key",
    "auth",
    "unknown-status",
    "media-type",
    "missing-header",
    "header-value",
    "missing-body",
    "unexpected-body",
    "json",
    "missing-field",
    "undeclared-field",
    "type",
    "enum",
    "format",
    "schema",
    "unknown-event",
    "prism",
]

_MAX_SHOWN = 120


class Violation(Struct, frozen=True, kw_only=True):
    """One place where an exchange is not what the contract says.

    Attributes:
        operation: The operationId, or the event's name for a webhook; None where no operation fits.
        location: Where: `request.path`, `request.query.page[size]`, `request.headers.content-type`, `response.status`,
            or a JSON pointer in a body, `response.body#/data/0/id`.
        rule: Which kind of rule is broken.
        message: What the contract says.
        actual: What was there instead, shortened and without credentials.
        call: The test and the line that made the call, as far as they can be told.
    """

    operation: str | None
    location: str
    rule: Rule
    message: str
    actual: str
    call: str | None = None

    def __str__(self) -> str:
        caller = f"\n    called by {self.call}" if self.call else ""
        operation = f"{self.operation}: " if self.operation else ""
        return f"{operation}{self.location}: {self.rule}: {self.message}; seen: {self.actual}{caller}"


class ContractViolationError(errors.ContractViolationError, AssertionError):
    """An exchange breaks the contract.

    An assertion error as well, so that test runners show it as a failure and not as an error of the test's own.
    """

    violations: tuple[Violation, ...]


def short_repr(value: object) -> str:
    """Write a value, text or JSON, into one short line, credentials taken out."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace")
    else:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = redact_url(" ".join(text.split()))
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
