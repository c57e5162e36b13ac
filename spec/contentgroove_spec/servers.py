"""Compares servers: which URLs requests can go to, whatever part of their paths the document writes into path keys."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.operations import can_be_server

from .reading import Part
from .texts import report_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from .changes import Location
    from .documents import Document
    from .findings import Findings

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_LABEL = re.compile(r"\{([^{}]*)\}\.")
_TEXTS = frozenset({"description", "name"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(?:localhost|[^/?#]*[.:][^/?#]*)(?=[/?#]|$)")
_MAX_URLS = 200
"""The URLs that the variables of one server are tried with."""

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


def _filled(url: str, variables: Document, chosen: Mapping[str, str] | None = None) -> str:
    """Replace the variables of a URL by chosen values, and the others by their defaults."""

    def value(match: re.Match[str]) -> str:
        if chosen is not None and match[1] in chosen:
            return chosen[match[1]]
        default = as_object(variables.get(match[1])).get("default")
        return str(default) if isinstance(default, (str, int, float)) else match[0]

    return _VARIABLE.sub(value, url)


def _alternatives(server: Server) -> Iterator[Server]:
    """Yield a server for each combination of its variables' values; the first one has their defaults.

    A part of the host's name takes any value if it has no `enum`: its URL has empty braces.
    """
    yield server
    url, variables = _template(server.part).strip(), as_object(server.part.value.get("variables"))
    labels = set(_LABEL.findall(url.partition("://")[2].partition("/")[0]))
    choices: list[list[tuple[str, str]]] = []
    for name in dict.fromkeys(_VARIABLE.findall(url)):
        values = _values(as_object(variables.get(name))) or (["{}"] if name in labels and name in variables else [])
        if values:
            choices.append([(name, value) for value in values])
    for combination in itertools.islice(itertools.product(*choices), _MAX_URLS):
        yield Server(server.part, *_split(_filled(url, variables, dict(combination))))


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


def _prefixes(servers: Part | None, templates: Collection[str]) -> dict[str, Part]:
    """Return the URLs of servers, in order, without the path that all operations have in common.

    Args:
        servers: The list of servers.
        templates: The URLs that both documents have, whose variables are compared one by one.
    """
    found = read_servers(servers)
    base = found[0].path if found else ""
    result: dict[str, Part] = {}
    for server in found:
        for alternative in [server] if _template(server.part) in templates else _alternatives(server):
            path = "" if alternative.path == base else alternative.path
            result.setdefault(f"{alternative.url}{path}" or "/", server.part)
    return result


def compare_servers(findings: Findings, old: Part | None, new: Part | None, location: Location) -> None:
    """Compare two lists of servers.

    Args:
        findings: Where changes are added.
        old: The old list; None if there is none.
        new: The new one.
        location: The location of the API at which they apply.
    """
    before, after = ({_template(server.part): server.part for server in read_servers(part)} for part in (old, new))
    templates = [template for template in before if template in after]
    had, has = _prefixes(old, templates), _prefixes(new, templates)
    parents = None if old is None else old.pointer, None if new is None else new.pointer
    moved: set[str] = set()
    for template in templates:
        _compare_texts(findings, before[template], after[template], location)
        for rule, name, was, now in _variable_changes(before[template], after[template]):
            findings.at(rule, was, now, location, name=f"`{name}`", parents=parents)
            if rule == "server-variable-default-changed":
                moved.add(template)
    for url, part in had.items():
        if url not in has and _template(part) not in moved:
            findings.at("server-removed", part, None, location, name=f"`{url}`", parents=parents)
    for url, part in has.items():
        if url not in had and _template(part) not in moved:
            findings.at("server-added", None, part, location, name=f"`{url}`", parents=parents)
    if had and list(had)[:1] != list(has)[:1] and had.keys() == has.keys():
        first, now_first = (Part(part.pointer, url) for found in (had, has) for url, part in list(found.items())[:1])
        findings.at("first-server-changed", first, now_first, location)


def _compare_texts(findings: Findings, old: Part, new: Part, location: Location) -> None:
    report_texts(findings, old, new, location, fields=_TEXTS)
    before, after = old.optional("variables"), new.optional("variables")
    for name in as_object(before and before.value).keys() & as_object(after and after.value).keys():
        if before is not None and after is not None:
            report_texts(findings, before.member(name), after.member(name), location, fields=_TEXTS)


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
