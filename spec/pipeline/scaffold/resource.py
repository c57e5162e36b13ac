"""What a contract says about one resource, under the names that the SDK's code gives to it."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from contentgroove._models.base import Model
from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import resolve
from contentgroove_spec import PipelineError

from .names import Kind, Names, camel, describe, sentence, singular_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contentgroove._openapi.operations import Operation
    from contentgroove_spec.documents import Document

Role: TypeAlias = Literal["list", "get", "create", "update", "delete"]

ROLES: dict[tuple[str, bool], Role] = {
    ("GET", False): "list",
    ("POST", False): "create",
    ("GET", True): "get",
    ("PUT", True): "update",
    ("PATCH", True): "update",
    ("DELETE", True): "delete",
}
"""What an operation does, by its method and whether its path names one resource."""

SORTABLE: dict[Kind, str] = {
    "text": "text", "number": "number", "integer": "number", "boolean": "boolean", "time": "time",
}  # fmt: skip
"""The kinds that lists can filter by, as the simulator calls them."""

JSON = "application/json"
_PATH = re.compile(r"/(?P<name>[^/{}]+)(?P<id>/\{[^/{}]+\})?")


class ScaffoldError(PipelineError):
    """The code of a resource cannot be written; the message says why, and what to do. Nothing was changed."""


@dataclass(frozen=True)
class Field:
    """An attribute of a response or of a request.

    Attributes:
        kind: The type of its values.
        nullable: Whether it may be null.
        required: Whether it is always there.
        text: Its description as a sentence.
        example: A value of it, None if none is known.
        choices: The values that the document lists.
        is_url: Whether it is a URL.
        values: The public name of the type of these values; empty if there are none.
        generated: The generated class of that type.
    """

    name: str
    kind: Kind
    nullable: bool
    required: bool
    text: str
    example: Any
    choices: tuple[str, ...] = ()
    is_url: bool = False
    values: str = ""
    generated: str = ""

    @property
    def optional(self) -> bool:
        """Whether a model may have None for it."""
        return self.nullable or not self.required


@dataclass(frozen=True)
class Relationship:
    """A relationship, such as `media`, and the model's attribute with its ids, such as `media_id`.

    Attributes:
        optional: Whether it may be omitted or name nothing.
        nullable: Whether it may name nothing.
    """

    name: str
    attribute: str
    many: bool
    optional: bool
    nullable: bool


@dataclass(frozen=True)
class Resource:
    """A resource of a contract.

    Attributes:
        kind: Its JSON:API type.
        schema: The component of its data.
        operations: Its operations by what they do.
        filters: The attributes that its list can filter by.
        sorts: The attributes that its list can be sorted by.
        paged: Whether its list has pages.
        created: The attributes of the request that creates one.
        updated: The attributes of the request that changes one.
    """

    names: Names
    kind: str
    schema: str
    description: str
    operations: dict[Role, Operation]
    attributes: tuple[Field, ...]
    relationships: tuple[Relationship, ...]
    filters: tuple[str, ...]
    sorts: tuple[str, ...]
    paged: bool
    created: tuple[Field, ...]
    updated: tuple[Field, ...]


def resource_names(document: Document) -> dict[str, dict[Role, Operation]]:
    """Return the resources of a document by the segment of their paths, with their operations by what they do."""
    found: dict[str, dict[Role, Operation]] = {}
    for operation in operations(document):
        path = _PATH.fullmatch(operation.path)
        role = None if path is None else ROLES.get((operation.method, path["id"] is not None))
        if path is not None and role is not None:
            found.setdefault(path["name"], {})[role] = operation
    return found


def read_resource(document: Document, names: Names) -> Resource:
    """Read a resource of a corrected contract.

    Raises:
        ScaffoldError: The contract does not describe it as the SDK's code needs it.
    """
    found = resource_names(document)[names.segment]
    if "list" not in found and "get" not in found and "create" not in found:
        raise ScaffoldError(f"No operation on {names.many} returns one: nothing can be written.")
    schema, data = data_schema(document, found, names)
    _check_links(document, found)
    properties = data.get("properties", {})
    attributes = fields(document, properties.get("attributes", {}), names, examples(found))
    relationships = resolve(document, properties.get("relationships"))
    listing = found["list"].parameters if "list" in found else []
    parameters = {str(parameter.get("name")): parameter for parameter in listing}
    orders = resolve(document, parameters.get("sort", {}).get("schema")).get("enum", [])
    names_in_filter = {*names_of_filter(document, parameters.get("filter", {}))}
    return Resource(
        names=names,
        kind=str(resolve(document, properties.get("type")).get("enum", [names.plural])[0]),
        schema=schema,
        description=sentence(str(data.get("description") or f"{names.an.capitalize()}.")),
        operations=found,
        attributes=attributes,
        relationships=tuple(_relationships(document, relationships)),
        filters=tuple(name for name in names_in_filter_order(attributes) if name in names_in_filter),
        sorts=tuple(dict.fromkeys(str(order).removeprefix("-") for order in orders)),
        paged="page" in parameters,
        created=_request_fields(document, found.get("create"), names),
        updated=_request_fields(document, found.get("update"), names),
    )


def data_schema(document: Document, found: dict[Role, Operation], names: Names) -> tuple[str, Document]:
    """Return the component of a resource's data, with its name.

    Raises:
        ScaffoldError: The responses have no such component.
    """
    for role in ("get", "create", "update", "list"):
        if role not in found:
            continue
        body = resolve(document, success(found[role])[1].get("schema"))
        data = body.get("properties", {}).get("data", {})
        data = data.get("items", data)
        if "$ref" in data:
            return str(data["$ref"]).rpartition("/")[2], resolve(document, data)
        raise ScaffoldError(
            f"The response of {found[role]} has its data inline, or no schema. Write a correction that makes it a "
            f"component such as {names.singular}_response_object_data, as medias have it, and try again."
        )
    raise ScaffoldError(f"No operation on {names.many} returns one.")


def _check_links(document: Document, found: dict[Role, Operation]) -> None:
    """Raise a ScaffoldError if a document has no links, which lists follow and the simulator writes."""
    for operation in found.values():
        body = resolve(document, success(operation)[1].get("schema")).get("properties", {})
        if "data" in body and "links" not in body:
            raise ScaffoldError(
                f"The response of {operation} has no `links` beside `data`, as all others have. Write a "
                "correction that adds them to its schema and its example, or write the resource by hand."
            )


def success(operation: Operation) -> tuple[str, Document]:
    """Return the status and the JSON content of an operation's success; empty content without a body."""
    for status, response in operation.responses.items():
        if status.startswith("2"):
            content: Document = response.get("content", {}).get(JSON, {})
            return status, content
    raise ScaffoldError(f"{operation} documents no success.")


