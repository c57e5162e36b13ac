"""Reads values: JSON, and texts as the values that their schemas declare.

Parameters and forms are text. Which value a text stands for depends on its schema; where several are possible, one that
the schema accepts is taken.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from contentgroove._openapi.documents import as_object
from contentgroove_api.types import check_levels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove._openapi.schemas import Schema

    from contentgroove_mock.contract.schemas import Components, Side

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
"""Texts, in the lists and objects that a style has written them in."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_MAX_NUMBER_LENGTH = 40
_MAX_DEPTH = 20


def decode_json(content: bytes) -> object:
    """Decode JSON; raise `ValueError` if the content is not JSON, or is nested too deeply."""
    try:
        check_levels(content)
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def duplicate_key(content: bytes, value: object) -> str | None:
    """Return a name that an object of decoded JSON has twice; None if there is none.

    Decoders keep one of the values, so what they return has fewer texts than the content.
    """
    encoded = msgspec.json.encode(value)
    if encoded == content:
        return None
    # One character is found much faster than two. Only escapes can write a quotation mark as something else.
    if (b"\\" not in content or b"\\u" not in content) and content.count(b'"') == encoded.count(b'"'):
        return None
    found: list[str] = []

    def note(members: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in members]
        if len(set(names)) < len(names):
            found.append(next(name for name in names if names.count(name) > 1))

    json.loads(content, object_pairs_hook=note)
    return found[0] if found else None


def types_of(schema: Any, components: Components, depth: int = 0) -> frozenset[str]:
    """Return the JSON types that a prepared schema allows; empty if it allows any."""
    found = components.resolved(schema)
    declared = found.get("type")
    if isinstance(declared, (str, list)):
        types = frozenset({declared} if isinstance(declared, str) else map(str, cast("list[Any]", declared)))
        return types | {"null"} if found.get("nullable") is True else types
    options: list[Any] | None = [found["const"]] if "const" in found else found.get("enum")
    if isinstance(options, list):
        return frozenset(map(_type_of, options))
    composed = _composed_types(found, components, depth) if depth <= _MAX_DEPTH else frozenset[str]()
    if not composed and "properties" in found:
        return frozenset({"object"})
    return composed or frozenset({"array"} if "items" in found else ())


def _composed_types(schema: Schema, components: Components, depth: int) -> frozenset[str]:
    for keyword in ("anyOf", "oneOf"):
        branches = [types_of(branch, components, depth + 1) for branch in schema.get(keyword, ())]
        if branches and all(branches):
            return frozenset[str]().union(*branches)
    parts = (types_of(part, components, depth + 1) for part in schema.get("allOf", ()))
    return next(filter(None, parts), frozenset[str]())


def scalars(text: str, types: Iterable[str]) -> list[Any]:
    """Return the values that a text can stand for by the types that its schema allows; the text, if there is none."""
    values: list[Any] = []
    if "boolean" in types and text in {"true", "false"}:
        values.append(text == "true")
    if len(text) <= _MAX_NUMBER_LENGTH:
        if {"integer", "number"} & {*types} and _INTEGER.fullmatch(text):
            values.append(int(text))
        elif "number" in types and _NUMBER.fullmatch(text):
            values.append(float(text))
    if "null" in types and text in {"", "null"}:
        values.append(None)
    return [*values, text] if not types or "string" in types or not values else values


def read_tree(tree: Tree, schema: Any, components: Components, side: Side) -> Any:
    """Return what texts stand for by a prepared schema."""
    found = components.resolved(schema)
    if isinstance(tree, dict):
        if {*types_of(found, components)} == {"array"}:
            # The keys of the object are the positions, or empty: `a[0]=x`, `a[]=x`.
            items = [item for inner in tree.values() for item in (inner if isinstance(inner, list) else [inner])]
            return read_tree(items, found, components, side)
        return {
            name: read_tree(inner, member_schema(name, found, components), components, side)
            for name, inner in tree.items()
        }
    if isinstance(tree, list):
        items = found.get("items", {})
        return [read_tree(inner, items, components, side) for inner in tree]
    types = types_of(found, components)
    if types and types <= {"array", "null"}:
        return read_tree([tree], found, components, side)
    options = scalars(tree, types)
    if len(options) == 1:
        return options[0]
    compiled = components.compiled_as_it_is(found, side)
    return next((option for option in options if compiled.is_valid(option)), options[0])


def texts_of(tree: Tree) -> list[str]:
    """Return all texts."""
    if isinstance(tree, str):
        return [tree]
    return [text for inner in (tree.values() if isinstance(tree, dict) else tree) for text in texts_of(inner)]


def member_schema(name: str, schema: Schema, components: Components, depth: int = 0) -> Any:
    """Return the prepared schema of an object's member; an empty one if none is declared."""
    if name in (properties := as_object(schema.get("properties"))):
        return properties[name]
    if depth <= _MAX_DEPTH:
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(keyword, ()):
                if found := member_schema(name, components.resolved(part), components, depth + 1):
                    return found
    return as_object(schema.get("additionalProperties"))


def _type_of(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case None:
            return "null"
        case list():
            return "array"
        case _:
            return "object"
