"""Transports over httpx, where it is needed: an application's own clients, proxies, and patched transports."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

from contentgroove._core.io import CallbackError
from contentgroove._core.tracebacks import drop_frames
from contentgroove.errors import ConfigurationError

from .http import ALREADY_DECODED, InvalidUrlError, extensions_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import CodeType

    from contentgroove._core.secret import Secret

    from .http import AsyncTransport, Transport


class HttpxTransport:
    """A transport over a function of httpx that sends a request and returns a response that is still to be read.

    Requests get the headers, parameters and cookies of `client`, if there is one.
    """

    def __init__(self, send: Callable[[httpx.Request], httpx.Response], client: httpx.Client | None = None) -> None:
        self._send = send
        self._client = client

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        response = self._send(_request(request, self._client))
        return _response(response, _Body(response))

    def close(self) -> None:
        """Close nothing: the sender belongs to the application."""


class AsyncHttpxTransport:
    """A transport over an async function of httpx; see `HttpxTransport`."""

    def __init__(
        self, send: Callable[[httpx.Request], Awaitable[httpx.Response]], client: httpx.AsyncClient | None = None
    ) -> None:
        self._send = send
        self._client = client

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        response = await self._send(_request(request, self._client))
        return _response(response, _AsyncBody(response))

    async def aclose(self) -> None:
        """Close nothing: the sender belongs to the application."""


def client_transport(client: httpx.Client, *, uploading: bool) -> Transport:
    """Create a transport over an application's own client.

    Calls get its headers, parameters and cookies, like requests that the application sends itself. Uploads get nothing
    of it except its way to the store: a presigned URL refuses whatever was not signed.
    """

    def send(request: httpx.Request) -> httpx.Response:
        _require_open(client)
        auth = _auth_of(client, uploading=uploading)
        try:
            return client.send(request, stream=True, follow_redirects=False, auth=auth)
        except Exception as error:
            if _was_raised_by_hook(error, client):
                drop_frames(error, error.__context__)
                raise CallbackError(error) from error
            raise

    return HttpxTransport(send, None if uploading else client)


def async_client_transport(client: httpx.AsyncClient, *, uploading: bool) -> AsyncTransport:
    """Create a transport over an application's own client; see `client_transport`."""

    async def send(request: httpx.Request) -> httpx.Response:
        _require_open(client)
        auth = _auth_of(client, uploading=uploading)
        try:
            return await client.send(request, stream=True, follow_redirects=False, auth=auth)
        except Exception as error:
            if _was_raised_by_hook(error, client):
                drop_frames(error, error.__context__)
                raise CallbackError(error) from error
            raise

    return AsyncHttpxTransport(send, None if uploading else client)


def _was_raised_by_hook(error: Exception, client: httpx.Client | httpx.AsyncClient) -> bool:
    """Return whether a hook of the client raised an exception, which may be of any class, even one of httpx."""
    codes = {_code_of(hook) for hooks in client.event_hooks.values() for hook in hooks}
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return True
        traceback = traceback.tb_next
    return False


def _code_of(hook: Any) -> CodeType | None:
    while isinstance(hook, partial):
        hook = hook.func
    function = getattr(hook, "__func__", hook)
    if not hasattr(function, "__code__"):
        # An object that can be called.
        kind = cast("type[object]", type(hook))
        function = getattr(kind, "__call__", None)  # noqa: B004 - its code is wanted, not whether it can be called
    code: CodeType | None = getattr(function, "__code__", None)
    return code


def _auth_of(client: httpx.Client | httpx.AsyncClient, *, uploading: bool) -> httpx.Auth | None:
    # A presigned URL is the only credential that the store needs, and it must not see others.
    return None if uploading else client.auth


def _require_open(client: httpx.Client | httpx.AsyncClient) -> None:
    # httpx treats this as a mistake of the program, but retries would take it for a broken connection.
    if client.is_closed:
        raise ConfigurationError(
            "The httpx client that was passed in is closed: keep it open while it is used. Nothing was sent."
        )


# httpx's transports wrap a pool of httpcore in httpx's types. These classes only rely on the names of that pool and of
# its network: if they change, the tests of proxies and of patched transports fail.


class WrappedTransport(httpx.HTTPTransport):
    """An httpx transport that sends through a transport."""

    # httpx's constructor would create its own pool.
    def __init__(self, transport: Transport) -> None:
        self._pool = cast("Any", transport)


class AsyncWrappedTransport(httpx.AsyncHTTPTransport):
    """An async httpx transport that sends through a transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._pool = cast("Any", transport)


def proxy_transport(
    proxy: Secret, context: ssl.SSLContext, idle_seconds: float, network: httpcore.NetworkBackend
) -> Transport:
    """Create the pool that httpx creates for a proxy's URL, with any scheme and credentials, for one connection."""
    limits = _limits(idle_seconds)
    made = _for_proxy(lambda: httpx.HTTPTransport(verify=context, limits=limits, proxy=proxy.reveal()))
    made._pool._network_backend = network  # noqa: SLF001 - see above
    pool: Transport = made._pool  # noqa: SLF001 - see above
    return pool


