"""A mock of any API, made from its document alone: Prism responds, and the contract checker checks each exchange.

The checker sees what Prism does not check, and the other way round. A request passes the checker first and is then sent
on to Prism, below no base path, because Prism knows none.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import unquote

import anyio.to_thread
import httpcore
import msgspec
from contentgroove._core.redaction import redact_url
from contentgroove._openapi.compositions import without_empty_parts
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.pointers import is_local, join, resolve_reference, split

from contentgroove_mock.contract.asgi import headers_of, kept_headers, read_body, target_of, violations_in
from contentgroove_mock.contract.checker import Checker
from contentgroove_mock.contract.conventions import Conventions
from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.paths import without_query
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.contract.violations import Violation
from contentgroove_mock.prism import Prism
from contentgroove_mock.simulator.server import serve_app

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from contentgroove._openapi.documents import Json
    from starlette.types import Receive, Scope, Send

_TIMEOUTS = {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 30.0}
_PROBLEM = b"application/problem+json"
_JSON = "application/json"
_RANGES = frozenset({"*/*", "*", "application/*"})


class Exchange(NamedTuple):
    """A request and what became of it.

    Attributes:
        request: The method and the path with its query, without credentials.
        status: The status of the response.
        violations: What does not match the document; the request's come first.
    """

    request: str
    status: int
    violations: tuple[Violation, ...]


class Counts(NamedTuple):
    """How many requests there were, and how many of them violated the document, or got a response that does."""

    requests: int
    bad_requests: int
    bad_responses: int

    def __str__(self) -> str:
        return (
            f"{self.requests} requests: {self.bad_requests} violate the document, and {self.bad_responses} of the "
            "responses that Prism made from it do."
        )


class DocumentMock:
    """An ASGI application that checks each request, lets Prism respond to it, and checks the response.

    Attributes:
        checker: The document, compiled.
    """

    def __init__(
        self,
        checker: Checker,
        prism: Prism | None,
        renamed: dict[str, str],
        on_exchange: Callable[[Exchange], object],
    ) -> None:
        self.checker = checker
        self._prism = prism
        self._restarting = threading.Lock()
        self._renamed = renamed
        self._on_exchange = on_exchange
        self._lock = threading.Lock()
        self._counts = Counts(0, 0, 0)

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        return self._counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        content = await read_body(receive)
        request = CheckedRequest(scope["method"], target_of(scope), headers_of(scope["headers"]), content)
        violations = self.checker.check_exchange(request, None)
        status, headers, body = await self._respond(request, scope["headers"])
        if _is_own_problem(headers):
            # Prism's own responses are not the API's: what it found is reported unless the checker has found something.
            found = violations or _prism_violations(headers, body)
        else:
            response = CheckedResponse(status, headers_of(headers), body)
            found = self.checker.check_exchange(request, response)
        self._count(violations or found, [item for item in found if item.location.startswith("response")])
        self._on_exchange(Exchange(_shown(request), status, tuple(found)))
        # Prism makes up every header that the document describes, but encodes no body, since none was asked for.
        kept = [pair for pair in kept_headers(headers) if pair[0].lower() != b"content-encoding"]
        kept.append((b"content-length", b"%d" % len(body)))
        # A response to HEAD has the headers of one to GET, and statuses without a body have no length.
        if scope["method"] == "HEAD" or status in {204, 304}:
            kept, body = kept[:-1], b""
        await send({"type": "http.response.start", "status": status, "headers": kept})
        await send({"type": "http.response.body", "body": body})

    def _count(self, violations: Sequence[Violation], in_response: Sequence[Violation]) -> None:
        with self._lock:
            before = self._counts
            is_bad = any(not item.location.startswith("response") for item in violations)
            self._counts = Counts(
                before.requests + 1, before.bad_requests + is_bad, before.bad_responses + bool(in_response)
            )

    async def _respond(
        self, request: CheckedRequest, raw_headers: Sequence[tuple[bytes, bytes]]
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if "json" in request.headers.get("content-type", ""):
            try:
                decode_json(request.content or b"null")
            except ValueError as error:
                # Prism never responds to it.
                return _problem(400, f"The body is not JSON: {error}.")
        if self._prism is None:
            return _problem(404, "The document has no operations.")
        found = self.checker.locate(request)
        path, _, query = request.target.partition("?")
        if found is not None:
            operation, path = found
            path += self._renamed.get(operation.path, "")
        headers = [pair for pair in kept_headers(raw_headers) if pair[0].lower() != b"accept-encoding"]
        if request.content or request.method in {"POST", "PUT", "PATCH"}:
            headers.append((b"content-length", b"%d" % len(request.content)))
        url = f"{self._prism.base_url}{path}{'?' if query else ''}{query}"
        try:
            # One pool for each request: an application without a lifespan could not close a common one.
            async with httpcore.AsyncConnectionPool() as connections:
                response = await connections.request(
                    request.method, url, headers=headers, content=request.content, extensions={"timeout": _TIMEOUTS}
                )
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            ended = await anyio.to_thread.run_sync(self._restart, self._prism)
            reason = "Prism ended at this request, and was started again" if ended else "Prism did not respond"
            return _problem(502, f"{reason}: {type(error).__name__}.")
        return response.status, list(response.headers), response.content

    def _restart(self, prism: Prism) -> bool:
        """Start Prism again if it has ended: some documents have operations that end it."""
        with self._restarting:
            if prism.is_running:
                return False
            prism.__exit__()
            prism.__enter__()
            return True


@contextlib.contextmanager
def serve_document(
    document: Json,
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    dynamic: bool = False,
    on_exchange: Callable[[Exchange], object] = lambda _: None,
) -> Generator[tuple[str, DocumentMock]]:
    """Serve a mock of a document until the context is left.

    Args:
        document: An OpenAPI 3 document.
        port: The port; 0 means any free port.
        host: The address to listen on; by default only this machine can connect.
        dynamic: Whether Prism makes up another response each time; otherwise it serves the document's examples, and
            the same made-up values where there are none.
        on_exchange: Called with each exchange.

    Returns:
        The `base_url` for clients, and the mock.

    Raises:
        OSError: The port is in use, or the address is not one of this machine's; the message says which.
        NpmError: Prism could not be installed, or does not accept the document.
    """
    checker = Checker(document, conventions=Conventions())
    served, renamed = prism_document(checker.document)
    with contextlib.ExitStack() as stack:
        prism: Prism | None = None
        # Prism refuses a document without operations, such as one that describes only webhooks.
        if checker.operations:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="contentgroove-mock-"))
            path = Path(folder, "openapi.json")
            path.write_text(json.dumps(served), encoding="utf-8", newline="\n")
            prism = stack.enter_context(Prism.mock(path, dynamic=dynamic))
        mock = DocumentMock(checker, prism, renamed, on_exchange)
        origin = stack.enter_context(serve_app(mock, port, host=host))
        yield origin + checker.base_path, mock


def prism_document(document: Json) -> tuple[Json, dict[str, str]]:
    """Return a document as Prism can serve it.

    Some documents tell operations of one path apart by a query or a fragment in the key of the path. Prism finds
    operations by the path alone, so each of these gets one of its own.

    Returns:
        The document, and what was added to such a path, by its key.
    """
    keys: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for key in document["paths"]:
        bare = without_query(key)
        if bare != key:
            renamed[key] = f"{'' if bare.endswith('/') else '/'}operation-{len(renamed) + 1}"
        keys[key] = bare + renamed.get(key, "")
    paths = {keys[key]: item for key, item in document["paths"].items()}
    # Prism looks at the servers only to find the base path, which is not in the requests that it gets.
    served = {**document, "paths": paths, "servers": [{"url": "/"}]}
    return without_empty_parts(_for_prism(served, document, keys)), renamed


def _for_prism(value: Any, document: Json, keys: dict[str, str]) -> Any:
    """Return a part of a document without what Prism refuses: references to nothing, and ranges of media types.

    JSON comes before the other media types of a body, because Prism makes the first one. `keys` has the new names of
    paths, which references can name.
    """
    if isinstance(value, list):
        return [_for_prism(item, document, keys) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    members = {key: _for_prism(item, document, keys) for key, item in cast("Json", value).items()}
    reference = members.get("$ref")
    if isinstance(reference, str):
        try:
            if not is_local(reference):
                return {}
            resolve_reference(document, reference)
        except DocumentError:
            return {}
        steps = split(unquote(reference))
        if steps[:1] == ["paths"] and len(steps) > 1 and steps[1] in keys:
            return {"$ref": f"#{join(['paths', keys[steps[1]], *steps[2:]])}"}
    content = members.get("content")
    if isinstance(content, dict):
        named = {_JSON if key in _RANGES else key: media for key, media in cast("Json", content).items()}
        members["content"] = dict(sorted(named.items(), key=lambda pair: "json" not in pair[0].lower()))
    return members


def exchange_lines(exchange: Exchange) -> list[str]:
    """Return an exchange as lines of a log: one for it, and one for each violation."""
    return [
        f"{exchange.request} → {exchange.status}",
        *(f"    {item.location}: {item.rule}: {item.message}; seen: {item.actual}" for item in exchange.violations),
    ]


def _is_own_problem(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(_PROBLEM) for name, value in headers)


def _prism_violations(headers: Sequence[tuple[bytes, bytes]], body: bytes) -> list[Violation]:
    """Return what Prism reports; a response that it could not make is the response's."""
    found = [
        Violation(None, location if "." in location else f"request.{location}", "prism", message, "Prism's report")
        for location, message in violations_in(dict(headers), body)
    ]
    if found:
        return found
    try:
        problem: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        problem = {}
    fields = cast("dict[str, Any]", problem) if isinstance(problem, dict) else {}
    message = str(fields.get("detail") or fields.get("title") or "it gave no reason")
    return [Violation(None, "response", "prism", f"Prism could not make a response: {message}", "nothing")]


def _problem(status: int, detail: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    body = json.dumps({"title": "The mock could not respond", "detail": detail, "status": status}).encode()
    return status, [(b"content-type", _PROBLEM)], body


def _shown(request: CheckedRequest) -> str:
    return f"{request.method} {redact_url(request.target)}"
