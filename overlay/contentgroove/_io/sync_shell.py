"""The sync shell: performs what flows ask for."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

import httpx

from contentgroove._core.effects import Ask, Effect, Failure, Notify, Put, Reply, Save, Send, Sleep
from contentgroove.errors import ConfigurationError

from . import http
from .progress import CallbackError, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove._core.effects import Flow
    from contentgroove._core.settings import Settings

    from .progress import Progress
    from .sources import Source

T = TypeVar("T")


class SyncShell:
    """Sends requests, sleeps and calls back; one for each client, shared by its threads."""

    def __init__(
        self,
        settings: Settings,
        hooks: http.Hooks,
        sleep: Callable[[float], object],
        http_client: httpx.Client | None,
        upload_http_client: httpx.Client | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._sleep = sleep
        self._http_client = http_client
        self._upload_http_client = upload_http_client
        self._lock = threading.Lock()
        self._transports: dict[tuple[str, str, bool], httpx.BaseTransport] = {}
        self._closed = False
        if http_client is not None or upload_http_client is not None:
            http.protect_httpx_logs()

    def run(
        self,
        flow: Flow[T],
        timeout: httpx.Timeout,
        *,
        source: Source | None = None,
        progress: Progress | None = None,
        save: Callable[[bytes], None] | None = None,
    ) -> T:
        """Drive a flow to its end.

        Args:
            flow: The flow.
            timeout: The limits of each request.
            source: What `Put` sends.
            progress: Called with the bytes sent so far and their total.
            save: What `Save` writes with.
        """
        if self._closed:
            raise ConfigurationError("This client is closed; make a new one.")
        try:
            effect = next(flow)
            while True:
                effect = flow.send(self._perform(effect, timeout, source, progress, save))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _perform(
        self,
        effect: Effect,
        timeout: httpx.Timeout,
        source: Source | None,
        progress: Progress | None,
        save: Callable[[bytes], None] | None,
    ) -> object:
        match effect:
            case Send():
                request = http.api_request(effect, self._settings, timeout, queued=self._http_client is None)
                return self._exchange(request, self._http_client, uploading=False)
            case Sleep():
                return self._sleep(effect.seconds)
            case Save():
                if save is None:
                    raise RuntimeError("a flow asked to save without a checkpoint")
                return save(effect.content)
            case Notify():
                return effect.callback(effect.value)
            case Ask():
                return effect.call()
            case Put():
                return self._put(effect, timeout, source, progress)

    def _put(
        self, effect: Put, timeout: httpx.Timeout, source: Source | None, progress: Progress | None
    ) -> Reply | Failure:
        if source is None:
            raise RuntimeError("a flow asked for an upload that has no source")
        # Closed in any case, so that the file is closed however the exchange ends.
        with contextlib.closing(counted(source, progress)) as content:
            request = http.store_request(effect, source, content, http.upload_timeout(timeout))
            return self._exchange(request, self._upload_http_client, uploading=True)

    def _exchange(self, request: httpx.Request, client: httpx.Client | None, *, uploading: bool) -> Reply | Failure:
        info, started = self._hooks.before(request)
        outcome: Reply | Failure
        try:
            if client is None:
                response = self._transport(request.url, uploading=uploading).handle_request(request)
            else:
                response = client.send(request, stream=True, follow_redirects=False)
            try:
                gathered = http.Gathered(response, http.MAX_STORE_ANSWER if uploading else http.MAX_ANSWER)
                for part in http.parts(response):
                    gathered.add(part)
                outcome = http.reply(response, gathered.content())
            finally:
                response.close()
        except CallbackError as error:
            raise error.reason from None
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - http.failure says why
            outcome = http.failure(error)
        self._hooks.after(info, started, outcome)
        return outcome

    def _transport(self, url: httpx.URL, *, uploading: bool) -> httpx.BaseTransport:
        place = (url.scheme, url.host, uploading)
        transport = self._transports.get(place)
        if transport is not None:
            return transport
        with self._lock:
            if self._closed:
                raise ConfigurationError("This client is closed; make a new one.")
            if place not in self._transports:
                self._transports[place] = _new_transport(url, uploading=uploading)
            return self._transports[place]

    def close(self) -> None:
        """Close the connections that this shell opened; a client that was passed in stays open."""
        with self._lock:
            self._closed = True
            transports = list(self._transports.values())
            self._transports.clear()
        for transport in transports:
            transport.close()


def _new_transport(url: httpx.URL, *, uploading: bool) -> httpx.BaseTransport:
    proxy = http.environment_proxy(url)
    context = http.tls_context(url, proxy)
    if uploading and proxy is None:
        from .upload_network import upload_transport

        return upload_transport(ssl_context=context, stall_seconds=http.UPLOAD_STALL, answer_seconds=http.UPLOAD_ANSWER)
    return httpx.HTTPTransport(verify=context, limits=http.CONNECTIONS, proxy=proxy)
