"""A plain client for the endpoint modules of this package: no retries, no error classes."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from types import TracebackType
from typing import Self

import httpx

from .types import Request


class Client:
    """Sends requests and returns responses unchanged.

    Args:
        base_url: The API's base URL; paths of requests are appended to it.
        token: Sent as `Authorization: Bearer TOKEN`, if given.
        headers: Sent with every request.
        timeout: Seconds for each of connecting, sending and receiving.
        http_client: An httpx client to use for sync calls; not closed by this one.
        async_http_client: An httpx client to use for async calls; not closed by this one.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        http_client: httpx.Client | None = None,
        async_http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers or {})
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._timeout = timeout
        self._lock = Lock()
        self._sync = http_client
        self._async = async_http_client
        self._owned: httpx.Client | None = None
        self._async_owned: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        # Error reporters also show a client whose constructor has failed.
        return f"{type(self).__name__}(base_url={vars(self).get('_base_url')!r})"

    def _build(self, request: Request) -> httpx.Request:
        url = f"{self._base_url}{request.path}"
        if request.query:
            url = f"{url}?{request.query}"
        headers = {"Accept": "application/json", **self._headers, **request.headers}
        timeout = httpx.Timeout(self._timeout).as_dict()
        return httpx.Request(
            request.method, url, headers=headers, content=request.content, extensions={"timeout": timeout}
        )

    def send(self, request: Request) -> httpx.Response:
        """Send a request and read the complete response."""
        with self._lock:
            if self._sync is None:
                self._sync = self._owned = httpx.Client(follow_redirects=False)
        return self._sync.send(self._build(request))

    async def asend(self, request: Request) -> httpx.Response:
        """Send a request without blocking the event loop, and read the complete response."""
        with self._lock:
            if self._async is None:
                self._async = self._async_owned = httpx.AsyncClient(follow_redirects=False)
        return await self._async.send(self._build(request))

    def close(self) -> None:
        """Close the connections of sync calls that this client opened."""
        if self._owned is not None:
            self._owned.close()

    async def aclose(self) -> None:
        """Close the connections of async calls that this client opened."""
        if self._async_owned is not None:
            await self._async_owned.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
