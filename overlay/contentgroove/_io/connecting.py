"""Opens sockets: resolves names and connects, in ways that a signal, a timeout or another thread can end."""

from __future__ import annotations

import ipaddress
import math
import os
import select
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

import httpcore

from .foreign_errors import network_error, raise_if_foreign
from .interruptible import wait_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from .stopping import Step

    Address: TypeAlias = tuple[int, int, int, str, tuple[str | int, ...] | tuple[int, bytes]]

# `poll` if it exists: it needs no file descriptor and has no limit of 1024 like `select`.
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)


@dataclass(frozen=True, slots=True)
class SocketWait:
    """What an operation waits for.

    Attributes:
        socket: The socket that is not ready.
        writable: Whether the wait also ends when the socket becomes writable; it always ends when it becomes readable.
        seconds: For how long, None without limit.
    """

    socket: socket.socket
    writable: bool
    seconds: float | None


WaitForSocket: TypeAlias = Callable[[SocketWait], Awaitable[bool]]
"""Waits; returns False if the time was up before the socket was ready."""


async def wait_sync(wait: SocketWait) -> bool:
    """Wait in this thread, without suspending; return whether the socket became ready in time."""
    if wait.socket.fileno() < 0:
        # Closed by another thread: the next call on it raises the error.
        return True
    with _Selector() as selector:
        selector.register(wait.socket, selectors.EVENT_READ | (selectors.EVENT_WRITE if wait.writable else 0))
        return bool(wait_for(selector.select, wait.seconds))


def readable(descriptors: Collection[int]) -> set[int]:
    """Return the descriptors of sockets that are closed or have something to read, such as a connection's end."""
    # Each call asks this: the classes of `selectors` would take several times as long.
    if hasattr(select, "poll"):
        poller = select.poll()
        for descriptor in descriptors:
            poller.register(descriptor, select.POLLIN)
        return {descriptor for descriptor, _ in poller.poll(0)}
    try:
        return set(select.select(descriptors, (), (), 0)[0])
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise_if_foreign(error)
        # One of them is closed, or out of the range of `select`.
        return set(descriptors)


def resolve(host: str, port: int, seconds: float | None, step: Step) -> Sequence[Address]:
    """Resolve a name, in a thread of its own: the system's resolver can be neither limited nor interrupted.

    Raises:
        httpcore.ConnectError: There is no such name.
        httpcore.ConnectTimeout: The resolver did not respond in time.
    """
    outcome: list[Sequence[Address] | Exception] = []

    def look_up() -> None:
        try:
            outcome.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            outcome.append(error)
        step.ring()

    if _is_address(host) or not _started(look_up):
        look_up()
    if not step.wait(seconds):
        raise httpcore.ConnectTimeout(f"the name {host} was not resolved in {seconds:g} s")
    step.require_running()
    found = outcome[0]
    if isinstance(found, Exception):
        # ValueError: a name that cannot be encoded, such as one with a label of more than 63 characters.
        raise network_error(found, httpcore.ConnectTimeout, httpcore.ConnectError) from found
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _started(work: Callable[[], None]) -> bool:
    try:
        threading.Thread(target=work, name="contentgroove-resolver", daemon=True).start()
    except RuntimeError:
        # While Python exits, there are no new threads.
        return False
    return True


ATTEMPT_DELAY = 0.25
"""Seconds after which the next address is tried as well (RFC 8305, 5): a dead one costs no more than that."""

MAX_NAMED = 4
"""Addresses that an error names."""


async def wait_any_sync(sockets: Sequence[socket.socket], seconds: float | None) -> Sequence[socket.socket]:
    """Wait in this thread, without suspending, until some of the sockets have connected or failed; return these."""
    by_descriptor = {sock.fileno(): sock for sock in sockets}
    if (closed := by_descriptor.get(-1)) is not None:
        # Closed by another thread: the next call on it raises the error.
        return [closed]
    with _Selector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_WRITE)
        ready = wait_for(selector.select, seconds)
        return [by_descriptor[key.fd] for key, _ in ready]


WaitForAny: TypeAlias = Callable[["Sequence[socket.socket]", "float | None"], Awaitable["Sequence[socket.socket]"]]
"""Waits until some of the sockets have connected or failed; returns these, none if the time was up before."""


