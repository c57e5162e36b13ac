"""Pass requests to the service, and record each exchange with it: the proxy behind `contentgroove mock --record`.

Requests and responses are passed on as they are, but for the headers of one connection. There are two exceptions: the
URL of a prepared upload leads to the proxy, which forwards the file to the store, and encodings that the proxy cannot
read are not offered. A key goes to the target only, and nothing follows a redirect.
"""

from __future__ import annotations

import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from contentgroove._core.redaction import redact_text
from contentgroove._core.secret import Secret
from contentgroove._core.settings import check_base_url, is_loopback
from msgspec import structs

from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Checker
from contentgroove_mock.contract.asgi import headers_of, target_of
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.recording.bodies import MAX_BODY, BodyCopy, decode_body, readable_encodings
from contentgroove_mock.recording.recordings import Recording, RecordingError, violations
from contentgroove_mock.recording.replay import outside_api
from contentgroove_mock.recording.session_scrubbing import SessionScrubber
from contentgroove_mock.recording.sessions import FORMAT, UPLOADS, SessionHeader, SessionWriter, describe
from contentgroove_mock.simulator.core.errors import ErrorResponse, bad_request
from contentgroove_mock.simulator.server import aserve_app, in_thread
from contentgroove_mock.simulator.web.api import BASE_PATH
from contentgroove_mock.simulator.web.control import foreign_problem
from contentgroove_mock.simulator.web.responses import TRANSPORT, error_response

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

TIMEOUT = httpx.Timeout(120.0, connect=10.0)
"""Limits of one step of a request to the service or its store, in seconds."""

_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
# The name of the target replaces the host. The proxy itself has already responded to Expect.
_NOT_FORWARDED = _HOP_BY_HOP | {b"host", b"expect"}
_AS_SENT = "%/:?#[]@!$&'()*+,;=~"
_API_CREDENTIALS = frozenset({b"authorization", b"cookie", b"x-api-key"})
_PREPARES_UPLOAD = "getUploadUrl"

Headers = list[tuple[bytes, bytes]]


class Disconnected(Exception):  # noqa: N818  # not an error of the proxy
    """The caller closed the connection before its request was complete."""


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
            if problem := foreign_problem(headers, "The recording proxy"):
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
        call = _Call(scope)
        name = call.operation(self._checker)
        try:
            response = await self._client.send(call.request(url, receive), stream=True)
        except Disconnected:
            return
        except (httpx.TransportError, httpx.InvalidURL) as error:
            problem = _unreachable(error, url, may_have_arrived=call.method not in {"GET", "HEAD"})
            self._report(call, problem.status, problem=str(problem.body["errors"][0]["detail"]))
            raise problem from None
        try:
            headers = [pair for pair in response.headers.raw if pair[0].lower() not in _HOP_BY_HOP]
            if name == _PREPARES_UPLOAD and response.is_success:
                headers, content = await self._prepare_upload(response, headers, origin)
                chunks = _chunks(content)
            else:
                chunks = response.aiter_raw()
            await self._pass_back(call, response.status_code, headers, chunks, send)
        finally:
            await response.aclose()

    async def _pass_back(
        self, call: _Call, status: int, headers: Headers, chunks: AsyncIterator[bytes], send: Send
    ) -> None:
        """Send a response to the caller, and record the exchange before the caller has the whole of it."""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        named = _joined(headers)
        body = BodyCopy()
        last = b""
        try:
            async for chunk in chunks:
                body.add(chunk)
                if str(body.size) == named.get("content-length"):
                    last = chunk
                else:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except httpx.TransportError as error:
            self._report(call, None, problem=f"The response was cut off ({type(error).__name__}).")
            # The caller must see that, too: a response that ends normally would be taken for a whole one.
            state: dict[str, object] = call.scope.get("state") or {}
            if TRANSPORT not in state:
                raise
            cast("asyncio.Transport", state[TRANSPORT]).abort()
            return
        self._record(call, status, headers, body)
        await send({"type": "http.response.body", "body": last})

    async def _prepare_upload(self, response: httpx.Response, headers: Headers, origin: str) -> tuple[Headers, bytes]:
        """Return the response to the preparation of an upload with a URL at this proxy, if its own is a usable one."""
        body = BodyCopy()
        async for chunk in response.aiter_raw():
            body.add(chunk)
        try:
            raw = body.content
            content = decode_body(raw, headers_of(headers))
        except RecordingError as error:
            raise gateway_error(502, str(error)) from None
        try:
            value = decode_json(content)
            document = msgspec.convert(value, _Prepared)
        except (ValueError, msgspec.ValidationError):
            return headers, raw
        url = Secret(str(document.data.attributes.get("upload_url")))
        if not _may_forward(url):
            return headers, raw
        path = f"{UPLOADS}{len(self._uploads) + 1}"
        self._uploads[path] = url
        self._scrubber.learn_url(url)
        cast("Any", value)["data"]["attributes"]["upload_url"] = origin + path
        content = msgspec.json.encode(value)
        kept = [pair for pair in headers if pair[0].lower() not in {b"content-encoding", b"content-length"}]
        return [*kept, (b"content-length", b"%d" % len(content))], content

    def _record(self, call: _Call, status: int, headers: Headers, body: BodyCopy) -> None:
        named = _joined(headers)
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

    def _report(self, call: _Call, status: int | None, found: Sequence[str] = (), problem: str | None = None) -> None:
        request = self._scrubber.request(CheckedRequest(call.method, call.target, call.headers, b""))
        self._on_exchange(Outcome(describe(request), status, tuple(found), problem))


