"""Evidence from a document's examples for locations that its schemas leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document


def examples_match(body: Document, path: list[str], schema: Any) -> bool:
    """Return whether a document's own examples have values at a location, all of which match a schema.

    Args:
        body: The request body with its references expanded, including examples.
        path: The location, as steps from the media type's schema.
        schema: A canonical schema.
    """
    import jsonschema_rs

    found = [value for media in body.get("content", {}).values() for value in _values(media, path)]
    if not found:
        return False
    try:
        validator = jsonschema_rs.Draft202012Validator(schema)
    except ValueError:
        return False
    return all(validator.is_valid(value) for value in found)


def _values(media: Document, path: list[str]) -> Iterator[Any]:
    for example in _examples(media):
        yield from _values_at(example, path)
    schema: Any = media.get("schema")
    for index in range(len(path) + 1):
        if not isinstance(schema, dict):
            return
        for example in _examples(cast("Document", schema)):
            yield from _values_at(example, path[index:])
        if index < len(path):
            schema = cast("Document", schema).get(path[index])


def _examples(holder: Document) -> Iterator[Any]:
    if "example" in holder:
        yield holder["example"]
    examples = holder.get("examples")
    if isinstance(examples, dict):
        for example in cast("dict[str, Any]", examples).values():
            if isinstance(example, dict) and "value" in example:
                yield cast("Document", example)["value"]
    elif isinstance(examples, list):
        yield from cast("list[Any]", examples)


def _values_at(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "items":
        if isinstance(value, list):
            for item in cast("list[Any]", value):
                yield from _values_at(item, path[1:])
    elif path[0] == "properties" and len(path) > 1 and isinstance(value, dict):
        members = cast("Document", value)
        if path[1] in members:
            yield from _values_at(members[path[1]], path[2:])
