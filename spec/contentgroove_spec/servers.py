"""Compares servers: which URLs requests can go to, whatever part of their paths the document writes into path keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.operations import can_be_server

from .changes import Location
from .reading import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document
    from .findings import Findings

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(?:localhost|[^/?#]*[.:][^/?#]*)(?=[/?#]|$)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Server(NamedTuple):
    """One server.

    Attributes:
        part: It, in the document.
        url: Its URL with the defaults of its variables, in a form that can be compared, without its path.
        path: The path, without a slash at its end.
    """

    part: Part
    url: str
    path: str


def read_servers(servers: Part | None) -> list[Server]:
    """Read a list of servers, without pictures and pages, which documents name among them."""
    found: list[Server] = []
    for index, value in enumerate(as_list(None if servers is None else servers.value)):
        url = as_object(value).get("url")
        if isinstance(url, str):
            filled = _VARIABLE.sub(
                lambda match, variables=as_object(as_object(value).get("variables")): _default(match, variables),
                url.strip(),
            )
            if can_be_server(filled) or "[" in filled:
                found.append(Server(Part(f"{cast('Part', servers).pointer}/{index}", value), *_split(filled)))
    return found


def _default(match: re.Match[str], variables: Document) -> str:
    default = as_object(variables.get(match[1])).get("default")
    return str(default) if isinstance(default, (str, int, float)) else match[0]


def _split(url: str) -> tuple[str, str]:
    """Split a URL into what precedes its path, and the path; a URL without scheme may be a host or a path."""
    if not _SCHEME.match(url) and not url.startswith("/"):
        url = f"//{url}" if _HOST.match(url) and not url.startswith(".") else f"/{url.removeprefix('./')}"
    try:
        parts = urlsplit(url)
        port = None if parts.port == _DEFAULT_PORTS.get(parts.scheme) else parts.port
        host = (parts.hostname or "") + (f":{port}" if port else "")
    except ValueError:
        # A variable without default, or a mistake: it is compared as it is written.
        return url, ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{query}" if parts.scheme else f"//{host}{query}" if host else query, _path(
        parts.path
    )


def _path(path: str) -> str:
    return path.rstrip("/")


def base_path_of(holder: Document) -> str:
    """Return the path of the first server, which precedes every path key; empty without one."""
    found = read_servers(Part("", holder).optional("servers"))
    return found[0].path if found else ""


def prefixes(servers: Part | None, *, without: str | None = None) -> dict[str, Part]:
    """Return the URLs of servers, in order, without the path that all operations have in common.

    Args:
        servers: The list of servers.
        without: The path that is omitted; that of the first server by default.
    """
    found = read_servers(servers)
    base = (found[0].path if found else "") if without is None else without
    result: dict[str, Part] = {}
    for server in found:
        path = "" if server.path == base else server.path
        result.setdefault(f"{server.url}{path}" or "/", server.part)
    return result


def compare_servers(findings: Findings, old: Part | None, new: Part | None, locations: list[Location]) -> None:
    """Compare two lists of servers.

    Args:
        findings: Where changes are added.
        old: The old list; None if there is none.
        new: The new one.
        locations: The locations of the API at which they apply.
    """
    had, has = prefixes(old), prefixes(new)
    parents = (None if old is None else old.pointer, None if new is None else new.pointer)
    had_by_template, has_by_template = ({_template(part): part for part in found.values()} for found in (had, has))
    moved: set[str] = set()
    for location in locations:
        for template in had_by_template.keys() & has_by_template.keys():
            before, after = had_by_template[template], has_by_template[template]
            for rule, name, was, now in _variable_changes(before, after):
                findings.at(rule, was, now, location, name=f"`{name}`", parents=(before.pointer, after.pointer))
                if rule == "server-variable-default-changed":
                    moved.add(template)
        for url, part in had.items():
            if url not in has and _template(part) not in moved:
                findings.at("server-removed", part, None, location, name=f"`{url}`", parents=parents)
        for url, part in has.items():
            if url not in had and _template(part) not in moved:
                findings.at("server-added", None, part, location, name=f"`{url}`", parents=parents)
        if list(had)[:1] != list(has)[:1] and had.keys() == has.keys():
            first = (Part(next(iter(found.values())).pointer, next(iter(found))) for found in (had, has))
            findings.at("first-server-changed", *first, location)


def _template(server: Part) -> str:
    return str(server.value.get("url"))


def _variable_changes(old: Part, new: Part) -> Iterator[tuple[str, str, Part | None, Part | None]]:
    """Yield the changes of the variables of one server."""
    before, after = (as_object(part.value.get("variables")) for part in (old, new))
    for name in before.keys() & after.keys():
        had, has = as_object(before[name]), as_object(after[name])
        origins = [Part(f"{part.pointer}/variables/{name}", variables) for part, variables in ((old, had), (new, has))]
        values = [_values(variable) for variable in (had, has)]
        # If the old default is no longer valid, the server itself is another one.
        if had.get("default") != has.get("default") and str(had.get("default")) in values[1]:
            yield "server-variable-default-changed", name, *(origin.optional("default") for origin in origins)
        if values[0] and values[1]:
            for value in [value for value in values[0] if value not in values[1]]:
                yield "server-variable-value-removed", name, Part(f"{origins[0].pointer}/enum", value), None
            for value in [value for value in values[1] if value not in values[0]]:
                yield "server-variable-value-added", name, None, Part(f"{origins[1].pointer}/enum", value)
        elif values[1]:
            yield "server-variable-value-removed", name, Part(origins[0].pointer, "any"), origins[1].optional("enum")


def _values(variable: Document) -> list[Any]:
    return [str(value) for value in as_list(variable.get("enum"))]
