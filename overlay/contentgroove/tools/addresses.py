"""The addresses that documents may be fetched from and sources called at.

The URL that an agent fetches may come from an attacker who wants to read what this machine can reach: its other
services, the network behind it, a cloud's metadata. So only https to public addresses is allowed, except for origins
that the user who starts the server allows.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from contentgroove._core.redaction import redact_url

from .errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

_Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

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
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def origin_of(url: str) -> Origin:
    """Return a URL's origin.

    Raises:
        ToolError: It is not an http or https URL with a host, or it contains a user name.
    """
    redacted = redact_url(url)[:200]
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ToolError("fetch_refused", f"{redacted!r} is not a URL: {error}.") from error
    if parts.scheme not in _PORTS or not host or not url.isascii() or any(letter.isspace() for letter in url):
        raise ToolError("fetch_refused", f"{redacted!r} is not an https URL.")
    if parts.username is not None or parts.password is not None:
        raise ToolError("fetch_refused", f"{redacted!r} must have no user name or password.")
    return Origin(parts.scheme, host.rstrip("."), _PORTS[parts.scheme] if port is None else port)


def check_url(origin: Origin, allowed: frozenset[Origin]) -> None:
    """Check an origin as far as possible without a name server.

    Raises:
        ToolError: It is plain http or has an address that is not public, and it is not allowed.
    """
    if origin in allowed:
        return
    if origin.scheme != "https":
        raise ToolError("fetch_refused", f"{origin} uses plain http, and only https is allowed. {_allow_hint(origin)}")
    if origin.is_loopback or not all(is_public(address) for address in _numeric_address(origin.host)):
        raise _not_public_error(origin)


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
        raise _not_public_error(origin)
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


def _not_public_error(origin: Origin) -> ToolError:
    return ToolError(
        "fetch_refused",
        f"{origin.host} has an address that is not public, and only public addresses are allowed. "
        f"{_allow_hint(origin)}",
    )


def _allow_hint(origin: Origin) -> str:
    return f"Start the server with --allow-origin {origin} to allow it."


def _numeric_address(host: str) -> list[str]:
    """Return the address that a host is in any notation, such as `0x7f.1`; empty if it is a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]
