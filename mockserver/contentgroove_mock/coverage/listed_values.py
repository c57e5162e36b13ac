"""The values of an operation that its contract lists: only these are reported, because others can be personal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import DocumentError, as_list, as_object
from contentgroove._openapi.pointers import resolve, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contentgroove._openapi.documents import Json
    from contentgroove._openapi.operations import Operation

_UNIONS = ("allOf", "anyOf", "oneOf")


def listed_query_values(operation: Operation, sent: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the sent values of query parameters that list theirs."""
    schemas = {
        str(parameter.get("name")): [parameter.get("schema")]
        for parameter in operation.parameters
        if parameter.get("in") == "query"
    }
    return _listed(operation.document, {name: schemas.get(name, []) for name in sent}, sent)


def listed_body_values(operation: Operation, sent: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the sent values of fields of the body that list theirs, by JSON pointer."""
    media_types = as_object(operation.body.get("content")).values()
    roots = [as_object(media_type).get("schema") for media_type in media_types]
    schemas = {pointer: list(_schemas_at(operation.document, roots, split(pointer))) for pointer in sent}
    return _listed(operation.document, schemas, sent)


def _listed(
    document: Json, schemas: Mapping[str, list[Any]], sent: Mapping[str, Iterable[str]]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, values in sent.items():
        listed = {value for schema in schemas[name] for value in _enum(document, schema)}
        if listed:
            found[name] = sorted(listed.intersection(values))
    return found


def _enum(document: Json, schema: Any) -> Iterator[str]:
    for part in _parts(document, schema):
        yield from (value for value in as_list(part.get("enum")) if isinstance(value, str))
        yield from _enum(document, part["items"]) if "items" in part else ()


def _schemas_at(document: Json, schemas: Iterable[Any], steps: list[str]) -> Iterator[Json]:
    for part in (part for schema in schemas for part in _parts(document, schema)):
        if not steps:
            yield part
            continue
        inner = part.get("items") if steps[0] == "*" else as_object(part.get("properties")).get(steps[0])
        if inner is not None:
            yield from _schemas_at(document, [inner], steps[1:])


def _parts(document: Json, schema: Any, level: int = 0) -> Iterator[Json]:
    """Yield a schema and those that it is composed of."""
    try:
        part = resolve(document, schema)
    except DocumentError:
        return
    yield part
    if level < len(_UNIONS):
        for inner in (inner for union in _UNIONS for inner in as_list(part.get(union))):
            yield from _parts(document, inner, level + 1)
