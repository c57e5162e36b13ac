"""A server on a real socket whose every byte a test decides."""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .conftest import media_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

GOOD = json.dumps({"data": media_json(), "links": {"self": "x"}}).encode()


def http_response(body: bytes = GOOD, status: str = "200 OK", *headers: str) -> bytes:
    """Write a response with a length."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@contextmanager
def server(script: Callable[[socket.socket], None]) -> Generator[tuple[str, list[bytes]], None, None]:
    """Serve each connection by a script; yield the base URL and the received requests."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(20)
                    try:
                        received.append(_request(connection))
                        script(connection)
                    except OSError:
                        # The client has seen enough.
                        continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1", received
        finally:
            # Closing alone does not wake accept().
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(20)


def _request(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        # The body may come by itself.
        received += (part := connection.recv(missing))
        missing = missing - len(part) if part else 0
    return received


def says(*parts: bytes) -> Callable[[socket.socket], None]:
    """Send parts and close."""

    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return script
