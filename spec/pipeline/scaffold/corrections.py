"""The corrections that a newly published resource needs before code can be written from it.

The published document states nothing that is required, no titles, no formats and no filters. What is added here follows
from the examples and the names, by the rules of the corrections of the other resources, and under the same numbers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from contentgroove._openapi.pointers import resolve

from .names import camel, describe
from .resource import (
    JSON,
    ROLES,
    data_schema,
    examples,
    fields,
    kind_of,
    merged,
    names_in_filter_order,
    names_of_filter,
    request_attributes,
    success,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove._openapi.operations import Operation
    from contentgroove_spec.documents import Document

    from .names import Names
    from .resource import Role

Action: TypeAlias = dict[str, Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_PATTERN = re.compile(r"\*_\(([^)]*)\)\(_any")
_NOT_FOUND = "not_found_error_response_object"
_ERRORS = "error_response_object"
_WIDTH = 116
_MEMBERS = {"id", "type", "attributes", "relationships"}
"""The members of a resource that the SDK reads and the simulator writes; others, such as links, stay optional."""

_DOCUMENT_MEMBERS = {"data", "links"}
"""The same for the document around it, which may have others, such as meta."""


@dataclass
class _Found:
    """The operations of a resource in the contract, and the actions that correct them."""

    contract: Document
    names: Names
    operations: dict[Role, Operation]
    actions: list[Action] = field(default_factory=list[Action])

    def add(self, number: int, target: str, text: str, update: object) -> None:
        """Add an action that updates, unless it would change nothing."""
        if update:
            self.actions.append({"target": target, "description": f"{number}. {text}", "update": update})


def proposed(contract: Document, names: Names, operations: dict[Role, Operation]) -> list[Action]:
    """Return the actions that bring a resource into the form that the other resources have in the contract."""
    found = _Found(contract, names, operations)
    component, data = data_schema(contract, operations, names)
    found.add(
        1,
        f"$.components.schemas['{component}']",
        f"What every example of {names.an} has is required; its times and URLs have a format.",
        _data_update(found, data),
    )
    _replace_relationships(found, component, data)
    for role in ("get", "list"):
        _title_documents(found, role)
    for operation in operations.values():
        _correct_operation(found, operation)
    _correct_list(found)
    untagged = {operation.path for operation in operations.values() if "tags" not in operation.definition}
    if untagged:
        selected = ",".join(f"'{path}'" for path in sorted(untagged))
        target = f"$.paths[{selected}][?@.operationId]"
        found.add(15, target, f"The operations on {names.many}.", {"tags": [names.plural]})
    tags = [tag.get("name") for tag in contract.get("tags", [])]
    if names.plural not in tags:
        found.add(
            15,
            "$.tags",
            f"The tag of the operations on {names.many}.",
            [{"name": names.plural, "description": names.many.capitalize()}],
        )
    return found.actions


def as_text(actions: list[Action], names: Names) -> str:
    """Write actions as they stand in the overlay."""
    head = f"  # --- {names.many}: written by `make scaffold` from the document's examples "
    dumped: str = yaml.safe_dump(  # pyright: ignore[reportUnknownMemberType] - its stubs leave a type open
        actions, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False
    )
    lines = [f"  {line}" for line in dumped.splitlines()]
    return "\n".join([head.ljust(110, "-"), *lines]) + "\n"


def _data_update(found: _Found, data: Document) -> Action:
    names, contract = found.names, found.contract
    shown = examples(found.operations)
    properties = data.get("properties", {})
    attributes = resolve(contract, properties.get("attributes"))
    update: Action = _new(data, title=names.model, description=f"{names.an.capitalize()}.")
    update |= _required(data, [{name: item[name] for name in _MEMBERS & item.keys()} for item in shown])
    inner: Action = {}
    kinds = {str(item["type"]) for item in shown if isinstance(item.get("type"), str)}
    if "enum" not in resolve(contract, properties.get("type")) and len(kinds) == 1:
        inner["type"] = {"enum": [*kinds]}
    sent = [item.get("attributes", {}) for item in shown]
    of_attributes = _new(attributes, title=f"{names.model}Attributes") | _required(attributes, sent)
    changed = {
        name: change
        for name, node in attributes.get("properties", {}).items()
        if (change := _attribute_update(found, names.model, name, node, [item.get(name) for item in sent]))
    }
    if changed:
        of_attributes["properties"] = changed
    if of_attributes:
        inner["attributes"] = of_attributes
    if "relationships" in properties:
        related = resolve(contract, properties["relationships"])
        linked = [item.get("relationships", {}) for item in shown]
        if of_relationships := _new(related, title=f"{names.model}Relationships") | _required(related, linked):
            inner["relationships"] = of_relationships
    return update | ({"properties": inner} if inner else {})


def _attribute_update(found: _Found, owner: str, name: str, node: Document, values: list[Any]) -> Action:
    schema = merged(found.contract, node)
    update = _new(schema, description=describe(name, found.names, kind_of(schema)))
    texts = [value for value in values if isinstance(value, str)]
    if schema.get("type") == "string" and "format" not in schema and "enum" not in schema:
        if (name.endswith("_at") or texts) and all(_TIME.match(text) for text in texts):
            update["format"] = "date-time"
        elif name.endswith("url") and all(text.startswith(("https://", "http://")) for text in texts):
            update["format"] = "uri"
    if schema.get("type") == "object" and "properties" in schema:
        update |= _new(schema, title=f"{owner}{camel(name)}")
    if schema.get("type") == "object" and not {"properties", "additionalProperties"} & schema.keys():
        update["additionalProperties"] = True
    return update


def _new(schema: Document, **members: str) -> Action:
    return {name: value for name, value in members.items() if name not in schema}


def _required(schema: Document, shown: list[Any]) -> Action:
    """Return the names that a schema declares, that every example has, and that it does not require yet."""
    declared = schema.get("properties", {})
    everywhere = [name for name in declared if shown and all(name in item for item in shown)]
    missing = [name for name in everywhere if name not in schema.get("required", ())]
    return {"required": missing} if missing else {}


def _replace_relationships(found: _Found, component: str, data: Document) -> None:
    related = resolve(found.contract, data.get("properties", {}).get("relationships"))
    shown = [item.get("relationships", {}) for item in examples(found.operations)]
    references: dict[str, Document] = {}
    others: dict[str, Document] = {}
    for name, node in related.get("properties", {}).items():
        # A relationship without `data` names no resource: it only links to some.
        if "$ref" in node or "data" not in node.get("properties", {}):
            continue
        values = [item[name].get("data") for item in shown if isinstance(item.get(name), dict)]
        inner = resolve(found.contract, node.get("properties", {}).get("data"))
        shape = "to_many" if inner.get("type") == "array" else "to_one"
        if shape == "to_one" and (inner.get("nullable") or None in values or not values):
            shape = "to_one_or_none"
        references[name] = {"$ref": f"#/components/schemas/{shape}"}
        known = found.contract["components"]["schemas"][shape]["properties"]
        unknown = {name: {"type": "object", "additionalProperties": True} for name in node["properties"] - known.keys()}
        others.setdefault(shape, {}).update(unknown)
    for shape, members in others.items():
        target, named = f"$.components.schemas['{shape}'].properties", " and ".join(sorted(members))
        text = f"The {named} beside the data of relationships, which {found.names.many} have; other resources may."
        found.add(1, target, text, dict(sorted(members.items())))
    if references:
        target = f"$.components.schemas['{component}'].properties.relationships.properties"
        selected = ",".join(f"'{name}'" for name in references)
        text = f"1. Removes the inline relationships of {found.names.many}, which components replace."
        found.actions.append({"target": f"{target}[{selected}]", "description": text, "remove": True})
        found.add(1, target, f"The relationships of {found.names.many}, as the examples have them.", references)


def _title_documents(found: _Found, role: Role) -> None:
    suffix = "List" if role == "list" else "Document"
    for other in (role, "create", "update") if role == "get" else (role,):
        operation = found.operations.get(other)
        if operation is None:
            continue
        content = success(operation)[1]
        schema = content.get("schema", {})
        body = resolve(found.contract, schema)
        example = {name: part for name, part in content.get("example", {}).items() if name in _DOCUMENT_MEMBERS}
        update = _new(body, title=f"{found.names.model}{suffix}") | _required(body, [example])
        subject = found.names.many if role == "list" else found.names.an
        text = f"The title and the required members of a response with {subject}."
        found.add(1, _schema_target(operation, schema), text, update)
        return


def _schema_target(operation: Operation, schema: Document) -> str:
    if "$ref" in schema:
        return f"$.components.schemas['{str(schema['$ref']).rpartition('/')[2]}']"
    return f"{_target(operation)}.responses['{success(operation)[0]}'].content['{JSON}'].schema"


def _target(operation: Operation) -> str:
    return f"$.paths['{operation.path}'].{operation.method.lower()}"


def _correct_operation(found: _Found, operation: Operation) -> None:
    target = _target(operation)
    links = success(operation)[1].get("example", {}).get("links", {})
    secure = {name: link.replace("http:", "https:", 1) for name, link in links.items() if str(link).startswith("http:")}
    location = f"{target}.responses['{success(operation)[0]}'].content['{JSON}'].example.links"
    found.add(13, location, f"The links in the example of {operation} send the key in clear text.", secure)
    role = ROLES[operation.method, "{" in operation.path]
    if role in {"get", "update", "delete"} and "404" not in operation.responses:
        found.add(8, f"{target}.responses", f"{operation} names a resource that may not exist.", _not_found())
    if role in {"create", "update"}:
        _correct_request(found, operation, role)


def _correct_request(found: _Found, operation: Operation, role: Role) -> None:
    title = f"{role.capitalize()}{found.names.model}Request"
    schema = operation.body.get("content", {}).get(JSON, {}).get("schema", {})
    inner = resolve(found.contract, schema)
    data = resolve(found.contract, inner.get("properties", {}).get("data"))
    attributes = request_attributes(found.contract, operation)
    changed = {
        name: change
        for name, node in attributes.get("properties", {}).items()
        if (change := _attribute_update(found, title, name, node, [merged(found.contract, node).get("example")]))
    }
    of_attributes = _new(attributes, title=f"{title}Attributes") | ({"properties": changed} if changed else {})
    of_data = _new(data, title=f"{title}Data") | (
        {"properties": {"attributes": of_attributes}} if of_attributes else {}
    )
    update = _new(inner, title=title) | ({"properties": {"data": of_data}} if of_data else {})
    target = f"{_target(operation)}.requestBody.content['{JSON}'].schema"
    if "$ref" in schema:
        target = f"$.components.schemas['{str(schema['$ref']).rpartition('/')[2]}']"
    found.add(15, target, f"Titles of the request body of {operation}, for the classes of generated code.", update)


def _correct_list(found: _Found) -> None:
    operation = found.operations.get("list")
    if operation is None:
        return
    names, contract, target = found.names, found.contract, _target(operation)
    parameters = {str(parameter.get("name")): parameter for parameter in operation.parameters}
    _, data = data_schema(contract, found.operations, names)
    attributes = fields(contract, resolve(contract, data.get("properties", {}).get("attributes")), names)
    known = names_in_filter_order(attributes)
    known += [f"{name}_id" for name in _single_relationships(found, data)]
    if "filter" in parameters and not names_of_filter(contract, parameters["filter"]):
        telling = next((name for name in ("name", "title", "text") if name in known), "id")
        update = {"schema": _filter_schema(contract, names, known), "example": {f"{telling}_eq": "example"}}
        found.add(7, f"{target}.parameters[?@.name=='filter']", f"The filters of {names.many}.", update)
    orders = resolve(contract, parameters.get("sort", {}).get("schema")).get("enum", [])
    foreign = [order for order in orders if str(order).removeprefix("-") not in known]
    if foreign:
        selected = " || ".join(f"@=='{order}'" for order in foreign)
        location = f"{target}.parameters[?@.name=='sort'].schema.enum[?{selected}]"
        text = f"12. {names.many.capitalize()} can be sorted by what they do not have."
        found.actions.append({"target": location, "description": text, "remove": True})
    pages = "page[number]" in json.dumps(success(operation)[1].get("example", {}))
    if "page" not in parameters and (pages or {"filter", "sort"} & parameters.keys()):
        _add_page(found, operation)
        parameters["page"] = {}
    if "filter" in parameters and "400" not in operation.responses:
        example = {"status": "400", "title": "Bad Request", "detail": "sort cannot be that."}
        refused = "A filter, sort order or page is refused. Not documented by the provider (assumed)."
        found.add(
            8,
            f"{target}.responses",
            "A filter, sort order or page that does not exist has no documented response (400 assumed).",
            {"400": _response(refused, _ERRORS, example)},
        )


def _single_relationships(found: _Found, data: Document) -> Iterator[str]:
    related = resolve(found.contract, data.get("properties", {}).get("relationships"))
    for name, node in related.get("properties", {}).items():
        inner = resolve(found.contract, resolve(found.contract, node).get("properties", {}).get("data"))
        # The simulator knows no other relationship to one.
        if inner.get("type") != "array" and name == "media":
            yield name


def _add_page(found: _Found, operation: Operation) -> None:
    page = {
        "name": "page",
        "in": "query",
        "required": False,
        "style": "deepObject",
        "explode": True,
        "description": "Specify page number and page size for the query",
        "schema": {"$ref": "#/components/schemas/page_query"},
        "example": {"number": 1, "size": 5},
    }
    text = f"The list of {found.names.many} has no `page` parameter, although the other lists are divided into pages."
    if "parameters" in operation.definition:
        found.add(12, f"{_target(operation)}.parameters", text, [page])
    else:
        found.add(12, _target(operation), text, {"parameters": [page]})


def _filter_schema(contract: Document, names: Names, known: list[str]) -> Document:
    """Write the schema of a filter, with the matchers and the values of the other filters."""
    listing = next(item["get"] for path, item in contract["paths"].items() if path == "/medias")
    (other,) = [item["schema"] for item in listing["parameters"] if item["name"] == "filter"]
    found = _PATTERN.search(other["x-propertyNames"]["pattern"])
    matchers = found[1] if found else "eq"
    own = "|".join(dict.fromkeys(known))
    return {
        "title": f"{names.model}Filter",
        "x-propertyNames": {"pattern": f"^({own})((_or_|_and_)({own}))*_({matchers})(_any|_all)?$"},
        "additionalProperties": other["additionalProperties"],
    }


def _not_found() -> Document:
    example = {"detail": None, "source": None, "status": "404", "title": "Not Found"}
    return {"404": _response("not found", _NOT_FOUND, example)}


def _response(description: str, component: str, error: Document) -> Document:
    content = {"schema": {"$ref": f"#/components/schemas/{component}"}, "example": {"errors": [error]}}
    return {"description": description, "content": {JSON: content}}
