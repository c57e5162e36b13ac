"""The operations of a document by their URL on the wire, regardless of its split into servers and path keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_VARIABLE = re.compile(r"\{([^{}]*)\}")
# A published document once had a picture as its first server.
_FILE = re.compile(r"\.(?:svg|png|jpe?g|gif|ico|html?|json|ya?ml|md|pdf)$", re.IGNORECASE)


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
    base = base_path(document)
    security = document.get("security", [])
    for own_path, item in cast("Document", document.get("paths", {})).items():
        if not isinstance(item, dict) or own_path.startswith("x-"):
            continue
        members = cast("Document", item)
        servers = members.get("servers")
        for method in METHODS:
            definition = members.get(method)
            if not isinstance(definition, dict):
                continue
            own = cast("Document", definition)
            own_servers = own.get("servers", servers)
            path_base = base_path({"servers": own_servers}) if own_servers else base
            parameters = _merge_parameters(members.get("parameters", []), own.get("parameters", []))
            merged = {"security": security, **own, "parameters": parameters}
            if own_servers:
                merged["servers"] = own_servers
            yield Operation(method.upper(), path_base + own_path, own_path, merged)


def _merge_parameters(shared: list[Any], own: list[Any]) -> list[Any]:
    # An operation's parameter replaces its path's parameter with the same name and location.
    def key(parameter: Any) -> tuple[Any, ...]:
        return (parameter.get("in"), parameter.get("name"))

    replaced = {key(parameter) for parameter in own}
    return [parameter for parameter in shared if key(parameter) not in replaced] + own


def server_urls(document: Document) -> list[str]:
    """Return the URLs of a document's servers with default variables, without those that cannot be a server."""
    found: list[str] = []
    for server in cast("list[Document]", document.get("servers") or []):
        url = server.get("url") if isinstance(server, dict) else None
        if not isinstance(url, str):
            continue
        variables = cast("Document", server.get("variables", {}))
        for name, variable in variables.items():
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        if not _FILE.search(urlsplit(url).path):
            found.append(url)
    return found


def base_path(document: Document) -> str:
    """Return the path of the first usable server, which precedes every path."""
    servers = server_urls(document)
    return urlsplit(servers[0]).path.rstrip("/") if servers else ""


def server_prefixes(document: Document) -> list[str]:
    """Return the servers without the base path, in order."""
    base = base_path(document)
    result: list[str] = []
    for url in server_urls(document):
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        path = "" if path == base else path
        result.append(urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")) or "/")
    return result
