"""Simplifies compositions that compose nothing, which programs that read schemas literally do not understand.

Documents describe a reference by `allOf: [{$ref: …}, {description: …}]`, because a reference of OpenAPI 3.0 can have
nothing beside it. Generators and mocks take that for an object with parts, even if the reference names a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .documents import as_list, as_object

if TYPE_CHECKING:
    from .documents import Json

_ANNOTATIONS = frozenset(
    {"title", "description", "default", "example", "examples", "externalDocs", "xml", "deprecated", "nullable"}
)
_LITERAL = frozenset({"example", "examples", "default", "enum", "const"})
"""The keys whose values are data, and not parts of the document."""


def without_empty_parts(value: Any, *, names: bool = False) -> Any:
    """Return a document, or a part of it, with each `allOf` of one schema and annotations replaced by that schema.

    `names` says that the keys of the value are names, not keywords.
    """
    if isinstance(value, list):
        return [without_empty_parts(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("Json", value)
    result: Json = {
        key: item
        if not names and (key in _LITERAL or key.startswith("x-"))
        else without_empty_parts(item, names=key in {"properties", "schemas"} and not names)
        for key, item in members.items()
    }
    parts = as_list(result.get("allOf"))
    if names or not parts:
        return result
    rest: list[Any] = [part for part in parts if not isinstance(part, dict) or as_object(part).keys() - _ANNOTATIONS]
    if len(rest) == 1 and not result.keys() - _ANNOTATIONS - {"allOf", "type"} and not result.get("nullable"):
        return rest[0]
    return {**result, "allOf": rest} if rest else result
