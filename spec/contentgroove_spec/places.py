"""Convert pointers into a canonical document to locations in the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape, split

from .changes import Location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .documents import Document
    from .operations import Operation

_BRANCHES = ("allOf", "anyOf", "oneOf")


def locate(pointer: str, document: Document, names: Mapping[tuple[str, str], Operation]) -> Location:
    """Return the location in the API of a pointer.

    Args:
        pointer: A JSON pointer into the canonical document.
        document: The canonical document.
        names: The operations that it was made from.
    """
    match split(pointer):
        case ["paths", path, method, "callbacks", name, expression, inner, *remaining]:
            definition = document["paths"][path][method]["callbacks"][name][expression][inner]
            return _inner_location(names[method, path].name, name, remaining, definition)
        case ["paths", path, method, "callbacks", name, *remaining]:
            return Location(names[method, path].name, name, "operation", "".join(f"sent to {url}" for url in remaining))
        case ["paths", path, method, *remaining]:
            return _inner_location(names[method, path].name, "", remaining, document["paths"][path][method])
        case ["components", "securitySchemes", name, *_]:
            return Location(name=f"security scheme {name}")
        case path:
            return Location(name=" ".join(path))


def _inner_location(operation: str, webhook: str, remaining: list[str], definition: Document) -> Location:
    if remaining[:1] == ["parameters"] and len(remaining) > 1:
        parameter = _item(definition.get("parameters", []), remaining[1])
        name = f"{parameter.get('name', remaining[1])} in {parameter.get('in', 'the request')}"
        return Location(operation, webhook, "parameter", name, _field(remaining[2:]))
    if remaining[:1] == ["requestBody"]:
        return Location(operation, webhook, "request", "", _field(remaining[1:]), _media_type(remaining[1:]))
    match remaining:
        case ["responses", status, "headers", name, *_]:
            return Location(operation, webhook, "response", status, detail=f"header {name}")
        case ["responses", status, *inner]:
            return Location(operation, webhook, "response", status, _field(inner), _media_type(inner))
        case _:
            pass
    if remaining[:1] == ["security"]:
        return Location(operation, webhook, "security")
    return Location(operation, webhook, "operation", "" if not remaining else remaining[0])


def _item(items: list[Any], index: str) -> Document:
    found: Any = items[int(index)] if index.isdigit() and int(index) < len(items) else {}
    return cast("Document", found)


def _media_type(remaining: list[str]) -> str:
    # JSON is expected and is not mentioned.
    return (
        remaining[1]
        if remaining[:1] == ["content"] and len(remaining) > 1 and remaining[1] != "application/json"
        else ""
    )


def _field(remaining: list[str]) -> str:
    """Return the field at a path through schemas, as JSON pointer."""
    result = ""
    while remaining:
        step = remaining.pop(0)
        if step in {"properties", "patternProperties"} and remaining:
            result += "/" + escape(remaining.pop(0))
        elif step in {"items", "additionalProperties"}:
            result += "/*"
        elif step in {"content", *_BRANCHES, "prefixItems"} and remaining:
            remaining.pop(0)
    return result
