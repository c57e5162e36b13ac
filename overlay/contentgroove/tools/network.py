"""A bare HTTP client: no key, no cookies, no proxy, no redirects of its own, limits on time and size.

A host's name is resolved once, its addresses are checked, and the connection goes to the address that was checked: a
name server that answers differently the next time changes nothing.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin

import anyio
import httpcore
from msgspec import Struct

from contentgroove._core.redaction import redact_url
from contentgroove._openapi.documents import MAX_BYTES
from contentgroove._version import __version__

from .addresses import Origin, check_addresses, check_url, origin_of
from .errors import ToolError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Generator, Iterable

SECONDS = 30.0
"""For one exchange as a whole, redirects included."""

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REPEATABLE = frozenset({"GET", "PUT", "DELETE", "HEAD", "OPTIONS"})


async def resolve_with_os(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _default_context() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


class NetworkPolicy(Struct, frozen=True):
    """Where the client may go, and how.

    Attributes:
        allowed: Origins that may be plain http and may have addresses that are not public.
        resolve: Gives a host's addresses.
        tls: Makes the TLS context.
        seconds: For one exchange as a whole.
        max_bytes: Of an answer's body.
    """

    allowed: frozenset[Origin] = frozenset()
    resolve: Callable[[str, int], Awaitable[list[str]]] = resolve_with_os
    tls: Callable[[], ssl.SSLContext] = _default_context
    seconds: float = SECONDS
    max_bytes: int = MAX_BYTES


class HttpResponse(Struct, frozen=True):
    """An HTTP answer.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case.
        content: The body.
    """

    status: int
    headers: dict[str, str]
    content: bytes


async def fetch(url: str, policy: NetworkPolicy) -> HttpResponse:
    """Fetch a URL, following redirects; each is checked like the first.

    Raises:
        ToolError: A place may not be reached, or no whole answer came.
    """
    accept = {"Accept": "application/json, application/yaml, text/yaml, */*"}
    with _within_limits(url, policy, idempotent=True):
        for _ in range(MAX_REDIRECTS + 1):
            response = await _exchange("GET", url, accept, None, policy)
            if response.status not in _REDIRECTS or "location" not in response.headers:
                return response
            url = urljoin(url, response.headers["location"])
    raise ToolError("fetch_refused", f"More than {MAX_REDIRECTS} redirects, the last to {printable_url(url)}.")


async def send(
    method: str, url: str, headers: dict[str, str], content: bytes | None, policy: NetworkPolicy
) -> HttpResponse:
    """Send one request and give its answer, a redirect included.

    Raises:
        ToolError: The place may not be reached, or no whole answer came.
    """
    with _within_limits(url, policy, idempotent=method in _REPEATABLE):
        return await _exchange(method, url, headers, content, policy)


@contextmanager
def _within_limits(url: str, policy: NetworkPolicy, *, idempotent: bool) -> Generator[None, None, None]:
    """Limit the time, and turn what the HTTP library raises into documented errors."""
    place = printable_url(url)
    try:
        with anyio.fail_after(policy.seconds):
            yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError, UnicodeError) as error:
        if not isinstance(error, TimeoutError):
            raise ToolError(
                "connection_failed", f"{place}: cannot connect ({_error_reason(error)}).", retryable=True
            ) from error
        raise _incomplete_error(place, f"no whole answer within {policy.seconds:g} s", idempotent=idempotent) from error
    except httpcore.TimeoutException as error:
        raise _incomplete_error(place, "no answer in time", idempotent=idempotent) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise _incomplete_error(
            place, f"the connection broke ({_error_reason(error)})", idempotent=idempotent
        ) from error
    except (httpcore.UnsupportedProtocol, ValueError) as error:
        raise ToolError("fetch_refused", f"{place} cannot be requested ({_error_reason(error)}).") from error


def _incomplete_error(place: str, what: str, *, idempotent: bool) -> ToolError:
    if idempotent:
        return ToolError("timed_out" if "answer" in what else "connection_failed", f"{place}: {what}.", retryable=True)
    return ToolError(
        "outcome_unknown",
        f"{place}: {what}, after the request was sent. What it asked for may have been done: look before repeating it.",
    )


def _error_reason(error: Exception) -> str:
    return redact_url(str(error))[:200] or type(error).__name__


def printable_url(url: str) -> str:
    """Give a URL as messages show it: without its query, which can hold credentials of any name."""
    return redact_url(url.partition("?")[0])[:200]


async def _exchange(
    method: str, url: str, headers: dict[str, str], content: bytes | None, policy: NetworkPolicy
) -> HttpResponse:
    origin = origin_of(url)
    check_url(origin, policy.allowed)
    addresses = check_addresses(origin, await policy.resolve(origin.host, origin.port), policy.allowed)
    sent = {
        "User-Agent": f"contentgroove-python/{__version__}",
        "Accept": "*/*",
        **headers,
        "Accept-Encoding": "identity",
    }
    async with (
        httpcore.AsyncConnectionPool(
            ssl_context=policy.tls() if origin.scheme == "https" else None, network_backend=_PinnedBackend(addresses)
        ) as pool,
        pool.stream(method, url, headers=[*sent.items()], content=content) as response,
    ):
        received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if received.get("content-encoding", "identity") != "identity":
            raise ToolError(
                "unexpected_answer", f"{printable_url(url)} sent a compressed answer, which was not asked for."
            )
        body = bytearray()
        async for part in response.aiter_stream():
            body += part
            if len(body) > policy.max_bytes:
                raise ToolError(
                    "unexpected_answer",
                    f"{printable_url(url)} sent more than {policy.max_bytes:,} bytes, which is the limit.",
                )
        return HttpResponse(response.status, received, bytes(body))


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever host is asked for."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        # httpcore names a stand-in without anyio, which confuses type checkers.
        self._network: httpcore.AsyncNetworkBackend = cast("Any", httpcore).AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - it was resolved before
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        *others, last = self._addresses
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
