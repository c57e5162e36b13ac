"""uvicorn's HTTP/1.1 protocol, extended for faults."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contentgroove_mock.simulator.web.connection import TRANSPORT

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import H11Protocol as AutoHTTPProtocol
    from uvicorn.server import ServerState
else:
    # Uses httptools if it is installed, a parser in C that saves a third of a small request's time, and h11 otherwise.
    from uvicorn.protocols.http.auto import AutoHTTPProtocol


class HttpProtocol(AutoHTTPProtocol):
    """uvicorn's HTTP/1.1, with the connection in the scope's state, and with half-closed requests."""

    def __init__(self, config: Config, server_state: ServerState) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        # uvicorn's own loggers belong to the process, and its access log would contain keys in queries.
        self.logger = logging.getLogger("contentgroove_mock.server")
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Make the connection available to its requests."""
        self.app_state = {TRANSPORT: transport}
        super().connection_made(transport)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio allows a truth value
        """Let the application respond to a client that ended its body early; otherwise close, as uvicorn does."""
        cycle = self.cycle
        # None until the first request, though uvicorn declares otherwise.
        if cycle is None or cycle.response_complete or not cycle.more_body:  # pyright: ignore[reportUnnecessaryComparison]
            return False
        cycle.more_body = False
        cycle.message_event.set()
        return True
