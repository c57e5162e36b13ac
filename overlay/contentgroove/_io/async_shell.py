"""The async shell: performs what flows ask for."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove._core.effects import Ask, Effect, Failure, Notify, Put, Reply, Save, Send, Sleep
from contentgroove.errors import ConfigurationError

from . import http
from .async_connections import AsyncConnections
from .progress import CallbackError, acounted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from contentgroove._core.effects import Flow
    from contentgroove._core.settings import Settings

    from .progress import Progress
    from .sources import Source

T = TypeVar("T")


class AsyncShell:
    """Sends requests, sleeps and calls back; one for each client, shared by the tasks of an event loop."""

    def __init__(
        self,
        settings: Settings,
        hooks: http.Hooks,
        sleep: Callable[[float], Awaitable[object]],
        http_client: httpx.AsyncClient | None,
        upload_http_client: httpx.AsyncClient | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._sleep = sleep
        self._http_client = http_client
        self._upload_http_client = upload_http_client
        self._transports: dict[tuple[str, str, bool], httpx.AsyncBaseTransport] = {}
        self._loop: Any = None
        self._closed = False
        if http_client is not None or upload_http_client is not None:
            http.protect_httpx_logs()

    async def run(
        self,
        flow: Flow[T],
        timeout: httpx.Timeout,  # noqa: ASYNC109 - httpx's limits, not a cancel scope's
        *,
        source: Source | None = None,
        progress: Progress | None = None,
        save: Callable[[bytes], None] | None = None,
    ) -> T:
        """Drive a flow to its end; the arguments are those of `SyncShell.run`."""
        if self._closed:
            raise ConfigurationError("This client is closed; make a new one.")
        try:
            effect = next(flow)
            while True:
                effect = flow.send(await self._perform(effect, timeout, source, progress, save))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _perform(
        self,
        effect: Effect,
        timeout: httpx.Timeout,  # noqa: ASYNC109 - httpx's limits, not a cancel scope's
        source: Source | None,
        progress: Progress | None,
        save: Callable[[bytes], None] | None,
    ) -> object:
        match effect:
            case Send():
                request = http.api_request(effect, self._settings, timeout, queued=self._http_client is None)
                return await self._exchange(request, self._http_client, uploading=False)
            case Sleep():
                return await self._sleep(effect.seconds)
            case Save():
                if save is None:
                    raise RuntimeError("a flow asked to save without a checkpoint")
                return await asyncio.to_thread(save, effect.content)
            case Notify():
                called = effect.callback(effect.value)
                return await called if inspect.isawaitable(called) else called
            case Ask():
                return await asyncio.to_thread(effect.call)
            case Put():
                return await self._put(effect, timeout, source, progress)

    async def _put(
        self,
        effect: Put,
        timeout: httpx.Timeout,  # noqa: ASYNC109 - as above
        source: Source | None,
        progress: Progress | None,
    ) -> Reply | Failure:
        if source is None:
            raise RuntimeError("a flow asked for an upload that has no source")
        async with contextlib.aclosing(acounted(source, progress)) as content:
            request = http.store_request(effect, source, content, http.upload_timeout(timeout))
            return await self._exchange(request, self._upload_http_client, uploading=True)

    async def _exchange(
        self, request: httpx.Request, client: httpx.AsyncClient | None, *, uploading: bool
    ) -> Reply | Failure:
        info, started = self._hooks.before(request)
        outcome: Reply | Failure
        try:
            if client is None:
                response = await self._transport(request.url, uploading=uploading).handle_async_request(request)
            else:
                response = await client.send(request, stream=True, follow_redirects=False)
            try:
                gathered = http.Gathered(response, http.MAX_STORE_ANSWER if uploading else http.MAX_ANSWER)
                async for part in http.aparts(response):
                    gathered.add(part)
                outcome = http.reply(response, gathered.content())
            finally:
                await response.aclose()
        except CallbackError as error:
            raise error.reason from None
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - http.failure says why
            outcome = http.failure(error)
        self._hooks.after(info, started, outcome)
        return outcome

    def _transport(self, url: httpx.URL, *, uploading: bool) -> httpx.AsyncBaseTransport:
        loop = _running_loop()
        if self._loop is not loop:
            if self._loop is not None and self._loop.is_running():
                raise ConfigurationError(
                    "This client's connections belong to another event loop that is still running: make one "
                    "AsyncContentGroove for each loop."
                )
            # Connections of a loop that has ended cannot be used or closed any more.
            self._transports.clear()
            self._loop = loop
        place = (url.scheme, url.host, uploading)
        if place not in self._transports:
            self._transports[place] = _new_transport(url, uploading=uploading)
        return self._transports[place]

    async def aclose(self) -> None:
        """Close the connections that this shell opened; a client that was passed in stays open."""
        self._closed = True
        transports = list(self._transports.values()) if self._loop is _running_loop() else []
        self._transports.clear()
        for transport in transports:
            await transport.aclose()


def _new_transport(url: httpx.URL, *, uploading: bool) -> httpx.AsyncBaseTransport:
    proxy = http.environment_proxy(url)
    context = http.tls_context(url, proxy)
    if uploading and proxy is None:
        from .upload_network import async_upload_transport

        return async_upload_transport(
            ssl_context=context, stall_seconds=http.UPLOAD_STALL, answer_seconds=http.UPLOAD_ANSWER
        )
    return AsyncConnections(context, proxy)


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        # Another async library, such as trio, which has no loop objects to tell apart.
        return None
