"""`contentgroove webhooks listen`: a small web server of the standard library in front of a receiver."""

from __future__ import annotations

import errno
import socket
import threading
from queue import SimpleQueue
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from contentgroove._io.interruptible import join, take
from contentgroove._io.listening import claim_port
from contentgroove.webhooks import WebhookReceiver

from .exit_codes import CommandError, ExitCode
from .webhook_inbox import print_event
from .webhook_worker import until_signalled

if TYPE_CHECKING:
    from typing import Any

    from contentgroove._core.secret import Secret
    from contentgroove.webhooks import Inbox, Receipt

    from .output import Output

Arrivals = SimpleQueue["Receipt | None"]

IDLE_TIMEOUT = 30.0
"""Seconds without data after which a connection is closed."""


class _PrintReceiver(WebhookReceiver):
    """Passes on each receipt, to be printed."""

    def __init__(self, inbox: Inbox, token: Secret | None, arrivals: Arrivals) -> None:
        super().__init__(inbox, secret_token=token)
        self._arrivals = arrivals

    def receive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        receipt = super().receive(body, token)
        self._arrivals.put(receipt)
        return receipt


class _Handler(WSGIRequestHandler):
    timeout = IDLE_TIMEOUT

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing: events are printed, and the receiver logs rejected deliveries."""


class _Server(ThreadingMixIn, WSGIServer):
    """Serves each connection in its own thread, so that a slow sender does not block others."""

    # Threads that wait for a sender must not delay the exit.
    daemon_threads = True
    block_on_close = False
    # `claim_port` sets it, because systems differ.
    allow_reuse_address = False
    allow_reuse_port = False

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without a DNS lookup of the host's name."""
        claim_port(self.socket)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue] - typed as any address
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report nothing: a sender may disconnect at any time."""


def open_server(out: Output, host: str, port: int, inbox: Inbox, token: Secret | None) -> None:
    """Serve until SIGINT or SIGTERM, and print each event once it is recorded."""
    arrivals: Arrivals = SimpleQueue()
    receiver = _PrintReceiver(inbox, token, arrivals)
    try:
        server = _Server(host, port)
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise CommandError(
            ExitCode.FAILED,
            f"Cannot listen on {host}:{port}: {reason}.",
            "Choose another --port (0 selects a free one) or --host.",
        ) from error
    server.set_app(receiver.wsgi)

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    with until_signalled(out, lambda: arrivals.put(None)):
        thread.start()
        try:
            url_host = f"[{host}]" if ":" in host else host
            # Only this line tells which port --port 0 has selected.
            out.summary(f"Listening at http://{url_host}:{server.server_port}/ (Ctrl-C stops)", always=True)
            while (receipt := take(arrivals)) is not None:
                if receipt.event is not None:
                    print_event(out, receipt.event, duplicate=receipt.duplicate)
        finally:
            server.shutdown()
            server.server_close()
            join(thread)
