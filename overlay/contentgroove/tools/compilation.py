"""Compiles the operations of an OpenAPI document to what one tool each needs.

A tool's canonical name is `group.leaf`. The group comes from the operation's first tag, and the leaf from its method
and its whole path on the wire, so that a name stays the same when a base path moves from the paths into the server's
URL.

The built-in tools are made by the same code, ahead of time: `operations.json` contains the result of
`compile_document` for this API's contract. `make generate` updates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import Struct

from contentgroove._openapi import operations as openapi
from contentgroove._openapi.documents import DocumentError, as_list, as_object
from contentgroove._openapi.pointers import check_followed

from .body_plans import plan_body
from .input_schemas import Converter
from .media_types import accept_header
from .names import argument_name, group_name, leaf_name, unused_name
from .operations import PART_HEADERS, Operation, Parameter, split_path
from .results import SpecError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from .body_plans import Body
    from .operations import Location
    from .selection import Selection

# Other parts of a document describe these ("Parameter Object"), or the client sets them.
_IGNORED_HEADERS = frozenset(
    {"accept", "content-type", "authorization", "host", "content-length", "transfer-encoding", "connection",
     "accept-encoding", "upgrade", "te", "trailer", "keep-alive", "expect"}
)  # fmt: skip
_DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_STYLES = {
    "path": frozenset({"simple", "label", "matrix"}),
    "header": frozenset({"simple"}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
    "cookie": frozenset({"form"}),
}

MAX_REASON = 300
"""Characters of the reason why an operation was left out."""


class LeftOut(Struct, frozen=True):
    """An operation that cannot be a tool.

    Attributes:
        method: Its method, upper case; empty if its whole path cannot be read.
        path: Its path.
        reason: Why.
    """

    method: str
    path: str
    reason: str


class Compiled(Struct, frozen=True):
    """What became of a document's operations.

    Attributes:
        operations: Those that can be tools.
        left_out: Those that cannot, each with the reason.
    """

    operations: list[Operation]
    left_out: list[LeftOut]


def compile_document(
    document: Json,
    base_path: str,
    *,
    closed: bool,
    document_url: str | None = None,
    selection: Selection | None = None,
) -> Compiled:
    """Compile the operations of a document; one that cannot be a tool is left out with the reason.

    Args:
        document: An OpenAPI 3.x document.
        base_path: The path of the server's URL, which is a part of the names.
        closed: Whether objects in bodies refuse properties that are not listed.
        document_url: The URL that the document was fetched from, which its servers are relative to.
        selection: Which operations to compile; all by default.

    Raises:
        SpecError: The selection names something that the document does not have.
    """
    converter = Converter(document, closed=closed)
    left_out: list[LeftOut] = []

    def leave_out(method: str, path: str, error: DocumentError | SpecError) -> None:
        left_out.append(LeftOut(method, path, error.message[:MAX_REASON]))

    found = list(openapi.operations(document, leave_out))
    compiled: list[Operation] = []
    names: set[str] = set()
    for operation in found if selection is None else selection.choose(found):
        try:
            compiled.append(_compile(operation, base_path, converter, names, document_url))
        except (DocumentError, SpecError) as error:
            leave_out(operation.method, operation.path, error)
    return Compiled(compiled, left_out)


def _compile(
    found: openapi.Operation, base_path: str, converter: Converter, names: set[str], document_url: str | None
) -> Operation:
    if found.method == "TRACE":
        raise SpecError("The response to a TRACE repeats the request, credentials included.")
    if not found.path.startswith("/"):
        raise SpecError("Its path does not start with a slash.")
    definition = found.definition
    # They stay relative, because a caller can name another base than the document's URL.
    holder = {"servers": found.own_servers}
    servers = tuple(openapi.server_urls(holder))
    base = openapi.base_path(openapi.server_urls(holder, document_url)) if servers else base_path
    full_path = f"{base.rstrip('/')}/{found.path.lstrip('/')}"
    tags = [tag for tag in as_list(definition.get("tags")) if isinstance(tag, str)]
    parameters, schema, body = _build_inputs(found, converter)
    name = unused_name(f"{group_name(tags, full_path)}.{leaf_name(found.method, full_path)}", names)
    names.add(name)
    return Operation(
        name=name,
        operation_id=found.operation_id,
        title=_text(definition.get("summary")) or _text(found.item.get("summary")) or str(found),
        description=_text(definition.get("description")) or _text(found.item.get("description")),
        tags=tuple(tags),
        method=found.method,
        path=found.path,
        parameters=parameters,
        body=body,
        input_schema=schema,
        accept=accept_header(found),
        security=_security(found),
        servers=servers,
    )


def _security(found: openapi.Operation) -> tuple[tuple[str, ...], ...] | None:
    if "security" not in found.definition and "security" not in found.document:
        return None
    return tuple(tuple(as_object(requirement)) for requirement in found.security)


def _build_inputs(found: openapi.Operation, converter: Converter) -> tuple[tuple[Parameter, ...], Json, Body | None]:
    declaration = check_followed(found.body)
    plan = plan_body(declaration, found.document, converter)
    properties: Json = {}
    required: list[str] = []
    parameters: list[Parameter] = []
    reserved = {"body", PART_HEADERS} if plan else set[str]()
    for parameter_declaration in _parameters(found):
        argument = argument_name(parameter_declaration["name"])
        if argument in properties or argument in reserved:
            argument = unused_name(f"{parameter_declaration['in']}_{argument}", properties, "_")
        parameter, schema = _parameter(parameter_declaration, argument, found)
        parameters.append(parameter)
        converted = converter.convert(schema)
        if parameter.allow_empty:
            converted = {"anyOf": [converted, {"const": ""}]}
        properties[argument] = _describe(converted, parameter_declaration)
        if parameter.required:
            required.append(argument)
    if plan:
        properties["body"] = _describe(plan.schema, declaration)
        if declaration.get("required") is True:
            required.append("body")
        if plan.headers is not None:
            properties[PART_HEADERS] = plan.headers
    inputs: Json = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    if definitions := converter.definitions(inputs):
        inputs["$defs"] = definitions
    return tuple(parameters), inputs, plan.body if plan else None


def _parameters(found: openapi.Operation) -> list[Json]:
    """Return the declarations of an operation's parameters, those in the path first."""
    declarations: list[Json] = []
    for declaration in map(check_followed, found.parameters):
        name, location = declaration.get("name"), declaration.get("in")
        if not isinstance(name, str) or not isinstance(location, str) or location not in _DEFAULT_STYLES:
            raise SpecError(f"{found} has a parameter without a name, or outside {', '.join(_DEFAULT_STYLES)}.")
        if location == "path":
            declarations += _in_path(declaration, found.path)
        elif location != "header" or name.lower() not in _IGNORED_HEADERS:
            declarations.append(declaration)
    described = {declaration["name"] for declaration in declarations if declaration["in"] == "path"}
    for part in split_path(found.path)[0].split("{")[1:]:
        if part.partition("}")[0] not in described:
            raise SpecError(f"{found} does not describe the parameters in its path.")
    return sorted(declarations, key=lambda declaration: declaration["in"] != "path")


