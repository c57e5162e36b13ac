"""Calling an application's `progress`: checked before anything is sent, and awaited by async clients."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from contentgroove._core.inputs import invalid_input
from contentgroove._core.io import CallbackError

if TYPE_CHECKING:
    from contentgroove._core.io import Progress

_ASYNC_PROGRESS = "progress is async, which needs an AsyncContentGroove."


def check_progress(progress: object) -> None:
    """Check the callback of an upload by a sync client.

    Raises:
        InvalidInputError: It cannot be called, or is async.
    """
    check_async_progress(progress)
    if inspect.iscoroutinefunction(progress) or inspect.iscoroutinefunction(getattr(type(progress), "__call__", None)):  # noqa: B004 - whether the call is async
        raise invalid_input(_ASYNC_PROGRESS)


def check_async_progress(progress: object) -> None:
    """Check the callback of an upload by an async client.

    Raises:
        InvalidInputError: It cannot be called.
    """
    if progress is not None and not callable(progress):
        raise invalid_input(f"progress must be a function of two numbers, not {type(progress).__name__}.")


def report_progress(progress: Progress | None, sent: int, total: int) -> None:
    """Call the application's callback for a sync client, and wrap what it raises in a CallbackError."""
    result = _call(progress, sent, total)
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise CallbackError(invalid_input(_ASYNC_PROGRESS))


async def areport_progress(progress: Progress | None, sent: int, total: int) -> None:
    """Call the application's callback for an async client, which awaits its result if it is awaitable."""
    result = _call(progress, sent, total)
    if inspect.isawaitable(result):
        try:
            await result
        except Exception as error:
            raise CallbackError(error) from error


def _call(progress: Progress | None, sent: int, total: int) -> object:
    if progress is None:
        return None
    try:
        return progress(sent, total)
    except Exception as error:
        raise CallbackError(error) from error
