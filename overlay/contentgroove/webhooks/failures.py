"""The failures of handlers: their text as it is stored and logged, and which of them stop the process."""

from __future__ import annotations

import threading
from collections import deque
from traceback import TracebackException, format_tb
from typing import TYPE_CHECKING, cast

from contentgroove._core.redaction import redact_text

from .inbox import MAX_ERROR_TEXT, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, TracebackType

MAX_SUMMARY = 500
"""In characters: how much of an exception's own text is kept."""

MAX_LINES = 100
"""How many entries of a traceback are kept: the last ones."""

UNPRINTABLE = "(this exception's text cannot be printed)"


def describe_error(error: BaseException) -> str:
    """Describe an exception without credentials in URLs, because the inbox stores and shows it.

    An exception's text may be anything: `__str__` may raise, return lone surrogates, or megabytes.
    """
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - whatever the application's method raises, the failure must be recorded
        text = f"{type(error).__name__}: {UNPRINTABLE}"
    return _cleaned(text, MAX_SUMMARY)


def failure_text(error: BaseException) -> str:
    """Describe an exception with its traceback: the description, then the last entries of the traceback that fit."""
    summary = describe_error(error)
    room = MAX_ERROR_TEXT - len(summary)
    entries: deque[str] = deque()
    for entry in reversed(_traceback(error)):
        room -= len(entry)
        if room < 0:
            break
        entries.appendleft(entry)
    return f"{summary}\n{''.join(entries)}".rstrip()


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions in a group, or the exception itself."""
    # Not by recursion: the nesting of groups is the application's.
    found = [error]
    while found:
        part = found.pop()
        if isinstance(part, BaseExceptionGroup):
            found.extend(reversed(cast("BaseExceptionGroup[BaseException]", part).exceptions))
        else:
            yield part


def stops_process(error: BaseException) -> bool:
    """Whether an exception that came out of a handler ends the process.

    Python raises Ctrl-C, and what signal handlers raise, in whatever the main thread does at that moment. Any other
    `SystemExit` is the handler's own, and ends nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    return any(
        isinstance(part, KeyboardInterrupt) or (isinstance(part, SystemExit) and _came_from_a_signal(part))
        for part in leaves(error)
    )


def _came_from_a_signal(error: SystemExit) -> bool:
    codes = _codes_of_signal_handlers()
    step: TracebackType | None = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code in codes:
            return True
        step = step.tb_next
    return False


def _codes_of_signal_handlers() -> set[CodeType]:
    import signal

    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    # The attributes of a method are those of its function.
    return {code for handler in handlers if (code := getattr(handler, "__code__", None)) is not None}


def _traceback(error: BaseException) -> list[str]:
    try:
        formatted = TracebackException(type(error), error, error.__traceback__, compact=True).format()
        entries = list(deque(formatted, MAX_LINES))
    except BaseException:  # noqa: BLE001 - as above: attributes of the exception may raise, too, and groups be too deep
        entries = format_tb(error.__traceback__, -MAX_LINES)
    return [_cleaned(entry, MAX_SUMMARY, "\n") for entry in entries]


def _cleaned(text: str, limit: int, end: str = "") -> str:
    """Cut a text, and remove what cannot be printed or must not be shown.

    It is cut before its credentials are removed, because that takes long for megabytes; a value that is cut is removed
    like a whole one.
    """
    if len(text) > limit:
        text = f"{text[:limit]}…{end}"
    return redact_text(printable(text))
