"""The operations of a document by their URL on the wire, regardless of its split into servers and path keys.

The references of the document are expanded first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from contentgroove._openapi import operations as openapi
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.pointers import resolve_reference

from . import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document

RECURSION = "x-recursion"
"""Marks where a schema contains itself; the value is the schema's name."""

MAX_CREATED = 2_000_000
"""Nodes; a document with many reference loops expands almost without limit."""

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
        result.append(parts._replace(path="" if path == base else path, fragment="").geturl() or "/")
    return result


class ReferenceResolver:
    """Expands the references of one document.

    An expanded component is the same object everywhere, so that the result stays small however often the component is
    used. It must not be changed. Messages contain the document's name.

    Attributes:
        followed: The references followed so far.
    """

    def __init__(self, document: Document, name: str) -> None:
        self._document = document
        self._name = name
        self._known: dict[str, Any] = {}
        self._created = 0
        self.followed: set[str] = set()

    def expand(self, value: Any) -> Any:
        """Return a value of the document with all references expanded.

        Raises:
            PipelineError: A reference names nothing, or the result is too large.
        """
        return self._expand(value, ())[0]

    def _expand(self, value: Any, above: tuple[str, ...]) -> tuple[Any, frozenset[str]]:
        """Also return the references above at which it was cut: without any, the result is the same everywhere."""
        self._created += 1
        if self._created > MAX_CREATED:
            raise PipelineError(f"{self._name} refers to itself in too many ways to be compared.")
        if isinstance(value, dict):
            members = cast("dict[Any, Any]", value)
            reference = members.get("$ref")
            if isinstance(reference, str) and reference.startswith("#"):
                return self._follow(reference, above)
        elif isinstance(value, list):
            members = dict[Any, Any](enumerate(cast("list[Any]", value)))
        else:
            return value, frozenset()
        cut: frozenset[str] = frozenset()
        result: dict[Any, Any] = {}
        for key, member in members.items():
            result[key], inner = self._expand(member, above)
            cut |= inner
        return result if isinstance(value, dict) else list(result.values()), cut

    def _follow(self, reference: str, above: tuple[str, ...]) -> tuple[Any, frozenset[str]]:
        if reference in above:
            return {RECURSION: reference.rpartition("/")[2]}, frozenset({reference})
        if reference in self._known:
            return self._known[reference], frozenset()
        self.followed.add(reference)
        try:
            named = resolve_reference(self._document, reference)
        except DocumentError as error:
            raise PipelineError(f"{self._name} refers to {reference}, which it does not have.") from error
        expanded, cut = self._expand(named, (*above, reference))
        cut -= {reference}
        if not cut:
            self._known[reference] = expanded
        return expanded, cut
