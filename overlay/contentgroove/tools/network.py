"""An HTTP client without key, cookies, proxy and automatic redirects, with limits on time, size and addresses.

The URL that an agent fetches may come from an attacker who wants to read what this machine can reach: its other
services, the network behind it, a cloud's metadata. So only https to public addresses is allowed, except for origins
that the user who starts the server allows.

A host's name is resolved once, its addresses are checked, and the connection goes to a checked address. So a name
server that returns another address the next time has no effect.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import urljoin, urlsplit

import anyio
import anyio.to_thread
import httpcore
from msgspec import Struct

from contentgroove._core.redaction import redact_text, redact_url
from contentgroove._core.settings import is_loopback
from contentgroove._openapi.documents import MAX_BYTES
from contentgroove._version import __version__

from .content_codings import CodingError, accepted_codings, decompress
from .results import ErrorCode, ToolError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Generator, Iterable

_Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

_NOT_PUBLIC = "has an address that is not public, and only public addresses are allowed."
_PORTS = {"https": 443, "http": 80}

# `ipaddress` does not know these as special, or not in every version of Python (IANA's registries of
# special-purpose addresses).
_SPECIAL_V4 = tuple(
    ipaddress.ip_network(block)
    for block in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")
)

# This block contains the global unicast addresses, and none that hides an IPv4 address (mapped, translated, NAT64).
_UNICAST_V6 = ipaddress.ip_network("2000::/3")
_SPECIAL_V6 = tuple(
    ipaddress.ip_network(block)
    for block in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)

# ISATAP puts an IPv4 address behind one of these (RFC 5214, 6.1).
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})

SECONDS = 30.0
"""Time limit of one exchange, including redirects."""

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_IDEMPOTENT = frozenset({"GET", "PUT", "DELETE", "HEAD", "OPTIONS"})
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})


class Origin(Struct, frozen=True):
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port == _PORTS[self.scheme] else f':{self.port}'}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its name alone, without a name server."""
        return is_loopback(self.host)


def origin_of(url: str) -> Origin:
    """Return a URL's origin.

    Raises:
        ToolError: It is not an http or https URL with a host, or it contains a user name.
    """
    redacted = redact_url(url)[:200]
    parsed = _parse_origin(url)
    del url
    if isinstance(parsed, str):
        raise ToolError("fetch_refused", f"{redacted!r} {parsed}")
    return parsed


def _parse_origin(url: str) -> Origin | str:
    """Return the origin, or why there is none; Python's own messages quote passwords."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL: its host or port cannot be read."
    if parts.scheme not in _PORTS or not host or not url.isascii() or any(letter.isspace() for letter in url):
        return "is not an https URL."
    if parts.username is not None or parts.password is not None:
        return "must have no user name or password."
    return Origin(parts.scheme, host.rstrip("."), _PORTS[parts.scheme] if port is None else port)


def check_url(origin: Origin, allowed: frozenset[Origin]) -> None:
    """Check an origin as far as possible without a name server.

    Raises:
        ToolError: It is plain http or has an address that is not public, and it is not allowed.
    """
    if origin in allowed:
        return
    if origin.scheme != "https":
        raise _refused_error(origin, f"{origin} uses plain http, and only https is allowed.")
    if origin.is_loopback or not all(is_public(address) for address in _numeric_address(origin.host)):
        raise _refused_error(origin, f"{origin.host} {_NOT_PUBLIC}")


def check_addresses(origin: Origin, addresses: Iterable[str], allowed: frozenset[Origin]) -> list[str]:
    """Return the addresses that a host may be reached at, each once.

    One that is not public refuses them all: a name with both kinds is made to deceive.

    Raises:
        ToolError: There is none, or one of them is not public and the origin is not allowed.
    """
    found = list(dict.fromkeys(addresses))
    if not found:
        raise ToolError("connection_failed", f"{origin.host} has no address.", retryable=True)
    if origin in allowed:
        return found
    if not all(is_public(address) for address in found):
        raise _refused_error(origin, f"{origin.host} {_NOT_PUBLIC}")
    return found


def is_public(address: str) -> bool:
    """Return whether an address is on the public internet and does not hide another address."""
    try:
        parsed: _Address = ipaddress.ip_address(address)
    except ValueError:
        # It has a zone, such as `fe80::1%eth0`, or is not an address.
        return False
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in block for block in _SPECIAL_V4)
    if parsed not in _UNICAST_V6 or any(parsed in block for block in _SPECIAL_V6) or parsed.scope_id is not None:
        return False
    return (int(parsed) >> 32) & 0xFFFFFFFF not in _ISATAP


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
        max_document_bytes: Maximum size of an OpenAPI document.
    """

    allowed: frozenset[Origin] = frozenset()
    resolve: Callable[[str, int], Awaitable[list[str]]] = resolve_with_os
    tls: Callable[[], ssl.SSLContext] = _default_context
    seconds: float = SECONDS
    max_bytes: int = MAX_BYTES
    max_document_bytes: int = 32 * 1024 * 1024


