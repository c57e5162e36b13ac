"""Serves a simulator, or another application, on a local port, from a thread or an event loop of this process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from contentgroove._io.interruptible import join, wait_for
from contentgroove._io.listening import claim_port
from uvicorn.config import Config
from uvicorn.server import ServerState

from contentgroove_mock.simulator.web.api import BASE_PATH
from contentgroove_mock.simulator.web.control import PATH as CONTROL_PATH
from contentgroove_mock.simulator.web.responses import TRANSPORT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol as AutoHTTPProtocol
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from contentgroove_mock.simulator.simulator import Simulator
else:
    # Uses httptools if it is installed, a parser in C that saves a third of a small request's time, and h11 otherwise.
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

THREAD_NAME = "contentgroove-simulator"
"""The name of the threads that `serve` and `serve_app` start."""

_BACKLOG = 2048

Entered = TypeVar("Entered")


class TimeLimits(NamedTuple):
    """How long a server waits for a client, in seconds; then it closes the connection.

    Attributes:
        head: From the connection, or from the first byte of a later request, to the end of the request's head, however
            slowly its bytes arrive.
        body: Between two parts of a body.
    """

    head: float = 20.0
    body: float = 60.0


class HttpProtocol(AutoHTTPProtocol):
    """uvicorn's HTTP/1.1, with the connection in the scope's state, half-closed requests and limits of time."""

    def __init__(self, config: Config, server_state: ServerState, limits: TimeLimits) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._waits_for: Literal["head", "body"] | None = None
        # uvicorn's own loggers belong to the process, and its access log would contain keys in queries.
        self.logger = logging.getLogger("contentgroove_mock.server")
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Make the connection available to its requests."""
        self.app_state = {TRANSPORT: transport}
        super().connection_made(transport)
        self._wait_for("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._wait_for(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of what arrives."""
        super().data_received(data)
        cycle = self._current_cycle()
        if cycle is None or cycle.response_complete:
            # No byte of a head extends its limit.
            self._wait_for("head", again=False)
        else:
            self._wait_for("body" if cycle.more_body else None)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio allows a truth value
        """Let the application respond to a client that ended its body early; otherwise close, as uvicorn does."""
        cycle = self._current_cycle()
        if cycle is None or cycle.response_complete or not cycle.more_body:
            return False
        cycle.more_body = False
        cycle.message_event.set()
        self._wait_for(None)
        return True

    def _current_cycle(self) -> RequestResponseCycle | None:
        # None until the first request, though uvicorn declares otherwise.
        return self.cycle

    def _wait_for(self, part: Literal["head", "body"] | None, *, again: bool = True) -> None:
        if self._timer is not None:
            if part == self._waits_for and not again:
                return
            self._timer.cancel()
        self._waits_for = part
        self._timer = None if part is None else self.loop.call_later(getattr(self._limits, part), self._give_up, part)

    def _give_up(self, part: Literal["head", "body"]) -> None:
        """Close a connection whose client has waited too long, with a response if that is possible."""
        if part == "body" and self.flow.read_paused:
            # It is the application that does not read.
            self._wait_for("body")
            return
        self._wait_for(None)
        cycle = self._current_cycle()
        if self.transport.is_closing():
            return
        if cycle is None or not cycle.response_started or cycle.response_complete:
            message = (
                f"The {part} of the request did not arrive within {getattr(self._limits, part):g} seconds.".encode()
            )
            head = f"Content-Type: text/plain\r\nContent-Length: {len(message)}\r\nConnection: close\r\n\r\n"
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\n" + head.encode() + message)
        self.transport.close()


class Server(NamedTuple):
    """A simulator that is being served.

    Attributes:
        simulator: The simulator.
        origin: Scheme, host and port, such as `http://127.0.0.1:8080`.
    """

    simulator: Simulator
    origin: str

    @property
    def base_url(self) -> str:
        """The `base_url` for clients."""
        return self.origin + BASE_PATH

    @property
    def inspector_url(self) -> str:
        """The inspector's page, if the simulator has one (`control=True`): only this machine can open it."""
        parts = urlsplit(self.origin)
        # What listens on all addresses is called by one of this machine's own.
        host = "127.0.0.1" if parts.hostname == "0.0.0.0" else "[::1]" if parts.hostname == "::" else None  # noqa: S104
        return f"{self.origin if host is None else f'{parts.scheme}://{host}:{parts.port}'}{CONTROL_PATH}/"


@contextlib.contextmanager
def serve(
    simulator: Simulator, port: int = 0, *, host: str = "127.0.0.1", app: ASGIApp | None = None
) -> Generator[Server]:
    """Serve a simulator from its own thread, until the context is left.

    Args:
        simulator: The simulator.
        port: The port; 0 means any free port.
        host: The address to listen on; by default only this machine can connect.
        app: The application to serve instead of the simulator itself, such as a `CheckedApp` around it.

    Raises:
        OSError: The port is in use, or the address is not one of this machine's; the message says which.
    """
    with in_thread(lambda: aserve(simulator, port, host=host, app=app)) as server:
        yield server


@contextlib.contextmanager
def serve_app(app: ASGIApp, port: int = 0, *, host: str = "127.0.0.1") -> Generator[str]:
    """Serve any application from its own thread, until the context is left, which has its origin.

    Args:
        app: The application.
        port: The port; 0 means any free port.
        host: The address to listen on; by default only this machine can connect.

    Raises:
        OSError: The port is in use, or the address is not one of this machine's; the message says which.
    """
    with in_thread(lambda: aserve_app(app, port, host=host)) as origin:
        yield origin


@contextlib.contextmanager
def in_thread(context: Callable[[], AbstractAsyncContextManager[Entered]]) -> Generator[Entered]:
    """Enter an async context in an event loop of its own thread."""
    ready: Future[tuple[asyncio.AbstractEventLoop, Entered]] = Future()
    leave = asyncio.Event()

    async def run() -> None:
        async with context() as entered:
            ready.set_result((asyncio.get_running_loop(), entered))
            await leave.wait()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(run())
        except Exception as error:
            # Also that of a loop that cannot be created, because something forbids sockets.
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=work, name=THREAD_NAME, daemon=True)
    thread.start()
    wait_for(lambda seconds: wait([ready], seconds).done)
    loop, entered = ready.result()
    try:
        yield entered
    finally:
        loop.call_soon_threadsafe(leave.set)
        join(thread)


