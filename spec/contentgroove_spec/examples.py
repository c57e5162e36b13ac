"""Decides by the old document's own examples whether a new schema only specifies what was meant before."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.pointers import split
from contentgroove._openapi.schemas import bundle, validator_schema

from .changes import Direction
from .reading import Part
from .rules import RULES
from .schemas import as_items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .findings import Finding
    from .messages import Context
    from .schemas import Views


def exemplified(finding: Finding, context: Context) -> Finding:
    """Return a finding as it is to be rated: a new schema that all examples of what an app sends match is safe."""
    if finding.rule.id != "schema-specified" or finding.new is None:
        return finding
    values = [
        value for holder, field in _sent(finding, context) for value in _examples(context.schemas.old, holder, field)
    ]
    if not values or not _match(values, finding.new, context):
        return finding
    return dataclasses.replace(finding, rule=RULES["schema-specified-as-exemplified"])


def _sent(finding: Finding, context: Context) -> Iterator[tuple[Part, str]]:
    """Yield what holds the schema in each request of the old document, with the field in it."""
    for source in finding.sources:
        if source.node is None:
            if source.direction is Direction.SENT and source.holder is not None:
                yield source.holder, source.field
            continue
        for root, field, _ in context.graph.fields(source.node, source.mask):
            if root.direction is Direction.SENT and root.holder is not None:
                yield root.holder, field + source.field


def _examples(views: Views, holder: Part, field: str) -> Iterator[Any]:
    """Yield the values at a field in all examples of a holder and of the schemas around the field."""
    steps = split(field)
    for value in _own_examples(holder.value):
        yield from _values_at(value, steps)
    schema = holder.optional("schema")
    parts = () if schema is None else (schema,)
    for index in range(len(steps) + 1):
        view = views.view(parts)
        for leaf in view.leaves:
            for value in _own_examples(leaf.value):
                yield from _values_at(value, steps[index:])
        if index < len(steps):
            name = steps[index]
            parts = view.mapped("properties").get(name) or (view.schema("items") if name == "*" else ())
            if not parts:
                return


def _own_examples(holder: dict[str, Any]) -> Iterator[Any]:
    if "example" in holder:
        yield holder["example"]
    examples = holder.get("examples")
    for example in as_object(examples).values():
        if isinstance(example, dict) and "value" in example:
            yield cast("dict[str, Any]", example)["value"]
    yield from as_items(examples)


def _values_at(value: Any, steps: list[str]) -> list[Any]:
    match steps:
        case []:
            return [value]
        case ["*", *inner] if isinstance(value, list):
            return [found for item in cast("list[Any]", value) for found in _values_at(item, inner)]
        case [name, *inner] if isinstance(value, dict) and name in value:
            return _values_at(cast("dict[str, Any]", value)[name], inner)
        case _:
            return []


def _match(values: list[Any], schema: Part, context: Context) -> bool:
    """Return whether all values match a schema of the new document."""
    import jsonschema_rs

    components = as_object(as_object(context.readers[1].document.get("components")).get("schemas"))
    definitions = bundle({name: value for name, value in components.items() if isinstance(value, dict)}, closed=False)
    try:
        validator = jsonschema_rs.Draft202012Validator(validator_schema(schema.value, definitions, closed=False))
        return all(map(validator.is_valid, values))
    except ValueError:
        # A schema that is not valid itself says nothing.
        return False
