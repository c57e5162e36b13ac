"""An HTTP client without key, cookies, proxy and automatic redirects, with limits on time and size.

A host's name is resolved once, its addresses are checked, and the connection goes to a checked address. So a name
server that returns another address the next time has no effect.
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

    from .errors import ErrorCode

SECONDS = 30.0
"""Time limit of one exchange, including redirects."""

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_IDEMPOTENT = frozenset({"GET", "PUT", "DELETE", "HEAD", "OPTIONS"})


async def resolve_with_os(host: str, port: int) -> list[str]:
    """Resolve a host with the operating system."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _default_context() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


class NetworkPolicy(Struct, frozen=True):
    """Which addresses may be called, and how.

    Attributes:
        allowed: Origins that may use plain http and addresses that are not public.
        resolve: Returns the addresses of a host and port.
        tls: Creates the TLS context.
        seconds: Time limit of one exchange, including redirects.
        max_bytes: Maximum size of a response's body.
    """

    allowed: frozenset[Origin] = frozenset()
    resolve: Callable[[str, int], Awaitable[list[str]]] = resolve_with_os
    tls: Callable[[], ssl.SSLContext] = _default_context
    seconds: float = SECONDS
    max_bytes: int = MAX_BYTES


class HttpResponse(Struct, frozen=True):
    """An HTTP response.

    Attributes:
        status: The HTTP status.
        headers: The headers, names in lower case.
        content: The body.
    """

    status: int
    headers: dict[str, str]
    content: bytes


async def fetch(url: str, policy: NetworkPolicy) -> HttpResponse:
    """Fetch a URL and follow redirects; each URL is checked like the first.

    Raises:
        ToolError: A URL is not allowed, or there was no complete response.
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
    """Send one request and return its response, which may be a redirect.

    Raises:
        ToolError: The URL is not allowed, or there was no complete response.
    """
    with _within_limits(url, policy, idempotent=method in _IDEMPOTENT):
        return await _exchange(method, url, headers, content, policy)


@contextmanager
def _within_limits(url: str, policy: NetworkPolicy, *, idempotent: bool) -> Generator[None, None, None]:
    """Limit the time, and convert the HTTP library's exceptions to `ToolError`."""
    target = printable_url(url)
    try:
        with anyio.fail_after(policy.seconds):
            yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError, UnicodeError) as error:
        if not isinstance(error, TimeoutError):
            raise ToolError(
                "connection_failed", f"{target}: cannot connect ({_error_reason(error)}).", retryable=True
            ) from error
        reason = f"no complete response within {policy.seconds:g} s"
        raise _incomplete_error("timed_out", f"{target}: {reason}", idempotent=idempotent) from error
    except httpcore.TimeoutException as error:
        raise _incomplete_error("timed_out", f"{target}: no response in time", idempotent=idempotent) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        problem = f"{target}: the connection broke ({_error_reason(error)})"
        raise _incomplete_error("connection_failed", problem, idempotent=idempotent) from error
    except (httpcore.UnsupportedProtocol, ValueError) as error:
        raise ToolError("fetch_refused", f"{target} cannot be requested ({_error_reason(error)}).") from error


def _incomplete_error(code: ErrorCode, problem: str, *, idempotent: bool) -> ToolError:
    if idempotent:
        return ToolError(code, f"{problem}.", retryable=True)
    return ToolError(
        "outcome_unknown",
        f"{problem}, after the request was sent. The operation may have been performed: check before you repeat it.",
    )


def _error_reason(error: Exception) -> str:
    return redact_url(str(error))[:200] or type(error).__name__


def printable_url(url: str) -> str:
    """Return a URL for messages: without its query, which can contain credentials of any name."""
    return redact_url(url.partition("?")[0])[:200]


async def _exchange(
    method: str, url: str, headers: dict[str, str], content: bytes | None, policy: NetworkPolicy
) -> HttpResponse:
    origin = origin_of(url)
    check_url(origin, policy.allowed)
    addresses = check_addresses(origin, await policy.resolve(origin.host, origin.port), policy.allowed)
    sent_headers = {
        "User-Agent": f"contentgroove-python/{__version__}",
        "Accept": "*/*",
        **headers,
        "Accept-Encoding": "identity",
    }
    async with (
        httpcore.AsyncConnectionPool(
            ssl_context=policy.tls() if origin.scheme == "https" else None, network_backend=_PinnedBackend(addresses)
        ) as pool,
        pool.stream(method, url, headers=[*sent_headers.items()], content=content) as response,
    ):
        received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if received.get("content-encoding", "identity") != "identity":
            raise ToolError(
                "unexpected_answer", f"{printable_url(url)} sent a compressed response, which was not requested."
            )
        body = bytearray()
        async for chunk in response.aiter_stream():
            body += chunk
            if len(body) > policy.max_bytes:
                raise ToolError(
                    "unexpected_answer",
                    f"{printable_url(url)} sent more than {policy.max_bytes:,} bytes.",
                )
        return HttpResponse(response.status, received, bytes(body))


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever the requested host is."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        # Without anyio httpcore defines a substitute of the same name, which confuses type checkers.
        self._network: httpcore.AsyncNetworkBackend = cast("Any", httpcore).AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - already resolved
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