async def connect(
    addresses: Iterable[Address],
    seconds: float | None,
    wait: WaitForAny,
    opened: Callable[[socket.socket], object] | None = None,
) -> socket.socket:
    """Connect to the first address that accepts, of the results of `socket.getaddrinfo` (RFC 8305).

    The families take turns. If an address fails, the next one is tried at once; if it is silent, after `ATTEMPT_DELAY`,
    and the attempts before it go on. One limit applies to all of them together.

    Args:
        addresses: The addresses.
        seconds: The limit.
        wait: Waits for sockets.
        opened: Called with a socket that is about to connect, before each wait; an exception ends all attempts.

    Returns:
        A connected socket that does not block.

    Raises:
        httpcore.ConnectError: No address accepts.
        httpcore.ConnectTimeout: Those that did not fail did not respond in time.
    """
    attempts = _Attempts(addresses, opened)
    now = time.monotonic()
    end, next_start = math.inf if seconds is None else now + seconds, now
    try:
        while attempts.remaining or attempts.pending:
            if attempts.remaining and (not attempts.pending or now >= next_start):
                sock = attempts.start_next()
                next_start = now + ATTEMPT_DELAY
            else:
                limit = min(end, next_start) if attempts.remaining else end
                attempts.announce()
                ready = await wait(list(attempts.pending), None if limit == math.inf else max(0.0, limit - now))
                sock = attempts.finish(ready)
            if sock is not None:
                return sock
            now = time.monotonic()
            if now >= end and attempts.pending:
                raise httpcore.ConnectTimeout(
                    attempts.describe(f"the host did not accept a connection for {seconds:g} s")
                )
    finally:
        # The losers; all of them if the task is cancelled.
        attempts.close()
    failure = httpcore.ConnectError(attempts.describe("the host has no address"))
    failure.__cause__ = attempts.last_error
    raise failure


class _Attempts:
    """Attempts to connect to the addresses of one host.

    Attributes:
        remaining: The addresses that are still to be tried.
        pending: The sockets that are connecting, the oldest first, with their addresses.
        last_error: The last one of the system.
    """

    def __init__(self, addresses: Iterable[Address], opened: Callable[[socket.socket], object] | None) -> None:
        self.remaining = deque(_interleaved(addresses))
        self.pending: dict[socket.socket, Any] = {}
        self.last_error: OSError | None = None
        self._several = len(self.remaining) > 1
        self._opened = opened
        self._failures: list[str] = []

    def start_next(self) -> socket.socket | None:
        """Try the next address; return its socket if it has connected at once."""
        family, kind, protocol, _, address = self.remaining.popleft()
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            # The system has no IPv6, for example.
            self._note(address, error)
            return None
        self.pending[sock] = address
        try:
            sock.settimeout(0)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._opened is not None:
                self._opened(sock)
            sock.connect(address)
        except BlockingIOError:
            return None
        except OSError as error:
            self._fail(sock, error)
            return None
        del self.pending[sock]
        return sock

    def announce(self) -> None:
        """Pass on a socket that is waited for, because the one before may be closed by now."""
        if self._opened is not None:
            self._opened(next(reversed(self.pending)))

    def finish(self, sockets: Iterable[socket.socket]) -> socket.socket | None:
        """Return the first of these sockets that has connected; close those that have failed."""
        for sock in sockets:
            try:
                problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if problem:
                    raise OSError(problem, _describe_error(problem))  # noqa: TRY301 - as if `connect` raised it
            except OSError as error:
                self._fail(sock, error)
                continue
            if self._opened is not None:
                # Another thread's end of the attempt looks like a connection.
                self._opened(sock)
            del self.pending[sock]
            return sock
        return None

    def close(self) -> None:
        """Close the sockets that are still connecting."""
        while self.pending:
            self.pending.popitem()[0].close()

    def describe(self, default: str) -> str:
        """Say what became of each address."""
        silent = [f"{_shown(address)}: no response" for address in self.pending.values()] if self._several else []
        named = [*self._failures, *silent]
        if not named or (self.pending and not self._several):
            return default
        more = f"; and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        reasons = "; ".join(named[:MAX_NAMED]) + more
        return f"{default} ({reasons})" if self.pending else reasons

    def _fail(self, sock: socket.socket, error: OSError) -> None:
        address = self.pending.pop(sock)
        sock.close()
        self._note(address, error)

    def _note(self, address: Any, error: OSError) -> None:
        failure = network_error(error, httpcore.ConnectTimeout, httpcore.ConnectError)
        if not isinstance(failure, (httpcore.ConnectTimeout, httpcore.ConnectError)):
            # The application's own exception.
            raise failure from error
        self.last_error = error
        self._failures.append(f"{_shown(address)}: {error}" if self._several else str(error))


def _interleaved(addresses: Iterable[Address]) -> list[Address]:
    """Let the families take turns, in their order (RFC 8305, 4): often a whole family is unreachable."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [address for turn in zip_longest(*families.values()) for address in turn if address is not None]


def _shown(address: Any) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _describe_error(problem: int) -> str:
    # Windows has other numbers for socket errors than for file errors, with a table of their texts.
    table: dict[int, str] = getattr(socket, "errorTab", {})
    return table.get(problem) or os.strerror(problem)
