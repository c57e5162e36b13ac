"""Opens sockets: resolves names and connects, in ways that a signal, a timeout or another thread can end."""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import httpcore

from .foreign_errors import ignoring, network_error
from .interruptible import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def readable(sockets: Iterable[socket.socket]) -> set[int]:
    """Return the descriptors of the sockets that have something to read, such as the end of the connection."""
    with _Selector() as selector:
        for sock in sockets:
            # Closed in the meantime.
            with ignoring(ValueError, KeyError):
                selector.register(sock, selectors.EVENT_READ)
        return {key.fd for key, _ in selector.select(0)}


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


async def connect(
    addresses: Iterable[Address],
    seconds: float | None,
    wait: WaitForSocket,
    opened: Callable[[socket.socket], object] | None = None,
) -> socket.socket:
    """Connect to the first address that accepts, of the results of `socket.getaddrinfo`; each may take `seconds`.

    Args:
        addresses: The addresses.
        seconds: The limit.
        wait: Waits for a socket.
        opened: Called with each socket before it connects; an exception ends the attempt.

    Returns:
        A connected socket that does not block.

    Raises:
        httpcore.ConnectError: No address accepts.
        httpcore.ConnectTimeout: The last one did not respond in time.
    """
    failure: Exception = httpcore.ConnectError("the host has no address")
    for family, kind, protocol, _, address in addresses:
        try:
            sock = socket.socket(family, kind, protocol)
            return await _connect_to(sock, address, seconds, wait, opened)
        except OSError as error:
            failure = network_error(error, httpcore.ConnectTimeout, httpcore.ConnectError)
            failure.__cause__ = error
            if not isinstance(failure, (httpcore.ConnectTimeout, httpcore.ConnectError)):
                break
    raise failure


async def _connect_to(
    sock: socket.socket,
    address: Any,
    seconds: float | None,
    wait: WaitForSocket,
    opened: Callable[[socket.socket], object] | None,
) -> socket.socket:
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if opened is not None:
            opened(sock)
        try:
            sock.connect(address)
        except BlockingIOError:
            if not await wait(SocketWait(sock, writable=True, seconds=seconds)):
                raise TimeoutError(f"the host did not accept a connection for {seconds:g} s") from None
            problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, _describe_error(problem)) from None
            if opened is not None:
                # Another thread's end of the attempt looks like a connection.
                opened(sock)
    except BaseException:
        # Also if the task is cancelled.
        sock.close()
        raise
    return sock


def _describe_error(problem: int) -> str:
    # Windows has other numbers for socket errors than for file errors, with a table of their texts.
    table: dict[int, str] = getattr(socket, "errorTab", {})
    return table.get(problem) or os.strerror(problem)
