"""Compiles the operations of an OpenAPI document to what one tool each needs.

A tool's canonical name is `group.leaf`. The group comes from the operation's first tag, and the leaf from its method
and its whole path on the wire, so that a name stays the same when a base path moves from the paths into the server's
URL.

The built-in tools are made by the same code, ahead of time: `operations.json` contains the result of
`compile_document` for this API's contract. `make generate` updates it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from msgspec import Struct

from contentgroove._openapi import operations as openapi
from contentgroove._openapi.documents import DocumentError, as_list, as_object

from .input_schemas import Converter, compile_schema, unused_name
from .registry import MAX_PUBLIC_NAME
from .results import SpecError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

MAX_OPERATIONS = 2000
MAX_SCHEMAS = 32 * 1024 * 1024
"""Characters of all schemas of one document."""

MAX_NAMESPACE = 32

Location: TypeAlias = Literal["path", "query", "header", "cookie"]

_WORDS = re.compile(r"[A-Za-z0-9]+")
_VERSION = re.compile(r"v\d+", re.IGNORECASE)

# Parameters of these names are ignored, because other parts of a document describe them ("Parameter Object").
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
_DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_BODY_KINDS = ("application/json", "+json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class Parameter(Struct, frozen=True, omit_defaults=True):
    """One parameter.

    Attributes:
        argument: Its name among the tool's arguments.
        name: Its name on the wire.
        location: The part of the request that contains it.
        style: How arrays and objects are written (OpenAPI, "Style Values").
        explode: Whether their members are written one by one.
        media_type: The media type that it is written in instead of a style; empty if there is none.
    """

    argument: str
    name: str
    location: Location
    style: str
    explode: bool
    media_type: str = ""


class Operation(Struct, frozen=True, omit_defaults=True):
    """One operation.

    Attributes:
        name: The canonical name, `group.leaf`.
        operation_id: The document's own name for it; empty without one.
        title: A short line about its effect.
        description: More about it.
        tags: Its tags.
        method: The HTTP method, upper case.
        path: The path below the base URL, with `{parameters}`.
        parameters: Its parameters.
        body_type: The media type of its body; empty without a body.
        input_schema: The JSON Schema of the tool's arguments.
    """

    name: str
    operation_id: str
    title: str
    description: str
    tags: tuple[str, ...]
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body_type: str
    input_schema: dict[str, Any]


def compile_document(document: Json, base_path: str, *, closed: bool) -> list[Operation]:
    """Compile the operations of a document.

    Args:
        document: An OpenAPI 3.x document.
        base_path: The path of the server's URL, which is a part of the names.
        closed: Whether objects in bodies refuse properties that are not listed.

    Raises:
        SpecError: Something in it is not supported, or it is too large.
    """
    converter = Converter(document, closed=closed)
    operations: list[Operation] = []
    names: set[str] = set()
    size = 0
    try:
        for found in openapi.operations(document):
            # The response to a TRACE repeats the request, credentials included.
            if found.method == "TRACE" or not found.path.startswith("/"):
                continue
            if len(operations) == MAX_OPERATIONS:
                raise SpecError(f"The document has more than {MAX_OPERATIONS:,} operations.")
            operations.append(_compile(found, base_path, converter, names))
            size += len(json.dumps(operations[-1].input_schema))
            if size > MAX_SCHEMAS:
                raise SpecError(f"The document's schemas have more than {MAX_SCHEMAS:,} characters.")
    except DocumentError as error:
        raise SpecError(error.message) from error
    except RecursionError as error:
        raise SpecError("The document's schemas refer to each other over too many levels.") from error
    return operations


def to_camel_case(text: str) -> str:
    """Join the words of a text: `webhook_subscriptions` becomes `webhookSubscriptions`; empty if there are none."""
    words: list[str] = _WORDS.findall(_ascii(text))
    if not words:
        return ""
    first = words[0].lower() if words[0].isupper() else words[0][0].lower() + words[0][1:]
    return first + "".join(word[0].upper() + word[1:] for word in words[1:])


def group_name(tags: list[str], path: str) -> str:
    """Return an operation's group: its first tag, or the first segment of its path that is not `api` or a version."""
    segments = (part for part in path.split("/") if part != "api" and not _VERSION.fullmatch(part) and "{" not in part)
    candidates = (to_camel_case(text) for text in (*tags[:1], *segments))
    return next((name for name in candidates if name), "default")


def leaf_name(method: str, path: str) -> str:
    """Return the name of an operation: `GET /api/v1/clips/{id}` is `getApiV1ClipsId`."""
    return to_camel_case(f"{method.lower()} {path}")


