"""The sockets below httpcore's sync connections: they notice what was sent, time limits, signals and other processes.

httpcore's own sockets cannot be reached by the thread that closes the client, and take whatever a signal handler raises
for a broken connection.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any

import httpcore

from contentgroove._core.io import run_inner

from .connecting import connect, readable, resolve, wait_any_sync
from .foreign_errors import network_error
from .http import ResponseDeadline, starts_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from .stopping import Step


class SyncNetwork(httpcore.NetworkBackend):
    """The network of one connection.

    Attributes:
        step: What uses the connection; set before each request.
        socket: The socket of the connection, None if there is none.
    """

    def __init__(self) -> None:
        self.step: Step | None = None
        self.socket: socket.socket | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's interface; not used here
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        """Connect."""
        step = self.current_step()
        addresses = resolve(host, port, timeout, step)
        sock = run_inner(connect(addresses, timeout, wait_any_sync, step.use))
        self.socket = sock
        return _SocketStream(self, sock)

    def current_step(self) -> Step:
        """Return what uses the connection."""
        if self.step is None:
            raise RuntimeError("a connection is used outside of a request")
        return self.step

    def close(self) -> None:
        """Close the socket, without a word to the peer: another process may use the same connection."""
        sock, self.socket = self.socket, None
        if sock is not None:
            sock.close()

    def descriptor(self) -> int:
        """Return the descriptor of the open socket, -1 if there is none."""
        return -1 if self.socket is None else self.socket.fileno()


class _SocketStream(httpcore.NetworkStream):
    def __init__(self, network: SyncNetwork, sock: socket.socket) -> None:
        self._network = network
        self._socket = sock
        self._deadline = ResponseDeadline()
        self._pid = os.getpid()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        seconds = self._deadline.seconds(timeout)
        self._require_own_process()
        try:
            self._socket.settimeout(seconds)
            return self._socket.recv(max_bytes)
        except Exception as error:
            raise network_error(error, httpcore.ReadTimeout, httpcore.ReadError) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            # httpcore writes the end of each request, which often has no bytes.
            return
        self._deadline.restart()
        self._require_own_process()
        if starts_request(buffer):
            self.note_request()
        try:
            remaining = memoryview(buffer)
            self._socket.settimeout(timeout)
            while remaining:
                # The limit is for each piece, so that a large body may take its time.
                remaining = remaining[self._socket.send(remaining) :]
        except Exception as error:
            raise network_error(error, httpcore.WriteTimeout, httpcore.WriteError) from error

    def note_request(self) -> None:
        """Note that bytes of the request may leave from now on."""
        self._network.current_step().sent = True

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        if self.get_extra_info("ssl_object") is not None:
            # An https server behind an https proxy. Python cannot wrap the socket a second time.
            from .tls_in_memory import TlsInTlsStream

            return TlsInTlsStream(self, self.note_request, ssl_context, server_hostname, timeout)
        try:
            self._socket.settimeout(timeout)
            sock = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname, do_handshake_on_connect=False)
            self._network.socket = self._socket = sock
            # Only now, so that another thread can end the handshake.
            self._network.current_step().use(sock)
            sock.do_handshake()
        except Exception as error:
            self.close()
            raise network_error(error, httpcore.ConnectTimeout, httpcore.ConnectError) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            descriptor = self._socket.fileno()
            return descriptor < 0 or bool(readable((descriptor,)))
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        return self._socket if info == "socket" else None

    def _require_own_process(self) -> None:
        if os.getpid() != self._pid:
            # A fork in the middle of a request, such as in a signal handler: the connection is the parent's.
            raise httpcore.NetworkError("the connection belongs to another process")
