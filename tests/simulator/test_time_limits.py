"""How long a server waits for a client: for the head of a request, and for the parts of a body."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from contentgroove_mock.simulator.server import HttpProtocol, TimeLimits, aserve_app
from uvicorn.config import Config
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from contentgroove_mock import Simulator

pytestmark = pytest.mark.anyio

LIMIT = 20.0
PART = b"GET /api/v1/medias HTTP/1.1\r\nHost: a\r\n"
BEGUN = (
    b"POST /_mock/advance HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
)


@pytest.mark.parametrize(
    ("sent", "limits", "received"),
    [
        (PART, TimeLimits(head=0.02), b"The head of the request did not arrive within 0.02 seconds."),
        (b"", TimeLimits(head=0.02), b"The head of the request did not arrive within 0.02 seconds."),
        (BEGUN, TimeLimits(body=0.02), b"The body of the request did not arrive within 0.02 seconds."),
    ],
)
async def test_a_client_that_sends_no_more_is_disconnected(
    simulator: Simulator, caplog: pytest.LogCaptureFixture, sent: bytes, limits: TimeLimits, received: bytes
) -> None:
    """The response says for what the server has waited, and the application logs no error."""
    async with aserve_app(simulator, limits=limits) as origin:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
        writer.write(sent)
        async with asyncio.timeout(LIMIT):
            response = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert response.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert response.endswith(b"\r\n\r\n" + received)
    assert caplog.records == []


class Timer:
    """A call that has not happened."""

    def __init__(self, seconds: float, call: Callable[[], None], timers: Timers) -> None:
        self.seconds, self.call = seconds, call
        self._timers = timers

    def cancel(self) -> None:
        """Forget it."""
        self._timers.waiting.remove(self)


class Timers:
    """Stands for an event loop: keeps what is to be called later."""

    def __init__(self) -> None:
        self.waiting: list[Timer] = []

    def call_later(self, seconds: float, callback: Callable[..., None], *arguments: object) -> Timer:
        """Keep a call."""
        self.waiting.append(Timer(seconds, partial(callback, *arguments), self))
        return self.waiting[-1]

    def seconds(self) -> list[float]:
        """Return after how many seconds each call is to happen."""
        return [timer.seconds for timer in self.waiting]

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio.get_running_loop(), name)


@pytest.fixture
async def connection() -> AsyncGenerator[tuple[HttpProtocol, Timers, Any]]:
    """A connection whose application reads no body, and whose timers do not run."""
    ended = asyncio.Event()

    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        await ended.wait()

    config = Config(application, lifespan="off", ws="none", log_config=None)
    config.load()
    state = ServerState()
    protocol, timers = HttpProtocol(config, state, TimeLimits(head=7, body=9)), Timers()
    protocol.loop = timers  # type: ignore[assignment]  # as a loop
    transport = mock.Mock(asyncio.Transport, **{"is_closing.return_value": False, "get_extra_info.return_value": None})
    protocol.connection_made(transport)
    yield protocol, timers, transport
    ended.set()
    # uvicorn logs that the application sent no response.
    protocol.logger.disabled = True
    await asyncio.gather(*state.tasks)
    protocol.logger.disabled = False


async def test_a_head_that_drips_has_one_limit(connection: tuple[HttpProtocol, Timers, Any]) -> None:
    """Further bytes do not extend it, and it ends with the head; each part of a body starts its own."""
    protocol, timers, transport = connection
    (first,) = timers.waiting
    for byte in b"PUT /_uploads/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r":
        protocol.data_received(bytes([byte]))
        assert timers.waiting[0] is first
    assert timers.seconds() == [7]
    protocol.data_received(b"\n")
    (body,) = timers.waiting
    protocol.data_received(b"1")
    (again,) = timers.waiting
    assert (body.seconds, again.seconds) == (9, 9)
    assert again is not body
    protocol.data_received(b"23")
    assert timers.waiting == []
    assert not transport.close.called


async def test_a_body_that_the_application_does_not_read_has_no_limit(
    connection: tuple[HttpProtocol, Timers, Any],
) -> None:
    """A fault can stop reading for long; the client then cannot send."""
    protocol, timers, transport = connection
    protocol.data_received(b"PUT /_uploads/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
    protocol.data_received(bytes(100_000))
    timers.waiting[0].call()
    assert (timers.seconds(), transport.close.called) == ([9], False)
    protocol.flow.resume_reading()
    timers.waiting[0].call()
    assert (timers.seconds(), transport.close.called) == ([], True)


async def test_a_lost_connection_waits_for_nothing(connection: tuple[HttpProtocol, Timers, Any]) -> None:
    """Its timer is cancelled."""
    protocol, timers, _ = connection
    protocol.connection_lost(None)
    assert timers.waiting == []