class HttpResponse(Struct, frozen=True):
    """An HTTP response.

    Attributes:
        status: The HTTP status.
        headers: The headers, names in lower case.
        content: The body, decompressed.
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
    except TimeoutError as error:
        problem = f"{target}: no complete response within {policy.seconds:g} s"
        raise _incomplete_error("timed_out", problem, idempotent=idempotent) from error
    except (httpcore.ConnectError, httpcore.ConnectTimeout, OSError, UnicodeError) as error:
        problem = f"{target}: cannot connect ({_error_reason(error)})."
        raise ToolError("connection_failed", problem, retryable=True) from error
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
    return redact_text(str(error))[:200] or type(error).__name__


def printable_url(url: str) -> str:
    """Return a URL for messages: without its query, which can contain credentials of any name."""
    return redact_url(url.partition("?")[0])[:200]


async def _exchange(
    method: str, url: str, headers: dict[str, str], content: bytes | None, policy: NetworkPolicy
) -> HttpResponse:
    origin = origin_of(url)
    check_url(origin, policy.allowed)
    addresses = check_addresses(origin, await policy.resolve(origin.host, origin.port), policy.allowed)
    defaults = {"User-Agent": f"contentgroove-python/{__version__}", "Accept": "*/*"}
    own = {name: value for name, value in defaults.items() if name.lower() not in {key.lower() for key in headers}}
    sent_headers = own | headers | {"Accept-Encoding": accepted_codings()}
    if content is None and method in _WITH_CONTENT:
        # Without a length, some servers reject it with 411 (RFC 9110, 8.6).
        content = b""
    async with (
        httpcore.AsyncConnectionPool(
            ssl_context=policy.tls() if origin.scheme == "https" else None, network_backend=_PinnedBackend(addresses)
        ) as pool,
        pool.stream(method, url, headers=[*sent_headers.items()], content=content) as response,
    ):
        received = _joined(response.headers)
        body = bytearray()
        async for chunk in response.aiter_stream():
            body += chunk
            if len(body) > policy.max_bytes:
                problem = f"{printable_url(url)} sent more than {policy.max_bytes:,} bytes."
                raise ToolError("unexpected_answer", problem, status=response.status)
    try:
        codings = received.get("content-encoding", "")
        decoded = await anyio.to_thread.run_sync(decompress, bytes(body), codings, policy.max_bytes)
    except CodingError as error:
        # The status says whether the operation was performed, and so whether to repeat it.
        problem = f"{printable_url(url)} sent {error}."
        raise ToolError("unexpected_answer", problem, status=response.status) from error
    return HttpResponse(response.status, received, decoded)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names in lower case; those of equal names are a list (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


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


def _refused_error(origin: Origin, problem: str) -> ToolError:
    return ToolError("fetch_refused", f"{problem} Start the server with --allow-origin {origin} to allow it.")


def _numeric_address(host: str) -> list[str]:
    """Return the address that a host is in any notation, such as `0x7f.1`; empty if it is a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]
