"""Violations of the contract, and the error that reports them."""

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
    """One deviation of an exchange from the contract.

    Attributes:
        operation: The operationId, or the event's name for a webhook; None if no operation matches.
        location: The location, such as `request.path`, `request.query.page[size]`, `request.headers.content-type` or
            `response.status`, or a JSON pointer in a body, `response.body#/data/0/id`.
        rule: The kind of rule that is violated.
        message: What the contract requires.
        actual: The actual value, shortened and without credentials.
        call: The test and the line that made the call, as far as they are known.
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
    """An exchange violates the contract.

    It is also an assertion error, so that test runners report it as a failure and not as an error.
    """

    violations: tuple[Violation, ...]


def short_repr(value: object) -> str:
    """Return a value, text or JSON, as one short line without credentials."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace")
    else:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = redact_url(" ".join(text.split()))
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
