"""Connections of ours: httpcore's, and by way of httpx where an application has imported that.

Importing httpx takes as long as a dozen calls, and what a call needs of it, httpx has from httpcore. So we import it
only for what it alone can do: an application's own clients, and proxies.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

import certifi
import httpcore

from contentgroove._core.settings import is_loopback

from . import http
from .answer_deadline import DeadlineBackend

MAX_CONNECTIONS = 20
"""To one host, for sync clients; further calls wait for one to be free."""

KEEPALIVE_SECONDS = 30.0
"""How long an idle connection is kept."""


class Transport(Protocol):
    """Sends requests, and gives answers whose bodies are still to be read; httpcore's pools are lines."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def open_transport(url: httpcore.URL, *, uploading: bool) -> Transport:
    """Open a line to a host; it connects when it is used."""
    proxy = environment_proxy(url)
    context = ssl_context_for(url, proxy)
    if proxy is not None:
        from .httpx_lines import proxy_transport

        return proxy_transport(proxy, context, MAX_CONNECTIONS, KEEPALIVE_SECONDS)
    if uploading:
        from .upload_network import UploadTransport

        return UploadTransport(
            ssl_context=context, stall_seconds=http.UPLOAD_STALL_TIMEOUT, response_seconds=http.UPLOAD_RESPONSE_TIMEOUT
        )
    return httpcore.ConnectionPool(
        context,
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=MAX_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=DeadlineBackend(),
    )


def instrumented(line: Transport) -> Transport:
    """Put httpx's transport in front of a line where an application has imported httpx.

    Whoever watches or mocks HTTP does so there, by patching `httpx.HTTPTransport` (pytest-httpx, OpenTelemetry), if
    not in httpcore (respx): a mocked test must not reach the network because a call took another way.
    """
    if not httpx_is_imported():
        return line
    from .httpx_lines import HttpxTransport, httpx_transport_over

    return HttpxTransport(httpx_transport_over(line).handle_request)


def httpx_is_imported() -> bool:
    """Whether anything in this process has imported httpx."""
    return sys.modules.get("httpx") is not None


def environment_proxy(url: httpcore.URL) -> str | None:
    """The proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …), None without one.

    One on another machine is not used for plain http to this one.
    """
    if sys.platform not in {"win32", "darwin"} and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Slow to import; only systems with settings of their own, or those who set a variable, need it.
    import urllib.request

    if urllib.request.proxy_bypass(url.host.decode("ascii")):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme.decode("ascii")) or proxies.get("all")
    if not proxy:
        return None
    # As curl and httpx read it.
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    return None if _would_leak_key(url, proxy) else proxy


def _would_leak_key(url: httpcore.URL, proxy: str) -> bool:
    # Plain http is for this machine only: a proxy elsewhere would be sent the key in clear text.
    if url.scheme != b"http" or not is_loopback(url.host.decode("ascii")):
        return False
    try:
        host = urlsplit(proxy).hostname
    except ValueError:
        # Whoever opens it says what is wrong with it.
        return False
    return host is not None and not is_loopback(host)


def ssl_context_for(url: httpcore.URL, proxy: str | None) -> ssl.SSLContext:
    """The TLS context of connections to a place."""
    if url.scheme == b"https" or proxy is not None:
        return default_ssl_context()
    # Plain http has no use for certificates: an empty context trusts nobody, and reading them all takes 20 ms.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def default_ssl_context() -> ssl.SSLContext:
    """The one context for all https; it trusts whom httpx trusts, so that nothing depends on who imported that.

    These are certifi's authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR (OpenSSL's variables).
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        return ssl.create_default_context(cafile=file)
    return ssl.create_default_context(capath=folder) if folder else ssl.create_default_context(cafile=certifi.where())