def _in_path(declaration: Json, path: str) -> list[Json]:
    """Return a parameter of the path as it is sent; nothing if the path does not contain it.

    Some documents write the query into the path, and call its parameters those of the path.
    """
    before, query = split_path(path)
    expression = f"{{{declaration['name']}}}"
    if expression in before:
        return [declaration]
    keys = [key for key, _, value in (pair.partition("=") for pair in query.split("&")) if value == expression]
    return [{**declaration, "in": "query", "name": unquote(key), "style": "form"} for key in keys]


def _parameter(declaration: Json, argument: str, found: openapi.Operation) -> tuple[Parameter, Any]:
    location: Location = declaration["in"]
    # There is a schema, or a content with only one entry ("Parameter Object").
    media_type, schema_holder = next(iter(as_object(declaration.get("content")).items()), ("", declaration))
    style = _text(declaration.get("style")) or _DEFAULT_STYLES[location]
    if style not in _STYLES[location]:
        raise SpecError(f"{found} has the parameter {argument} with the style {style[:50]!r}, which {location} lacks.")
    parameter = Parameter(
        argument,
        declaration["name"],
        location,
        style,
        explode=declaration.get("explode", style in {"form", "deepObject"}) is True,
        media_type=str(media_type),
        required=declaration.get("required") is True or location == "path",
        allow_reserved=location == "query" and declaration.get("allowReserved") is True,
        allow_empty=location == "query" and declaration.get("allowEmptyValue") is True,
    )
    return parameter, as_object(schema_holder).get("schema")


def _describe(schema: Any, declaration: Json) -> Json:
    """Add the description and example of a parameter or body to its schema, which hosts show to the caller."""
    members = {**as_object(schema)}
    if schema is False:
        members["not"] = {}
    if description := _text(declaration.get("description")):
        members["description"] = description.strip()
    if "example" in declaration:
        members["examples"] = [declaration["example"]]
    return members


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
