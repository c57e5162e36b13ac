"""The `IO` of sync clients."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove._core.io import CallbackError
from contentgroove._core.responses import Response
from contentgroove._core.tracebacks import drop_frames
from contentgroove.errors import ConfigurationError

from . import http
from .connections import instrumented, open_transport
from .hooks import install_log_filters

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpcore
    import httpx
    from contentgroove_api.types import Request

    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.responses import TransportFailure
    from contentgroove._core.secret import Secret
    from contentgroove._core.settings import Settings

    from .contract_monitor import ContractMonitor
    from .hooks import Hooks
    from .http import Transport

T = TypeVar("T")


class SyncIO:
    """Sends requests, sleeps and calls back without suspending; one per client, shared by its threads."""

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        sleep: Callable[[float], object],
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
        self._lock = threading.Lock()
        self._transports: dict[tuple[bytes, bytes, bool], Transport] = {}
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
                return http.classify_error(error, None)
            return self._exchange(request, self._custom_upload_transport, uploading=True)

    async def sleep(self, seconds: float) -> None:
        """See `IO.sleep`."""
        self._sleep(seconds)

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

    def _require_open(self) -> None:
        if self._closed:
            raise ConfigurationError("This client is closed: create a new one.")

    def _exchange(
        self, request: httpcore.Request, custom: Transport | None, *, uploading: bool
    ) -> Response | TransportFailure:
        info = self._hooks.describe(request)
        if info is not None:
            self._hooks.before_request(info)
        started, outer = time.monotonic(), sys.exception()
        outcome: Response | TransportFailure
        try:
            transport = custom or instrumented(self._transport_for(request.url, uploading=uploading))
            response = transport.handle_request(request)
            try:
                reader = http.ResponseReader(response, uploading=uploading)
                for chunk in response.iter_stream():
                    reader.add(chunk)
                outcome = reader.response()
                # A hook that raises shows the variables of this function.
                chunk = b""
            finally:
                response.close()
        except AssertionError:
            # A test's own transport fails its test: an error of respx or a contract check is not a broken connection.
            raise
        except (CallbackError, ConfigurationError) as error:
            raise error.with_traceback(None)  # noqa: B904 - the same error, without its frames
        except Exception as error:  # noqa: BLE001 - see classify_error
            outcome = http.classify_error(error, outer)
        except BaseException as error:
            drop_frames(error, outer)
            raise
        if info is not None:
            self._hooks.after_response(info, started, outcome)
        return outcome

    def _transport_for(self, url: httpcore.URL, *, uploading: bool) -> Transport:
        origin = (url.scheme, url.host, uploading)
        transport = self._transports.get(origin)
        if transport is not None:
            return transport
        with self._lock:
            self._require_open()
            if origin not in self._transports:
                self._transports[origin] = open_transport(url, uploading=uploading)
            return self._transports[origin]

    def close(self) -> None:
        """Close the client's own connections; an HTTP client that was passed in stays open."""
        with self._lock:
            self._closed = True
            transports = list(self._transports.values())
            self._transports.clear()
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
