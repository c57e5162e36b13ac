"""Workers of a process and of those forked from it: servers load an application, then fork the processes that serve."""

from __future__ import annotations

import mmap
import os
import struct
from typing import Final

PROCESS_ID: Final = struct.Struct("q")
NONE: Final = 0


class Family:
    """What a worker in a thread shares with the processes that are forked from its own.

    A forked process has no thread of its parent. If it gets a delivery, it serves, and starts a worker of its own. Then
    its parent, such as the master of a server that loads the application before it forks, rests while that one lives,
    unless it gets deliveries as well.

    Args:
        poll_interval: That of the workers.
        parent: The family to which this process belongs by its parent.
        started: False if only the forked processes are to start workers.
    """

    def __init__(self, poll_interval: float, parent: Family | None = None, *, started: bool = True) -> None:
        self.poll_interval = poll_interval
        self._parent = parent
        self._process = os.getpid() if started else None
        self._serves = parent is not None
        # Shared with forked processes; without a file, and without a lock, which a killed process would keep.
        self._child = mmap.mmap(-1, PROCESS_ID.size)
        self._members: dict[int, Family] = {}
        if parent is not None:
            parent.note_child(os.getpid())

    @property
    def is_inherited(self) -> bool:
        """Whether this process has no worker, but was forked from one that has, or is to start one as if it were."""
        return self._process != os.getpid()

    def serve(self) -> Family | None:
        """Note that this process got a delivery; returns the family of the worker that it must start, once."""
        if not self.is_inherited:
            self._serves = True
            return None
        # Without a lock, because a thread of the parent may have held it when this process was forked.
        own = Family(self.poll_interval, self)
        return own if self._members.setdefault(os.getpid(), own) is own else None

    def forget(self) -> None:
        """Let the next delivery in this process try again to start a worker; until then its parent does not rest."""
        self._members.pop(os.getpid(), None)
        self.note_child(NONE)

    def leave(self) -> None:
        """Note that this process has stopped its worker, so that its parent does not rest."""
        if self._parent is not None and not self.is_inherited:
            self._parent.note_child(NONE)

    def rests(self) -> bool:
        """Whether a forked process handles the events in place of this one; otherwise this one tells its parent."""
        if not self._serves and self._is_replaced():
            return True
        if self._parent is not None:
            self._parent.note_child(os.getpid())
        return False

    def note_child(self, process: int) -> None:
        """Tell the process that has created this family which forked process handles events."""
        PROCESS_ID.pack_into(self._child, 0, process)

    def _is_replaced(self) -> bool:
        (child,) = PROCESS_ID.unpack_from(self._child)
        return child != NONE and _is_alive(child)


def _is_alive(process: int) -> bool:
    """Whether a process runs; a child that has ended does not, though it exists until its parent has asked for it."""
    try:
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        pass  # the child of a child
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
