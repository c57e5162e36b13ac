"""Other APIs: previews of their OpenAPI documents, and tools for their operations.

Their calls use the client of `network`. The key of this API is not known here.
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio.to_thread
import msgspec
from contentgroove_api.types import check_levels
from msgspec import Struct, structs

from contentgroove._openapi.documents import as_list, as_object, check_version, parse
from contentgroove._openapi.operations import base_path, can_be_server, server_urls
from contentgroove._openapi.pointers import is_local, references, resolve
from contentgroove.errors import RETRYABLE_STATUSES

from . import network
from .network import check_url, origin_of
from .operation_tools import build_request, operation_tool
from .operations import MAX_NAMESPACE, Operation, compile_document, to_slug
from .registry import ProgressCallback, Tool, ToolFunction, ToolRegistry, object_schema
from .results import SpecError, Success, ToolError, error_code

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from .network import HttpResponse, NetworkPolicy

MAX_SOURCES = 20

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_NAMESPACE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_NAMESPACE - 1}}}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade"})

_SPEC = {
    "type": "string",
    "minLength": 1,
    "description": "An https URL of an OpenAPI 3.x document, or the document's JSON or YAML text.",
}


class Document(Struct, frozen=True):
    """A document that tools can be made of.

    Attributes:
        content: The document.
        servers: The URLs of its servers.
        operations: Its operations.
    """

    content: Json
    servers: list[str]
    operations: list[Operation]


class Source(Struct, frozen=True):
    """A source that was added.

    Attributes:
        name: Its namespace.
        base_url: The URL that its calls start with.
        headers: Headers of its calls; they may contain credentials.
        policy: Which addresses its calls may use.
    """

    name: str
    base_url: str
    headers: dict[str, str]
    policy: NetworkPolicy

    def __repr__(self) -> str:
        return f"Source(name={self.name!r})"


class SpecSources:
    """Previews documents, and adds them as sources.

    Args:
        policy: Which addresses documents may be fetched from and sources called at.
    """

    def __init__(self, policy: NetworkPolicy) -> None:
        self._policy = policy
        self._added: set[str] = set()
        self._registry: ToolRegistry | None = None

    def attach_registry(self, registry: ToolRegistry) -> None:
        """Set the registry that tools are added to."""
        self._registry = registry

    def tools(self) -> list[Tool]:
        """Return the two tools that work on documents."""
        return [
            Tool(
                name="openapi.previewSpec",
                title="Preview an OpenAPI document before adding it as a source",
                description=(
                    "Read an OpenAPI 3.x document and return its title, version, servers, operations, tags and kinds "
                    "of authentication. Nothing is added. openapi_addSource accepts the same document."
                ),
                input_schema=object_schema({"spec": _SPEC}),
                run=self._preview,
                is_read_only=True,
                is_idempotent=True,
            ),
            Tool(
                name="openapi.addSource",
                title="Add an OpenAPI source and register its operations as tools",
                description=(
                    "Add a tool for every operation of an OpenAPI 3.x document, named <namespace>.<group>.<leaf>. "
                    "The tools can be called at once, until this server ends. Calls go to baseUrl, by https to "
                    "public addresses; plain http to this machine is possible if baseUrl is such a URL. Check the "
                    "document with openapi_previewSpec first, and add only documents that you trust."
                ),
                input_schema=object_schema(
                    {
                        "spec": _SPEC,
                        "namespace": {
                            "type": "string",
                            "pattern": f"^{_NAMESPACE.pattern}$",
                            "description": "The first part of the tools' names; made from the title by default.",
                        },
                        "baseUrl": {
                            "type": "string",
                            "description": "The URL that calls start with; by default the first usable server.",
                        },
                        "headers": {
                            "type": "object",
                            "additionalProperties": {"type": "string"},
                            "description": "Sent with every call, such as {'Authorization': 'Bearer …'}.",
                        },
                    },
                    "spec",
                ),
                run=self._add,
            ),
        ]

    async def _preview(self, arguments: Json, _report: ProgressCallback) -> Success:
        return Success(describe_document(await self._read(arguments["spec"])))

    async def _add(self, arguments: Json, _report: ProgressCallback) -> Success:
        document = await self._read(arguments["spec"])
        source = self._source(document, arguments)
        tools = [
            operation_tool(operation, _caller(operation, source), namespace=source.name, about=f" of {source.base_url}")
            for operation in document.operations
        ]
        if self._registry is None:
            raise RuntimeError("attach_registry() was not called")
        self._registry.add(tools)
        self._added.add(source.name)
        return Success({"sourceId": source.name, "toolCount": len(tools)})

    async def _read(self, spec: str) -> Document:
        content: bytes | str = spec
        url, source = None, "The text"
        if _URL.fullmatch(spec.strip()):
            url = spec.strip()
            response = await network.fetch(url, self._policy)
            source = network.printable_url(url)
            if response.status != HTTPStatus.OK:
                raise ToolError(
                    error_code(response.status),
                    f"{source} returned status {response.status}, not a document.",
                    status=response.status,
                    retryable=response.status in RETRYABLE_STATUSES,
                )
            content = response.content
        return await anyio.to_thread.run_sync(_compile, content, source, url)

    def _source(self, document: Document, arguments: Json) -> Source:
        title: str = document.content["info"]["title"]
        name = arguments.get("namespace") or to_slug(title)
        if not name:
            raise ToolError("invalid_input", f"Cannot make a name from the title {title!r}: pass namespace.")
        if self._registry is not None and name in self._registry.reserved:
            raise ToolError("source_exists", f"{name!r} belongs to built-in tools: pass another namespace.")
        if name in self._added:
            raise ToolError("source_exists", f"A source {name!r} already exists: pass another namespace.")
        if len(self._added) >= MAX_SOURCES:
            raise ToolError("not_allowed", f"No more than {MAX_SOURCES} sources can be added.")
        requested = arguments.get("baseUrl")
        base_url = requested or usable_server(document.servers)
        if base_url is None:
            raise ToolError("invalid_input", "The document has no server that calls can be sent to: pass baseUrl.")
        policy = self._policy
        origin = origin_of(base_url)
        if requested and origin.is_loopback:
            # The caller may name this machine; a document may not.
            policy = structs.replace(policy, allowed=policy.allowed | {origin})
        if urlsplit(base_url).query or urlsplit(base_url).fragment:
            raise ToolError("invalid_input", "baseUrl must not have a query or a fragment.")
        check_url(origin, policy.allowed)
        return Source(name, base_url.rstrip("/"), _checked_headers(arguments.get("headers") or {}), policy)


def read_document(content: bytes | str, source: str) -> Json:
    """Read an OpenAPI 3.x document that tools can be made of.

    Args:
        content: The document.
        source: The document's name in messages.

    Raises:
        DocumentError: It cannot be read.
        SpecError: It is not OpenAPI 3.x, or has a `$ref` to another document: such documents are never fetched.
    """
    document = parse(content, source)
    check_version(document, source)
    if not isinstance(as_object(document.get("info")).get("title"), str):
        raise SpecError(f"{source} has no info.title, which OpenAPI requires.")
    if not isinstance(document.get("paths", {}), dict):
        raise SpecError(f"{source} has paths that are not an object.")
    for reference in references(document):
        if not is_local(reference):
            raise SpecError(
                f"{source} has the $ref {reference[:200]!r} to another document, and those are not fetched: pass a "
                "document that contains everything."
            )
    return document


def usable_server(urls: list[str]) -> str | None:
    """Return the first server that requests can be sent to, without a slash at its end; None if there is none."""
    for url in filter(can_be_server, urls):
        parts = urlsplit(url)
        is_complete = parts.scheme in {"http", "https"} and parts.hostname and not {"{", "}"} & set(url)
        if is_complete and not (parts.query or parts.fragment):
            return url.rstrip("/")
    return None


def describe_document(document: Document) -> Json:
    """Describe a document: its title, servers, operations, tags, and how it authenticates."""
    info: Json = document.content["info"]
    declared = as_object(as_object(document.content.get("components")).get("securitySchemes"))
    schemes = {name: resolve(document.content, scheme) for name, scheme in declared.items()}
    tags = [as_object(tag).get("name") for tag in as_list(document.content.get("tags"))]
    tags += [tag for operation in document.operations for tag in operation.tags]
    return {
        "title": info["title"],
        "version": info.get("version"),
        "servers": document.servers,
        "operationCount": len(document.operations),
        "operations": [
            {
                "name": operation.name,
                "operationId": operation.operation_id or None,
                "method": operation.method,
                "path": operation.path,
                "summary": operation.title,
            }
            for operation in document.operations
        ],
        "tags": [*dict.fromkeys(tag for tag in tags if isinstance(tag, str))],
        "securitySchemes": schemes,
        "authStrategies": [_auth_strategy(name, scheme) for name, scheme in schemes.items()],
    }


def _auth_strategy(name: str, scheme: Json) -> Json:
    """Describe how a scheme is used with `openapi.addSource`, whose `headers` are sent with every call."""
    kind = str(scheme.get("type"))
    location, parameter, value = "header", "Authorization", "Bearer <access token>"
    if kind == "http":
        kind = str(scheme.get("scheme", "")).lower()
        known = {"bearer": "Bearer <token>", "basic": "Basic <base64 of user:password>"}
        value = known.get(kind, f"{kind.title()} <credentials>")
    elif kind == "apiKey":
        location, parameter = str(scheme.get("in")), str(scheme.get("name"))
        value = f"{parameter}=<key>" if location == "cookie" else "<key>"
    elif kind not in {"oauth2", "openIdConnect"}:
        return {"scheme": name, "type": kind, "headers": None}
    headers = {"header": {parameter: value}, "cookie": {"Cookie": value}}.get(location)
    return {"scheme": name, "type": kind, "in": location, "name": parameter, "headers": headers}


def _compile(content: bytes | str, source: str, url: str | None) -> Document:
    document = read_document(content, source)
    servers = server_urls(document, url)
    usable = usable_server(servers)
    operations = compile_document(document, base_path([usable] if usable else []), closed=False)
    return Document(document, servers, operations)


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise ToolError("invalid_input", f"headers: {name[:100]!r} cannot be set.")
        if not value.isascii() or not value.isprintable():
            raise ToolError("invalid_input", f"headers: the value of {name!r} is not allowed in a header.")
    return headers


def _caller(operation: Operation, source: Source) -> ToolFunction:
    async def run(arguments: Json, _report: ProgressCallback) -> Success:
        call = build_request(operation, arguments)
        url = f"{source.base_url}{call.path}{f'?{call.query}' if call.query else ''}"
        headers = {**source.headers, **call.headers}
        response = await network.send(call.method, url, headers, call.content, source.policy)
        data, http = _data(response), {"status": response.status}
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return Success(data, http)
        idempotent = call.method not in {"POST", "PATCH"} or response.status == HTTPStatus.TOO_MANY_REQUESTS
        note = " Redirects are not followed." if response.status < HTTPStatus.BAD_REQUEST else ""
        raise ToolError(
            error_code(response.status),
            f"{call.method} {network.printable_url(url)}: status {response.status}.{note}",
            status=response.status,
            details={"body": data},
            retryable=idempotent and response.status in RETRYABLE_STATUSES,
        )

    return run


def _data(response: HttpResponse) -> Any:
    if not response.content:
        return None
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            check_levels(response.content)
            return msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Returned as text, so that the caller can see what is wrong with it.
            return response.content.decode("utf-8", "replace")
    try:
        return response.content.decode("utf-8")
    except UnicodeDecodeError:
        return {"contentType": media_type, "base64": base64.b64encode(response.content).decode()}
