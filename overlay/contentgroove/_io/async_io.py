"""The `IO` of async clients."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import itertools
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from anyio import CancelScope, to_thread

from contentgroove._core.io import CallbackError
from contentgroove._core.responses import Response, TransportFailure
from contentgroove._core.tracebacks import drop_frames
from contentgroove.errors import ConfigurationError

from . import http
from .connections import async_instrumented, open_async_transport
from .foreign_errors import foreign_error
from .hooks import call_hook_async, install_log_filters
from .own_threads import WAITS
from .stopping import Step, StoppedError, closed_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    import httpcore
    import httpx
    from contentgroove_api.types import Request

    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.secret import Secret
    from contentgroove._core.settings import Settings

    from .contract_monitor import ContractMonitor
    from .hooks import Hooks
    from .http import AsyncTransport, OwnAsyncTransport

T = TypeVar("T")


class AsyncIO:
    """Sends requests, sleeps and calls back; one per client, shared by the tasks of an event loop."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        sleep: Callable[[float], Awaitable[object]] | None,
        http_client: httpx.AsyncClient | None,
        upload_http_client: httpx.AsyncClient | None,
        *,
        monitor: ContractMonitor | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._monitor = monitor
        self._sleep = sleep or anyio.sleep
        self._custom_transport = _transport_over_client(http_client, uploading=False)
        self._custom_upload_transport = _transport_over_client(upload_http_client, uploading=True)
        self._http_client = http_client
        self._transports: dict[tuple[bytes, bytes, int | None, bool], OwnAsyncTransport] = {}
        self._running: set[CancelScope] = set()
        self._loop: Any = None
        self._pid = os.getpid()
        self._inherited: list[object] = []
        self._closed = False
        install_log_filters(settings)

    async def send(self, request: Request, timeouts: Timeouts, time_limit: float | None) -> Response | TransportFailure:
        """See `IO.send`."""
        self._require_open()
        outgoing = http.build_api_request(
            request, self._settings, timeouts, time_limit, queued=self._custom_transport is None
        )
        outcome = await self._exchange(outgoing, self._custom_transport, uploading=False)
        if self._monitor is not None and isinstance(outcome, Response):
            self._monitor.check(request, outcome)
        return outcome

    async def put_file(
        self, url: Secret, source: Source, progress: Progress | None, timeouts: Timeouts
    ) -> Response | TransportFailure:
        """See `IO.put_file`."""
        self._require_open()
        async with contextlib.aclosing(aiter_with_progress(source, progress)) as content:
            try:
                request = http.build_upload_request(url, source, content, timeouts)
            except http.InvalidUrlError as error:
                return http.classify_error(error, None, sent=False)
            return await self._exchange(request, self._custom_for_upload(request.url), uploading=True)

    async def sleep(self, seconds: float) -> None:
        """See `IO.sleep`."""
        self._require_open(while_running=True)
        with CancelScope() as scope:
            self._running.add(scope)
            try:
                await self._sleep(seconds)
            finally:
                self._running.discard(scope)
        if scope.cancelled_caught:
            raise closed_error(while_running=True)
        self._require_open(while_running=True)

    async def notify(self, callback: Callable[[Any], object], value: object) -> None:
        """See `IO.notify`."""
        await _await_if_needed(callback(value))

    async def warn(self, message: str) -> None:
        """See `IO.warn`."""
        http.logger.warning(message)

    async def call_blocking(self, call: Callable[[], T], *, abandon: bool = True) -> T:
        """See `IO.call_blocking`."""
        if abandon or _running_loop() is None:
            return await WAITS.run(call, abandon_on_cancel=abandon)
        # anyio protects a thread from the cancellation of its scopes, but not from that of asyncio's tasks.
        thread = asyncio.ensure_future(WAITS.run(call))
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

    def _custom_for_upload(self, url: httpcore.URL) -> AsyncTransport | None:
        """Return what an upload is sent with, None for own connections: the proxy of the calls is that of uploads."""
        client = self._http_client
        if self._custom_upload_transport is not None or client is None:
            return self._custom_upload_transport
        from .httpx_transports import async_client_transport, uses_proxy

        return async_client_transport(client, uploading=True) if uses_proxy(client, url) else None

    def _trusts_environment(self) -> bool:
        return self._http_client is None or self._http_client.trust_env

    def _require_open(self, *, while_running: bool = False) -> None:
        if self._closed:
            raise closed_error(while_running=while_running)

    async def _exchange(
        self, request: httpcore.Request, custom: AsyncTransport | None, *, uploading: bool
    ) -> Response | TransportFailure:
        info = self._hooks.describe(request)
        if info is not None:
            await call_hook_async(self._hooks.before_request, info)
        started = time.monotonic()
        self._drop_inherited()
        step = Step()
        outcome: Response | TransportFailure | None = None
        with CancelScope() as scope:
            self._running.add(scope)
            try:
                outcome = await self._send(request, custom, step, uploading=uploading)
            finally:
                self._running.discard(scope)
        if outcome is None:
            if uploading:
                raise closed_error(while_running=True)
            outcome = TransportFailure("closed", step.sent is not False, StoppedError("another task ended it"))
        if info is not None:
            await call_hook_async(self._hooks.after_response, info, started, outcome)
        return outcome

    async def _send(
        self, request: httpcore.Request, custom: AsyncTransport | None, step: Step, *, uploading: bool
    ) -> Response | TransportFailure:
        outer = sys.exception()
        try:
            if custom is None:
                step.sent = False
                http.extensions_of(request)[http.STEP] = step
            transport = custom or async_instrumented(await self._transport_for(request.url, uploading=uploading))
            response = await transport.handle_async_request(request)
            try:
                reader = http.ResponseReader(response, uploading=uploading)
                async for chunk in response.aiter_stream():
                    reader.add(chunk)
                return reader.response()
            finally:
                await response.aclose()
        except AssertionError:
            # A test's own transport fails its test: an error of respx or a contract check is not a broken connection.
            raise
        except CallbackError as error:
            raise error.with_traceback(None)  # noqa: B904 - the same error, without its frames
        except Exception as error:  # noqa: BLE001 - foreign_error and classify_error tell them apart
            reason = foreign_error(error, outer)
            if reason is not None:
                drop_frames(reason, outer)
                raise CallbackError(reason) from reason
            return http.classify_error(error, outer, sent=step.sent)
        except BaseException as error:
            drop_frames(error, outer)
            raise

    async def _transport_for(self, url: httpcore.URL, *, uploading: bool) -> AsyncTransport:
        loop = _running_loop()
        if self._loop is not loop:
            self._check_no_other_loop()
            # Connections of a loop that has ended can no longer be used or closed.
            self._transports.clear()
            self._loop = loop
        origin = (url.scheme, url.host, url.port, uploading)
        transport = self._transports.get(origin)
        if transport is None:
            transport = open_async_transport(url, uploading=uploading, trust_env=self._trusts_environment())
            self._transports[origin] = transport
        if len(self._transports) > 1:
            # That of this host looks at its own connections.
            for other in tuple(self._transports.values()):
                if other is not transport:
                    await other.drop_stale()
        return transport

    def _drop_inherited(self) -> None:
        """Drop the connections of the parent process after a fork."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            # Kept, but never used nor closed: what closes them would change the loop of the parent, too.
            self._inherited += [*self._transports.values(), self._loop, *self._running]
            self._transports = {}
            self._running = set()
            self._loop = None

    def _check_no_other_loop(self) -> None:
        if self._loop is not None and self._loop.is_running():
            raise ConfigurationError(
                "This client's connections belong to another event loop that is still running: create one "
                "AsyncContentGroove per loop, and close it there."
            )

    async def aclose(self) -> None:
        """Close the client's own connections and end what runs; an HTTP client that was passed in stays open."""
        self._drop_inherited()
        of_this_loop = self._loop is _running_loop()
        if not of_this_loop:
            self._check_no_other_loop()
        self._closed = True
        for scope in tuple(self._running) if of_this_loop else ():
            scope.cancel()
        transports = list(self._transports.values()) if of_this_loop else []
        self._transports.clear()
        for transport in transports:
            await transport.aclose()


