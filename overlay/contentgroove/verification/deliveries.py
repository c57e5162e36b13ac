"""Receives the webhooks of a run."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from contentgroove._io.interruptible import join, wait_for
from contentgroove._io.listening import claim_port

from .exchanges import Exchange, member, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

MAX_WAIT = 30.0
"""Seconds that a delivery may take after its media was finished."""

_MAX_BODY = 4 * 1024 * 1024


class Delivery(NamedTuple):
    """A webhook that arrived; the headers are by lower-case name."""

    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body; None if it is not JSON."""
        return read_json(self.content)

    @property
    def media(self) -> Any:
        """The payload's media; None without one."""
        return member(self.json, "payload", "data")

    def as_exchange(self) -> Exchange:
        """Return it as an exchange, for the report."""
        return Exchange("POST", "/callback-url", self.headers, self.content, 200, {}, b"")


class Receiver:
    """Responds with 200 to everything that is POSTed to a port of this machine, and keeps it."""

    def __init__(self, port: int) -> None:
        self._arrived: list[Delivery] = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = MAX_WAIT

            def do_POST(self) -> None:
                """Keep a body."""
                length = self.headers.get("Content-Length", "")
                content = self.rfile.read(min(int(length), _MAX_BODY)) if length.isdigit() else b""
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                receiver._keep(Delivery(self.path, headers, content))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Log nothing: URLs contain tokens."""

        class Server(ThreadingHTTPServer):
            allow_reuse_address = False

            def server_bind(self) -> None:
                """Bind without a DNS lookup of the host's name."""
                claim_port(self.socket)
                self.socket.bind(self.server_address)
                self.server_address = self.socket.getsockname()
                self.server_name, self.server_port = socket.gethostname(), self.server_address[1]

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        join(self._thread)

    def _keep(self, delivery: Delivery) -> None:
        with self._changed:
            self._arrived.append(delivery)
            self._changed.notify_all()

    def delivery_of(self, media_id: str, seconds: float) -> Delivery | None:
        """Return the delivery that contains an id, None if none arrives in time."""

        def attempt(step: float) -> Delivery | None:
            with self._changed:
                found = self._find(media_id)
                if found is None and self._changed.wait(step):
                    found = self._find(media_id)
                return found

        return wait_for(attempt, seconds)

    def _find(self, media_id: str) -> Delivery | None:
        return next((item for item in self._arrived if media_id.encode() in item.content), None)
