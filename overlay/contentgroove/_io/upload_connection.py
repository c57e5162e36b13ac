"""One connection to a store, written once for sync and async: its socket never blocks.

Whenever the socket is not ready, an operation awaits the function that the connection was created with. That of a
sync transport waits before it returns, so `run_sync` can run the operation.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import httpcore

from .tls_records import TlsBuffer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    Address: TypeAlias = tuple[int, int, int, str, tuple[str | int, ...] | tuple[int, bytes]]

SEND_CHUNK = 1024 * 1024
"""Bytes sent at most between two looks for an early answer."""

TLS_CHUNK = 512 * 1024
"""Bytes encrypted at once: fewer cost a system call and a wait each, more make the memory of each piece come and go."""

RECV_SIZE = 64 * 1024
"""Bytes received at once; a store's answer has some hundred."""

INTERIM_STATUS = re.compile(rb"HTTP/1\.\d 1\d\d")
"""The start of an answer that another follows (RFC 9110, 15.2), such as 100 Continue."""

STATUS_LINE = len(b"HTTP/1.1 100")


@dataclass(frozen=True, slots=True)
class SocketWait:
    """What an operation waits for.

    Attributes:
        socket: The socket that is not ready.
        writable: Whether being able to write ends the wait; being able to read always does.
        seconds: For how long, None for ever.
    """

    socket: socket.socket
    writable: bool
    seconds: float | None


class _StalledError(Exception):
    """Nothing moved for as long as was allowed; not an `OSError`, which the kernel raises for a lost line."""


WaitForSocket: TypeAlias = Callable[[SocketWait], Awaitable[bool]]
"""Waits; returns False if the time was up before the socket was ready."""


def strip_interim_responses(received: bytes) -> bytes:
    """Drop the complete interim answers from the start of what a store sent."""
    while INTERIM_STATUS.match(received):
        _, end, rest = received.partition(b"\r\n\r\n")
        if not end:
            break
        received = rest
    return received


def starts_final_response(received: bytes) -> bool:
    """Tell whether this is the start of a final answer, or something that is no HTTP, which ends an upload too."""
    if len(received) < STATUS_LINE:
        return False
    return not INTERIM_STATUS.match(received) or len(received) > RECV_SIZE


async def connect(addresses: Iterable[Address], seconds: float | None, wait: WaitForSocket) -> UploadConnection:
    """Connect to the first of some addresses that accepts.

    Args:
        addresses: As `socket.getaddrinfo` gives them.
        seconds: How long each may take.
        wait: Waits for the socket.

    Raises:
        httpcore.ConnectError: None accepts.
        httpcore.ConnectTimeout: The last one did not answer in time.
    """
    failure: OSError = OSError("the host has no address")
    for family, kind, protocol, _, address in addresses:
        try:
            sock = await _connect_to(socket.socket(family, kind, protocol), address, seconds, wait)
        except OSError as error:
            failure = error
        else:
            return UploadConnection(sock, wait)
    problem = httpcore.ConnectTimeout if isinstance(failure, TimeoutError) else httpcore.ConnectError
    raise problem(str(failure)) from failure


async def _connect_to(sock: socket.socket, address: Any, seconds: float | None, wait: WaitForSocket) -> socket.socket:
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock.connect(address)
        except BlockingIOError:
            if not await wait(SocketWait(sock, writable=True, seconds=seconds)):
                raise TimeoutError(f"the store did not accept a connection for {seconds:g} s") from None
            problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, _said_of(problem)) from None
    except BaseException:
        # Also if the task is cancelled.
        sock.close()
        raise
    return sock


def _said_of(problem: int) -> str:
    # Windows numbers failures of sockets otherwise than files', and tells their names here.
    table: dict[int, str] = getattr(socket, "errorTab", {})
    return table.get(problem) or os.strerror(problem)


