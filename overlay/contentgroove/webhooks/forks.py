"""Inboxes across `os.fork`: a child must neither use what its parent has open, nor wait for the parent's threads."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from weakref import WeakValueDictionary

HOLD_TIMEOUT = 5.0
"""Seconds."""


class ForkAware(ABC):
    """Prepares for forks of this process, and continues after them, in parent and child."""

    def __init__(self) -> None:
        _forks.add(self)

    def before_fork(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Prepare for a fork; it waits for this."""

    def after_fork_in_parent(self) -> None:  # noqa: B027 - as above
        """Continue after a fork, in the process that forked."""

    @abstractmethod
    def after_fork_in_child(self) -> None:
        """Continue after a fork, in the new process, in which no other thread runs.

        Servers that fork without Python's knowledge may call only this.
        """


class _Forks:
    """Calls the objects that prepare for forks."""

    def __init__(self) -> None:
        # Nothing new may begin to use what must not be open while the process forks.
        self._adding = threading.RLock()
        self._held = False
        self._count = 0
        self._items: WeakValueDictionary[int, ForkAware] = WeakValueDictionary()

    def add(self, item: ForkAware) -> None:
        with self._adding:
            self._count += 1
            self._items[self._count] = item

    def before(self) -> None:
        # Adding takes a moment; a process that was stopped in it must not hang.
        self._held = self._adding.acquire(timeout=HOLD_TIMEOUT)
        for item in self._newest_first():
            item.before_fork()

    def after_in_parent(self) -> None:
        for item in self._newest_first():
            item.after_fork_in_parent()
        if self._held:
            self._held = False
            self._adding.release()

    def after_in_child(self) -> None:
        self._adding, self._held = threading.RLock(), False
        for item in self._newest_first():
            item.after_fork_in_child()

    def _newest_first(self) -> list[ForkAware]:
        # What uses another one was created after it, and must come to rest first.
        items = dict(self._items.items())
        return [items[number] for number in sorted(items, reverse=True)]


_forks = _Forks()

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=_forks.before, after_in_parent=_forks.after_in_parent, after_in_child=_forks.after_in_child
    )
