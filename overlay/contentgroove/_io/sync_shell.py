"""The sync shell: performs what flows ask for."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from contentgroove._core.effects import Ask, Effect, Failure, Notify, Put, Reply, Save, Send, Sleep
from contentgroove.errors import ConfigurationError

from . import http
from .connections import new_line, observable
from .log_redaction import protect_logs
from .progress import CallbackError, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpcore
    import httpx

    from contentgroove._core.effects import Flow
    from contentgroove._core.settings import Settings

    from .connections import Line
    from .contract import ContractWatch
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
        *,
        watch: ContractWatch | None,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._watch = watch
        self._sleep = sleep
        self._own = _line_of(http_client, uploading=False)
        self._own_for_uploads = _line_of(upload_http_client, uploading=True)
        self._lock = threading.Lock()
        self._lines: dict[tuple[bytes, bytes, bool], Line] = {}
        self._closed = False
        protect_logs(settings)

    def run(
        self,
        flow: Flow[T],
        timeouts: http.Timeouts,
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
        timeouts: http.Timeouts,
        source: Source | None,
        progress: Progress | None,
        save: Callable[[bytes], OSError | None] | None,
    ) -> object:
        match effect:
            case Send():
                request = http.api_request(effect, self._settings, timeouts, queued=self._own is None)
                outcome = self._exchange(request, self._own, uploading=False)
                if self._watch is not None and isinstance(outcome, Reply):
                    self._watch.see(effect, outcome)
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
        self, effect: Put, timeouts: http.Timeouts, source: Source | None, progress: Progress | None
    ) -> Reply | Failure:
        if source is None:
            raise RuntimeError("a flow asked for an upload that has no source")
        # Closed in any case, so that the file is closed however the exchange ends.
        with contextlib.closing(counted(source, progress)) as content:
            try:
                request = http.store_request(effect, source, content, timeouts)
            except http.UnsendableUrlError as error:
                return http.failure(error)
            return self._exchange(request, self._own_for_uploads, uploading=True)

    def _exchange(self, request: httpcore.Request, own: Line | None, *, uploading: bool) -> Reply | Failure:
        info, _ = self._hooks.before(request)
        started = time.monotonic()
        outcome: Reply | Failure
        try:
            line = own or observable(self._line(request.url, uploading=uploading))
            answer = line.handle_request(request)
            try:
                gathered = http.Gathered(answer, http.MAX_STORE_ANSWER if uploading else http.MAX_ANSWER)
                for part in answer.iter_stream():
                    gathered.add(part)
                outcome = gathered.reply()
            finally:
                answer.close()
        except CallbackError as error:
            raise error.reason from None
        except (AssertionError, ConfigurationError):
            # A test's own transport fails its test: what respx or a contract check says is no broken connection.
            raise
        except Exception as error:  # noqa: BLE001 - http.failure says why
            outcome = http.failure(error)
        self._hooks.after(info, started, outcome)
        return outcome

    def _line(self, url: httpcore.URL, *, uploading: bool) -> Line:
        place = (url.scheme, url.host, uploading)
        line = self._lines.get(place)
        if line is not None:
            return line
        with self._lock:
            if self._closed:
                raise ConfigurationError("This client is closed; make a new one.")
            if place not in self._lines:
                self._lines[place] = new_line(url, uploading=uploading)
            return self._lines[place]

    def close(self) -> None:
        """Close the connections that this shell opened; a client that was passed in stays open."""
        with self._lock:
            self._closed = True
            lines = list(self._lines.values())
            self._lines.clear()
        for line in lines:
            line.close()


def _line_of(client: httpx.Client | None, *, uploading: bool) -> Line | None:
    if client is None:
        return None
    from .httpx_lines import over_client

    return over_client(client, uploading=uploading)
