"""The client's own transports over httpcore: which connections, proxies and certificates they use.

Importing httpx takes as long as a dozen calls, and all that a call needs of it comes from httpcore. So it is imported
only for what only it can do, an application's own clients and proxies; and if the application has imported it.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi
import httpcore

from contentgroove._core.secret import Secret
from contentgroove._core.settings import is_loopback

from . import http
from .connection_stacks import KEEPALIVE_SECONDS, AsyncConnectionStack, ConnectionStack

if TYPE_CHECKING:
    from .http import AsyncTransport, OwnTransport, Transport


def open_transport(url: httpcore.URL, *, uploading: bool) -> OwnTransport:
    """Open a transport to a host; it connects when it is used."""
    proxy = environment_proxy(url)
    context = ssl_context_for(url, proxy)
    if proxy is not None:
        from .httpx_transports import proxy_transport

        return ConnectionStack(lambda network: proxy_transport(proxy, context, KEEPALIVE_SECONDS, network))
    if uploading:
        from .upload_transport import UploadTransport

        return UploadTransport(
            ssl_context=context, stall_seconds=http.UPLOAD_STALL_TIMEOUT, response_seconds=http.UPLOAD_RESPONSE_TIMEOUT
        )
    return ConnectionStack(
        lambda network: httpcore.ConnectionPool(
            context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=network,
        )
    )


def instrumented(transport: Transport) -> Transport:
    """Put httpx's transport in front of a transport if the application has imported httpx.

    Libraries that observe or mock HTTP patch `httpx.HTTPTransport` (pytest-httpx, OpenTelemetry) or httpcore (respx): a
    mocked test must not reach the network because a call bypassed httpx.
    """
    if not httpx_is_imported():
        return transport
    from .httpx_transports import HttpxTransport, WrappedTransport

    return HttpxTransport(WrappedTransport(transport).handle_request)


def open_async_transport(url: httpcore.URL, *, uploading: bool) -> AsyncTransport:
    """Open a transport to a host; it connects when it is used."""
    proxy = environment_proxy(url)
    context = ssl_context_for(url, proxy)
    if proxy is not None:
        from .httpx_transports import async_proxy_transport

        return AsyncConnectionStack(lambda network: async_proxy_transport(proxy, context, KEEPALIVE_SECONDS, network))
    if uploading:
        from .upload_transport import AsyncUploadTransport

        return AsyncUploadTransport(
            ssl_context=context, stall_seconds=http.UPLOAD_STALL_TIMEOUT, response_seconds=http.UPLOAD_RESPONSE_TIMEOUT
        )
    return AsyncConnectionStack(
        lambda network: httpcore.AsyncConnectionPool(
            context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=network,
        )
    )


def async_instrumented(transport: AsyncTransport) -> AsyncTransport:
    """Put httpx's transport in front of a transport if the application has imported httpx; see `instrumented`."""
    if not httpx_is_imported():
        return transport
    from .httpx_transports import AsyncHttpxTransport, AsyncWrappedTransport

    return AsyncHttpxTransport(AsyncWrappedTransport(transport).handle_async_request)


def httpx_is_imported() -> bool:
    """Return whether this process has imported httpx."""
    return sys.modules.get("httpx") is not None


def environment_proxy(url: httpcore.URL) -> Secret | None:
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
    # Like curl and httpx. It may contain a password.
    found = Secret(proxy if "://" in proxy else f"http://{proxy}")
    return None if _would_leak_key(url, found) else found


def _would_leak_key(url: httpcore.URL, proxy: Secret) -> bool:
    # Plain http is for this machine only: a proxy on another one would receive the key in clear text.
    if url.scheme != b"http" or not is_loopback(url.host.decode("ascii")):
        return False
    try:
        host = urlsplit(proxy.reveal()).hostname
    except ValueError:
        # Opening it reports the problem.
        return False
    return host is not None and not is_loopback(host)


def ssl_context_for(url: httpcore.URL, proxy: Secret | None) -> ssl.SSLContext:
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
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            raise httpcore.ConnectError(
                f"SSL_CERT_FILE={file} cannot be read as a file of certificates: {error}"
            ) from error
    return ssl.create_default_context(capath=folder) if folder else ssl.create_default_context(cafile=certifi.where())
