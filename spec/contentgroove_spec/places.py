"""From pointers into a canonical document to places that people and apps know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape, split

from .changes import Location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .documents import Document
    from .folding import Operation

_BRANCHES = ("allOf", "anyOf", "oneOf")


def locate(pointer: str, document: Document, names: Mapping[tuple[str, str], Operation]) -> Location:
    """Tell where in the API a pointer leads.

    Args:
        pointer: Into the canonical document.
        document: It.
        names: The operations that it was made from.
    """
    match split(pointer):
        case ["paths", path, method, "callbacks", name, expression, inner, *rest]:
            definition = document["paths"][path][method]["callbacks"][name][expression][inner]
            return _inner_location(names[method, path].name, name, rest, definition)
        case ["paths", path, method, "callbacks", name, *rest]:
            return Location(names[method, path].name, name, "operation", "".join(f"sent to {one}" for one in rest))
        case ["paths", path, method, *rest]:
            return _inner_location(names[method, path].name, "", rest, document["paths"][path][method])
        case ["components", "securitySchemes", name, *_]:
            return Location(name=f"security scheme {name}")
        case path:
            return Location(name=" ".join(path))


def _inner_location(operation: str, webhook: str, rest: list[str], definition: Document) -> Location:
    if rest[:1] == ["parameters"] and len(rest) > 1:
        parameter = _item(definition.get("parameters", []), rest[1])
        name = f"{parameter.get('name', rest[1])} in {parameter.get('in', 'the request')}"
        return Location(operation, webhook, "parameter", name, _field(rest[2:]))
    if rest[:1] == ["requestBody"]:
        return Location(operation, webhook, "request", "", _field(rest[1:]), _media_type(rest[1:]))
    match rest:
        case ["responses", status, "headers", name, *_]:
            return Location(operation, webhook, "response", status, detail=f"header {name}")
        case ["responses", status, *inner]:
            return Location(operation, webhook, "response", status, _field(inner), _media_type(inner))
        case _:
            pass
    if rest[:1] == ["security"]:
        return Location(operation, webhook, "security")
    return Location(operation, webhook, "operation", "" if not rest else rest[0])


def _item(items: list[Any], index: str) -> Document:
    found: Any = items[int(index)] if index.isdigit() and int(index) < len(items) else {}
    return cast("Document", found)


def _media_type(rest: list[str]) -> str:
    # JSON is what everybody expects.
    return rest[1] if rest[:1] == ["content"] and len(rest) > 1 and rest[1] != "application/json" else ""


def _field(rest: list[str]) -> str:
    """Give the field that a path through schemas leads to, as JSON pointer."""
    result = ""
    while rest:
        step = rest.pop(0)
        if step in {"properties", "patternProperties"} and rest:
            result += "/" + escape(rest.pop(0))
        elif step in {"items", "additionalProperties"}:
            result += "/*"
        elif step in {"content", *_BRANCHES, "prefixItems"} and rest:
            rest.pop(0)
    return result
