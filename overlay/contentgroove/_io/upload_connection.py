"""One connection to a store, written once for sync and async: its socket never blocks.

Whenever the socket is not ready, an operation awaits the function that the connection was created with. That of a
sync transport waits before it returns, so `run_inner` can run the operation.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import httpcore

from .connecting import SocketWait
from .foreign_errors import ignoring, network_error, raise_if_foreign
from .tls_in_memory import TlsBuffer

if TYPE_CHECKING:
    import socket
    import ssl

    from .connecting import WaitForSocket

SEND_CHUNK = 1024 * 1024
"""Bytes sent at most between two checks for an early response."""

TLS_CHUNK = 512 * 1024
"""Bytes encrypted at once: smaller pieces cost more system calls and waits, larger ones more allocations."""

RECV_SIZE = 64 * 1024
"""Bytes received at once; a store's response has a few hundred."""

INTERIM_STATUS = re.compile(rb"HTTP/1\.\d 1\d\d")
"""The start of a response that is followed by another one (RFC 9110, 15.2), such as 100 Continue."""

STATUS_LINE = len(b"HTTP/1.1 100")


class _StalledError(Exception):
    """Nothing moved for the allowed time; not an `OSError`, which the kernel raises for a lost connection."""


def strip_interim_responses(received: bytes) -> bytes:
    """Remove the complete interim responses from the start of the received bytes."""
    while INTERIM_STATUS.match(received):
        _, end, remaining = received.partition(b"\r\n\r\n")
        if not end:
            break
        received = remaining
    return received


def starts_final_response(received: bytes) -> bool:
    """Return whether this is the start of a final response, or is not HTTP, which also ends an upload."""
    if len(received) < STATUS_LINE:
        return False
    return not INTERIM_STATUS.match(received) or len(received) > RECV_SIZE


class UploadConnection:
    """A connection on which one body is sent and one response received.

    Attributes:
        socket: A connected socket that does not block. The connection owns it.
    """

    def __init__(self, sock: socket.socket, wait: WaitForSocket) -> None:
        self.socket = sock
        self._pid = os.getpid()
        self._wait = wait
        self._tls: TlsBuffer | None = None
        self._received = b""
        self._response_started = False
        self._eof = False
        self._unreadable: OSError | None = None
        self._unwritable: OSError | None = None

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The connection of `ssl`, None without TLS."""
        return None if self._tls is None else self._tls.ssl_object

    def close(self) -> None:
        """Close the socket; can be called again.

        Without a word to the store: in a child process, the connection still belongs to the parent.
        """
        self.socket.close()

    async def start_tls(self, context: ssl.SSLContext, hostname: str | None, seconds: float | None) -> None:
        """Perform the TLS handshake, which checks the certificate and its name according to the context."""
        tls = None
        try:
            tls = TlsBuffer(context, hostname)
            while not tls.handshake():
                await self._send(tls.take(), seconds, check_response=False)
                received = await self._receive_handshake(seconds)
                tls.feed(received)
            await self._send(tls.take(), seconds, check_response=False)
        except _StalledError as error:
            raise httpcore.ConnectTimeout(f"the TLS handshake stalled for {seconds:g} s") from error
        except (OSError, ValueError) as error:
            if tls is not None:
                # Best effort: the alert shows the store's operators the reason.
                with ignoring(OSError):
                    self.socket.send(tls.take())
            raise network_error(error, httpcore.ConnectTimeout, httpcore.ConnectError) from error
        self._tls = tls

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Send data, and check for an early response before each piece.

        The socket may accept nothing for `seconds`; a slow connection may take as long as it needs.

        Raises:
            httpcore.WriteError: The store responded or closed, or the connection broke. httpcore then continues with
                `read`, which returns the response if there is one, and raises the reason if not.
            httpcore.WriteTimeout: The upload stalled, and there is no response.
        """
        self._require_own_process()
        remaining = memoryview(data)
        size = SEND_CHUNK if self._tls is None else TLS_CHUNK
        try:
            while remaining:
                piece, remaining = remaining[:size], remaining[size:]
                self._check_for_early_response()
                await self._send(piece if self._tls is None else self._tls.encrypt(piece), seconds, check_response=True)
        except _StalledError as error:
            raise httpcore.WriteTimeout(f"the store accepted no data for {seconds:g} s") from error
        except OSError as error:
            problem = network_error(error, httpcore.WriteError, httpcore.WriteError)
            if isinstance(problem, httpcore.WriteError):
                self._unwritable = error
                # The response may have come just before the connection broke.
                self._receive()
            raise problem from error

    async def read(self, limit: int, seconds: float | None) -> bytes:
        """Return what the store sent, empty once it has closed.

        Raises:
            httpcore.ReadTimeout: It sent nothing for that many seconds.
            httpcore.ReadError: The connection broke.
            httpcore.WriteError: The connection broke or was closed before the store had the body, without a response.
        """
        self._require_own_process()
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

    def _require_own_process(self) -> None:
        if os.getpid() != self._pid:
            # A fork in the middle of an upload, such as in a callback: the connection is the parent's.
            raise httpcore.NetworkError("the connection belongs to another process")

    async def _send(self, data: bytes | memoryview, seconds: float | None, *, check_response: bool) -> None:
        remaining = memoryview(data)
        in_time = True
        while remaining:
            try:
                # A view advances without copying the remaining bytes.
                remaining = remaining[self.socket.send(remaining) :]
                in_time = True
            except BlockingIOError:
                # A socket counts as writable once a third of its buffer is free, which can take longer than the limit
                # on a slow connection: only if a last attempt is also refused, nothing has moved.
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
            raise ConnectionAbortedError("the store responded before it had the whole body")
        if self._unreadable is not None:
            raise self._unreadable
        if self._eof:
            raise ConnectionAbortedError("the store closed the connection before it had the whole body")

    def _receive(self) -> bool:
        """Receive without waiting; return whether anything has come."""
        try:
            received = self.socket.recv(RECV_SIZE)
        except BlockingIOError:
            return False
        except OSError as error:
            raise_if_foreign(error)
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
            raise_if_foreign(error)
            self._unreadable = error
