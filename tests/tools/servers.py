"""A server on loopback that documents are fetched from and calls are sent to; it records its requests."""

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
"""A name that name servers do not know."""


@dataclass
class ReceivedRequest:
    """One request that the server received."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes


@dataclass
class Response:
    """The response to a path."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass
class LocalServer:
    """A running server, its responses by path, and the requests that it received."""

    port: int
    authority: trustme.CA | None
    responses: dict[str, Response | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    requests: list[ReceivedRequest] = field(default_factory=list)

    @property
    def origin(self) -> Origin:
        """Return its origin: the name over TLS, loopback's address without."""
        return Origin("https", HOST, self.port) if self.authority else Origin("http", "127.0.0.1", self.port)

    def tls(self) -> ssl.SSLContext:
        """Trust the server's certificate."""
        context = ssl.create_default_context()
        assert self.authority is not None
        self.authority.configure_trust(context)
        return context

    def policy(self, *further: Origin, **options: object) -> NetworkPolicy:
        """Allow this server, whose name resolves to loopback."""

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        settings = {"resolve": resolve, "tls": self.tls, **options}
        return NetworkPolicy(allowed=frozenset({self.origin, *further}), **settings)  # type: ignore[arg-type]  # fewer settings in some tests


@contextmanager
def serve(*, secure: bool) -> Generator[LocalServer]:
    """Run a server until the context is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            served.requests.append(ReceivedRequest(self.command, self.path, headers, content))
            response = served.responses.get(self.path.partition("?")[0], Response(404))
            if not isinstance(response, Response):
                response(self)
                return
            self.send_response(response.status)
            for name, value in {"Content-Length": str(len(response.content)), **response.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Write nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Write nothing: some clients disconnect on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        authority = None
        if secure:
            authority = trustme.CA()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(HOST).configure_cert(context)
            # The thread of each connection performs its handshake.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        served = LocalServer(server.server_address[1], authority)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
