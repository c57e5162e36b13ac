"""Clocks: one that runs by itself, and one that a test moves."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from typing import NamedTuple, Protocol, runtime_checkable

from contentgroove_api import Times

_MAX_SECONDS = 100 * 366 * 86_400
_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Clock(Protocol):
    """The time that a simulator runs by."""

    def now(self) -> dt.datetime:
        """Return the time, aware, in UTC."""
        ...

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until that many seconds have passed on this clock."""
        ...


@runtime_checkable
class SettableClock(Clock, Protocol):
    """A clock that can be set to another time, as the restoring of a snapshot needs it."""

    def set_time(self, moment: dt.datetime) -> None:
        """Make it this time, which may be earlier."""
        ...


class SystemClock:
    """A clock that runs with the monotonic clock, so that changes of the machine's time do not affect it.

    Nor does a time that a test freezes: freezegun replaces functions of modules, not of classes.
    """

    _monotonic = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self._start = Times.datetime.now(dt.UTC)
        self._origin = self._monotonic()

    def now(self) -> dt.datetime:
        """Return the time."""
        return self._start + dt.timedelta(seconds=self._monotonic() - self._origin)

    def advance(self, seconds: float) -> None:
        """Jump forward. Coroutines that are already sleeping are not woken."""
        check_seconds(seconds)
        self._start += dt.timedelta(seconds=seconds)

    def set_time(self, moment: dt.datetime) -> None:
        """Make it this time; coroutines that are already sleeping sleep as long as before."""
        self._start = moment - dt.timedelta(seconds=self._monotonic() - self._origin)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Sleeper(NamedTuple):
    end: dt.datetime
    loop: asyncio.AbstractEventLoop
    event: asyncio.Event


class ManualClock:
    """A clock that only moves when `advance` is called, from any thread."""

    def __init__(self, start: dt.datetime = _START) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start must be an aware time, not {start!r}: add tzinfo, such as datetime.UTC")
        self._now = start
        self._lock = threading.Lock()
        self._sleepers: list[_Sleeper] = []

    def now(self) -> dt.datetime:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward, and wake the coroutines whose sleep is over."""
        check_seconds(seconds)
        with self._lock:
            self._now += dt.timedelta(seconds=seconds)
            awake = [sleeper for sleeper in self._sleepers if sleeper.end <= self._now]
        for _, loop, event in awake:
            loop.call_soon_threadsafe(event.set)

    def set_time(self, moment: dt.datetime) -> None:
        """Make it this time, which may be earlier; coroutines that are sleeping sleep as long as before."""
        with self._lock:
            difference = moment - self._now
            self._now = moment
            self._sleepers = [_Sleeper(end + difference, loop, event) for end, loop, event in self._sleepers]

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved that far."""
        if seconds <= 0:
            return
        event = asyncio.Event()
        with self._lock:
            end = self._now + dt.timedelta(seconds=seconds)
            self._sleepers.append(_Sleeper(end, asyncio.get_running_loop(), event))
        try:
            await event.wait()
        finally:
            with self._lock:
                self._sleepers = [sleeper for sleeper in self._sleepers if sleeper.event is not event]


def check_seconds(seconds: float) -> None:
    """Raise a ValueError if a clock cannot move forward by that many seconds."""
    if not 0 <= seconds <= _MAX_SECONDS:
        limits = f"from 0 to {_MAX_SECONDS:,} (a hundred years)"
        raise ValueError(f"A clock can only move forward: seconds must be {limits}, not {seconds}")
