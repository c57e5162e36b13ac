"""Pass requests to the service, and record each exchange with it: the proxy behind `contentgroove mock --record`.

Requests and responses are passed on as they are, but for the headers of one connection. There are two exceptions: the
URL of a prepared upload leads to the proxy, which forwards the file to the store, and encodings that the proxy cannot
read are not offered. A key goes to the target only, and nothing follows a redirect.
"""

from __future__ import annotations

import contextlib
import functools
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

import httpx
import msgspec
from contentgroove._core.secret import Secret
from contentgroove._core.settings import check_base_url, is_loopback
from msgspec import structs

from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Checker
from contentgroove_mock.contract.asgi import headers_of, target_of
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.recording.bodies import BodyCopy, decode_body
from contentgroove_mock.recording.forwarding import (
    Call,
    Disconnected,
    Headers,
    foreign_problem,
    gateway_error,
    joined_headers,
    may_forward,
    passed_headers,
    unreachable,
)
from contentgroove_mock.recording.recordings import Recording, RecordingError, violations
from contentgroove_mock.recording.replay import outside_api
from contentgroove_mock.recording.session_scrubbing import SessionScrubber
from contentgroove_mock.recording.sessions import FORMAT, UPLOADS, SessionHeader, SessionWriter, describe
from contentgroove_mock.simulator.core.errors import ErrorResponse, bad_request
from contentgroove_mock.simulator.server import aserve_app, in_thread
from contentgroove_mock.simulator.web.api import BASE_PATH
from contentgroove_mock.simulator.web.responses import error_response

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

TIMEOUT = httpx.Timeout(120.0, connect=10.0)
"""Limits of one step of a request to the service or its store, in seconds."""

_PREPARES_UPLOAD = "getUploadUrl"


class Outcome(NamedTuple):
    """What became of a request.

    Attributes:
        request: Its method, path and query, without credentials.
        status: The status that the caller received; None if the response was cut off.
        violations: What in the exchange violates the contract.
        problem: Why the exchange was not recorded; None if it was.
    """

    request: str
    status: int | None
    violations: Sequence[str] = ()
    problem: str | None = None


