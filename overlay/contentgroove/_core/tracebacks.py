"""What error reporters show: the variables of frames, and the reprs of objects, also of incomplete ones."""

from __future__ import annotations

from typing import TypeVar, cast

C = TypeVar("C")

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
        each = cast("BaseException", current)
        _note_location(each)
        each.with_traceback(None)


def _note_location(error: BaseException) -> None:
    entries: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        entries.append(f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    if entries and not any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
        error.add_note(_NOTE + ", called at ".join(reversed(entries[-_MAX_NOTED:])))


def with_safe_repr(cls: type[C]) -> type[C]:
    """Let the repr of a class also work for an object whose constructor has failed or not yet finished.

    Error reporters show `self`, and some of them end with an exception of a repr.
    """
    show = cls.__repr__

    def __repr__(self: C) -> str:  # noqa: N807 - it becomes the class's
        try:
            return show(self)
        except AttributeError:
            return f"<{type(self).__name__}, incomplete>"

    cls.__repr__ = __repr__  # type: ignore[method-assign, assignment]
    return cls
