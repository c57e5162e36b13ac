"""The sync shell: performs what flows ask for."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from contentgroove._core.effects import Ask, Effect, Notify, Put, Response, Save, Send, Sleep, TransportFailure
from contentgroove._core.io import CallbackError
from contentgroove.errors import ConfigurationError

from . import http
from .connections import instrumented, open_transport
from .log_redaction import install_log_filters
from .progress import iter_with_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpcore
    import httpx

    from contentgroove._core.effects import Flow
    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.settings import Settings

    from .connections import Transport
    from .contract import ContractMonitor

T = TypeVar("T")


class SyncIO:
    """Sends requests, sleeps and calls back; one for each client, shared by its threads."""

    def __init__(
        self,
        settings: Settings,
        hooks: http.Hooks,
        sleep: Callable[[float], object],
        http_client: httpx.Client | None,
        upload_http_client: httpx.Client | None,
        *,
        monitor: ContractMonitor | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._watch = monitor
        self._sleep = sleep
        self._custom_transport = _transport_over_client(http_client, uploading=False)
        self._custom_upload_transport = _transport_over_client(upload_http_client, uploading=True)
        self._lock = threading.Lock()
        self._transports: dict[tuple[bytes, bytes, bool], Transport] = {}
        self._closed = False
        install_log_filters(settings)

    def run(
        self,
        flow: Flow[T],
        timeouts: Timeouts,
        *,
        source: Source | None = None,
        progress: Progress | None = None,
        save: Callable[[bytes], OSError | None] | None = None,
    ) -> T:
        """Drive a flow to its end.

        Args:
            flow: The flow.
            timeouts: The limits of each request.
            source: What `Put` sends.
            progress: Called with the bytes sent so far and their total.
            save: What `Save` writes with.
        """
        if self._closed:
            raise ConfigurationError("This client is closed; make a new one.")
        outcome: object = None
        while True:
            try:
                effect = flow.send(outcome)
            except StopIteration as stop:
                result: T = stop.value
                return result
            # Apart, so that a StopIteration that an application's callback raises is not taken for the flow's end.
            outcome = self._perform(effect, timeouts, source, progress, save)

    def _perform(
        self,
        effect: Effect,
        timeouts: Timeouts,
        source: Source | None,
        progress: Progress | None,
        save: Callable[[bytes], OSError | None] | None,
    ) -> object:
        match effect:
            case Send():
                request = http.build_api_request(
                    effect, self._settings, timeouts, queued=self._custom_transport is None
                )
                outcome = self._exchange(request, self._custom_transport, uploading=False)
                if self._watch is not None and isinstance(outcome, Response):
                    self._watch.check(effect, outcome)
                return outcome
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
                return self._put(effect, timeouts, source, progress)

    def _put(
        self, effect: Put, timeouts: Timeouts, source: Source | None, progress: Progress | None
    ) -> Response | TransportFailure:
        if source is None:
            raise RuntimeError("a flow asked for an upload that has no source")
        # Closed in any case, so that the file is closed however the exchange ends.
        with contextlib.closing(iter_with_progress(source, progress)) as content:
            try:
                request = http.build_upload_request(effect, source, content, timeouts)
            except http.InvalidUrlError as error:
                return http.classify_error(error)
            return self._exchange(request, self._custom_upload_transport, uploading=True)

    def _exchange(
        self, request: httpcore.Request, own: Transport | None, *, uploading: bool
    ) -> Response | TransportFailure:
        info, _ = self._hooks.before_request(request)
        started = time.monotonic()
        outcome: Response | TransportFailure
        try:
            line = own or instrumented(self._transport_for(request.url, uploading=uploading))
            response = line.handle_request(request)
            try:
                gathered = http.ResponseReader(
                    response, http.MAX_STORE_RESPONSE_BYTES if uploading else http.MAX_RESPONSE_BYTES
                )
                for part in response.iter_stream():
                    gathered.add(part)
                outcome = gathered.response()
            finally:
                response.close()
        except CallbackError as error:
            raise error.reason from None
        except (AssertionError, ConfigurationError):
            # A test's own transport fails its test: what respx or a contract check says is no broken connection.
            raise
        except Exception as error:  # noqa: BLE001 - http.failure says why
            outcome = http.classify_error(error)
        self._hooks.after_response(info, started, outcome)
        return outcome

    def _transport_for(self, url: httpcore.URL, *, uploading: bool) -> Transport:
        origin = (url.scheme, url.host, uploading)
        line = self._transports.get(origin)
        if line is not None:
            return line
        with self._lock:
            if self._closed:
                raise ConfigurationError("This client is closed; make a new one.")
            if origin not in self._transports:
                self._transports[origin] = open_transport(url, uploading=uploading)
            return self._transports[origin]

    def close(self) -> None:
        """Close the connections that this shell opened; a client that was passed in stays open."""
        with self._lock:
            self._closed = True
            lines = list(self._transports.values())
            self._transports.clear()
        for line in lines:
            line.close()


def _transport_over_client(client: httpx.Client | None, *, uploading: bool) -> Transport | None:
    if client is None:
        return None
    from .httpx_lines import client_transport

    return client_transport(client, uploading=uploading)
