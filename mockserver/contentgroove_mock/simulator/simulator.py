"""The public simulator: an ASGI application, with methods that control it."""

from __future__ import annotations

import random
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from contentgroove_mock.simulator.clock import Clock, SystemClock
from contentgroove_mock.simulator.context import SimulatorContext
from contentgroove_mock.simulator.control.accounts import AccountControls
from contentgroove_mock.simulator.control.faults import DeliveryControls, FaultControls
from contentgroove_mock.simulator.control.resources import ResourceControls
from contentgroove_mock.simulator.control.states import Start, StateControls
from contentgroove_mock.simulator.core.accounts import Keys, account_of_key
from contentgroove_mock.simulator.core.errors import method_not_allowed, not_found, server_error
from contentgroove_mock.simulator.core.policies import Policy
from contentgroove_mock.simulator.core.records import Ids
from contentgroove_mock.simulator.core.seeds import SeedData
from contentgroove_mock.simulator.core.service import Service
from contentgroove_mock.simulator.files import Storage
from contentgroove_mock.simulator.seed_files import read_seed_data
from contentgroove_mock.simulator.web.api import api_routes
from contentgroove_mock.simulator.web.control import PATH, control_routes, unknown_route
from contentgroove_mock.simulator.web.file_store import store_routes
from contentgroove_mock.simulator.web.responses import error_response
from contentgroove_mock.simulator.webhook_client import trust

if TYPE_CHECKING:
    from collections.abc import Collection

    import httpx
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from contentgroove_mock.inspector.pages import Inspector
    from contentgroove_mock.simulator.seed_files import SeedSource


class Simulator(ResourceControls, AccountControls, FaultControls, DeliveryControls, StateControls):
    """An ASGI application that behaves like the ContentGroove service.

    Serve it with `serve`, or pass it to `httpx.ASGITransport`. Every API key has its own account. Where the
    provider's documentation leaves something open, this package refers to entries of the ledger of assumptions.

    Methods that change something may be called from any thread. `advance`, `finish_media` and `redeliver` return
    after the webhooks that became due were attempted, except inside the event loop that sends them: there, await
    `wait_until_idle` afterwards.

    Attributes:
        on_replace: Called before `reset`, `restore` or `replace_data` replaces records, unless it is None.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        policy: Policy | None = None,
        api_keys: Collection[str] | None = None,
        control: bool = False,
        webhook_client: httpx.AsyncClient | None = None,
        webhook_ca: Path | str | None = None,
        allow_remote_webhooks: bool = False,
        seed: int | None = None,
        state_file: Path | str | None = None,
        data: SeedSource | None = None,
        latency: float = 0.0,
    ) -> None:
        """Create a service without any resources, or with those of a state file, or with seed data.

        Args:
            clock: The clock to run by; by default one that runs by itself.
            policy: Delays, sizes and limits.
            api_keys: The keys to accept; by default any non-empty key.
            control: Whether to serve the inspector's page at `/_mock/` and the control interface below it; then each
                exchange of the API is checked against the contract.
            webhook_client: The client to send webhooks with; by default its own client, which uses no proxy.
            webhook_ca: The PEM file of a certificate authority that webhooks to https URLs trust as well.
            allow_remote_webhooks: Whether webhooks may leave this machine; by default only loopback URLs receive any.
            seed: Makes ids repeatable.
            state_file: The file that keeps everything across restarts; uploaded files are kept next to it.
            data: What accounts have at the start, or the JSON or YAML file with it; a state file that has resources
                already gets none of it.
            latency: How many seconds later each response is sent.

        Raises:
            ValueError: The state file is not a simulator's state, the data is wrong, the CA's file has no certificate,
                or arguments exclude each other: a seed with a state file would repeat ids.
            OSError: A file cannot be read or written.
        """
        if seed is not None and state_file is not None:
            raise ValueError("Pass either seed or state_file: with both, ids would repeat after a restart")
        if webhook_ca is not None and webhook_client is not None:
            raise ValueError("Pass either webhook_ca or webhook_client: a client decides itself which CAs it trusts")
        keys = _keys(api_keys)
        seeds = SeedData() if data is None else read_seed_data(data)
        storage = Storage(None if state_file is None else Path(state_file))
        # A seed repeats ids, which is why it was requested.
        source = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311
        service = Service(policy or Policy(), source, storage.load(), keys)
        # Written now, so that a file that cannot be written is an error here and not in the first request.
        storage.save(service.state)
        self._context = SimulatorContext(
            service,
            clock or SystemClock(),
            storage,
            webhook_client=webhook_client,
            webhook_context=None if webhook_ca is None else trust(webhook_ca),
            allow_remote_webhooks=allow_remote_webhooks,
        )
        self._start = Start(
            service.policy,
            _keys(api_keys),
            latency,
            seeds,
            lambda: Ids(source if seed is None else random.Random(seed)),  # noqa: S311  # as above
        )
        self._saved = {}
        self.on_replace = None
        self.latency = latency
        if data is not None and not service.state.accounts:
            self.add_data(data)
        self._respond: ASGIApp = self._respond_with_date
        routes: list[BaseRoute] = [*api_routes(self._context), *store_routes(self._context)]
        self._has_control = control
        self._inspector: Inspector | None = None
        if control:
            # Loaded here because it compiles the contract, which most simulators do not need.
            from contentgroove_mock.inspector.pages import Inspector

            self._inspector = Inspector(self._context, self._saved)
            self._respond = self._inspector.recorded(self._respond)
            routes += [*self._inspector.routes(), *control_routes(self, Simulator)]
        self._app = Starlette(
            routes=routes, exception_handlers=dict.fromkeys((HTTPException, Exception), self._on_error)
        )
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        self._context.sender.ensure_running()
        await self._respond(scope, receive, send)

    async def _respond_with_date(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_date(message: Message) -> None:
            # (assumed: date-header)
            # An origin server dates its responses (RFC 9110, 6.6.1); here by the simulator's clock.
            if message["type"] == "http.response.start":
                date = format_datetime(self._context.clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        await self._app(scope, receive, send_with_date)

    async def _on_error(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return error_response(server_error(500))
        if error.status_code == 405:  # noqa: PLR2004  # method not allowed
            allowed = sorted(set((error.headers or {}).get("Allow", "").split(", ")) - {"HEAD"})
            return error_response(method_not_allowed(allowed))
        path: str = request.scope["path"]
        if path == PATH or path.startswith(f"{PATH}/"):
            return error_response(unknown_route(request, Simulator, is_served=self._has_control))
        return error_response(not_found())


def _keys(api_keys: Collection[str] | None) -> Keys:
    if isinstance(api_keys, str):
        raise ValueError("api_keys must be a collection of keys, not a single str: pass [key]")  # noqa: TRY004  # as documented
    return Keys(accepted=None if api_keys is None else {account_of_key(key) for key in api_keys})