def examples(found: dict[Role, Operation]) -> list[Document]:
    """Return the resources in the examples of all successes."""
    shown: list[Document] = []
    for operation in found.values():
        content = success(operation)[1]
        values = [content.get("example"), *(item.get("value") for item in content.get("examples", {}).values())]
        for value in values:
            data = cast("Document", value).get("data") if isinstance(value, dict) else None
            items = cast("list[object]", data) if isinstance(data, list) else [data]
            shown += [cast("Document", item) for item in items if isinstance(item, dict)]
    return shown


def names_of_filter(document: Document, parameter: Document) -> list[str]:
    """Return the attributes that a filter's names may begin with."""
    schema = resolve(document, parameter.get("schema"))
    pattern = str(schema.get("x-propertyNames", {}).get("pattern", ""))
    return pattern.partition("(")[2].partition(")")[0].split("|") if pattern else []


def names_in_filter_order(attributes: Iterable[Field]) -> list[str]:
    """Return the names of what lists can filter by."""
    return ["id", *(field.name for field in attributes if field.kind in SORTABLE)]


def fields(
    document: Document, schema: Document, names: Names, shown: list[Document] | None = None
) -> tuple[Field, ...]:
    """Return the attributes that a schema declares.

    Raises:
        ScaffoldError: One has a name that code cannot have.
    """
    schema = resolve(document, schema)
    required = set(schema.get("required", ()))
    found: list[Field] = []
    for name, node in schema.get("properties", {}).items():
        _check_name(name, names)
        inner = merged(document, node)
        values = [item["attributes"].get(name) for item in shown or () if isinstance(item.get("attributes"), dict)]
        known = [value for value in (*values, inner.get("example")) if value is not None]
        # Only what has a title is generated under a known name.
        has_values = kind_of(inner) == "text" and "enum" in inner and "title" in schema
        found.append(
            Field(
                name=name,
                kind=kind_of(inner),
                nullable=is_nullable(inner),
                required=name in required,
                text=sentence(str(inner.get("description") or describe(name, names, kind_of(inner)))),
                example=known[0] if known else None,
                choices=tuple(str(item) for item in inner.get("enum", ()) if item is not None),
                is_url=inner.get("format") == "uri",
                values=f"{names.model}{camel(name)}" if has_values else "",
                generated=f"{schema['title']}{camel(name)}" if has_values else "",
            )
        )
    return tuple(found)


