"""From OpenAPI 3.0 schemas to JSON Schema 2020-12, which validators are fast and exact at.

OpenAPI 3.0 has a dialect of its own: `nullable`, boolean `exclusiveMinimum`, keywords that mean nothing to
validation. `x-propertyNames` is this project's spelling of JSON Schema's `propertyNames`, which 3.0 lacks.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_DROPPED = frozenset(
    {"nullable", "discriminator", "example", "xml", "externalDocs", "deprecated", "readOnly", "writeOnly"}
)
_REF_PREFIX = "#/components/schemas/"


def bundle(components: dict[str, Schema], *, closed: bool) -> Schema:
    """Convert all component schemas into the `$defs` that `convert` refers to.

    Args:
        components: `components.schemas` of the document.
        closed: Whether objects refuse members that their schema does not declare.
    """
    definitions: Schema = {}
    for name, schema in components.items():
        definitions[f"open.{name}"] = convert(schema, closed=closed, open_here=True)
        definitions[f"closed.{name}"] = convert(schema, closed=closed)
    return definitions


def convert(schema: Schema, *, closed: bool, open_here: bool = False) -> Schema:
    """Convert one schema.

    Args:
        schema: A schema of an OpenAPI 3.0 document; `$ref` may lead to component schemas only.
        closed: Whether objects refuse members that their schema does not declare.
        open_here: Whether this level stays open all the same, because it is one part of an `allOf`.
    """
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_REF_PREFIX)
        return {"$ref": f"#/$defs/{'open' if open_here else 'closed'}.{name}"}
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword in _DROPPED:
            continue
        if keyword == "x-propertyNames":
            result["propertyNames"] = convert(value, closed=closed)
        elif keyword == "properties":
            members = cast("dict[str, Schema]", value)
            result[keyword] = {name: convert(member, closed=closed) for name, member in members.items()}
        elif keyword in {"items", "not"} or (keyword == "additionalProperties" and isinstance(value, dict)):
            # Below `not`, closing would turn an undeclared member into an accepted one.
            result[keyword] = convert(
                cast("Schema", value), closed=closed and keyword != "not", open_here=keyword == "not"
            )
        elif keyword == "allOf":
            result[keyword] = [convert(part, closed=closed, open_here=True) for part in value]
        elif keyword in {"anyOf", "oneOf"}:
            # Beside members of this level's own, a branch sees only some of them, and closing is this level's task.
            shared = open_here or "properties" in schema or "allOf" in schema
            result[keyword] = [convert(part, closed=closed, open_here=shared) for part in value]
        elif not keyword.startswith("x-"):
            result[keyword] = value
    _exclusive(result, "Minimum")
    _exclusive(result, "Maximum")
    if schema.get("nullable") is True and "type" in schema:
        result["type"] = [schema["type"], "null"]
        if "enum" in schema and None not in schema["enum"]:
            result["enum"] = [*schema["enum"], None]
    if closed and not open_here and _describes_object(schema) and "additionalProperties" not in schema:
        # The same without a composition, and much quicker to check.
        composed = not {"allOf", "anyOf", "oneOf"}.isdisjoint(schema)
        result["unevaluatedProperties" if composed else "additionalProperties"] = False
    return result


def _exclusive(schema: Schema, end: str) -> None:
    if schema.get(f"exclusive{end}") is True:
        schema[f"exclusive{end}"] = schema.pop(end.lower())
    elif schema.get(f"exclusive{end}") is False:
        del schema[f"exclusive{end}"]


def _describes_object(schema: Schema) -> bool:
    return "properties" in schema or "allOf" in schema or schema.get("type") == "object"


def validator_schema(schema: Schema, definitions: Schema, *, closed: bool) -> Schema:
    """Make a schema that stands alone: converted, with the definitions it may refer to."""
    return {"$schema": DIALECT, "$defs": definitions, **convert(schema, closed=closed)}
