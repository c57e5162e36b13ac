"""Flows: coroutines that the sync and the async client share, and the two ways to run them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from contentgroove._core.io import CallbackError, run_async, run_sync

if TYPE_CHECKING:
    from collections.abc import Callable


class HookError(Exception):
    """The error of an application's callback."""


async def returning(value: object) -> object:
    return value


async def inner(call: Callable[[], object]) -> object:
    return call()


async def outer(call: Callable[[], object]) -> object:
    # One flow awaits another, as in the clients.
    return await inner(call)


async def yielding() -> None:
    await asyncio.sleep(0)


def raising(error: BaseException) -> Callable[[], object]:
    def call() -> object:
        raise error

    return call


@pytest.mark.parametrize("value", [None, 1, "text"])
def test_a_flow_returns_its_result(value: object) -> None:
    """The sync client gets what the coroutine returns."""
    assert run_sync(returning(value)) is value


def test_a_flow_that_suspends_is_named() -> None:
    """Such a flow would never continue, so it is an error of this library."""
    with pytest.raises(RuntimeError, match="yielding suspended"):
        run_sync(yielding())


def test_a_flow_that_suspends_is_closed() -> None:
    """Its `finally` blocks run before the error is raised."""
    closed: list[str] = []

    async def guarded() -> None:
        try:
            await yielding()
        finally:
            closed.append("closed")

    with pytest.raises(RuntimeError, match="guarded suspended"):
        run_sync(guarded())
    assert closed == ["closed"]


def test_a_stop_iteration_of_a_callback_stays_one() -> None:
    """Python turns it into a RuntimeError inside a coroutine; the application gets its own exception back."""
    stop = StopIteration("of a callback")
    with pytest.raises(StopIteration) as caught:
        run_sync(outer(raising(stop)))
    assert caught.value is stop


def test_a_runtime_error_of_a_callback_stays_one() -> None:
    """Only Python's own translation is undone, not an error that an application caused by a StopIteration."""
    error = RuntimeError("of a callback")
    error.__cause__ = StopIteration()
    with pytest.raises(RuntimeError) as caught:
        run_sync(outer(raising(error)))
    assert caught.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), HookError("no"), GeneratorExit()])
def test_any_other_exception_passes(error: BaseException) -> None:
    """It leaves the flow as it was raised."""
    with pytest.raises(type(error)) as caught:
        run_sync(outer(raising(error)))
    assert caught.value is error


@pytest.mark.parametrize("reason", [HookError("no"), StopIteration(), RuntimeError("no")])
def test_a_callback_error_becomes_its_reason(reason: Exception) -> None:
    """The wrapper, which only protects it from the HTTP library, is removed; the reason keeps its own cause."""
    reason.__cause__ = cause = ValueError("earlier")
    with pytest.raises(type(reason)) as caught:
        run_sync(outer(raising(CallbackError(reason))))
    assert caught.value is reason
    assert caught.value.__cause__ is cause


@pytest.mark.anyio
async def test_a_callback_error_becomes_its_reason_in_async_clients() -> None:
    """As in sync clients."""
    reason = HookError("no")
    reason.__cause__ = cause = ValueError("earlier")
    with pytest.raises(HookError) as caught:
        await run_async(outer(raising(CallbackError(reason))))
    assert caught.value is reason
    assert caught.value.__cause__ is cause


@pytest.mark.anyio
async def test_an_async_client_may_suspend() -> None:
    """Its flows run in the event loop."""
    assert await run_async(returning(1)) == 1
    await run_async(yielding())


def test_flows_can_be_run_inside_each_other() -> None:
    """A callback of a sync client may use the same client."""
    assert run_sync(outer(lambda: run_sync(returning(5)))) == 5


@pytest.mark.anyio
async def test_a_sync_flow_runs_inside_an_event_loop() -> None:
    """A sync client needs no loop, and does not mind one."""
    assert run_sync(outer(lambda: 6)) == 6
