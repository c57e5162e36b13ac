"""Reads the inspector's pages in this process, as texts."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

ORIGIN = "http://127.0.0.1:8080"


class Reader:
    """Reads fragments.

    Attributes:
        client: Calls any path of the simulator, as a browser of this machine.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def html(self, path: str, **query: str) -> str:
        """Return a fragment, such as `medias` or `requests/1`."""
        response = await self.client.get(f"/_mock/inspector/{path}", params=query)
        assert response.status_code == 200, response.text
        return response.text

    async def text(self, path: str, **query: str) -> str:
        """Return a fragment's text without markup, on one line."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", await self.html(path, **query))).split())

    async def marks(self, number: int) -> list[str]:
        """Return what is marked in an exchange."""
        return [unescape(found) for found in re.findall(r"<mark>(.*?)</mark>", await self.html(f"requests/{number}"))]
