"""The connections that inboxes keep: how many, for how long, and in which process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from contentgroove.webhooks.sql_connections import ConnectionPool, NoConnectionError


class Fake:
    """A connection; `closed` is set when it is closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def execute(self, *_: Any) -> Any:
        """Accept any statement."""
        raise AssertionError

    def close(self) -> None:
        """Record it."""
        self.closed.set()


def lend(pool: ConnectionPool[Fake], spare: int = 0) -> Fake:
    return pool.borrow(0, spare=spare) or Fake()


def test_no_more_connections_are_lent_than_allowed() -> None:
    """A borrower waits for the next that is returned, or until its time is over."""
    pool: ConnectionPool[Fake] = ConnectionPool(limit=2)
    first, second = lend(pool), lend(pool)
    with pytest.raises(NoConnectionError):
        pool.borrow(0)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(pool.borrow, 30)
        pool.give_back(first)
        assert waiting.result(30) is first
    pool.give_back(second)


def test_a_connection_that_could_not_be_opened_is_not_counted() -> None:
    """Otherwise an outage would use up all of them."""
    pool: ConnectionPool[Fake] = ConnectionPool(limit=1)
    for _ in range(3):
        assert pool.borrow(0) is None
        pool.forget()


def test_connections_are_spared_for_others() -> None:
    """But one may always be lent, however many are spared."""
    pool: ConnectionPool[Fake] = ConnectionPool(limit=2)
    lend(pool, spare=1)
    with pytest.raises(NoConnectionError):
        pool.borrow(0, spare=1)
    lend(pool)
    single: ConnectionPool[Fake] = ConnectionPool(limit=1)
    lend(single, spare=1)


def test_what_was_idle_for_too_long_is_closed() -> None:
    """At the next use, by the pool's clock; what was used since stays."""
    now = 0.0
    pool: ConnectionPool[Fake] = ConnectionPool(idle_timeout=60, clock=lambda: now)
    first, second = lend(pool), lend(pool)
    pool.give_back(first)
    now = 30.0
    pool.give_back(second)
    now = 60.0
    assert lend(pool) is second
    assert (first.closed.is_set(), second.closed.is_set()) == (True, False)


def test_what_is_idle_is_closed_without_a_further_use() -> None:
    """By a timer, which also closes what was returned after it was started."""
    pool: ConnectionPool[Fake] = ConnectionPool(idle_timeout=0.02)
    first, second = lend(pool), lend(pool)
    pool.give_back(first)
    assert first.closed.wait(30)
    pool.give_back(second)
    assert second.closed.wait(30)


def test_a_timer_does_not_keep_a_pool_alive() -> None:
    """Its connections are closed when it is collected."""
    pool: ConnectionPool[Fake] = ConnectionPool(idle_timeout=3600)
    kept = lend(pool)
    pool.give_back(kept)
    del pool
    assert kept.closed.wait(30)


def test_a_fork_waits_for_other_threads_and_closes_what_is_idle() -> None:
    """With SQLite, nothing may be open while a process forks."""
    pool: ConnectionPool[Fake] = ConnectionPool(close_at_fork=True)
    idle, used = Fake(), Fake()
    assert pool.borrow(0) is None
    assert pool.borrow(0) is None
    pool.give_back(idle)
    pool.forget()
    borrowed, returned = threading.Event(), threading.Event()

    def use() -> None:
        assert pool.borrow(0) is idle
        borrowed.set()
        assert returned.wait(30)
        pool.give_back(used)

    with ThreadPoolExecutor(2) as threads:
        using = threads.submit(use)
        assert borrowed.wait(30)
        forking = threads.submit(pool.before_fork)
        assert not forking.done()
        returned.set()
        using.result(30)
        forking.result(30)
    assert used.closed.is_set()
    pool.after_fork_in_child()
    assert not pool.carries_open_connections


def test_a_child_knows_what_its_parent_had_open() -> None:
    """A fork without preparation, or inside a transaction, carries it over."""
    pool: ConnectionPool[Fake] = ConnectionPool(close_at_fork=True)
    pool.give_back(lend(pool))
    assert not pool.carries_open_connections
    pool.after_fork_in_child()
    assert pool.carries_open_connections