def loop_factory(system: str = os.name) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the function that creates a server thread's event loop on an `os.name`; None means asyncio's default."""
    # Windows' default loop shuts a connection down before closing it, so that a fault's reset would be a normal end.
    return asyncio.SelectorEventLoop if system == "nt" else None


@contextlib.asynccontextmanager
async def aserve(
    simulator: Simulator, port: int = 0, *, host: str = "127.0.0.1", app: ASGIApp | None = None
) -> AsyncGenerator[Server]:
    """Serve a simulator from the running event loop, until the context is left; the arguments are those of `serve`.

    Raises:
        OSError: The port is in use, or the address is not one of this machine's; the message says which.
    """
    async with contextlib.AsyncExitStack() as stack:
        # Closed last: requests that wait for the simulator end with the server.
        stack.push_async_callback(simulator.aclose)
        origin = await stack.enter_async_context(aserve_app(app or simulator, port, host=host))
        simulator.start()
        yield Server(simulator, origin)


@contextlib.asynccontextmanager
async def aserve_app(
    app: ASGIApp, port: int = 0, *, host: str = "127.0.0.1", limits: TimeLimits | None = None
) -> AsyncGenerator[str]:
    """Serve any application from the running event loop; the arguments are those of `serve_app`, and limits of time.

    Raises:
        OSError: The port is in use, or the address is not one of this machine's; the message says which.
    """
    listener = _listen(host, port)
    # uvicorn's own Server checks only ten times a second whether to stop, and waits as long for open connections.
    config = Config(_without_cancellation_errors(app), lifespan="off", ws="none", log_config=None)
    config.load()
    connections = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpProtocol(config, connections, limits or TimeLimits()), sock=listener)
    try:
        host, port = listener.getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await _stop_listener(loop, listener)
        server.close()
        for connection in list(connections.connections):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()
        tasks = list(connections.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stop_listener(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
    """Accept no more connections, and wait until those that were just accepted are known, so that they get closed."""
    with contextlib.suppress(NotImplementedError):  # not available in Windows' default loop
        loop.remove_reader(listener)
    # A connection is accepted in one iteration of the loop and gets its transport and its protocol in the next two.
    for _ in range(4):
        await asyncio.sleep(0)


def _without_cancellation_errors(app: ASGIApp) -> ASGIApp:
    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        # Requests that hang are cancelled at the end, and uvicorn would log that as an error.
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's delay only if the socket names its protocol, which create_server does not do.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        claim_port(listener)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is in use: choose another, or 0 for any free port"
        else:
            message = f"Cannot listen on {host}:{port}: {error.strerror}"
        raise OSError(error.errno, message) from None
    return listener
