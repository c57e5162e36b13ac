"""The state that all parts of a simulator share: service, clock, files, webhook sender and the log of requests."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from contentgroove_api import Times  # noqa: TC002  # msgspec reads the fields' types at run time
from msgspec import Struct

from contentgroove_mock.simulator.webhook_sender import WebhookSender

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Generator

    import httpx
    from starlette.requests import Request

    from contentgroove_mock.simulator.clock import Clock
    from contentgroove_mock.simulator.core.faults import Fault
    from contentgroove_mock.simulator.core.service import Service
    from contentgroove_mock.simulator.files import Storage

_MAX_REQUESTS = 10_000
_REDACTED = "REDACTED"
_SECRET_PARAMETERS = re.compile(r"api_key|x-amz-.*", re.IGNORECASE | re.DOTALL)
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})


class RequestRecord(Struct, kw_only=True):
    """One request.

    Attributes:
        operation: The operationId, or `upload` for a PUT to the file store.
        query: Names and values; the values of credentials are REDACTED.
        headers: Values by lower-case name; those of credentials are REDACTED.
        status: The status of the response; None before it is sent, or if the connection was reset.
    """

    at: Times.datetime
    operation: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    status: int | None = None


class SimulatorContext:
    """Everything that the routes and the methods of a simulator share.

    Attributes:
        requests: The last 10,000 requests, oldest first; credentials are replaced before they are stored.
        on_change: Called after each change of the service, in any thread; the lock is then held.
        on_clear: Called after the log of requests was emptied.
    """

    def __init__(
        self,
        service: Service,
        clock: Clock,
        storage: Storage,
        *,
        webhook_client: httpx.AsyncClient | None,
        webhook_context: ssl.SSLContext | None,
        allow_remote_webhooks: bool,
    ) -> None:
        self._service = service
        # Requests come from an event loop, control calls from any thread.
        self._lock = threading.RLock()
        self.clock = clock
        self.storage = storage
        self.requests: deque[RequestRecord] = deque(maxlen=_MAX_REQUESTS)
        self.on_change: Callable[[], object] = lambda: None
        self.on_clear: Callable[[], object] = lambda: None
        self.sender = WebhookSender(
            self.locked_service,
            clock,
            client=webhook_client,
            context=webhook_context,
            allow_remote=allow_remote_webhooks,
        )
        self._kept_files: set[str] = set()

    @contextlib.contextmanager
    def locked_service(self) -> Generator[Service]:
        """Lock the service for one change, and store what has changed afterwards."""
        with self._lock:
            try:
                yield self._service
            finally:
                while self._service.discarded:
                    if (path := self._service.discarded.pop()) not in self._kept_files:
                        self.storage.delete_file(path)
                self.storage.save(self._service.state)
                self.on_change()

    @contextlib.contextmanager
    def service_to_read(self) -> Generator[Service]:
        """Lock the service for what changes nothing."""
        with self._lock:
            yield self._service

    def close_state_file(self) -> None:
        """Close the state file until the next change, so that another simulator can use it."""
        with self._lock:
            self.storage.close()

    async def take_fault(self, operation: str, request: Request) -> Fault | None:
        """Return the fault that happens to a request, if any, after its latency and that of all responses."""
        with self.locked_service() as service:
            fault = service.faults.take(operation, request.path_params.get("id", ""))
            seconds = service.latency
        if fault is not None and fault.kind == "latency":
            seconds += fault.seconds
        await self.delay(seconds)
        return fault

    async def delay(self, seconds: float | None = None) -> None:
        """Wait on the simulator's clock, by default for the latency of all responses."""
        if seconds is None:
            with self.locked_service() as service:
                seconds = service.latency
        if seconds:
            await self.clock.sleep(seconds)

    def keep_files(self, paths: Collection[str]) -> None:
        """Keep uploaded files although nothing refers to them any longer, because a snapshot does."""
        self._kept_files.update(paths)

    def clear_requests(self) -> None:
        """Empty the log of requests."""
        self.requests.clear()
        self.on_clear()

    def record_request(self, request: Request, operation: str) -> RequestRecord:
        """Add a request to the log; its status is set later."""
        query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        record = RequestRecord(
            at=self.clock.now(),
            operation=operation,
            method=request.method,
            path=request.scope["path"],
            query=[(name, _REDACTED if _SECRET_PARAMETERS.fullmatch(name) else value) for name, value in query],
            headers={name: _REDACTED if name in _SECRET_HEADERS else value for name, value in request.headers.items()},
        )
        self.requests.append(record)
        return record
