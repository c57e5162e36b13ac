"""OpenAPI documents that are sources of tools: reading them, and describing them before they are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from contentgroove._openapi.documents import Limits, as_list, as_object, check_version, parse
from contentgroove._openapi.operations import base_path, can_be_server, server_urls

from .compilation import LeftOut, compile_document
from .credentials import auth_strategy, security_schemes
from .results import SpecError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from .operations import Operation
    from .selection import Selection

SENT_LIMITS = Limits(bytes=32 * 1024 * 1024, nodes=4_000_000)
"""For a document that came over the network or in a call."""

FILE_LIMITS = Limits(bytes=256 * 1024 * 1024, nodes=20_000_000)
"""For a file that the user who starts the server has named."""

MAX_DESCRIBED = 1000
"""Operations in the description of a document."""

MAX_LEFT_OUT = 50
"""Operations that cannot be tools in one result."""


class Document(Struct, frozen=True):
    """A document that tools can be made of.

    Attributes:
        content: The document.
        url: The URL that it was fetched from; None if it was not fetched.
        servers: The URLs of its servers.
        operations: Its operations.
        left_out: Its operations that cannot be tools.
    """

    content: Json
    url: str | None
    servers: list[str]
    operations: list[Operation]
    left_out: list[LeftOut]

    @property
    def title(self) -> str:
        """Its title; empty without one."""
        title = as_object(self.content.get("info")).get("title")
        return title if isinstance(title, str) else ""


def read_document(content: bytes | str, source: str, limits: Limits = SENT_LIMITS) -> Json:
    """Read an OpenAPI 3.x document that tools can be made of.

    Args:
        content: The document.
        source: The document's name in messages.
        limits: How large it may be.

    Raises:
        DocumentError: It cannot be read.
        SpecError: It is not OpenAPI 3.x.
    """
    document = parse(content, source, limits)
    check_version(document, source)
    if not isinstance(as_object(document.get("info")).get("title"), str):
        raise SpecError(f"{source} has no info.title, which OpenAPI requires.")
    if not isinstance(document.get("paths", {}), dict):
        raise SpecError(f"{source} has paths that are not an object.")
    return document


def compile_source(
    content: bytes | str,
    source: str,
    url: str | None = None,
    selection: Selection | None = None,
    limits: Limits = SENT_LIMITS,
) -> Document:
    """Read a document and compile its operations.

    Args:
        content: The document.
        source: The document's name in messages.
        url: The URL that it was fetched from; None if it was not fetched.
        selection: Which of its operations to compile; all by default.
        limits: How large it may be.

    Raises:
        DocumentError: It cannot be read.
        SpecError: It is not OpenAPI 3.x.
        ToolError: The selection matches nothing.
    """
    document = read_document(content, source, limits)
    servers = server_urls(document, url)
    usable = usable_servers(servers)
    compiled = compile_document(document, base_path(usable), closed=False, document_url=url, selection=selection)
    return Document(document, url, servers, compiled.operations, compiled.left_out)


def usable_servers(urls: list[str]) -> list[str]:
    """Return the servers that requests can be sent to, without a slash at their ends."""
    return [url.rstrip("/") for url in urls if is_complete(url)]


def is_complete(url: str) -> bool:
    """Return whether a URL is http or https with a host, and neither a query, a fragment nor an open variable."""
    if not can_be_server(url) or {"{", "}"} & set(url):
        return False
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)


def describe_document(document: Document) -> Json:
    """Describe a document: its title, servers, operations, tags, and how it authenticates."""
    info: Json = document.content["info"]
    schemes = security_schemes(document.content)
    tags = [as_object(tag).get("name") for tag in as_list(document.content.get("tags"))]
    tags += [tag for operation in document.operations for tag in operation.tags]
    own_servers = [url for operation in document.operations for url in operation.servers]
    shown = document.operations[:MAX_DESCRIBED]
    described: Json = {
        "title": info["title"],
        "version": info.get("version"),
        "servers": [*dict.fromkeys([*document.servers, *own_servers])][:MAX_LEFT_OUT],
        "operationCount": len(document.operations),
        "operations": [
            {
                "name": operation.name,
                "operationId": operation.operation_id or None,
                "method": operation.method,
                "path": operation.path,
                "summary": operation.title,
            }
            for operation in shown
        ],
        "tags": [*dict.fromkeys(tag for tag in tags if isinstance(tag, str))],
        "securitySchemes": schemes,
        "authStrategies": [auth_strategy(name, scheme) for name, scheme in schemes.items()],
    }
    if len(shown) < len(document.operations):
        described["note"] = f"Only the first {MAX_DESCRIBED:,} operations are listed: choose by tags, paths or methods."
    return described | describe_left_out(document.left_out)


def describe_left_out(left_out: list[LeftOut]) -> Json:
    """Return what a result says about operations that cannot be tools; nothing if there are none."""
    if not left_out:
        return {}
    listed: list[Any] = [
        {"method": each.method or None, "path": each.path, "reason": each.reason} for each in left_out[:MAX_LEFT_OUT]
    ]
    return {"leftOutCount": len(left_out), "leftOut": listed}
