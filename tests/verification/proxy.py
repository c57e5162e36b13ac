"""A proxy in front of the simulator, whose rules change requests and responses; and the same for webhooks."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, quote

import httpx

if TYPE_CHECKING:
    from contentgroove_mock import Simulator
    from starlette.types import Message, Receive, Scope, Send

API = "/api/v1"


@dataclass(frozen=True)
class Request:
    """A request; the headers are by lower-case name, the query is decoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes in the body; empty without any."""
        document = self.json
        data = document.get("data") if isinstance(document, dict) else None
        return data.get("attributes") or {} if isinstance(data, dict) else {}

    def value(self, name: str) -> str | None:
        """Return the value of a query parameter."""
        return dict(self.query).get(name)

    def with_attributes(self, **attributes: Any) -> Request:
        """Return it with other attributes; those that are `...` are left out."""
        changed = {name: value for name, value in {**self.attributes, **attributes}.items() if value is not ...}
        return replace(self, body=json.dumps({"data": {**self.json["data"], "attributes": changed}}).encode())

    def with_headers(self, **headers: str | None) -> Request:
        """Return it with other headers, written with underscores; those that are None are left out."""
        changed = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return replace(self, headers={name: value for name, value in changed.items() if value is not None})


@dataclass(frozen=True)
class Response:
    """A response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def with_json(self, value: object) -> Response:
        """Return it with another body."""
        return replace(self, body=json.dumps(value).encode())


Forward: TypeAlias = Callable[[Request], Awaitable[Response]]
Rule: TypeAlias = Callable[[Request, Forward], Awaitable[Response]]
"""Responds to a request, usually with the response of the simulator to it, both perhaps changed."""


class Proxy:
    """An ASGI application that passes requests to a simulator by a rule."""

    def __init__(self, simulator: Simulator, rule: Rule) -> None:
        self.simulator = simulator
        self.rule = rule

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        if scope["type"] != "http":
            await self.simulator(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = Request(
            scope["method"],
            scope["path"],
            tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            {name.decode(): value.decode() for name, value in scope["headers"]},
            body,
        )

        async def forward(request: Request) -> Response:
            return await self._forward(scope, request)

        response = await self.rule(request, forward)
        headers = {**response.headers, "content-length": str(len(response.body))}
        if response.status == 204:
            del headers["content-length"]
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        await send({"type": "http.response.body", "body": response.body})

    async def _forward(self, scope: Scope, request: Request) -> Response:
        # A signature covers the query as it was written, so only a changed one is written again.
        original = tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        query = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in request.query)
        headers = dict(request.headers)
        if "content-length" in headers:
            headers["content-length"] = str(len(request.body))
        changed = {
            **scope,
            "method": request.method,
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": scope["query_string"] if request.query == original else query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        parts: list[Message] = []

        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                # The client stays until it has its response.
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def collect(message: Message) -> None:
            parts.append(message)

        await self.simulator(changed, receive, collect)
        found = {name.decode().lower(): value.decode() for name, value in parts[0]["headers"]}
        return Response(parts[0]["status"], found, b"".join(part.get("body", b"") for part in parts[1:]))


DeliveryRule: TypeAlias = Callable[[httpx.Request, dict[str, Any]], httpx.Request]
"""Changes a webhook: gets it and its body, and returns what is sent."""


class DeliveryProxy(httpx.AsyncHTTPTransport):
    """A transport that changes webhooks."""

    def __init__(self, rule: DeliveryRule) -> None:
        super().__init__()
        self._rule = rule

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one webhook."""
        return await super().handle_async_request(self._rule(request, json.loads(request.content)))


def delivery(request: httpx.Request, body: object, url: str | None = None, **headers: str) -> httpx.Request:
    """Return a webhook with another body, URL and headers, the latter written with underscores."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Request("POST", url or request.url, json=body, headers=changed)


# --- Rules ------------------------------------------------------------------------------------------------------------


async def plain(request: Request, forward: Forward) -> Response:
    """Change nothing."""
    return await forward(request)


def on_request(change: Callable[[Request], Request | Response]) -> Rule:
    """Change requests, or respond to some."""

    async def rule(request: Request, forward: Forward) -> Response:
        changed = change(request)
        return changed if isinstance(changed, Response) else await forward(changed)

    return rule


def on_response(change: Callable[[Request, Response], Response]) -> Rule:
    """Change responses."""

    async def rule(request: Request, forward: Forward) -> Response:
        return change(request, await forward(request))

    return rule


def resources(document: Any, kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type in a document."""
    data = document.get("data") if isinstance(document, dict) else None
    items = data if isinstance(data, list) else [data]
    return [item for item in items if isinstance(item, dict) and item.get("type") == kind]


def on_resources(kind: str, change: Callable[[dict[str, Any]], object], method: str = "", path: str = "") -> Rule:
    """Change resources of a type in responses, those to a method and a path (a pattern), or all."""

    def changed(request: Request, response: Response) -> Response:
        document = response.json
        if (method and request.method != method) or (path and not re.fullmatch(API + path, request.path)):
            return response
        found = resources(document, kind)
        for item in found:
            change(item)
        return response.with_json(document) if found else response

    return on_response(changed)


def on_attributes(kind: str, method: str = "", path: str = "", **attributes: Any) -> Rule:
    """Set attributes; a function gets the old value."""

    def change(item: dict[str, Any]) -> None:
        for name, value in attributes.items():
            item["attributes"][name] = value(item["attributes"].get(name)) if callable(value) else value

    return on_resources(kind, change, method, path)


def error(status: int, title: str = "Refused") -> Response:
    """Return an error response."""
    one = {"status": str(status), "title": title, "detail": title, "source": {"pointer": "/data"}, "message": title}
    return Response(status, {"content-type": "application/json"}).with_json({"errors": [one]})


def without_query(pattern: str) -> Rule:
    """Ignore query parameters whose names match."""

    def change(request: Request) -> Request:
        return replace(request, query=tuple(pair for pair in request.query if not re.fullmatch(pattern, pair[0])))

    return on_request(change)


def with_query(change: Callable[[str, str], tuple[str, str]]) -> Rule:
    """Change query parameters."""
    return on_request(lambda request: replace(request, query=tuple(change(*pair) for pair in request.query)))


def refusing(condition: Callable[[Request], object], status: int) -> Rule:
    """Refuse some requests."""
    return on_request(lambda request: error(status) if condition(request) else request)


def with_status(condition: Callable[[Request, Response], object], status: int) -> Rule:
    """Change the status of some responses."""
    return on_response(
        lambda request, response: replace(response, status=status) if condition(request, response) else response
    )
