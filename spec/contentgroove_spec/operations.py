"""The operations of a document by their URL on the wire, regardless of its split into servers and path keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from contentgroove._openapi import operations as openapi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document

_VARIABLE = re.compile(r"\{([^{}]*)\}")

WEBHOOKS = "/#webhooks"
"""The path of the pseudo-operation that sends webhooks which belong to no operation (new in OpenAPI 3.1)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        method: In upper case.
        path: The path on the wire, with the document's own names in braces.
        own_path: The path's key in the document.
        definition: The operation in the document, with its path's parameters, the security that applies to it and, if
            it has its own, its servers.
    """

    method: str
    path: str
    own_path: str
    definition: Document

    @property
    def wire_key(self) -> tuple[str, str]:
        """The method, and the path with numbers in braces: a key that survives renamed path parameters."""
        return self.method.lower(), with_numbered_parameters(self.path)

    @property
    def name(self) -> str:
        """The name for people, such as `GET /api/v1/medias`."""
        return "the whole document" if self.path == WEBHOOKS else f"{self.method} {self.path}"


def with_numbered_parameters(path: str) -> str:
    """Replace a path's parameter names by the numbers 1, 2, …."""
    count = iter(range(1, 1000))
    return _VARIABLE.sub(lambda _: f"{{{next(count)}}}", path)


def parameter_numbers(path: str) -> dict[str, str]:
    """Return the number of each of a path's parameter names."""
    return {name: str(number) for number, name in enumerate(_VARIABLE.findall(path), 1)}


def operations(document: Document) -> Iterator[Operation]:
    """Yield every operation of a document whose references are expanded.

    Webhooks that belong to no operation are the callbacks of a pseudo-operation that every document has.
    """
    webhooks = {name: {"sent": item} for name, item in document.get("webhooks", {}).items()}
    yield Operation("POST", WEBHOOKS, WEBHOOKS, {"callbacks": webhooks})
    for found in openapi.operations(document):
        merged = {"security": found.security, **found.definition, "parameters": found.parameters}
        if found.own_servers:
            merged["servers"] = found.own_servers
        yield Operation(found.method, found.wire_path, found.path, merged)


def base_path(document: Document) -> str:
    """Return the path of the first usable server, which precedes every path."""
    return openapi.base_path(openapi.server_urls(document))


def server_prefixes(document: Document) -> list[str]:
    """Return the servers without the base path, in order."""
    base = base_path(document)
    result: list[str] = []
    for url in filter(openapi.can_be_server, openapi.server_urls(document)):
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        path = "" if path == base else path
        result.append(urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")) or "/")
    return result
