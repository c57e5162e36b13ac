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

import certifi
import httpcore

from . import http
from .connection_stacks import KEEPALIVE_SECONDS, AsyncConnectionStack, ConnectionStack
from .proxies import environment_proxy

if TYPE_CHECKING:
    from contentgroove._core.secret import Secret

    from .http import AsyncTransport, OwnAsyncTransport, OwnTransport, Transport


def open_transport(url: httpcore.URL, *, uploading: bool, trust_env: bool) -> OwnTransport:
    """Open a transport to a host; it connects when it is used. `trust_env` allows the environment's proxies."""
    proxy = environment_proxy(url) if trust_env else None
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


def open_async_transport(url: httpcore.URL, *, uploading: bool, trust_env: bool) -> OwnAsyncTransport:
    """Open a transport to a host; it connects when it is used. `trust_env` allows the environment's proxies."""
    proxy = environment_proxy(url) if trust_env else None
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
