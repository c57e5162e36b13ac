"""What is checked: requests and responses of any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # msgspec reads the fields' types at run time
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import httpx


class CheckedRequest(Struct, frozen=True):
    """A request.

    Attributes:
        method: In upper case.
        target: The path, percent-encoded, with the query.
        headers: By name; lookups use lower-case names.
        content: The body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def from_httpx(cls, request: httpx.Request) -> CheckedRequest:
        """Make one from a request of httpx whose body was read."""
        # A dict, because it is read often: names in httpx's own mapping are encoded at each look-up.
        target = request.url.raw_path.decode("ascii")
        return cls(request.method, target, dict(request.headers.items()), request.content)


class CheckedResponse(Struct, frozen=True):
    """A response.

    Attributes:
        status: The HTTP status.
        headers: Like `CheckedRequest.headers`.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def from_httpx(cls, response: httpx.Response) -> CheckedResponse:
        """Make one from a response of httpx that was read."""
        return cls(response.status_code, dict(response.headers.items()), response.content)
