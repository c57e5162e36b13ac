"""Violations of the contract, the error that reports them, and the line of code that made the call."""

from __future__ import annotations

import inspect
import os
import site
import sys
import sysconfig
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from contentgroove import errors
from contentgroove._core.redaction import redact_text
from msgspec import Struct, structs

from contentgroove_mock.contract.rules import BY_NAME, Rule

if TYPE_CHECKING:
    from types import FrameType

_MAX_SHOWN = 120
_TASK_STARTS = str(Path(threading.__file__).parent / "asyncio" / "events.py")


class Violation(Struct, frozen=True):
    """One deviation of an exchange from the contract.

    Attributes:
        operation: The operationId, or the event's name for a webhook; None if no operation matches.
        location: The location, such as `request.path`, `request.query.page[size]`, `request.headers.content-type` or
            `response.status`, or a JSON pointer in a body, `response.body#/data/0/id`.
        rule: The rule that is violated, one of `RULES`.
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
        entry = BY_NAME[self.rule]
        # Where nothing but the ledger supports a rule, the reader should know that the service may be right.
        ledger = f" (assumed: {', '.join(entry.assumptions)})" if entry.source == "ledger" else ""
        return f"{operation}{self.location}: {self.rule}: {self.message}{ledger}; seen: {self.actual}{caller}"


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
    text = redact_text(" ".join(text.split()))
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def with_caller(violations: list[Violation]) -> list[Violation]:
    """Return violations with the test and the line that made the call, as far as they are known."""
    call = find_caller() if violations else None
    return violations if call is None else [structs.replace(violation, call=call) for violation in violations]


def find_caller() -> str | None:
    """Return the running test and the line that made the call, see `find_line`. None if neither is known."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    return describe_caller(test, find_line())


def describe_caller(test: str, line: str | None) -> str | None:
    """Return a test and a line of code as one text; None if neither is known."""
    return f"{test}, at {line}" if test and line else test or line


def find_line() -> str | None:
    """Return the innermost line that belongs to neither Python, a library nor this project.

    A server in another thread has no caller on its own stack: there, the line is that of the only thread that can be
    waiting for the response. None if there are several, because one of them would be innocent.
    """
    own = code_line(inspect.currentframe())
    if own is not None:
        return own
    # Documented despite its underscore: the only access to another thread's stack.
    frames = sys._current_frames().values()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    # Who waits for another thread does not wait for a response.
    lines = [code_line(frame) for frame in frames if frame.f_code.co_filename != threading.__file__]
    callers = [line for line in lines if line is not None]
    return callers[0] if len(callers) == 1 else None


def code_line(frame: FrameType | None) -> str | None:
    """Return the innermost line of a stack that belongs to neither Python, a library nor this project.

    What runs an event loop of asyncio does not count: it is not what the tasks of the loop do.
    """
    while frame is not None:
        name = frame.f_code.co_filename
        if name == _TASK_STARTS:
            return None
        if is_user_code(name):
            path = Path(name)
            here = Path.cwd()
            return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{frame.f_lineno}"
        frame = frame.f_back
    return None


@cache
def is_user_code(name: str) -> bool:
    """Return whether a source file belongs to neither Python, a library nor this project."""
    path = Path(name).resolve()
    return not name.startswith("<") and not any(path.is_relative_to(folder) for folder in _libraries())


@cache
def _libraries() -> tuple[Path, ...]:
    import contentgroove_api

    folders: set[str | Path] = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    folders |= {Path(__file__).parents[1]}
    folders |= {Path(str(package.__file__)).parent for package in (errors, contentgroove_api)}
    return tuple(Path(folder).resolve() for folder in folders if folder)
