"""Faults of the connection, which are not HTTP responses.

Over a socket they act on the server's transport: a reset is a real RST, and a truncated response ends before its
Content-Length. In process, under `httpx.ASGITransport`, they raise the httpx error that a client would receive.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, cast

from starlette.responses import Response

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

TRANSPORT = "contentgroove_transport"
"""The key of a request's connection in its state."""

NO_LINGERING = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""The value of SO_LINGER that is on, for 0 seconds; Windows has short numbers there."""


class ResetResponse(Response):
    """Resets the connection instead of sending a response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset it."""
        del send
        transport = _transport(scope)
        if transport is None:
            raise _in_process("ReadError", "The connection was reset by a fault")
        # Closing a socket that lingers for 0 seconds sends RST instead of FIN.
        endpoint = cast("socket.socket", transport.get_extra_info("socket"))
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
        transport.abort()
        await _disconnected(receive)


class TruncatedResponse(Response):
    """A response that ends after some bytes of its body, and the connection with it."""

    def __init__(self, response: Response, after_bytes: int) -> None:
        super().__init__(status_code=response.status_code)
        self.raw_headers = response.raw_headers
        self._part = bytes(response.body)[:after_bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send that part and close the connection."""
        transport = _transport(scope)
        if transport is None:
            raise _in_process("RemoteProtocolError", "The response was truncated by a fault")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._part, "more_body": True})
        transport.close()
        await _disconnected(receive)


def _transport(scope: Scope) -> asyncio.Transport | None:
    state: dict[str, object] = scope.get("state") or {}
    return cast("asyncio.Transport | None", state.get(TRANSPORT))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _in_process(error: str, message: str) -> Exception:
    # Only reached by a client that has already loaded httpx; a served simulator need not load it.
    import httpx

    return cast("Exception", getattr(httpx, error)(message))