async def aiter_with_progress(source: Source, progress: Progress | None) -> AsyncGenerator[bytes, None]:
    """Yield a source's chunks and report them; slow reads happen in a thread, so that they do not block other tasks."""
    from .upload_progress import areport_progress

    sent = 0
    await areport_progress(progress, sent, source.size)
    async with contextlib.aclosing(_aiter_chunks(source)) as chunks:
        async for chunk in chunks:
            yield chunk
            sent += len(chunk)
            await areport_progress(progress, sent, source.size)


async def _aiter_chunks(source: Source) -> AsyncGenerator[bytes, None]:
    from .sources import PathSource
    from .streams import AsyncIteratorSource

    if isinstance(source, AsyncIteratorSource):
        async with contextlib.aclosing(source.achunks()) as achunks:
            async for chunk in achunks:
                yield chunk
        return
    if isinstance(source, PathSource):
        with contextlib.closing(await to_thread.run_sync(source.open_reader)) as reader:
            # Cached data is read at once; a thread for each chunk would halve the speed.
            while data := reader.read_if_cached() or await to_thread.run_sync(reader.read):
                yield data
        return
    with contextlib.closing(source.chunks()) as chunks:
        while read := await to_thread.run_sync(_read_chunk, chunks):
            yield read[0]


def _read_chunk(chunks: Iterator[bytes]) -> list[bytes]:
    # StopIteration cannot leave a thread.
    return list(itertools.islice(chunks, 1))


async def _await_if_needed(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


def _transport_over_client(client: httpx.AsyncClient | None, *, uploading: bool) -> AsyncTransport | None:
    if client is None:
        return None
    from .httpx_transports import async_client_transport

    return async_client_transport(client, uploading=uploading)


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        # Another async library, such as trio, which has no loop objects.
        return None
