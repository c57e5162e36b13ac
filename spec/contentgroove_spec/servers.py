"""Compares servers: which URLs requests can go to, whatever part of their paths the document writes into path keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.operations import can_be_server

from .reading import Part
from .texts import report_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Location
    from .documents import Document
    from .findings import Findings

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(?:localhost|[^/?#]*[.:][^/?#]*)(?=[/?#]|$)")
_TEXTS = frozenset({"description", "name"})
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
        if servers is not None and isinstance(url, str):
            filled = _filled(url.strip(), as_object(as_object(value).get("variables")))
            if can_be_server(filled) or "[" in filled:
                found.append(Server(servers.item(index), *_split(filled)))
    return found


def _filled(url: str, variables: Document) -> str:
    """Replace the variables of a URL by their defaults."""

    def default(match: re.Match[str]) -> str:
        value = as_object(variables.get(match[1])).get("default")
        return str(value) if isinstance(value, (str, int, float)) else match[0]

    return _VARIABLE.sub(default, url)


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
    origin = f"{parts.scheme}://{host}" if parts.scheme else f"//{host}" if host else ""
    return f"{origin}{query}", parts.path.rstrip("/")


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


def compare_servers(findings: Findings, old: Part | None, new: Part | None, location: Location) -> None:
    """Compare two lists of servers.

    Args:
        findings: Where changes are added.
        old: The old list; None if there is none.
        new: The new one.
        location: The location of the API at which they apply.
    """
    had, has = prefixes(old), prefixes(new)
    parents = None if old is None else old.pointer, None if new is None else new.pointer
    before, after = ({_template(part): part for part in found.values()} for found in (had, has))
    moved: set[str] = set()
    for template in [template for template in before if template in after]:
        for rule, name, was, now in _variable_changes(before[template], after[template]):
            findings.at(rule, was, now, location, name=f"`{name}`", parents=parents)
            if rule == "server-variable-default-changed":
                moved.add(template)
    for url in [url for url in had if url in has]:
        for was, now in _described(had[url], has[url]):
            report_texts(findings, was, now, location, fields=_TEXTS)
    for url, part in had.items():
        if url not in has and _template(part) not in moved:
            findings.at("server-removed", part, None, location, name=f"`{url}`", parents=parents)
    for url, part in has.items():
        if url not in had and _template(part) not in moved:
            findings.at("server-added", None, part, location, name=f"`{url}`", parents=parents)
    if had and list(had)[:1] != list(has)[:1] and had.keys() == has.keys():
        first, now_first = (Part(part.pointer, url) for found in (had, has) for url, part in list(found.items())[:1])
        findings.at("first-server-changed", first, now_first, location)


def _described(old: Part, new: Part) -> Iterator[tuple[Part, Part]]:
    """Yield what of a server has a description: itself, and its variables."""
    yield old, new
    before, after = (part.optional("variables") for part in (old, new))
    if before is not None and after is not None:
        for name in as_object(before.value).keys() & as_object(after.value).keys():
            yield before.member(name), after.member(name)


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
            defaults = [origin.optional("default") for origin in origins]
            yield "server-variable-default-changed", name, defaults[0], defaults[1]
        if values[0] and values[1]:
            for value in [value for value in values[0] if value not in values[1]]:
                yield "server-variable-value-removed", name, Part(f"{origins[0].pointer}/enum", value), None
            for value in [value for value in values[1] if value not in values[0]]:
                yield "server-variable-value-added", name, None, Part(f"{origins[1].pointer}/enum", value)
        elif values[1]:
            yield "server-variable-value-removed", name, Part(origins[0].pointer, "any"), origins[1].optional("enum")
        elif values[0]:
            yield "server-variable-value-added", name, origins[0].optional("enum"), Part(origins[1].pointer, "any")


def _values(variable: Document) -> list[Any]:
    return [str(value) for value in as_list(variable.get("enum"))]
