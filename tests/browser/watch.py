"""Collects what a page does that no page of this project should do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Error, Page, Request

_LOUD = frozenset({"error", "warning", "assert"})
# They are a part of the page that names them.
_INLINE = frozenset({"about", "blob", "data"})


def origin_of(url: str) -> str:
    """Return scheme and authority; files are one origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(eq=False)
class Watch:
    """What pages did.

    Attributes:
        origins: The origins that they may request from, besides the one that they were first opened from.
        problems: Everything else, in words. What breaks a Content-Security-Policy is in the console's errors.
    """

    origins: set[str] = field(default_factory=set[str])
    problems: list[str] = field(default_factory=list[str])

    def over(self, page: Page) -> None:
        """Begin to watch a page."""
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in _LOUD:
            self.problems.append(f"console {message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.problems.append(f"error: {error}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in _INLINE:
            return
        origin = origin_of(request.url)
        if not self.origins and request.is_navigation_request():
            self.origins.add(origin)
        if origin not in self.origins:
            self.problems.append(f"request to another origin: {request.method} {request.url}")
