"""Faults on the connection itself, which no HTTP answer can express.

Over a socket they act on the server's transport: a reset is a real RST, a cut answer ends before its Content-Length.
In process, under `httpx.ASGITransport`, there is no connection; the httpx error is raised that a client would meet.
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
"""Where a request's state holds the connection it came by."""


NO_LINGERING = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""On, for no seconds; Windows has short numbers there."""


class ResetResponse(Response):
    """Instead of an answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset it."""
        del send
        transport = _transport(scope)
        if transport is None:
            raise _in_process("ReadError", "The connection was reset by a fault")
        # Closing a socket that lingers for no time sends RST instead of FIN.
        endpoint = cast("socket.socket", transport.get_extra_info("socket"))
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
        transport.abort()
        await _disconnected(receive)


class TruncatedResponse(Response):
    """An answer that ends after some bytes of its body, the connection with it."""

    def __init__(self, whole: Response, after_bytes: int) -> None:
        super().__init__(status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self._part = bytes(whole.body)[:after_bytes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the part."""
        transport = _transport(scope)
        if transport is None:
            raise _in_process("RemoteProtocolError", "The answer was cut short by a fault")
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
    # Only a client that has httpx loaded already comes here; a served simulator need not load it.
    import httpx

    return cast("Exception", getattr(httpx, error)(message))