class _Call:
    """A request of a caller."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.target = target_of(scope)
        self.headers = headers_of(scope["headers"])
        self.is_upload = self.target.startswith(UPLOADS)
        self.body = BodyCopy(0 if self.is_upload else MAX_BODY)

    def checked(self) -> CheckedRequest:
        """Return the request as it arrived; raises `RecordingError` if its body is too long to record."""
        return CheckedRequest(self.method, self.target, self.headers, b"" if self.is_upload else self.body.content)

    def operation(self, checker: Checker) -> str:
        """Return the operationId; empty if there is none."""
        found = checker.operation_of(self.method, self.target)
        return "" if found is None else found.name

    def request(self, url: Secret, receive: Receive) -> httpx.Request:
        """Return the request that is sent on."""
        parts = urlsplit(url.reveal())
        dropped = _NOT_FORWARDED | _named_by_connection(self.headers)
        if self.is_upload:
            # A store must not get the API's key, and rejects requests with two kinds of credentials.
            dropped |= _API_CREDENTIALS
        headers = [
            (name, readable_encodings(value) if name.lower() == b"accept-encoding" else value)
            for name, value in self.scope["headers"]
            if name.lower() not in dropped
        ]
        has_body = "content-length" in self.headers or "transfer-encoding" in self.headers
        query = f"?{parts.query}" if parts.query else ""
        # The target is not in httpx's URL, because httpx logs that, and writes some characters in another way.
        return httpx.Request(
            self.method,
            f"{parts.scheme}://{parts.netloc}/",
            headers=headers,
            content=self._passing(receive) if has_body else None,
            extensions={"target": quote(f"{parts.path}{query}", safe=_AS_SENT).encode()},
        )

    async def _passing(self, receive: Receive) -> AsyncIterator[bytes]:
        more_body = True
        while more_body:
            message = await receive()
            if message["type"] != "http.request":
                raise Disconnected
            chunk: bytes = message.get("body", b"")
            self.body.add(chunk)
            more_body = message.get("more_body", False)
            if chunk:
                yield chunk


class _PreparedUpload(msgspec.Struct):
    attributes: dict[str, Any]


class _Prepared(msgspec.Struct):
    data: _PreparedUpload


def _unreachable(error: Exception, url: Secret, *, may_have_arrived: bool) -> ErrorResponse:
    parts = urlsplit(url.reveal())
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    reason = redact_text(str(error)).rstrip(".") or type(error).__name__
    unknown = may_have_arrived and not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    doubt = " The service may have performed the request." if unknown else ""
    if isinstance(error, httpx.TimeoutException):
        detail = f"{origin} did not respond in time ({type(error).__name__}). Nothing was recorded.{doubt}"
        return gateway_error(HTTPStatus.GATEWAY_TIMEOUT, detail)
    return gateway_error(HTTPStatus.BAD_GATEWAY, f"Cannot reach {origin}: {reason}. Nothing was recorded.{doubt}")


def gateway_error(status: int, detail: str) -> ErrorResponse:
    """502 and 504: the service did not respond, or not in a way that can be passed on."""
    return ErrorResponse(status, [{"status": str(int(status)), "title": HTTPStatus(status).phrase, "detail": detail}])


def _may_forward(url: Secret) -> bool:
    """Return whether a file may be sent to a URL: over https, or to this machine."""
    try:
        parts = urlsplit(url.reveal())
        return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    except ValueError:
        return False


def _named_by_connection(headers: Mapping[str, str]) -> frozenset[bytes]:
    """Return the headers that the Connection header names, which belong to that connection (RFC 9110, 7.6.1)."""
    return frozenset(name.strip().lower().encode("latin-1") for name in headers.get("connection", "").split(","))


def _joined(headers: Headers) -> dict[str, str]:
    """Return headers by lower-case name; those that are there several times are one (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers):
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


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
    # A proxy of the environment could not reach this machine's servers.
    trust_env = not is_loopback(urlsplit(checked).hostname or "")
    checker = checker or Checker()
    header = SessionHeader(format=FORMAT, target=checked, contract=checker.digest)
    async with httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=trust_env) as client:
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
        RecordingError: The file exists, or cannot be created.
        OSError: The port is in use.
    """
    with in_thread(lambda: aserve_recording(file, base_url, port, checker=checker, on_exchange=on_exchange)) as served:
        yield served
