"""Exceptions of HTTP libraries and databases without the variables of their frames."""

from __future__ import annotations

from typing import cast

_NOTE = "Raised at "
_MAX_NOTED = 8
"""Frames that a note names, the innermost first."""


def drop_frames(error: BaseException, outer: BaseException | None) -> None:
    """Replace the frames of an exception and of its causes by a note of where it was raised.

    Error reporters show the variables of all frames, and in those of HTTP libraries and of the application's own
    transports are requests with their URLs and headers.

    Args:
        error: The exception.
        outer: The exception that the application was handling when it called this library (`sys.exception()`), None
            if there is none. It belongs to the application, and is left unchanged.
    """
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        current = chain.pop()
        if current is None or current is outer or id(current) in seen:
            continue
        seen.add(id(current))
        chain += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            chain += cast("BaseExceptionGroup[BaseException]", current).exceptions
        # httpx keeps the request in its exceptions; reading it from one without raises an error.
        vars(current).pop("_request", None)
        _note_location(current)
        current.with_traceback(None)


def _note_location(error: BaseException) -> None:
    entries: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        entries.append(f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    if entries and not any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
        error.add_note(_NOTE + ", called at ".join(reversed(entries[-_MAX_NOTED:])))
