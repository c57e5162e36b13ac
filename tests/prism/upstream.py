"""A service on this machine that returns prepared responses, byte for byte, and keeps the requests."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Self, cast

if TYPE_CHECKING:
    from types import TracebackType


class Received(NamedTuple):
    """A request as it was received; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes


class Canned(NamedTuple):
    """A prepared response."""

    status: int
    headers: dict[str, str]
    content: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        """Handle any method; the base class would need a function for each."""
        self.raw_requestline = self.rfile.readline(65_537)
        self.close_connection = True
        if self.raw_requestline and self.parse_request():
            self.close_connection = True
            upstream = cast("_Server", self.server).upstream
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.received.put(Received(self.command, self.path, headers, content))
            status, headers, content = upstream.response
            self.send_response_only(status)
            length = {} if status == 204 else {"Content-Length": str(len(content))}
            for name, value in (headers | length | {"Connection": "close"}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)


class _Server(HTTPServer):
    upstream: Upstream


class Upstream:
    """The service, served while its context is entered.

    Attributes:
        response: The response to all requests until it is replaced.
        received: The requests.
    """

    def __init__(self, response: Canned) -> None:
        self.response = response
        self.received: SimpleQueue[Received] = SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.upstream = self
        self._thread = threading.Thread(target=self._server.serve_forever, name="upstream", daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        """The base URL of the API that it replaces."""
        return f"{self.origin}/api/v1"

    def take(self) -> Received | None:
        """Return the next request, None if there is none."""
        try:
            return self.received.get_nowait()
        except Empty:
            return None

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
