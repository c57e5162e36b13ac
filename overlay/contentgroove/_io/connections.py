"""The client's own connections: those of httpcore, through httpx if the application has imported it.

Importing httpx takes as long as a dozen calls, and all that a call needs of it comes from httpcore. So it is imported
only for what only it can do: an application's own clients, and proxies.
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
"""Per host, for sync clients; further calls wait until one is free."""

KEEPALIVE_SECONDS = 30.0
"""Seconds for which an idle connection is kept."""


class Transport(Protocol):
    """Sends requests and returns responses whose bodies are still to be read; httpcore's pools are transports."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


def open_transport(url: httpcore.URL, *, uploading: bool) -> Transport:
    """Open a transport to a host; it connects when it is used."""
    proxy = environment_proxy(url)
    context = ssl_context_for(url, proxy)
    if proxy is not None:
        from .httpx_transports import proxy_transport

        return proxy_transport(proxy, context, MAX_CONNECTIONS, KEEPALIVE_SECONDS)
    if uploading:
        from .upload_transport import UploadTransport

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


def instrumented(transport: Transport) -> Transport:
    """Put httpx's transport in front of a transport if the application has imported httpx.

    Libraries that observe or mock HTTP patch `httpx.HTTPTransport` (pytest-httpx, OpenTelemetry) or httpcore (respx): a
    mocked test must not reach the network because a call bypassed httpx.
    """
    if not httpx_is_imported():
        return transport
    from .httpx_transports import HttpxTransport, httpx_transport_over

    return HttpxTransport(httpx_transport_over(transport).handle_request)


def httpx_is_imported() -> bool:
    """Return whether this process has imported httpx."""
    return sys.modules.get("httpx") is not None


def environment_proxy(url: httpcore.URL) -> str | None:
    """Return the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …), None if there is none.

    A proxy on another machine is not used for plain http to this one.
    """
    if sys.platform not in {"win32", "darwin"} and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Slow to import, and needed only by systems with proxy settings of their own or if a variable is set.
    import urllib.request

    if urllib.request.proxy_bypass(url.host.decode("ascii")):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme.decode("ascii")) or proxies.get("all")
    if not proxy:
        return None
    # Like curl and httpx.
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    return None if _would_leak_key(url, proxy) else proxy


def _would_leak_key(url: httpcore.URL, proxy: str) -> bool:
    # Plain http is for this machine only: a proxy on another one would receive the key in clear text.
    if url.scheme != b"http" or not is_loopback(url.host.decode("ascii")):
        return False
    try:
        host = urlsplit(proxy).hostname
    except ValueError:
        # Opening it reports the problem.
        return False
    return host is not None and not is_loopback(host)


def ssl_context_for(url: httpcore.URL, proxy: str | None) -> ssl.SSLContext:
    """Return the SSL context of connections to a URL."""
    if url.scheme == b"https" or proxy is not None:
        return default_ssl_context()
    # Plain http needs no certificates, and reading them takes 20 ms: an empty context trusts no authority.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def default_ssl_context() -> ssl.SSLContext:
    """Return the SSL context for all https connections.

    It trusts the same authorities as httpx, so that behaviour does not depend on whether httpx is imported: certifi's,
    or those of SSL_CERT_FILE or SSL_CERT_DIR (OpenSSL's variables).
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        return ssl.create_default_context(cafile=file)
    return ssl.create_default_context(capath=folder) if folder else ssl.create_default_context(cafile=certifi.where())