def async_proxy_transport(
    proxy: Secret, context: ssl.SSLContext, idle_seconds: float, network: httpcore.AsyncNetworkBackend
) -> AsyncTransport:
    """Create the async pool that httpx creates for a proxy's URL, for one connection."""
    limits = _limits(idle_seconds)
    made = _for_proxy(lambda: httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy.reveal()))
    made._pool._network_backend = network  # noqa: SLF001 - see above
    pool: AsyncTransport = made._pool  # noqa: SLF001 - see above
    return pool


def _for_proxy(create: Callable[[], Any]) -> Any:
    try:
        return create()
    except ImportError as error:
        problem = str(error)
    except (ValueError, httpx.InvalidURL):
        # Their messages quote the URL, which may contain a password.
        problem = "its value is not the URL of an http, https or socks5 proxy"
    # Outside the block, so that httpx's frames, which have the URL, are not part of the error.
    raise ConfigurationError(
        f"The proxy in the environment cannot be used ({problem}): correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or "
        "add the host to NO_PROXY."
    )


def _limits(idle_seconds: float) -> httpx.Limits:
    return httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=idle_seconds)


def _request(request: httpcore.Request, client: httpx.Client | httpx.AsyncClient | None) -> httpx.Request:
    parts = request.url
    url = _url(parts.scheme, parts.host, parts.port, parts.target)
    return httpx.Request(
        request.method.decode("ascii"),
        url if client is None else _with_parameters(url, client.params),
        headers=request.headers if client is None else _with_headers(request.headers, client.headers.raw),
        cookies=None if client is None else client.cookies,
        content=_content(request.stream),
        extensions=extensions_of(request),
    )


def _with_parameters(url: httpx.URL, parameters: httpx.QueryParams) -> httpx.URL:
    """Add a client's parameters; those of the request have precedence, and its query stays as it is."""
    if not parameters:
        return url
    own = url.params
    added = str(httpx.QueryParams([(name, value) for name, value in parameters.multi_items() if name not in own]))
    separator = b"&" if url.query else b"?"
    return url.copy_with(raw_path=url.raw_path + separator + added.encode("ascii")) if added else url


def _with_headers(sent: list[tuple[bytes, bytes]], of_client: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add a client's headers; those of the request have precedence, except our User-Agent over one that was set."""
    of_client = [field for field in of_client if field[0].lower() != b"user-agent" or not _is_default_agent(field[1])]
    if any(name.lower() == b"user-agent" for name, _ in of_client):
        sent = [field for field in sent if field[0].lower() != b"user-agent" or not _is_default_agent(field[1])]
    names = {name.lower() for name, _ in sent}
    return [*sent, *(field for field in of_client if field[0].lower() not in names)]


def _is_default_agent(value: bytes) -> bool:
    return value.startswith((b"python-httpx/", b"contentgroove-python/"))


def uses_proxy(client: httpx.Client | httpx.AsyncClient, url: httpcore.URL) -> bool:
    """Return whether an application's client reaches a store through a proxy, by its own rules (`mounts`, NO_PROXY)."""
    # httpx has no public name for it: if this one changes, the tests of proxies fail.
    transport = cast("Any", client)._transport_for_url(_url(url.scheme, url.host, url.port, b"/"))  # noqa: SLF001 - as above
    if getattr(transport, "proxy", None) is not None:
        # That of httpx-aiohttp: aiohttp writes %2F in a query as a slash.
        raise ConfigurationError(
            "http_client uses a proxy, but its transport changes presigned URLs, so that it cannot upload files: pass "
            "upload_http_client=, an httpx client with the same proxy and httpx's own transport."
        )
    return isinstance(getattr(transport, "_pool", None), _PROXIES)


_PROXIES = (httpcore.HTTPProxy, httpcore.SOCKSProxy, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)


def _content(stream: Iterable[bytes] | AsyncIterable[bytes]) -> bytes | Iterable[bytes] | AsyncIterable[bytes]:
    # Content in memory can be iterated both ways, a file's chunks cannot. Applications' hooks may read the former.
    return b"".join(stream) if isinstance(stream, Iterable) and isinstance(stream, AsyncIterable) else stream


@lru_cache(maxsize=64)
def _url(scheme: bytes, host: bytes, port: int | None, target: bytes) -> httpx.URL:
    # Parsing a URL takes longer than building the rest of a request, and a wait requests the same one each time.
    try:
        return httpx.URL(scheme=scheme.decode("ascii"), host=host.decode("ascii"), port=port, raw_path=target)
    except httpx.InvalidURL as error:
        raise InvalidUrlError(str(error)) from error


def _response(response: httpx.Response, body: Iterable[bytes] | AsyncIterable[bytes]) -> httpcore.Response:
    # The body of a mock, or one that an application's hook has read, is already read: only httpx has it, decoded.
    decoded = {ALREADY_DECODED: True} if response.is_stream_consumed else None
    return httpcore.Response(response.status_code, headers=response.headers.raw, content=body, extensions=decoded)


class _Body:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_bytes() if self._response.is_stream_consumed else self._response.iter_raw()

    def close(self) -> None:
        self._response.close()


class _AsyncBody:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_bytes() if self._response.is_stream_consumed else self._response.aiter_raw()

    async def aclose(self) -> None:
        await self._response.aclose()
