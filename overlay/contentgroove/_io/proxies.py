"""Which proxy the environment names for a URL: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contentgroove._core.secret import Secret
from contentgroove._core.settings import is_loopback

if TYPE_CHECKING:
    import httpcore

_PORTS = {"http": 80, "https": 443}


def environment_proxy(url: httpcore.URL) -> Secret | None:
    """Return the proxy that the environment names for a URL, None if there is none or NO_PROXY excludes the URL.

    Variables in lower case take precedence, like with curl and httpx. Without any, Windows and macOS have settings of
    their own. A proxy on another machine is not used for plain http to this one.
    """
    if sys.platform not in {"win32", "darwin"} and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Slow to import, and needed only by systems with proxy settings of their own or if a variable is set.
    import urllib.request

    scheme, host = url.scheme.decode("ascii"), url.host.decode("ascii")
    proxies = urllib.request.getproxies_environment()
    if proxies:
        bypassed = is_excluded(scheme, host, url.port or _PORTS.get(scheme), proxies.get("no", ""))
    else:
        proxies = urllib.request.getproxies()
        bypassed = bool(urllib.request.proxy_bypass(host))
    proxy = proxies.get(scheme) or proxies.get("all")
    if bypassed or not proxy:
        return None
    # Like curl and httpx. It may contain a password.
    found = Secret(proxy if "://" in proxy else f"http://{proxy}")
    return None if _would_leak_key(scheme, host, found) else found


def is_excluded(scheme: str, host: str, port: int | None, no_proxy: str) -> bool:
    """Return whether NO_PROXY excludes a host.

    Its entries, between commas or spaces, are `*`, domains, which include those below them, with or without `.` or `*.`
    in front, addresses, and networks (`10.0.0.0/8`); each may have a port and a scheme.
    """
    return any(_excludes(entry, scheme, host, port) for entry in no_proxy.lower().replace(",", " ").split())


def _excludes(entry: str, scheme: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    entry_scheme, separator, rest = entry.rpartition("://")
    if separator and entry_scheme not in {"all", scheme}:
        return False
    name, entry_port = _split_port(rest.rstrip("/"))
    if entry_port is not None and entry_port != str(port):
        return False
    host = host.lower().rstrip(".")
    address = _address(host)
    if address is None:
        domain = name.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
    try:
        network = ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False
    return address in network


def _split_port(text: str) -> tuple[str, str | None]:
    """Split an entry at its port; the colons of an IPv6 address without brackets are not those of one."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        # `[fd00::]/8` and `[fd00::/8]` are both in use.
        prefix, _, port = rest.partition(":")
        return host + prefix, port or None
    host, colon, port = text.partition(":")
    return (host, port) if colon and ":" not in port else (text, None)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _would_leak_key(scheme: str, host: str, proxy: Secret) -> bool:
    # Plain http is for this machine only: a proxy on another one would receive the key in clear text.
    if scheme != "http" or not is_loopback(host):
        return False
    try:
        proxy_host = urlsplit(proxy.reveal()).hostname
    except ValueError:
        # Opening it reports the problem.
        return False
    return proxy_host is not None and not is_loopback(proxy_host)
