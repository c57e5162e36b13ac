"""Stands in front of a simulator: it records what reaches it, and can take away what its defence looks at."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 10.0
"""The seconds after which a request that should come counts as lost."""

_TOLD_BY_BROWSERS = frozenset({b"origin", b"referer", b"host", b"content-type"})
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", b"*"),
]


class Arrival(NamedTuple):
    """A request that reached the gate; the method of a WebSocket's is `websocket`."""

    method: str
    path: str


@dataclass(eq=False)
class Gate:
    """An ASGI application.

    Attributes:
        inner: The application behind it.
        is_open: True makes every request look like one of a program of this machine, and lets every page read the
            response: what happens to a server without any defence. Then an attack that changes nothing proves nothing.
        arrived: What reached the gate, and was responded to.
    """

    inner: ASGIApp
    is_open: bool = False
    arrived: list[Arrival] = field(default_factory=list[Arrival])
    _changed: threading.Condition = field(default_factory=threading.Condition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        try:
            if not self.is_open or scope["type"] != "http":
                await self.inner(scope, receive, send)
            elif scope["method"] == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": _CORS})
                await send({"type": "http.response.body"})
            else:
                await self.inner(_undefended(scope), receive, _with_cors(send))
        finally:
            if "path" in scope:
                with self._changed:
                    self.arrived.append(Arrival(scope.get("method", scope["type"]), scope["path"]))
                    self._changed.notify_all()

    def wait_for(self, path: str) -> None:
        """Wait until a request for a path was responded to, its preflight included.

        Raises:
            TimeoutError: None came.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: any(item.path == path for item in self.arrived), PATIENCE):
                raise TimeoutError(f"No request for {path} arrived within {PATIENCE} seconds: {self.arrived}")


def _undefended(scope: Scope) -> Scope:
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in _TOLD_BY_BROWSERS and not name.startswith(b"sec-fetch-")
    ]
    headers += [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    return {**scope, "headers": headers}


def _with_cors(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [item for item in message["headers"] if not item[0].startswith((b"x-frame-", b"cross-origin-"))]
            message = {**message, "headers": [*kept, *_CORS]}
        await send(message)

    return sending
