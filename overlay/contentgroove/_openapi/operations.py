"""The operations of an OpenAPI document, read as OpenAPI 3.0 and 3.1 define them.

An `Operation` combines what the document says in several locations: path and operation each have parameters and
servers, and the document has servers and security that apply where an operation has none of its own. Parts are read
when they are needed, so that a defect of a part disturbs only those that use it. Local `$ref`s of path items,
parameters, request bodies, responses and callbacks are resolved; schemas keep theirs, and so does everything inside
`definition`.

What is not read here: what callers make of an operation, such as a tool's input schema, a check or a comparison.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

from .documents import DocumentError, as_list, as_object
from .pointers import check_followed, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .documents import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The keys of a path item that are operations, in the order in which operations are returned."""

_VARIABLE = re.compile(r"\{([^{}]*)\}")

# Documents name logos, pages and files among their servers.
_FILE = re.compile(r"\.(?:svg|png|jpe?g|gif|ico|html?|json|ya?ml|md|pdf)/?$", re.IGNORECASE)

# A host before a path: `api.example.com/v1` is a relative URL by its grammar, and never meant as one.
_HOST = re.compile(r"(?:[A-Za-z0-9_{}-]+\.)+[A-Za-z{}]{2,}(?::[0-9{][^/]*)?(?=[/?#]|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation: a request to the API, or one that the API sends (a callback).

    Attributes:
        method: The HTTP method, upper case.
        path: Its key among the document's paths, with `{parameters}`; of a callback, its runtime expression.
        definition: The operation as the document has it.
        item: The path item that it is in, as the document has it.
        document: The document.
        callback: The callback's name; empty for an operation of the API itself.
    """

    method: str
    path: str
    definition: Json
    item: Json = field(repr=False)
    document: Json = field(repr=False)
    callback: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def operation_id(self) -> str:
        """The document's own name for it; empty without one."""
        name = self.definition.get("operationId")
        return name if isinstance(name, str) else ""

    @property
    def parameters(self) -> list[Json]:
        """The parameters of the path and of the operation, resolved.

        An operation's parameter takes the position of its path's parameter with the same name and location.

        Raises:
            DocumentError: A `$ref` leads nowhere or in a circle.
        """
        found: dict[tuple[Any, Any], Json] = {}
        for node in (*as_list(self.item.get("parameters")), *as_list(self.definition.get("parameters"))):
            parameter = resolve(self.document, node)
            found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        return list(found.values())

    @property
    def body(self) -> Json:
        """The request body, resolved; empty without one.

        Raises:
            DocumentError: Its `$ref` leads nowhere or in a circle.
        """
        return resolve(self.document, self.definition.get("requestBody"))

    @property
    def responses(self) -> dict[str, Json]:
        """The documented responses by status, `default` or a range such as `4XX`, each resolved.

        Raises:
            DocumentError: A `$ref` leads nowhere or in a circle.
        """
        responses = resolve(self.document, self.definition.get("responses"))
        return {
            str(status): resolve(self.document, response)
            for status, response in responses.items()
            if not str(status).startswith("x-")
        }

    @property
    def security(self) -> list[Json]:
        """The alternative security requirements: its own, or the document's; a callback has only its own."""
        return as_list(self.definition.get("security", None if self.callback else self.document.get("security")))

    @property
    def own_servers(self) -> list[Json]:
        """The servers of the operation, or of its path; empty if those of the document apply."""
        return as_list(self.definition.get("servers")) or as_list(self.item.get("servers"))

    @property
    def base_path(self) -> str:
        """The path of its first server, without a slash at its end; empty for a callback."""
        if self.callback:
            return ""
        return base_path(server_urls({"servers": self.own_servers} if self.own_servers else self.document))

    @property
    def wire_path(self) -> str:
        """The path on the wire, with `{parameters}`: base path and path."""
        return self.base_path + self.path

    @property
    def callbacks(self) -> list[Operation]:
        """The requests that the API sends because of this operation.

        Raises:
            DocumentError: A callback's `$ref` leads nowhere or in a circle, or it has an operation that is not an
                object.
        """
        found: list[Operation] = []
        for name, node in resolve(self.document, self.definition.get("callbacks")).items():
            if not name.startswith("x-"):
                for expression, item in resolve(self.document, node).items():
                    found.extend(_item_operations(self.document, expression, item, name))
        return found


def operations(
    document: Json, unreadable: Callable[[str, str, DocumentError], None] | None = None
) -> Iterator[Operation]:
    """Yield the operations of a document's paths, in the document's order and for each path in that of `METHODS`.

    Args:
        document: The document.
        unreadable: Called with the method, the path and the error of what cannot be read, which is then left out. The
            method is empty if the whole path cannot be read.

    Raises:
        DocumentError: A path's `$ref` leads nowhere or in a circle, or an operation is not an object; without
            `unreadable` only.
    """
    for path, node in resolve(document, document.get("paths")).items():
        yield from _item_operations(document, path, node, "", unreadable)


def server_urls(holder: Json, document_url: str | None = None) -> list[str]:
    """Return the URLs of `servers`, variables replaced by their defaults; a host without a scheme is one of https.

    Args:
        holder: A document, or another object that has `servers`.
        document_url: The URL that the document was fetched from, which relative URLs are relative to. If it is known
            and there are no servers, there is one, `/` (OpenAPI 3.0.4, "OpenAPI Object").
    """
    found: list[str] = []
    for server in as_list(holder.get("servers")):
        url = as_object(server).get("url")
        if isinstance(url, str):
            filled = _with_scheme(_with_defaults(url.strip(), as_object(server).get("variables")))
            found.append(_join(document_url, filled))
    return found or ([_join(document_url, "/")] if document_url else [])


def can_be_server(url: str) -> bool:
    """Return whether requests can go below a URL: it can be read, and is not that of a file, such as a logo."""
    try:
        return not _FILE.search(urlsplit(url).path)
    except ValueError:
        return False


def base_path(urls: Iterable[str]) -> str:
    """Return the path of the first URL that can be a server, without a slash at its end; empty without one."""
    return next((urlsplit(url).path.rstrip("/") for url in urls if can_be_server(url)), "")


def _item_operations(
    document: Json,
    path: str,
    node: Any,
    callback: str,
    unreadable: Callable[[str, str, DocumentError], None] | None = None,
) -> Iterator[Operation]:
    if path.startswith("x-"):
        return
    try:
        item = resolve(document, node)
        if unreadable is not None:
            check_followed(item)
    except DocumentError as error:
        if unreadable is None:
            raise
        unreadable("", path, error)
        return
    for method in METHODS:
        if method not in item:
            continue
        if isinstance(item[method], dict):
            yield Operation(method.upper(), path, cast("Json", item[method]), item, document, callback)
            continue
        problem = DocumentError(f"{method.upper()} {path} is not an operation: it must be an object.")
        if unreadable is None:
            raise problem
        unreadable(method.upper(), path, problem)


def _with_scheme(url: str) -> str:
    return f"https://{url}" if _HOST.match(url) and not _FILE.search(url.partition("/")[0]) else url


def _join(document_url: str | None, url: str) -> str:
    try:
        joined = urljoin(document_url, url) if document_url else url
    except ValueError:
        return url
    # Without a document's scheme, that of an API is https.
    return f"https:{joined}" if joined.startswith("//") else joined


def _with_defaults(url: str, variables: Any) -> str:
    def default(found: re.Match[str]) -> str:
        variable = as_object(as_object(variables).get(found[1]))
        # OpenAPI requires the default. If it is missing, the first of the possible values is as good.
        value = variable.get("default", next(iter(as_list(variable.get("enum"))), None))
        if not isinstance(value, str | int | float):
            return found[0]
        # `/{path}` with the default `/v1`: nobody means two slashes.
        return str(value).removeprefix("/" if url[: found.start()].endswith("/") else "")

    return _VARIABLE.sub(default, url)
