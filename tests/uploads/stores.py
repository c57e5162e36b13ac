"""Stores on loopback that misbehave as each test wants."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

    import trustme

MIB = 1024 * 1024
PATIENCE = 20.0
"""Seconds after which a test that hangs ends by itself."""

END_OF_HEAD = b"\r\n\r\n"


def http_response(status: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Line:
    """The store's side of one connection."""

    socket: socket.socket
    head: bytes = b""
    taken: int = 0
    """Bytes of the body that the store has read."""

    def read_head(self) -> None:
        """Read up to the empty line, and count the part of the body that comes with it."""
        received = b""
        while END_OF_HEAD not in received:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the client closed before it had sent a head")
            received += more
        self.head, _, body = received.partition(END_OF_HEAD)
        self.taken = len(body)

    @property
    def length(self) -> int:
        """The body's length, as announced."""
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return int(value)
        raise ValueError("no Content-Length")

    def read_body(self) -> None:
        """Read as much as was announced."""
        while self.taken < self.length:
            more = len(self.socket.recv(65536))
            if not more:
                return
            self.taken += more

    def read_until_closed(self) -> None:
        """Read everything until the client closes."""
        while more := len(self.socket.recv(65536)):
            self.taken += more

    def reset(self) -> None:
        """Close at once, and let the kernel tell the client that its data was refused."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


Behaviour: TypeAlias = "Callable[[Store, Line], None]"


@dataclass
class Store:
    """A store on loopback, whose behaviour each test writes."""

    url: str
    behave: Behaviour
    lines: list[Line] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    """Set by a behaviour when it is where the test wants it."""
    responded: threading.Event = field(default_factory=threading.Event)
    """Set by a behaviour once its response is sent."""
    client_done: threading.Event = field(default_factory=threading.Event)
    """Set by the test once the client has what it wanted."""
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set once a behaviour has ended, as those do that read until the client closes."""
    failures: list[Exception] = field(default_factory=list)

    def serve(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        """Serve one connection after the other until the listener is closed."""
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            accepted.settimeout(PATIENCE)
            # Like HTTP servers: a response that Nagle's algorithm delays would never be sent before a reset.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.serve_one(accepted, context)

    def serve_one(self, accepted: socket.socket, context: ssl.SSLContext | None) -> None:
        """Do to one connection what the test wants."""
        line = Line(accepted)
        self.lines.append(line)
        try:
            if context is not None:
                line.socket = context.wrap_socket(accepted, server_side=True)
            self.behave(self, line)
        except (OSError, ValueError) as error:
            self.failures.append(error)
        finally:
            line.socket.close()
            self.hung_up.set()


class Stores:
    """Opens stores, over http or https."""

    def __init__(self, scheme: str, authority: trustme.CA, opened: contextlib.ExitStack) -> None:
        self.scheme = scheme
        self._authority = authority
        self._opened = opened

    def open(self, behave: Behaviour, *, name: str = "127.0.0.1", authority: trustme.CA | None = None) -> Store:
        """Open a store whose certificate has that name, signed by an authority."""
        context: ssl.SSLContext | None = None
        if self.scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            (authority or self._authority).issue_cert(name).configure_cert(context)
        listener = socket.socket()
        # Small, so that a store that reads nothing soon blocks its client.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        store = Store(f"{self.scheme}://127.0.0.1:{listener.getsockname()[1]}/video?X-Amz-Signature=EXAMPLE", behave)
        thread = threading.Thread(target=store.serve, args=(listener, context), daemon=True)
        thread.start()

        def close() -> None:
            store.client_done.set()
            # `close` alone leaves a thread in `accept`.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(PATIENCE)
            assert not thread.is_alive()

        self._opened.callback(close)
        return store
