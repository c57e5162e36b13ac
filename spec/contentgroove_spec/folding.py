"""The operations of a document by the URL they have on the wire, whatever its servers and path keys say."""

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
"""Stands for the path of what sends the webhooks that belong to no operation (new in OpenAPI 3.1)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        method: In capitals.
        path: The path on the wire, with the document's own names in braces.
        own_path: The path's key in the document.
        definition: The operation as the document has it, with its path's parameters, the security that applies to it
            and, where it has ones of its own, its servers.
    """

    method: str
    path: str
    own_path: str
    definition: Document

    @property
    def wire_key(self) -> tuple[str, str]:
        """What stays the same when path parameters are renamed: the method, and the path with numbers in braces."""
        return self.method.lower(), with_numbered_parameters(self.path)

    @property
    def name(self) -> str:
        """How people call it, such as `GET /api/v1/medias`."""
        return "the whole document" if self.path == WEBHOOKS else f"{self.method} {self.path}"


def with_numbered_parameters(path: str) -> str:
    """Put the numbers 1, 2, … in the place of a path's parameter names."""
    count = iter(range(1, 1000))
    return _VARIABLE.sub(lambda _: f"{{{next(count)}}}", path)


def parameter_numbers(path: str) -> dict[str, str]:
    """Tell the number of each of a path's parameter names."""
    return {name: str(number) for number, name in enumerate(_VARIABLE.findall(path), 1)}


def operations(document: Document) -> Iterator[Operation]:
    """Give every operation of a document whose references are unfolded.

    Webhooks that belong to no operation are the callbacks of one that exists in every document.
    """
    webhooks = {name: {"sent": item} for name, item in document.get("webhooks", {}).items()}
    yield Operation("POST", WEBHOOKS, WEBHOOKS, {"callbacks": webhooks})
    for found in openapi.operations(document):
        merged = {"security": found.security, **found.definition, "parameters": found.parameters}
        if found.own_servers:
            merged["servers"] = found.own_servers
        yield Operation(found.method, found.wire_path, found.path, merged)


def base_path(document: Document) -> str:
    """Tell what comes before every path: the path of the first usable server."""
    return openapi.base_path(openapi.server_urls(document))


def server_prefixes(document: Document) -> list[str]:
    """Give the servers without the base path, in order."""
    base = base_path(document)
    result: list[str] = []
    for url in filter(openapi.can_be_server, openapi.server_urls(document)):
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        path = "" if path == base else path
        result.append(urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")) or "/")
    return result