class UploadConnection:
    """A connection on which one body is sent and one answer received.

    Attributes:
        socket: A connected socket that does not block. The connection owns it.
    """

    def __init__(self, sock: socket.socket, wait: WaitForSocket) -> None:
        self.socket = sock
        self._wait = wait
        self._tls: TlsBuffer | None = None
        self._received = b""
        self._response_started = False
        self._eof = False
        self._unreadable: OSError | None = None
        self._unwritable: OSError | None = None

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """What `ssl` knows of the connection, None without TLS."""
        return None if self._tls is None else self._tls.ssl_object

    def close(self) -> None:
        """Close the socket; may be called again, and while another thread waits for it."""
        with contextlib.suppress(OSError):
            # Closing alone leaves that thread waiting.
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    async def start_tls(self, context: ssl.SSLContext, hostname: str | None, seconds: float | None) -> None:
        """Make the TLS handshake, which checks the certificate and its name as the context says.

        Raises:
            httpcore.ConnectError: The handshake failed.
            httpcore.ConnectTimeout: The store said nothing for that many seconds.
        """
        tls = None
        try:
            tls = TlsBuffer(context, hostname)
            while not tls.handshake():
                await self._send(tls.take(), seconds, check_response=False)
                received = await self._receive_handshake(seconds)
                tls.feed(received)
            await self._send(tls.take(), seconds, check_response=False)
        except _StalledError as error:
            raise httpcore.ConnectTimeout(f"the TLS handshake stood still for {seconds:g} s") from error
        except (OSError, ValueError) as error:
            if tls is not None:
                # Best effort: the alert tells the store's operators why nothing came.
                with contextlib.suppress(OSError):
                    self.socket.send(tls.take())
            raise httpcore.ConnectError(str(error)) from error
        self._tls = tls

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Send data, looking for an answer before each piece.

        Args:
            data: What is sent.
            seconds: How long the socket may take none of it. A slow line may take as long as it needs.

        Raises:
            httpcore.WriteError: The store answered or closed, or the line broke. httpcore goes on to `read` then,
                which gives the answer if there is one, and else the reason.
            httpcore.WriteTimeout: The upload stalled, and there is no answer either.
        """
        rest = memoryview(data)
        size = SEND_CHUNK if self._tls is None else TLS_CHUNK
        try:
            while rest:
                piece, rest = rest[:size], rest[size:]
                self._check_for_early_response()
                await self._send(piece if self._tls is None else self._tls.encrypt(piece), seconds, check_response=True)
        except _StalledError as error:
            raise httpcore.WriteTimeout(f"the store took no data for {seconds:g} s") from error
        except OSError as error:
            self._unwritable = error
            # The answer may have come just before the line broke.
            self._receive()
            raise httpcore.WriteError(str(error)) from error

    async def read(self, limit: int, seconds: float | None) -> bytes:
        """Give what the store sent, nothing once it has closed.

        Raises:
            httpcore.ReadTimeout: It sent nothing for that many seconds.
            httpcore.ReadError: The line broke.
            httpcore.WriteError: It broke, or the store closed, before the store had the body, and without an answer.
        """
        while not self._received:
            if self._unwritable is not None and not self._response_started:
                raise httpcore.WriteError(str(self._unwritable)) from self._unwritable
            if self._unreadable is not None:
                raise httpcore.ReadError(str(self._unreadable)) from self._unreadable
            if self._eof:
                return b""
            if not self._receive() and not await self._wait(SocketWait(self.socket, writable=False, seconds=seconds)):
                raise httpcore.ReadTimeout(f"the store sent nothing for {seconds:g} s")
        self._response_started = True
        data, self._received = self._received[:limit], self._received[limit:]
        return data

    async def _send(self, data: bytes | memoryview, seconds: float | None, *, check_response: bool) -> None:
        rest = memoryview(data)
        in_time = True
        while rest:
            try:
                # A view moves on without copying what is left.
                rest = rest[self.socket.send(rest) :]
                in_time = True
            except BlockingIOError:
                # A socket counts as writable once a third of its buffer is free, which takes a slow line longer than
                # it stalls: only when a last try is refused too, nothing has moved.
                if not in_time:
                    raise _StalledError from None
                in_time = await self._wait(SocketWait(self.socket, writable=True, seconds=seconds))
                if check_response:
                    self._check_for_early_response()

    async def _receive_handshake(self, seconds: float | None) -> bytes:
        while True:
            try:
                return self.socket.recv(RECV_SIZE)
            except BlockingIOError:
                if not await self._wait(SocketWait(self.socket, writable=False, seconds=seconds)):
                    raise _StalledError from None

    def _check_for_early_response(self) -> None:
        self._receive()
        self._received = strip_interim_responses(self._received)
        if starts_final_response(self._received):
            raise ConnectionAbortedError("the store answered before it had the whole body")
        if self._unreadable is not None:
            raise self._unreadable
        if self._eof:
            raise ConnectionAbortedError("the store closed the connection before it had the whole body")

    def _receive(self) -> bool:
        """Take what has come, without waiting, and tell whether anything has."""
        try:
            received = self.socket.recv(RECV_SIZE)
        except BlockingIOError:
            return False
        except OSError as error:
            self._unreadable = error
            return True
        if self._tls is not None:
            self._tls.feed(received)
            self._decrypt(self._tls)
        elif received:
            self._received += received
        else:
            self._eof = True
        return True

    def _decrypt(self, tls: TlsBuffer) -> None:
        try:
            while (data := tls.decrypt(RECV_SIZE)) is not None:
                if not data:
                    self._eof = True
                    return
                self._received += data
        except OSError as error:
            self._unreadable = error
