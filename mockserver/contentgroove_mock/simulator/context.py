"""The state that all parts of a simulator share: service, clock, files, request log and webhook sender."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from contentgroove_mock.simulator.web.requests_log import RequestsLog
from contentgroove_mock.simulator.webhook_sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

    from contentgroove_mock.simulator.clock import Clock
    from contentgroove_mock.simulator.core.service import Service
    from contentgroove_mock.simulator.storage import FileStore, StateFile


class SimulatorContext:
    """Everything that the routes and the methods of a simulator share.

    Attributes:
        api_keys: The keys that are accepted; None accepts any.
    """

    def __init__(
        self,
        service: Service,
        clock: Clock,
        files: FileStore,
        *,
        state_file: StateFile | None,
        api_keys: frozenset[str] | None,
        webhook_client: httpx.AsyncClient | None,
        allow_remote_webhooks: bool,
    ) -> None:
        self._service = service
        # Requests come from an event loop, control calls from any thread.
        self._lock = threading.RLock()
        self._state_file = state_file
        self.clock = clock
        self.files = files
        self.api_keys = api_keys
        self.log = RequestsLog()
        self.sender = WebhookSender(
            self.locked_service,
            clock,
            service.policy,
            client=webhook_client,
            allow_remote=allow_remote_webhooks,
        )

    @contextlib.contextmanager
    def locked_service(self) -> Generator[Service]:
        """Lock the service for one change, and store the changed state afterwards."""
        with self._lock:
            try:
                yield self._service
            finally:
                while self._service.discarded:
                    self.files.discard(self._service.discarded.pop())
                if self._state_file is not None:
                    self._state_file.save(self._service.state)
