"""A place on loopback that documents come from and calls go to; it remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import trustme
from contentgroove.tools import NetworkPolicy, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

HOST = "docs.test"
"""A name that no name server knows."""


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes


@dataclass
class Reply:
    """What is answered."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass
class Place:
    """A server, what it answers by path, and what it was asked."""

    port: int
    authority: trustme.CA | None
    replies: dict[str, Reply | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    @property
    def origin(self) -> Origin:
        """Give its origin: the name over TLS, loopback's address without."""
        return Origin("https", HOST, self.port) if self.authority else Origin("http", "127.0.0.1", self.port)

    def tls(self) -> ssl.SSLContext:
        """Trust the server's certificate."""
        context = ssl.create_default_context()
        assert self.authority is not None
        self.authority.configure_trust(context)
        return context

    def policy(self, *further: Origin, **options: object) -> NetworkPolicy:
        """Allow this place, its name leading to loopback."""

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        settings = {"resolve": resolve, "tls": self.tls, **options}
        return NetworkPolicy(allowed=frozenset({self.origin, *further}), **settings)  # type: ignore[arg-type]  # fewer settings in some tests


@contextmanager
def place(*, secure: bool) -> Generator[Place]:
    """Serve a place until the context is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            served.asked.append(Asked(self.command, self.path, headers, content))
            reply = served.replies.get(self.path.partition("?")[0], Reply(404))
            if not isinstance(reply, Reply):
                reply(self)
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: some clients leave in the middle on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        authority = None
        if secure:
            authority = trustme.CA()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(HOST).configure_cert(context)
            # The handshake is left to the thread of its connection.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        served = Place(server.server_address[1], authority)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
