"""OpenAPI's schemas as JSON Schema 2020-12, which validators are fast and exact at.

OpenAPI 3.0 has a dialect of its own: `nullable`, boolean `exclusiveMinimum`, keywords that mean nothing to
validation. `x-propertyNames` is this project's spelling of JSON Schema's `propertyNames`, which 3.0 lacks. Schemas of
OpenAPI 3.1 are JSON Schema already.

`SUBSCHEMAS` and `map_subschemas` are for everything that walks through schemas; what is done at each of them is a
policy of its own, which stays with its user.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SUBSCHEMAS: dict[str, Literal["schema", "list", "map"]] = {
    **dict.fromkeys(
        ("items", "not", "additionalProperties", "propertyNames", "contains", "if", "then", "else",
         "unevaluatedItems", "unevaluatedProperties"), "schema"
    ),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "list"),
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs"), "map"),
}  # fmt: skip
"""The keywords whose values contain schemas: one, a list of them, or several by name."""

COMPONENTS = "#/components/schemas/"
"""What `$ref`s to a document's shared schemas start with."""

_DROPPED = frozenset(
    {"nullable", "discriminator", "example", "xml", "externalDocs", "deprecated", "readOnly", "writeOnly"}
)
_COMPOSED = frozenset({"allOf", "anyOf", "oneOf"})
_BRANCHES = frozenset({"anyOf", "oneOf", "then", "else", "dependentSchemas"})
_CONDITIONS = frozenset({"not", "if", "contains"})


def has_subschemas(keyword: str, value: Any) -> bool:
    """Return whether a keyword's value contains schemas, in the form that the keyword demands."""
    kind = SUBSCHEMAS.get(keyword)
    return (
        kind == "schema" or (kind == "list" and isinstance(value, list)) or (kind == "map" and isinstance(value, dict))
    )


def map_subschemas(keyword: str, value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return a keyword's value with each schema directly below it converted; as it is if it contains none."""
    if not has_subschemas(keyword, value):
        return value
    match SUBSCHEMAS[keyword]:
        case "list":
            return [convert(schema) for schema in cast("list[Any]", value)]
        case "map":
            return {name: convert(schema) for name, schema in cast("Schema", value).items()}
        case _:
            return convert(value)


def translate_bounds(schema: Schema) -> None:
    """Replace OpenAPI 3.0's boolean `exclusiveMinimum` and `exclusiveMaximum` by numbers, in the schema itself."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)


def bundle(components: dict[str, Schema], *, closed: bool) -> Schema:
    """Convert all component schemas into the `$defs` that `to_json_schema` refers to.

    Args:
        components: `components.schemas` of the document.
        closed: Whether objects refuse members that their schema does not declare.
    """
    definitions: Schema = {}
    for name, schema in components.items():
        definitions[f"open.{name}"] = to_json_schema(schema, closed=closed, open_here=True)
        definitions[f"closed.{name}"] = to_json_schema(schema, closed=closed)
    return definitions


def to_json_schema(schema: Any, *, closed: bool, open_here: bool = False) -> Any:
    """Convert one schema.

    Args:
        schema: A schema of an OpenAPI document; `$ref` may lead to component schemas only.
        closed: Whether objects refuse members that their schema does not declare.
        open_here: Whether this level stays open nevertheless, because it is one part of an `allOf`.
    """
    if not isinstance(schema, dict):
        return schema
    members = cast("Schema", schema)
    if "$ref" in members:
        name = str(members["$ref"]).removeprefix(COMPONENTS)
        return {"$ref": f"#/$defs/{'open' if open_here else 'closed'}.{name}"}
    # In addition to members of this level, a branch sees only some of them, and closing is this level's task.
    shared = open_here or "properties" in members or "allOf" in members
    result: Schema = {}
    for key, value in members.items():
        keyword = "propertyNames" if key == "x-propertyNames" else key
        if keyword in _DROPPED or keyword.startswith("x-"):
            continue
        # Below a condition, closing would turn an undeclared member into an accepted one.
        condition = keyword in _CONDITIONS
        open_below = condition or keyword == "allOf" or (keyword in _BRANCHES and shared)
        below = functools.partial(to_json_schema, closed=closed and not condition, open_here=open_below)
        result[keyword] = map_subschemas(keyword, value, below)
    translate_bounds(result)
    if members.get("nullable") is True and isinstance(members.get("type"), str):
        result["type"] = [members["type"], "null"]
        if "enum" in members and None not in members["enum"]:
            result["enum"] = [*members["enum"], None]
    if closed and not open_here and _describes_object(members) and "additionalProperties" not in members:
        # The same without a composition, and much quicker to check.
        result["unevaluatedProperties" if _COMPOSED & members.keys() else "additionalProperties"] = False
    return result


def validator_schema(schema: Schema, definitions: Schema, *, closed: bool) -> Schema:
    """Make a schema that stands alone: converted, with the definitions that it may refer to."""
    return {"$schema": DIALECT, "$defs": definitions, **to_json_schema(schema, closed=closed)}


def _describes_object(schema: Schema) -> bool:
    return "properties" in schema or "allOf" in schema or schema.get("type") == "object"
