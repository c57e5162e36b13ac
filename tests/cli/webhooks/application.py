"""An application under development, at which webhooks arrive."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass
class Application:
    """What an application received, and what it returns.

    Attributes:
        url: Its URL.
        status: The status that it returns.
        bodies: The bodies that it received.
        headers: Their headers, with names in lower case.
        paths: Their paths.
    """

    url: str
    status: int = 200
    bodies: list[bytes] = field(default_factory=list[bytes])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])


@contextlib.contextmanager
def application() -> Generator[Application]:
    """Serve an application on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            app.paths.append(self.path)
            app.headers.append({name.lower(): value for name, value in self.headers.items()})
            app.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(app.status)
            self.send_header("Location", "http://127.0.0.1:1/?token=canary-location")
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"words")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        app = Application(f"http://127.0.0.1:{server.server_port}/hook")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield app
        finally:
            server.shutdown()
            thread.join()
