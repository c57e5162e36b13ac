"""Finds the operations of a request by its path: base paths of servers, and templates that overlap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.operations import can_be_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")
_MAX_OPTIONS = 50

Found = TypeVar("Found")


class Match(NamedTuple, Generic[Found]):
    """What a path leads to.

    Attributes:
        values: The texts of the template's parameters, in their order and as they were sent.
        operations: The operations by method; more than one for a method if only their queries or headers differ.
        path: The path below the base path, as it was sent.
    """

    values: tuple[str, ...]
    operations: dict[str, list[Found]]
    path: str


class _Template(NamedTuple, Generic[Found]):
    pattern: re.Pattern[str]
    rank: tuple[int, ...]
    operations: dict[str, list[Found]]


class PathTable(Generic[Found]):
    """The operations below one base path.

    A path without parameters comes before one with them, and so does one of two templates whose first segment that
    differs is without.
    """

    def __init__(self) -> None:
        self._literal: dict[str, dict[str, list[Found]]] = {}
        self._templates: dict[int, dict[str, _Template[Found]]] = {}
        self._ranked: dict[int, list[_Template[Found]]] = {}

    def add(self, path: str, method: str, operation: Found) -> None:
        """Add an operation; `path` is its template, without query and fragment."""
        shape = _PARAMETER.sub("{}", path)
        length = shape.count("/")
        of_length = self._templates.setdefault(length, {})
        if shape not in of_length:
            methods: dict[str, list[Found]] = {}
            rank = tuple(0 if "{}" not in part else 2 if part == "{}" else 1 for part in shape.split("/"))
            of_length[shape] = _Template(_pattern(shape), rank, methods)
            if "{}" not in shape:
                self._literal[shape] = methods
            self._ranked.pop(length, None)
        of_length[shape].operations.setdefault(method, []).append(operation)

    def match(self, path: str) -> Match[Found] | None:
        """Return what a path leads to, normalized and below the base path."""
        if (literal := self._literal.get(path)) is not None:
            return Match((), literal, path)
        length = path.count("/")
        if length not in self._ranked:
            self._ranked[length] = sorted(self._templates.get(length, {}).values(), key=lambda found: found.rank)
        for template in self._ranked[length]:
            if (matched := template.pattern.fullmatch(path)) is not None:
                return Match(matched.groups(), template.operations, path)
        return None


def normalized(path: str) -> str:
    """Return a path whose letters and digits are not encoded; they mean the same (RFC 3986, 6.2.2.2)."""
    return _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path) if "%" in path else path


def parameter_names(path: str) -> list[str]:
    """Return the names of a template's parameters, in their order."""
    return _PARAMETER.findall(path)


def base_patterns(servers: Sequence[Any]) -> Iterator[str]:
    """Yield a regular expression of the base path of each server; variables have any of their values."""
    usable = False
    for server in servers:
        url = as_object(server).get("url")
        if not isinstance(url, str) or not can_be_server(url.strip()):
            continue
        usable = True
        yield _base_pattern(url.strip(), as_object(as_object(server).get("variables")))
    if not usable:
        yield ""


def _base_pattern(url: str, variables: dict[str, Any]) -> str:
    names: list[str] = []

    def mark(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"\x01{len(names) - 1}\x02"

    marked = _PARAMETER.sub(mark, url)
    if marked.startswith("\x01"):
        # The variable stands for the scheme, the host, or the whole origin.
        default = str(as_object(variables.get(names[0])).get("default", ""))
        marked = default + marked.partition("\x02")[2]
    try:
        path = urlsplit(marked).path.rstrip("/")
    except ValueError:
        return ""
    parts = re.split(r"\x01(\d+)\x02", path)
    written = [
        _literal(part) if index % 2 == 0 else _options(as_object(variables.get(names[int(part)])))
        for index, part in enumerate(parts)
    ]
    return "".join(written)


def _options(variable: dict[str, Any]) -> str:
    options = as_list(variable.get("enum")) or [variable.get("default", "")]
    written = "|".join(_literal(str(option).strip("/")) for option in options[:_MAX_OPTIONS] if str(option))
    # Without a list of its values, a variable can have any.
    return f"(?:{written})" if variable.get("enum") and written else f"(?:{written + '|' if written else ''}[^/]+)"


def _pattern(shape: str) -> re.Pattern[str]:
    return re.compile("([^/]+)".join(map(_literal, shape.split("{}"))))


def _literal(text: str) -> str:
    """Return a regular expression of a text, percent-encoded or not."""
    return "".join(map(_character, text))


def _character(character: str) -> str:
    encoded = quote(character, safe="/")
    if encoded == character:
        return re.escape(character)
    return f"(?:{re.escape(character)}|(?i:{re.escape(encoded)}))"


def without_query(path: str) -> str:
    """Return a template without the query or fragment by which some documents tell operations of one path apart."""
    return re.split(r"[?#]", path, maxsplit=1)[0] or "/"
