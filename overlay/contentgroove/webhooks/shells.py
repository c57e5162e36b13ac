"""Carry out the steps of handling, in this thread or in an event loop."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from contentgroove.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from .handling import Outcome, Steps


def run(steps: Steps, *, needs_loop: bool) -> Outcome:
    """Carry out steps here; awaitables are awaited in one private event loop.

    Raises:
        ConfigurationError: There are async handlers, and this thread runs an event loop already.
    """
    # Imported here: an app without async handlers pays nothing for it at import.
    import asyncio
    import contextlib

    if needs_loop and _loop_is_running():
        raise ConfigurationError(
            "process_pending() cannot run async handlers inside an event loop: await aprocess_pending()."
        )
    with contextlib.ExitStack() as stack:
        runner: asyncio.Runner | None = None
        try:
            step = next(steps)
            while True:
                try:
                    result: Any = step.call()
                    if inspect.isawaitable(result):
                        # Made with the first awaitable: inside an event loop, sync handlers still run.
                        runner = runner or stack.enter_context(asyncio.Runner())
                        result = runner.run(_as_coroutine(result))
                except BaseException as error:  # noqa: BLE001 - a handler may raise anything; the steps raise it again
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome


async def arun(steps: Steps) -> Outcome:
    """Carry out steps in the running event loop, those that block in threads."""
    from anyio import to_thread

    try:
        step = next(steps)
        while True:
            try:
                result: Any = await to_thread.run_sync(step.call) if step.blocking else step.call()
                if inspect.isawaitable(result):
                    result = await result
            except Exception as error:  # noqa: BLE001 - a handler may raise anything
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


async def _as_coroutine(awaitable: Awaitable[object]) -> object:
    return await awaitable


def _loop_is_running() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
