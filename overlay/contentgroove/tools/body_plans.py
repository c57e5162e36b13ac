"""How the body of an operation's request is written: its media type, and for forms how each field is.

A plan is made once from the document; `bodies` writes bodies by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from msgspec import Struct

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.pointers import resolve

from .binary_values import BINARY_SCHEMA, OCTETS, TEXT_OR_BINARY_SCHEMA, is_binary, types_of
from .media_types import essence, is_json, is_text

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from .input_schemas import Converter

BodyKind: TypeAlias = Literal["json", "text", "binary", "form", "multipart"]

_FORM = "application/x-www-form-urlencoded"


class Field(Struct, frozen=True, omit_defaults=True):
    """One field of a form.

    Attributes:
        name: Its name.
        binary: Whether its values are bytes.
        content_types: The media types that its values may have; empty for the default of the value's type.
        transfer_encoding: How a text in it encodes bytes, such as `base64`; empty if it does not.
        style: How arrays and objects are written; empty if they are written by media type.
        explode: Whether their members are written one by one.
        allow_reserved: Whether reserved characters stay as they are.
        headers: Further headers of its part.
    """

    name: str
    binary: bool = False
    content_types: tuple[str, ...] = ()
    transfer_encoding: str = ""
    style: str = ""
    explode: bool = True
    allow_reserved: bool = False
    headers: dict[str, str] = {}


class Body(Struct, frozen=True, omit_defaults=True):
    """The body of an operation's request.

    Attributes:
        media_type: Its media type, which may be a range, such as `image/*`, if it is binary.
        kind: How it is written.
        fields: The fields of a form that are not written by default.
        others: How all other fields are written; None for the default.
    """

    media_type: str
    kind: BodyKind
    fields: tuple[Field, ...] = ()
    others: Field | None = None


class Plan(NamedTuple):
    """A body, and the arguments that it is made of.

    Attributes:
        body: The body.
        schema: The JSON Schema of its argument.
        headers: The JSON Schema of the headers of its parts that the caller chooses; None if there are none.
    """

    body: Body
    schema: Any
    headers: Json | None


def plan_body(declaration: Json, document: Json, converter: Converter) -> Plan | None:
    """Plan the body of an operation; None if it has none.

    Args:
        declaration: The request body, resolved.
        document: The document.
        converter: Converts the document's schemas.

    Raises:
        DocumentError: A reference names nothing in the document.
        SpecError: The body has a schema that is not a JSON Schema.
    """
    content = {str(key): as_object(value) for key, value in as_object(declaration.get("content")).items()}
    if not content:
        return None
    kinds: list[tuple[str, BodyKind]] = [(name, _kind(name, entry, converter)) for name, entry in content.items()]
    media_type, kind = min(kinds, key=_rank)
    entry = content[media_type]
    schema = entry.get("schema", {})
    if kind == "binary":
        return Plan(Body(media_type, kind), BINARY_SCHEMA, None)
    if kind == "text":
        binary = is_binary(converter.follow(schema))
        return Plan(Body(_concrete(media_type, "text/plain"), kind), _text_schema(schema, converter, binary), None)
    if kind == "json":
        return Plan(Body(_concrete(media_type, "application/json"), kind), converter.convert(schema), None)
    if kind == "multipart" and not _is_object(schema, converter):
        return _unnamed_parts(media_type, schema, document, converter)
    converted = converter.convert(schema, "body" if kind == "multipart" else "")
    fields, headers = _fields(entry, document, converter)
    _replace_texts(converted, fields)
    return Plan(Body(media_type, kind, tuple(fields)), converted, headers)


def _kind(media_type: str, entry: Json, converter: Converter) -> BodyKind:
    kind = essence(media_type)
    schema = converter.follow(entry.get("schema"))
    if is_json(kind):
        return "json"
    if kind == _FORM and _is_object(schema, converter):
        return "form"
    if kind.startswith("multipart/"):
        return "multipart"
    if kind in {"*/*", "application/*"} and schema and not is_binary(schema):
        return "text" if types_of(schema) == ["string"] else "json"
    return "text" if is_text(kind) or (types_of(schema) == ["string"] and not is_binary(schema)) else "binary"


def _is_object(schema: Any, converter: Converter) -> bool:
    return types_of(converter.follow(schema)) in (["object"], [])


def _unnamed_parts(media_type: str, schema: Any, document: Json, converter: Converter) -> Plan:
    """Plan a multipart body whose parts the document does not name: the caller does, or the service could not."""
    untyped = str(document.get("openapi", "")) >= "3.1"
    parts = _field("", _item(schema, converter), {}, {}, untyped=untyped)
    description = "The document does not name the parts of this body: pass each part by its name."
    schema = {
        "type": "object",
        "description": description,
        "additionalProperties": converter.convert(schema, "field"),
        "minProperties": 1,
    }
    return Plan(Body(media_type, "multipart", others=parts), schema, None)


def _rank(candidate: tuple[str, BodyKind]) -> int:
    order: tuple[BodyKind, ...] = ("json", "form", "multipart", "text", "binary")
    return order.index(candidate[1])


def _concrete(media_type: str, instead: str) -> str:
    return instead if "*" in media_type else media_type


def _text_schema(schema: Any, converter: Converter, binary: bool) -> Any:  # noqa: FBT001 - what the schema is
    if binary:
        return TEXT_OR_BINARY_SCHEMA
    converted = converter.convert(schema)
    types = types_of(as_object(converted))
    # A value of XML is a text here, whatever object the schema describes.
    return converted if types and not {"object", "array"} & {*types} else {"type": "string"}


def _fields(entry: Json, document: Json, converter: Converter) -> tuple[list[Field], Json | None]:
    encodings = as_object(entry.get("encoding"))
    properties = _properties(as_object(entry.get("schema")), converter)
    untyped = str(document.get("openapi", "")) >= "3.1"
    fields: list[Field] = []
    chosen: Json = {}
    for name in dict.fromkeys([*properties, *encodings]):
        encoding = as_object(encodings.get(name))
        fixed, open_headers = _headers(encoding, document, converter)
        field = _field(name, _item(properties.get(name), converter), encoding, fixed, untyped=untyped)
        if field != Field(name):
            fields.append(field)
        if open_headers:
            chosen[name] = open_headers
    if not chosen:
        return fields, None
    description = "Headers of the body's parts, by the name of the part."
    return fields, {"type": "object", "description": description, "properties": chosen, "additionalProperties": False}


def _field(name: str, schema: Json, encoding: Json, headers: dict[str, str], *, untyped: bool) -> Field:
    listed = str(encoding.get("contentType") or "").split(",")
    content_types = tuple(media_type.strip() for media_type in listed if media_type.strip())
    # A style writes texts. Generators of documents give one to every field, also to files.
    binary = is_binary(schema, untyped=untyped)
    styled = not binary and not {"style", "explode", "allowReserved"}.isdisjoint(encoding)
    style = str(encoding.get("style") or "form") if styled else ""
    transfer = str(schema.get("contentEncoding") or "")
    if not transfer and schema.get("format") in ("byte", "base64"):
        transfer = "base64"
    if not content_types and (binary or transfer):
        # A schema's own media type says more than the default (OpenAPI 3.1.1, "Encoding Object").
        content_types = (str(schema.get("contentMediaType") or OCTETS),)
    return Field(
        name,
        binary=binary,
        # Where there is a style, the media type does not count.
        content_types=() if styled else content_types,
        transfer_encoding=transfer,
        style=style,
        explode=encoding.get("explode", style in {"form", ""}) is True,
        allow_reserved=encoding.get("allowReserved") is True,
        headers=headers,
    )


def _headers(encoding: Json, document: Json, converter: Converter) -> tuple[dict[str, str], Json | None]:
    """Return the headers of a part that the document fixes, and the schema of those that the caller chooses."""
    fixed: dict[str, str] = {}
    properties: Json = {}
    required: list[str] = []
    for name, node in as_object(encoding.get("headers")).items():
        if str(name).lower() in {"content-type", "content-disposition"}:
            continue
        header = resolve(document, node)
        schema = converter.follow(header.get("schema"))
        options = [schema["const"]] if "const" in schema else as_list(schema.get("enum"))
        if len(options) == 1 or "default" in schema:
            fixed[str(name)] = str(options[0] if len(options) == 1 else schema["default"])
            continue
        properties[str(name)] = converter.convert(schema)
        if header.get("required") is True:
            required.append(str(name))
    if not properties:
        return fixed, None
    return fixed, {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _properties(schema: Json, converter: Converter) -> Json:
    """Return the properties of an object, those of its parts and alternatives included."""
    found: Json = {}
    pending: list[Any] = [schema]
    seen: list[Json] = []
    for node in pending:
        members = converter.follow(node)
        if any(members is other for other in seen):
            continue
        seen.append(members)
        found = {**as_object(members.get("properties")), **found}
        for keyword in ("allOf", "anyOf", "oneOf"):
            pending.extend(as_list(members.get(keyword)))
    return found


def _item(schema: Any, converter: Converter) -> Json:
    """Return the schema of a field's values: of the items of an array, and of what is beside null."""
    members = converter.follow(schema)
    for _ in range(5):
        parts = [converter.follow(part) for key in ("allOf", "anyOf", "oneOf") for part in as_list(members.get(key))]
        typed = [part for part in parts if types_of(part)]
        if "type" not in members and typed:
            members = typed[0]
        elif "array" in types_of(members) and "items" in members:
            members = converter.follow(members["items"])
        else:
            break
    return members


def _replace_texts(converted: Any, fields: list[Field]) -> None:
    """Let the caller pass text for fields of a media type that JSON values cannot be written in, such as XML."""
    properties = as_object(as_object(converted).get("properties"))
    for field in fields:
        others = [kind for kind in field.content_types if not is_json(kind) and essence(kind) != "text/plain"]
        if field.name in properties and others and not field.binary and not field.transfer_encoding:
            described = as_object(properties[field.name])
            if "object" in (types_of(described) or ["object"]):
                properties[field.name] = {"type": "string", "description": f"A text of the media type {others[0]}."}
