"""Serves a simulator on a local port, from a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, NamedTuple

from contentgroove._io.interruptible import join, wait_for
from contentgroove._io.listening import claim_port
from uvicorn.config import Config
from uvicorn.server import ServerState

from contentgroove_mock.simulator.web.api import BASE_PATH
from contentgroove_mock.simulator.web.protocol import HttpProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from contentgroove_mock.simulator.simulator import Simulator


_BACKLOG = 2048


class Server(NamedTuple):
    """A simulator that is being served.

    Attributes:
        simulator: What is served.
        origin: Scheme, host and port, such as `http://127.0.0.1:8080`.
    """

    simulator: Simulator
    origin: str

    @property
    def base_url(self) -> str:
        """What a client takes as `base_url`."""
        return self.origin + BASE_PATH


@contextlib.contextmanager
def serve(
    simulator: Simulator, port: int = 0, *, host: str = "127.0.0.1", app: ASGIApp | None = None
) -> Generator[Server]:
    """Serve a simulator from a thread of its own, until the context is left.

    Args:
        simulator: What to serve.
        port: The port; 0 lets the system choose one.
        host: The address to listen at; only this machine by default.
        app: What answers, if not the simulator itself: a `CheckedApp` around it.

    Raises:
        OSError: The port is in use, or the address is none of this machine's; the message says which.
    """
    listening = _listen(host, port)
    ready: Future[asyncio.AbstractEventLoop] = Future()
    leave = asyncio.Event()

    async def run() -> None:
        try:
            async with _serving(simulator, listening, app or simulator):
                ready.set_result(asyncio.get_running_loop())
                await leave.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    def work() -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run())

    thread = threading.Thread(target=work, name="contentgroove-simulator", daemon=True)
    thread.start()
    wait_for(lambda seconds: wait([ready], seconds).done)
    loop = ready.result()
    try:
        yield Server(simulator, _origin(listening))
    finally:
        loop.call_soon_threadsafe(leave.set)
        join(thread)


def loop_factory(system: str = os.name) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Tell what makes the event loop of a server in a thread; None leaves it to asyncio.

    Windows' own kind of loop shuts a connection down before it closes it, so that a fault's reset would be a plain end.

    Args:
        system: `os.name`.
    """
    return asyncio.SelectorEventLoop if system == "nt" else None


@contextlib.asynccontextmanager
async def aserve(
    simulator: Simulator, port: int = 0, *, host: str = "127.0.0.1", app: ASGIApp | None = None
) -> AsyncGenerator[Server]:
    """Serve a simulator from the running event loop, until the context is left; the arguments are those of `serve`.

    Raises:
        OSError: As `serve`.
    """
    listening = _listen(host, port)
    async with _serving(simulator, listening, app or simulator):
        yield Server(simulator, _origin(listening))


@contextlib.asynccontextmanager
async def _serving(simulator: Simulator, listening: socket.socket, app: ASGIApp) -> AsyncGenerator[None]:
    # uvicorn's own Server polls ten times a second whether to end, and waits as long for open connections.
    config = Config(_ending_quietly(app), lifespan="off", ws="none", log_config=None)
    config.load()
    connections = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpProtocol(config, connections), sock=listening)
    simulator.start()
    try:
        yield
    finally:
        await _stop_listening(loop, listening)
        server.close()
        for connection in list(connections.connections):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()
        tasks = list(connections.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await simulator.aclose()


async def _stop_listening(loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
    """Take no connection any more, and let those that were just taken become known, so that they are closed, too."""
    with contextlib.suppress(NotImplementedError):  # loops of Windows wait in another way
        loop.remove_reader(listening)
    # Taken in one pass of the loop, given a transport in the next, and that a protocol in the one after.
    for _ in range(4):
        await asyncio.sleep(0)


def _ending_quietly(app: ASGIApp) -> ASGIApp:
    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        # Requests that hang are cancelled at the end, which uvicorn would log as a failure.
        with contextlib.suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without Nagle's delay only where the protocol is named, which create_server does not do.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        claim_port(listening)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(
                error.errno, f"Port {port} of {host} is in use: choose another, or 0 for any that is free"
            ) from None
        raise OSError(error.errno, f"Cannot listen at {host}, port {port}: {error.strerror}") from None
    return listening


def _origin(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
