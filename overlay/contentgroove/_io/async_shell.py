"""The async shell: performs what flows ask for."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CancelScope, to_thread

from contentgroove._core.io import CallbackError
from contentgroove._core.responses import Response
from contentgroove.errors import ConfigurationError

from . import http
from .async_connections import async_instrumented, open_async_transport
from .log_redaction import install_log_filters
from .progress import aiter_with_progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpcore
    import httpx
    from contentgroove_api.types import Request

    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.responses import TransportFailure
    from contentgroove._core.settings import Settings

    from .async_connections import AsyncTransport
    from .contract import ContractMonitor

T = TypeVar("T")


class AsyncIO:
    """Sends requests, sleeps and calls back; one for each client, shared by the tasks of an event loop."""

    def __init__(
        self,
        settings: Settings,
        hooks: http.Hooks,
        sleep: Callable[[float], Awaitable[object]],
        http_client: httpx.AsyncClient | None,
        upload_http_client: httpx.AsyncClient | None,
        *,
        monitor: ContractMonitor | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._monitor = monitor
        self._sleep = sleep
        self._own = _line_of(http_client, uploading=False)
        self._own_for_uploads = _line_of(upload_http_client, uploading=True)
        self._lines: dict[tuple[bytes, bytes, bool], AsyncTransport] = {}
        self._loop: Any = None
        self._closed = False
        install_log_filters(settings)

    async def send(self, request: Request, timeouts: Timeouts, time_limit: float | None) -> Response | TransportFailure:
        """See `IO.send`."""
        self._require_open()
        outgoing = http.build_api_request(request, self._settings, timeouts, time_limit, queued=self._own is None)
        outcome = await self._exchange(outgoing, self._own, uploading=False)
        if self._monitor is not None and isinstance(outcome, Response):
            self._monitor.check(request, outcome)
        return outcome

    async def put_file(
        self, url: str, source: Source, progress: Progress | None, timeouts: Timeouts
    ) -> Response | TransportFailure:
        """See `IO.put_file`."""
        self._require_open()
        async with contextlib.aclosing(aiter_with_progress(source, progress)) as content:
            try:
                request = http.build_upload_request(url, source, content, timeouts)
            except http.InvalidUrlError as error:
                return http.classify_error(error)
            return await self._exchange(request, self._own_for_uploads, uploading=True)

    async def sleep(self, seconds: float) -> None:
        """See `IO.sleep`."""
        await self._sleep(seconds)

    async def notify(self, callback: Callable[[Any], object], value: object) -> None:
        """See `IO.notify`."""
        await _await_if_needed(callback(value))

    async def call_blocking(self, call: Callable[[], T], *, abandon: bool = True) -> T:
        """See `IO.call_blocking`."""
        if abandon or _running_loop() is None:
            return await to_thread.run_sync(call, abandon_on_cancel=abandon)
        # anyio protects a thread from the cancellation of its scopes, but not from that of asyncio's tasks.
        thread = asyncio.ensure_future(to_thread.run_sync(call))
        cancellation: asyncio.CancelledError | None = None
        with CancelScope(shield=True):
            while not thread.done():
                try:
                    await asyncio.wait([thread])
                except asyncio.CancelledError as error:
                    cancellation = error
        if cancellation is not None:
            raise cancellation
        return thread.result()

    def _require_open(self) -> None:
        if self._closed:
            raise ConfigurationError("This client is closed; make a new one.")

    async def _exchange(
        self, request: httpcore.Request, own: AsyncTransport | None, *, uploading: bool
    ) -> Response | TransportFailure:
        info, result = self._hooks.before_request(request)
        await _await_if_needed(result)
        started = time.monotonic()
        outcome: Response | TransportFailure
        try:
            line = own or async_instrumented(self._line(request.url, uploading=uploading))
            response = await line.handle_async_request(request)
            try:
                gathered = http.ResponseReader(
                    response, http.MAX_STORE_RESPONSE_BYTES if uploading else http.MAX_RESPONSE_BYTES
                )
                async for part in response.aiter_stream():
                    gathered.add(part)
                outcome = gathered.response()
            finally:
                await response.aclose()
        except (AssertionError, CallbackError, ConfigurationError):
            # A test's own transport fails its test: what respx or a contract check says is no broken connection.
            raise
        except Exception as error:  # noqa: BLE001 - http.failure says why
            outcome = http.classify_error(error)
        await _await_if_needed(self._hooks.after_response(info, started, outcome))
        return outcome

    def _line(self, url: httpcore.URL, *, uploading: bool) -> AsyncTransport:
        loop = _running_loop()
        if self._loop is not loop:
            self._check_no_other_loop()
            # Connections of a loop that has ended cannot be used or closed any more.
            self._lines.clear()
            self._loop = loop
        place = (url.scheme, url.host, uploading)
        if place not in self._lines:
            self._lines[place] = open_async_transport(url, uploading=uploading)
        return self._lines[place]

    def _check_no_other_loop(self) -> None:
        if self._loop is not None and self._loop.is_running():
            raise ConfigurationError(
                "This client's connections belong to another event loop that is still running: make one "
                "AsyncContentGroove for each loop, and close it there."
            )

    async def aclose(self) -> None:
        """Close the connections that this shell opened; a client that was passed in stays open."""
        of_this_loop = self._loop is _running_loop()
        if not of_this_loop:
            self._check_no_other_loop()
        self._closed = True
        lines = list(self._lines.values()) if of_this_loop else []
        self._lines.clear()
        for line in lines:
            await line.aclose()


async def _await_if_needed(given: object) -> object:
    return await given if inspect.isawaitable(given) else given


def _line_of(client: httpx.AsyncClient | None, *, uploading: bool) -> AsyncTransport | None:
    if client is None:
        return None
    from .httpx_lines import async_client_transport

    return async_client_transport(client, uploading=uploading)


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        # Another async library, such as trio, which has no loop objects to tell apart.
        return None