class RecordingProxy:
    """An ASGI application that passes requests to a service and records the exchanges.

    It responds to this machine only, and to no web page: a page could use a key that a browser has stored.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        writer: SessionWriter,
        checker: Checker,
        on_exchange: Callable[[Outcome], object] = lambda _: None,
    ) -> None:
        """Record with a service.

        Args:
            client: Sends requests; it must not follow redirects.
            base_url: The service's base URL, which `check_base_url` has checked.
            writer: The recording.
            checker: The contract that exchanges are checked against.
            on_exchange: Called with the outcome of each request.
        """
        self._client = client
        self._base_url = base_url
        self._writer = writer
        self._on_exchange = on_exchange
        self._checker = checker
        self._scrubber = SessionScrubber(base_url)
        self._uploads: dict[str, Secret] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        headers = headers_of(scope["headers"])
        origin = f"{scope['scheme']}://{headers.get('host', '')}"
        target = target_of(scope)
        try:
            if problem := foreign_problem(scope):
                raise bad_request(problem)
            url = self._url(target)
            if url is None:
                raise outside_api(origin)
            await self._pass_on(scope, receive, send, url, origin)
        except ErrorResponse as error:
            await error_response(error)(scope, receive, send)

    def _url(self, target: str) -> Secret | None:
        """Return the URL at the service or its store that a target leads to; a secret, because a query may have one."""
        if target.startswith(f"{BASE_PATH}/"):
            return Secret(self._base_url + target.removeprefix(BASE_PATH))
        return self._uploads.get(target)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, url: Secret, origin: str) -> None:
        call = Call(scope, receive)
        try:
            response = await self._client.send(call.request(url), stream=True)
        except Disconnected:
            return
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._reported(call, unreachable(error, url, call.method)) from None
        try:
            headers = passed_headers(response)
            chunks = response.aiter_raw()
            if response.is_success and call.operation(self._checker) == _PREPARES_UPLOAD:
                headers, content = await self._prepare_upload(chunks, headers, origin)
                chunks = _chunks(content)
            await self._pass_back(call, response.status_code, headers, chunks, send)
        except httpx.TransportError as error:
            raise self._reported(call, unreachable(error, url, call.method)) from None
        except RecordingError as error:
            raise self._reported(call, gateway_error(HTTPStatus.BAD_GATEWAY, str(error))) from None
        finally:
            await response.aclose()

    async def _pass_back(
        self, call: Call, status: int, headers: Headers, chunks: AsyncIterator[bytes], send: Send
    ) -> None:
        """Send a response to the caller, and record the exchange before the caller has the whole of it.

        Raises:
            httpx.TransportError: The response was cut off before any of it was sent.
        """
        # Some responses end with their headers, so these are not sent before there is a chunk, or none.
        pending: list[Message] = [{"type": "http.response.start", "status": status, "headers": headers}]
        length = headers_of(headers).get("content-length")
        body = BodyCopy()
        last = b""
        try:
            async for chunk in chunks:
                body.add(chunk)
                if str(body.size) == length:
                    last = chunk
                    continue
                pending.append({"type": "http.response.body", "body": chunk, "more_body": True})
                while pending:
                    await send(pending.pop(0))
        except httpx.TransportError as error:
            if pending:
                raise
            self._report(call, None, problem=f"The response was cut off ({type(error).__name__}).")
            # The caller must see that, too: a response that ends normally would be taken for a whole one.
            if not await call.cut_off():
                raise
            return
        self._record(call, status, headers, body)
        for message in (*pending, {"type": "http.response.body", "body": last}):
            await send(message)

    async def _prepare_upload(
        self, chunks: AsyncIterator[bytes], headers: Headers, origin: str
    ) -> tuple[Headers, bytes]:
        """Return the response to the preparation of an upload with a URL at this proxy, if its own is a usable one.

        Raises:
            RecordingError: It is too long to be one.
        """
        body = BodyCopy()
        async for chunk in chunks:
            body.add(chunk)
        raw = body.content
        try:
            value = decode_json(decode_body(raw, headers_of(headers)))
            document = msgspec.convert(value, _Prepared)
        except (RecordingError, ValueError, msgspec.ValidationError):
            return headers, raw
        url = Secret(str(document.data.attributes.get("upload_url")))
        if not may_forward(url):
            return headers, raw
        path = f"{UPLOADS}{len(self._uploads) + 1}"
        self._uploads[path] = url
        self._scrubber.learn_url(url)
        cast("Any", value)["data"]["attributes"]["upload_url"] = origin + path
        content = msgspec.json.encode(value)
        kept = [pair for pair in headers if pair[0].lower() not in {b"content-encoding", b"content-length"}]
        return [*kept, (b"content-length", b"%d" % len(content))], content

    def _record(self, call: Call, status: int, headers: Headers, body: BodyCopy) -> None:
        named = joined_headers(headers)
        origin = f"{call.scope['scheme']}://{headers_of(call.scope['headers']).get('host', '')}"
        scrubber = self._scrubber.at(origin)
        found: list[str] = []
        try:
            request = scrubber.request(call.checked(), call.body.size if call.is_upload else None)
            content = decode_body(body.content, named)
            response = scrubber.response(CheckedResponse(status, named, content))
            if call.method == "HEAD" and "content-length" in named:
                response.headers["content-length"] = named["content-length"]
            name = "upload" if call.is_upload else call.operation(self._checker)
            recording = Recording(operation=name, status=status, origin="proxy", request=request, response=response)
            if not call.is_upload:
                # Of the recording, so that nothing in them needs to be scrubbed, and a replay has the same.
                found = [str(structs.replace(item, call=None)) for item in violations(recording, self._checker)]
                recording = structs.replace(recording, violations=tuple(found))
            scrubber.require_clean(recording)
            self._writer.add(recording)
        except RecordingError as error:
            self._report(call, status, found, f"{error}")
            return
        self._report(call, status, found)

    def _reported(self, call: Call, error: ErrorResponse) -> ErrorResponse:
        """Report an error that the caller gets instead of a response, and return it."""
        self._report(call, error.status, problem=str(error.body["errors"][0]["detail"]))
        return error

    def _report(self, call: Call, status: int | None, found: Sequence[str] = (), problem: str | None = None) -> None:
        request = self._scrubber.request(CheckedRequest(call.method, call.target, call.headers, b""))
        self._on_exchange(Outcome(describe(request), status, tuple(found), problem))


class _PreparedUpload(msgspec.Struct):
    attributes: dict[str, Any]


class _Prepared(msgspec.Struct):
    data: _PreparedUpload


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


@contextlib.asynccontextmanager
async def aserve_recording(
    file: Path,
    base_url: str,
    port: int = 0,
    *,
    checker: Checker | None = None,
    on_exchange: Callable[[Outcome], object] = lambda _: None,
) -> AsyncGenerator[str]:
    """Serve a recording proxy from the running event loop; the arguments are those of `serve_recording`."""
    checked = check_base_url(Secret(base_url))
    target = urlsplit(checked)
    is_local = is_loopback(target.hostname or "")
    if is_local and port and target.port == port:
        # The variable of the clients may still have the proxy's own URL, and each request would be sent on without end.
        raise RecordingError(f"The target {checked} is this proxy itself. Pass the service's URL with --target.")
    checker = checker or Checker()
    header = SessionHeader(format=FORMAT, target=checked, contract=checker.digest)
    # A proxy of the environment could not reach this machine's servers.
    client = httpx.AsyncClient(verify=_tls(), timeout=TIMEOUT, follow_redirects=False, trust_env=not is_local)
    async with client:
        with SessionWriter(file, header) as writer:
            proxy = RecordingProxy(client, checked, writer, checker, on_exchange)
            async with aserve_app(proxy, port) as origin:
                yield origin + BASE_PATH


@contextlib.contextmanager
def serve_recording(
    file: Path,
    base_url: str,
    port: int = 0,
    *,
    checker: Checker | None = None,
    on_exchange: Callable[[Outcome], object] = lambda _: None,
) -> Generator[str]:
    """Serve a recording proxy on this machine's loopback address, until the context is left, which has its base URL.

    Args:
        file: The recording to write; it must not exist.
        base_url: The service's base URL: https, or http on this machine.
        port: The port; 0 means any free port.
        checker: The contract that exchanges are checked against; by default the published one.
        on_exchange: Called with the outcome of each request, in the server's thread.

    Raises:
        ConfigurationError: The base URL is not safe to send a key to.
        RecordingError: The file exists, or cannot be created; or the service is at the proxy's own port.
        OSError: The port is in use.
    """
    with in_thread(lambda: aserve_recording(file, base_url, port, checker=checker, on_exchange=on_exchange)) as served:
        yield served
