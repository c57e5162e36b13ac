"""A web site of another owner on this machine: it serves pages, and records every request that reaches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Recorded(NamedTuple):
    """A request that reached the site."""

    method: str
    path: str
    body: bytes


@dataclass(eq=False)
class Sink:
    """An ASGI application.

    Attributes:
        origin: Where it is served.
        pages: The HTML of each path; other paths are empty pages.
        requests: What reached it.
    """

    origin: str = ""
    pages: dict[str, str] = field(default_factory=dict[str, str])
    requests: list[Recorded] = field(default_factory=list[Recorded])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request and send the page of its path."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.requests.append(Recorded(request.method, request.url.path, await request.body()))
        page = self.pages.get(request.url.path, "<!DOCTYPE html><title>A site</title>")
        await Response(page, media_type="text/html")(scope, receive, send)
