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
    from collections.abc import Generator

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
        api_keys: The keys that are accepted; None accepts any.
        requests: The last 10,000 requests, oldest first; credentials are replaced before they are stored.
    """

    def __init__(
        self,
        service: Service,
        clock: Clock,
        storage: Storage,
        *,
        api_keys: frozenset[str] | None,
        webhook_client: httpx.AsyncClient | None,
        allow_remote_webhooks: bool,
    ) -> None:
        self._service = service
        # Requests come from an event loop, control calls from any thread.
        self._lock = threading.RLock()
        self.clock = clock
        self.storage = storage
        self.api_keys = api_keys
        self.requests: deque[RequestRecord] = deque(maxlen=_MAX_REQUESTS)
        self.sender = WebhookSender(
            self.locked_service, clock, service.policy, client=webhook_client, allow_remote=allow_remote_webhooks
        )

    @contextlib.contextmanager
    def locked_service(self) -> Generator[Service]:
        """Lock the service for one change, and store what has changed afterwards."""
        with self._lock:
            try:
                yield self._service
            finally:
                while self._service.discarded:
                    self.storage.delete_file(self._service.discarded.pop())
                self.storage.save(self._service.state)

    def close_state_file(self) -> None:
        """Close the state file until the next change, so that another simulator can use it."""
        with self._lock:
            self.storage.close()

    async def take_fault(self, operation: str, request: Request) -> Fault | None:
        """Return the fault that happens to a request, if any, after its latency."""
        with self.locked_service() as service:
            fault = service.faults.take(operation, request.path_params.get("id", ""))
        if fault is not None and fault.kind == "latency":
            await self.clock.sleep(fault.seconds)
        return fault

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
