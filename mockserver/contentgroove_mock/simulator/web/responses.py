"""Responses: JSON and errors, files, and those of faults of the connection, which are not HTTP responses.

Over a socket these faults act on the server's transport: a reset is a real RST, and a truncated response ends before
its Content-Length. In process, under `httpx.ASGITransport`, they raise the httpx error that a client would receive.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING, cast

import msgspec
from starlette.responses import FileResponse, Response

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from contentgroove_mock.simulator.core.errors import ErrorResponse

TRANSPORT = "contentgroove_transport"
"""The key of a request's connection in its state."""
NO_LINGERING = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""The value of SO_LINGER that is on, for 0 seconds; Windows has short numbers there."""


# (assumed: content-type-json)
def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Create a response with JSON."""
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def error_response(error: ErrorResponse) -> Response:
    """Create an HTTP response from an error response of the service."""
    return json_response(error.body, error.status, error.headers)


class StoredFileResponse(FileResponse):
    """A file response that closes its file even if it is cancelled while a thread opens the file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file until it is sent or cancelled."""
        cancelled = False

        async def unless_cancelled(message: Message) -> None:
            if cancelled:
                raise asyncio.CancelledError
            await send(message)

        sending = asyncio.ensure_future(super().__call__(scope, receive, unless_cancelled))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            cancelled = True
            await asyncio.wait([sending])
            raise


class ResetResponse(Response):
    """Resets the connection instead of sending a response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reset it."""
        del send
        transport = _transport(scope, "ReadError", "The connection was reset by a fault")
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
        transport = _transport(scope, "RemoteProtocolError", "The response was truncated by a fault")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._part, "more_body": True})
        transport.close()
        await _disconnected(receive)


def _transport(scope: Scope, error: str, message: str) -> asyncio.Transport:
    state: dict[str, object] = scope.get("state") or {}
    if TRANSPORT not in state:
        # Only reached in process, by a client that has already loaded httpx; a served simulator need not load it.
        import httpx

        raise cast("Exception", getattr(httpx, error)(message))
    return cast("asyncio.Transport", state[TRANSPORT])


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
