"""Locations of the old comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import split

from .changes import Change, Direction, Location, Subject, Use, field_of as _field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .changes import Kind, Rating
    from .documents import Document
    from .operations import Operation


def is_received(location: Location) -> bool:
    return (location.part == "response") != bool(location.webhook)


def change(
    rating: Rating,
    kind: Kind,
    location: Location,
    what: str,
    reason: str,
    old: Any = None,
    new: Any = None,
    *,
    newly_required: bool = False,
) -> Change:
    direction = Direction.RECEIVED if is_received(location) else Direction.SENT
    return Change(
        "legacy",
        rating,
        kind,
        Subject(location=location),
        what,
        reason,
        old,
        new,
        uses=(Use(location, direction, rating, reason),),
        newly_required=newly_required,
    )


def locate(pointer: str, document: Document, names: Mapping[tuple[str, str], Operation]) -> Location:
    """Return the location in the API of a pointer.

    Args:
        pointer: A JSON pointer into the canonical document.
        document: The canonical document.
        names: The operations that it was made from.
    """
    match split(pointer):
        case ["paths", path, method, "callbacks", name, expression, inner, *steps]:
            definition = document["paths"][path][method]["callbacks"][name][expression][inner]
            return _inner_location(names[method, path].name, name, steps, definition)
        case ["paths", path, method, "callbacks", name, *urls]:
            return Location(names[method, path].name, name, "operation", "".join(f"sent to {url}" for url in urls))
        case ["paths", path, method, *steps]:
            return _inner_location(names[method, path].name, "", steps, document["paths"][path][method])
        case ["components", "securitySchemes", name, *_]:
            return Location(name=f"security scheme {name}")
        case steps:
            return Location(name=" ".join(steps))


def _inner_location(operation: str, webhook: str, steps: list[str], definition: Document) -> Location:
    match steps:
        case ["parameters", index, *inner]:
            parameters = definition.get("parameters", [])
            known = index.isdigit() and int(index) < len(parameters)
            parameter = cast("Document", parameters[int(index)] if known else {})
            name = f"{parameter.get('name', index)} in {parameter.get('in', 'the request')}"
            return Location(operation, webhook, "parameter", name, _field(inner))
        case ["requestBody", *inner]:
            return Location(operation, webhook, "request", "", _field(inner), _media_type(inner))
        case ["responses", status, "headers", name, *_]:
            return Location(operation, webhook, "response", status, detail=f"header {name}")
        case ["responses", status, *inner]:
            return Location(operation, webhook, "response", status, _field(inner), _media_type(inner))
        case ["security", *_]:
            return Location(operation, webhook, "security")
        case _:
            return Location(operation, webhook, "operation", steps[0] if steps else "")


def _media_type(steps: list[str]) -> str:
    # JSON is expected and is not mentioned.
    is_other = steps[:1] == ["content"] and steps[1:2] not in ([], ["application/json"])
    return steps[1] if is_other else ""