def import_of_values(field: Field) -> str:
    """Return the line that imports the type of an attribute's values under its public name."""
    module = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field.generated).lower()
    return f"from contentgroove_api.models.{module} import {field.generated} as {field.values}"


def merged(document: Document, node: Document) -> Document:
    """Return a schema with its reference resolved and its `allOf` merged."""
    schema = dict(resolve(document, node))
    for part in schema.pop("allOf", ()):
        schema = {**merged(document, part), **schema}
    return schema


def is_nullable(schema: Document) -> bool:
    """Return whether null is valid."""
    return bool(schema.get("nullable")) or any(part.get("nullable") for part in schema.get("anyOf", ()))


def kind_of(schema: Document) -> Kind:
    """Return the type of a schema's values."""
    kinds = {schema.get("type"), *(part.get("type") for part in schema.get("anyOf", ()))} - {None}
    if kinds == {"string"}:
        return "time" if schema.get("format") == "date-time" else "text"
    if kinds and kinds <= {"number", "integer", "string"}:
        return "number" if "number" in kinds else "integer"
    if kinds == {"boolean"}:
        return "boolean"
    is_texts = kinds == {"array"} and schema.get("items", {}).get("type") == "string"
    return "texts" if is_texts else "json"


def _request_fields(document: Document, operation: Operation | None, names: Names) -> tuple[Field, ...]:
    if operation is None:
        return ()
    schema = request_attributes(document, operation)
    # A required attribute comes first: Python's arguments have an order.
    return tuple(sorted(fields(document, schema, names), key=lambda field: not field.required))


def request_attributes(document: Document, operation: Operation) -> Document:
    """Return the schema of the attributes of a request.

    Raises:
        ScaffoldError: The request has no body of JSON:API.
    """
    schema = resolve(document, operation.body.get("content", {}).get(JSON, {}).get("schema"))
    for member in ("data", "attributes"):
        schema = resolve(document, schema.get("properties", {}).get(member))
    if not schema:
        raise ScaffoldError(f"The request of {operation} has no data.attributes. Correct its schema first.")
    return schema


def _relationships(document: Document, schema: Document) -> Iterator[Relationship]:
    required = set(schema.get("required", ()))
    for name, node in schema.get("properties", {}).items():
        inner = resolve(document, node)
        if "data" not in inner.get("properties", {}):
            continue
        data = resolve(document, inner["properties"]["data"])
        many = data.get("type") == "array"
        attribute = f"{singular_of(name)}_ids" if many else f"{name}_id"
        nullable = is_nullable(data)
        yield Relationship(name, attribute, many, optional=name not in required or nullable, nullable=nullable)


def _check_name(name: str, names: Names) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ScaffoldError(
            f"The attribute {name!r} of {names.many} is not a name in snake case, as code needs it. Write the model by "
            "hand, or correct the name if the document is wrong."
        )
    if hasattr(Model, name):
        raise ScaffoldError(
            f"The attribute {name!r} of {names.many} has the name of a member of every model. Write the model by hand."
        )
