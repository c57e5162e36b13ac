"""Exchanges of httpx for openapi-core, which has adapters for other libraries only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

if TYPE_CHECKING:
    import httpx


class HttpxRequest:
    """A request as in `openapi_core.protocols.Request`."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()), header=Headers(request.headers.multi_items())
        )

    @property
    def host_url(self) -> str:
        """Scheme and host."""
        return f"{self._request.url.scheme}://{self._request.url.netloc.decode()}"

    @property
    def path(self) -> str:
        """The path, percent-encoded."""
        return self._request.url.raw_path.decode().partition("?")[0]

    @property
    def method(self) -> str:
        """The method, in lower case."""
        return self._request.method.lower()

    @property
    def body(self) -> bytes | None:
        """The body, None if there is none."""
        return self._request.content or None

    @property
    def content_type(self) -> str:
        """The Content-Type header, in lower case."""
        return str(self._request.headers.get("content-type", "")).lower()


class HttpxResponse:
    """A response as in `openapi_core.protocols.Response`."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.data = response.content or None
        self.content_type = response.headers.get("content-type", "").lower()
        self.headers = Headers(response.headers.multi_items())
