"""The `IO` of sync clients."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove._core.io import CallbackError
from contentgroove._core.responses import Response, TransportFailure
from contentgroove._core.tracebacks import drop_frames

from . import http
from .connections import instrumented, open_transport
from .foreign_errors import foreign_error
from .hooks import call_hook, install_log_filters
from .stopping import Step, Stop, closed_error, running_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpcore
    import httpx
    from contentgroove_api.types import Request

    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.secret import Secret
    from contentgroove._core.settings import Settings

    from .contract_monitor import ContractMonitor
    from .hooks import Hooks
    from .http import OwnTransport, Transport

T = TypeVar("T")


class _Process:
    """What one process has of a client: after a fork, neither connections nor locks of the parent may be used.

    Attributes:
        stop: Ends what runs when the client is closed.
        lock: Held while a transport is opened.
        transports: Those that were opened, by scheme, host, port and purpose.
    """

    def __init__(self) -> None:
        self.stop = Stop()
        self.lock = threading.Lock()
        self.transports: dict[tuple[bytes, bytes, int | None, bool], OwnTransport] = {}


class SyncIO:
    """Sends requests, sleeps and calls back without suspending; one per client, shared by its threads."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        sleep: Callable[[float], object] | None,
        http_client: httpx.Client | None,
        upload_http_client: httpx.Client | None,
        *,
        monitor: ContractMonitor | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._monitor = monitor
        self._sleep = sleep
        self._custom_transport = _transport_over_client(http_client, uploading=False)
        self._custom_upload_transport = _transport_over_client(upload_http_client, uploading=True)
        self._http_client = http_client
        self._processes = {os.getpid(): _Process()}
        self._closed = False
        install_log_filters(settings)

    async def send(self, request: Request, timeouts: Timeouts, time_limit: float | None) -> Response | TransportFailure:
        """See `IO.send`."""
        self._require_open()
        outgoing = http.build_api_request(
            request, self._settings, timeouts, time_limit, queued=self._custom_transport is None
        )
        outcome = self._exchange(outgoing, self._custom_transport, uploading=False)
        if self._monitor is not None and isinstance(outcome, Response):
            self._monitor.check(request, outcome)
        return outcome

    async def put_file(
        self, url: Secret, source: Source, progress: Progress | None, timeouts: Timeouts
    ) -> Response | TransportFailure:
        """See `IO.put_file`."""
        self._require_open()
        # Closed explicitly, so that the file is closed however the exchange ends.
        with contextlib.closing(iter_with_progress(source, progress)) as content:
            try:
                request = http.build_upload_request(url, source, content, timeouts)
            except http.InvalidUrlError as error:
                return http.classify_error(error, None, sent=False)
            return self._exchange(request, self._custom_for_upload(request.url), uploading=True)

    async def sleep(self, seconds: float) -> None:
        """See `IO.sleep`."""
        step = Step()
        stops = self._stops(uploading=True)
        try:
            for stop in stops:
                stop.begin(step)
            if self._sleep is None:
                step.wait(seconds)
            elif not step.stopped:
                self._sleep(seconds)
        finally:
            for stop in stops:
                stop.end(step)
        self._require_open(while_running=True)

    async def notify(self, callback: Callable[[Any], object], value: object) -> None:
        """See `IO.notify`."""
        callback(value)

    async def warn(self, message: str) -> None:
        """See `IO.warn`."""
        http.logger.warning(message)

    async def call_blocking(self, call: Callable[[], T], *, abandon: bool = True) -> T:
        """See `IO.call_blocking`."""
        del abandon
        return call()

    def _custom_for_upload(self, url: httpcore.URL) -> Transport | None:
        """Return what an upload is sent with, None for own connections: the proxy of the calls is that of uploads."""
        client = self._http_client
        if self._custom_upload_transport is not None or client is None:
            return self._custom_upload_transport
        from .httpx_transports import client_transport, uses_proxy

        return client_transport(client, uploading=True) if uses_proxy(client, url) else None

    def _trusts_environment(self) -> bool:
        return self._http_client is None or self._http_client.trust_env

    def _require_open(self, *, while_running: bool = False) -> None:
        if (batch := running_batch()) is not None:
            batch.require_running()
        if self._closed:
            raise closed_error(while_running=while_running)

    def _stops(self, *, uploading: bool) -> tuple[Stop, ...]:
        batch = running_batch()
        stop = self._process().stop
        return (stop,) if batch is None else (stop, batch.stop_of(calls=not uploading))

    def _exchange(
        self, request: httpcore.Request, custom: Transport | None, *, uploading: bool
    ) -> Response | TransportFailure:
        info = self._hooks.describe(request)
        if info is not None:
            call_hook(self._hooks.before_request, info)
        started = time.monotonic()
        step = Step()
        stops = self._stops(uploading=uploading)
        try:
            for stop in stops:
                stop.begin(step)
            outcome = self._send(request, custom, step, uploading=uploading)
        finally:
            for stop in stops:
                stop.end(step)
        if step.stopped and isinstance(outcome, TransportFailure):
            outcome = self._stopped(outcome, uploading=uploading)
        if info is not None:
            call_hook(self._hooks.after_response, info, started, outcome)
        return outcome

    def _send(
        self, request: httpcore.Request, custom: Transport | None, step: Step, *, uploading: bool
    ) -> Response | TransportFailure:
        outer = sys.exception()
        try:
            if custom is None:
                step.sent = False
                http.extensions_of(request)[http.STEP] = step
            transport = custom or instrumented(self._transport_for(request.url, uploading=uploading))
            response = transport.handle_request(request)
            try:
                reader = http.ResponseReader(response, uploading=uploading)
                for chunk in response.iter_stream():
                    reader.add(chunk)
                return reader.response()
            finally:
                response.close()
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

    def _stopped(self, failure: TransportFailure, *, uploading: bool) -> TransportFailure:
        """Return the failure of a call that another thread has ended; raise what ends an upload."""
        if (batch := running_batch()) is not None:
            batch.require_running()
        if uploading:
            raise closed_error(while_running=True) from failure.cause
        return TransportFailure("closed", failure.may_have_arrived, failure.cause)

    def _transport_for(self, url: httpcore.URL, *, uploading: bool) -> Transport:
        process = self._process()
        origin = (url.scheme, url.host, url.port, uploading)
        transport = process.transports.get(origin)
        if len(process.transports) > 1:
            # That of this host looks at its own connections.
            for other in tuple(process.transports.values()):
                if other is not transport:
                    other.drop_stale()
        if transport is not None:
            return transport
        with process.lock:
            self._require_open()
            if origin not in process.transports:
                process.transports[origin] = open_transport(
                    url, uploading=uploading, trust_env=self._trusts_environment()
                )
            return process.transports[origin]

    def _process(self) -> _Process:
        """Return what this process has; after a fork, drop what the parent has."""
        pid = os.getpid()
        process = self._processes.get(pid)
        if process is None:
            for other in tuple(self._processes):
                inherited = self._processes.pop(other, None) if other != pid else None
                for transport in () if inherited is None else tuple(inherited.transports.values()):
                    transport.forget()
            process = self._processes.setdefault(pid, _Process())
        return process

    def close(self) -> None:
        """Close the client's own connections and end what runs; an HTTP client that was passed in stays open."""
        self._closed = True
        process = self._process()
        process.stop.set()
        with process.lock:
            transports = list(process.transports.values())
            process.transports.clear()
        for transport in transports:
            transport.close()


def iter_with_progress(source: Source, progress: Progress | None) -> Generator[bytes, None, None]:
    """Yield a source's chunks, and report each when the next is requested: then it was passed to the network."""
    from .upload_progress import report_progress

    sent = 0
    report_progress(progress, sent, source.size)
    for chunk in source.chunks():
        yield chunk
        sent += len(chunk)
        report_progress(progress, sent, source.size)


def _transport_over_client(client: httpx.Client | None, *, uploading: bool) -> Transport | None:
    if client is None:
        return None
    from .httpx_transports import client_transport

    return client_transport(client, uploading=uploading)
