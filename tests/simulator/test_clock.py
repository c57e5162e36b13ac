"""Clocks."""

from __future__ import annotations

import datetime as dt
import threading

import anyio
import pytest
from contentgroove_mock import ManualClock, SystemClock

pytestmark = pytest.mark.anyio


async def test_manual_clock_only_moves_with_advance() -> None:
    """Only advance moves it, by its argument."""
    clock = ManualClock(dt.datetime(2025, 5, 5, tzinfo=dt.UTC))
    clock.advance(90)
    assert clock.now() == clock.now() == dt.datetime(2025, 5, 5, 0, 1, 30, tzinfo=dt.UTC)


async def test_manual_clock_wakes_sleepers_in_time() -> None:
    """A sleeping coroutine wakes at its time and not before, also if another thread moves the clock."""
    clock = ManualClock()
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for seconds in (0, 10, 20):
                tasks.start_soon(sleep, seconds)
            await anyio.wait_all_tasks_blocked()
            assert woken == [0]
            clock.advance(9.9)
            await anyio.wait_all_tasks_blocked()
            assert woken == [0]
            mover = threading.Thread(target=clock.advance, args=(0.2,))
            mover.start()
            mover.join()
            await anyio.wait_all_tasks_blocked()
            assert woken == [0, 10]
            clock.advance(100)
    assert woken == [0, 10, 20]


async def test_cancelled_sleeper_is_forgotten() -> None:
    """After a sleeping coroutine was cancelled, the clock can be moved."""
    clock = ManualClock()
    with anyio.move_on_after(0):
        await clock.sleep(5)
    clock.advance(10)


@pytest.mark.parametrize("clock", [ManualClock(), SystemClock()])
async def test_clocks_do_not_move_back(clock: ManualClock | SystemClock) -> None:
    """A clock can only be moved forward."""
    before = clock.now()
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.advance(3600)
    assert dt.timedelta(hours=1) <= clock.now() - before < dt.timedelta(hours=2)
    assert clock.now().tzinfo is dt.UTC


async def test_manual_clock_needs_an_aware_start() -> None:
    """A start without a time zone is an error."""
    with pytest.raises(ValueError, match="tzinfo"):
        ManualClock(dt.datetime(2025, 5, 5))  # noqa: DTZ001  # what is tested


async def test_system_clock_runs() -> None:
    """It runs by itself, and its sleep ends."""
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.001)
    assert clock.now() > before
