"""`contentgroove webhooks listen`: a small web server of the standard library in front of a receiver."""

from __future__ import annotations

import errno
import functools
import socket
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from contentgroove._io.interruptible import join, take
from contentgroove._io.listening import claim_port
from contentgroove.webhooks import WebhookReceiver

from .exit_codes import CommandError, ExitCode
from .webhook_forwarding import Delivery, Forwarded, Forwarder, last_event, print_forwarded, watch_keys
from .webhook_inbox import print_event
from .webhook_posting import JSON_TYPE
from .webhook_worker import until_signalled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from contentgroove._core.secret import Secret
    from contentgroove.webhooks import Inbox, Receipt
    from contentgroove.webhooks.apps import WsgiApp

    from .output import Output
    from .webhook_posting import Target


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A delivery and the type that its sender named."""

    receipt: Receipt
    content_type: str


class _KeyPressed:
    """The last event is to be forwarded again."""


_Happenings = SimpleQueue[_Arrived | Forwarded | _KeyPressed | None]
"""What the command's own thread reacts to; None ends it."""

IDLE_TIMEOUT = 30.0
"""Seconds without data after which a connection is closed."""


class _PrintReceiver(WebhookReceiver):
    """Passes on each receipt, to be printed."""

    def __init__(self, inbox: Inbox, token: Secret | None, happenings: _Happenings) -> None:
        super().__init__(inbox, secret_token=token)
        self._happenings = happenings
        # Each request is served in one thread.
        self._request = threading.local()

    def serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        self._request.content_type = environ["CONTENT_TYPE"] or JSON_TYPE
        return self._app(environ, start_response)

    @functools.cached_property
    def _app(self) -> WsgiApp:
        return self.wsgi

    def receive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        receipt = super().receive(body, token)
        self._happenings.put(_Arrived(receipt, self._request.content_type))
        return receipt


class _Handler(WSGIRequestHandler):
    timeout = IDLE_TIMEOUT

    def get_environ(self) -> dict[str, Any]:
        """Return the request's environment, with the type that the sender named and not a default."""
        return {**super().get_environ(), "CONTENT_TYPE": self.headers.get("Content-Type", "")}

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


def open_server(
    out: Output,
    address: tuple[str, int],
    inbox: Inbox,
    token: Secret | None,
    target: Target | None = None,
    *,
    replay_last: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, print each event once it is recorded, and forward it if there is a target."""
    host, port = address
    happenings: _Happenings = SimpleQueue()
    receiver = _PrintReceiver(inbox, token, happenings)
    try:
        server = _Server(host, port)
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise CommandError(
            ExitCode.FAILED,
            f"Cannot listen on {host}:{port}: {reason}.",
            "Choose another --port (0 selects a free one) or --host.",
        ) from error
    server.set_app(receiver.serve)

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    with until_signalled(out, lambda: happenings.put(None)):
        thread.start()
        try:
            url_host = f"[{host}]" if ":" in host else host
            # Only this line tells which port --port 0 has selected.
            out.summary(f"Listening at http://{url_host}:{server.server_port}/ (Ctrl-C stops)", always=True)
            forwarder = None if target is None else Forwarder(target, happenings.put)
            if forwarder is not None:
                out.print_note(f"Forwarding to {forwarder.target}")
                if watch_keys(lambda: happenings.put(_KeyPressed())):
                    out.print_note("r and Enter forward the last event again.")
            if replay_last:
                happenings.put(_KeyPressed())
            while (happening := take(happenings)) is not None:
                _react(out, happening, forwarder, inbox)
        finally:
            server.shutdown()
            server.server_close()
            join(thread)


def _react(
    out: Output, happening: _Arrived | Forwarded | _KeyPressed, forwarder: Forwarder | None, inbox: Inbox
) -> None:
    match happening:
        case _Arrived(receipt, content_type) if receipt.event is not None:
            print_event(out, receipt.event, duplicate=receipt.duplicate)
            if forwarder is not None:
                forwarder.forward(Delivery(receipt.event.dedupe_key, receipt.event.body, content_type))
        case Forwarded() if forwarder is not None:
            print_forwarded(out, happening, forwarder.target)
        case _KeyPressed() if forwarder is not None:
            last = forwarder.last or last_event(inbox)
            if last is None:
                out.warn("There is no event yet that could be forwarded again.")
            else:
                forwarder.forward(last)
        case _:
            pass  # what was refused is in the log