def to_slug(title: str) -> str:
    """Return a namespace for a title: `Pet Store (v2)` becomes `pet-store-v2`; empty if nothing is left."""
    return "-".join(_WORDS.findall(_ascii(title).lower()))[:MAX_NAMESPACE].strip("-")


def argument_name(name: str) -> str:
    """Return a parameter's name among a tool's arguments, in characters that common hosts accept."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:MAX_PUBLIC_NAME]


def request_path(path: str) -> str:
    """Return a path without query and fragment, by which some documents distinguish operations."""
    return path.partition("#")[0].partition("?")[0]


def _compile(found: openapi.Operation, base_path: str, converter: Converter, names: set[str]) -> Operation:
    definition = found.definition
    full_path = f"{base_path.rstrip('/')}/{found.path.lstrip('/')}"
    tags = [tag for tag in as_list(definition.get("tags")) if isinstance(tag, str)]
    parameters, schema, body_type = _build_inputs(found, converter)
    compile_schema(schema, str(found))
    name = unused_name(f"{group_name(tags, full_path)}.{leaf_name(found.method, full_path)}", names)
    names.add(name)
    return Operation(
        name=name,
        operation_id=found.operation_id,
        title=_text(definition.get("summary")) or str(found),
        description=_text(definition.get("description")),
        tags=tuple(tags),
        method=found.method,
        path=found.path,
        parameters=parameters,
        body_type=body_type,
        input_schema=schema,
    )


def _build_inputs(found: openapi.Operation, converter: Converter) -> tuple[tuple[Parameter, ...], Json, str]:
    body = found.body
    body_type, body_schema = _body(body)
    properties: Json = {}
    required: list[str] = []
    parameters: list[Parameter] = []
    for declaration in _parameters(found):
        argument = argument_name(declaration["name"])
        if argument in properties or (argument == "body" and body_type):
            argument = f"{declaration['in']}_{argument}"
        if argument in properties:
            raise SpecError(f"{found} has two parameters that would both be called {argument!r}.")
        parameter, schema = _parameter(declaration, argument)
        parameters.append(parameter)
        properties[argument] = _describe(converter.convert(schema), declaration)
        if declaration.get("required") is True or parameter.location == "path":
            required.append(argument)
    if body_type:
        properties["body"] = _describe(converter.convert(body_schema), body)
        if body.get("required") is True:
            required.append("body")
    inputs: Json = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    if definitions := converter.definitions(inputs, str(found)):
        inputs["$defs"] = definitions
    return tuple(parameters), inputs, body_type


def _parameters(found: openapi.Operation) -> list[Json]:
    """Return the declarations of an operation's parameters, those in the path first."""
    declarations: list[Json] = []
    for declaration in found.parameters:
        name, location = declaration.get("name"), declaration.get("in")
        if not isinstance(name, str) or location not in _DEFAULT_STYLES:
            raise SpecError(f"{found} has a parameter without a name, or outside {', '.join(_DEFAULT_STYLES)}.")
        if location != "header" or name.lower() not in _IGNORED_HEADERS:
            declarations.append(declaration)
    described = {declaration["name"] for declaration in declarations if declaration["in"] == "path"}
    for part in request_path(found.path).split("{")[1:]:
        if part.partition("}")[0] not in described:
            raise SpecError(f"{found} does not describe the parameters in its path.")
    return sorted(declarations, key=lambda declaration: declaration["in"] != "path")


def _parameter(declaration: Json, argument: str) -> tuple[Parameter, Any]:
    location: Location = declaration["in"]
    # There is a schema, or a content with only one entry ("Parameter Object").
    media_type, schema_holder = next(iter(as_object(declaration.get("content")).items()), ("", declaration))
    style = _text(declaration.get("style")) or _DEFAULT_STYLES[location]
    explode = declaration.get("explode", style in {"form", "deepObject"}) is True
    parameter = Parameter(argument, declaration["name"], location, style, explode, media_type)
    return parameter, as_object(schema_holder).get("schema")


def _describe(schema: Any, declaration: Json) -> Json:
    """Add the description and example of a parameter or body to its schema, which hosts show to the caller."""
    members = {**as_object(schema)}
    if description := _text(declaration.get("description")):
        members["description"] = description.strip()
    if "example" in declaration:
        members["examples"] = [declaration["example"]]
    return members


def _body(body: Json) -> tuple[str, Any]:
    media_types = as_object(body.get("content"))
    if not media_types:
        return "", None
    for kind in _BODY_KINDS:
        for media_type, entry in media_types.items():
            if kind in media_type and isinstance(entry, dict):
                return media_type, cast("Json", entry).get("schema", {})
    # Any other media type is sent as the text that the caller passes.
    return next(iter(media_types)), {"type": "string"}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
