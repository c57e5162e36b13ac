"""Workers of a process and of those forked from it: servers load an application, then fork the processes that serve.

uWSGI forks without Python's knowledge, but says which process is which.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from typing import TYPE_CHECKING, Any, Final

from contentgroove.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

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
        """Whether a forked process handles the events instead of this one; otherwise this one tells its parent."""
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


def require_threads() -> None:
    """Check that this process runs threads, which some versions of uWSGI do only on request.

    Raises:
        ConfigurationError: It does not.
    """
    uwsgi = _uwsgi()
    if uwsgi is not None and not getattr(uwsgi, "has_threads", True):
        raise ConfigurationError(
            "uWSGI runs no threads, so the worker would not run: start uWSGI with --enable-threads, or handle events "
            "in another process with `contentgroove webhooks work`."
        )


def call_in_workers(function: Callable[[], object]) -> bool:
    """If uWSGI loads the application before it forks, call the function in each of its workers; else return False."""
    uwsgi = _uwsgi()
    if uwsgi is None or uwsgi.worker_id() or uwsgi.mule_id():
        return False
    # The hook of uWSGI's own decorators is the same attribute.
    earlier: Callable[[], object] | None = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        if earlier is not None:
            earlier()
        if uwsgi.worker_id():
            function()

    uwsgi.post_fork_hook = hook
    return True


def _uwsgi() -> Any:
    """Return the module that exists only in processes of uWSGI; None in others, or if another module has its name."""
    module: Any = sys.modules.get("uwsgi")
    return module if hasattr(module, "worker_id") and hasattr(module, "mule_id") else None
