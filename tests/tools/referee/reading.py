"""Lets openapi-core read the requests of a document: the operation, its parameters, its body, its credentials.

openapi-core gets what a web framework would give it. What it cannot read by itself, although the specification defines
it, is read here, independently of the code under test. Its limits are in the named modules of the locked version:

- `deserializing/styles/util.py` splits values after they were decoded, and so cannot tell a delimiter from the same
  character in a value. Here it gets the encoded text, and each part is decoded afterwards.
- The same module looks for an exploded object of the style `form` under the parameter's name, which is not in the query;
  knows one level of `deepObject`, and of its arrays the first item; and needs `;name` as a name for `matrix`.
- `deserializing/styles/deserializers.py` knows the type of a parameter only if it is beside the parameter, and not in
  `allOf` or a list of types; `casting/schemas` casts no texts to such types.
- `deserializing/media_types/util.py` reads multipart bodies as mails, which changes bytes; here, werkzeug reads them.
- `deserializing/media_types/deserializers.py` casts no parts of multipart bodies, and takes those without a type beside
  them for bytes; `schema/encodings.py` takes a list of media types for one.
- `deserializing/media_types/__init__.py` knows few media types that are text or JSON.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from jsonschema.exceptions import ValidationError
from jsonschema.validators import create
from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V31RequestValidator
from openapi_core.casting.schemas.exceptions import CastError
from openapi_core.datatypes import RequestParameters
from openapi_core.deserializing.exceptions import DeserializeError
from openapi_core.deserializing.media_types import MediaTypeDeserializersFactory, media_type_deserializers
from openapi_core.deserializing.media_types.deserializers import MediaTypeDeserializer
from openapi_core.deserializing.styles import StyleDeserializersFactory, style_deserializers
from openapi_core.deserializing.styles.deserializers import StyleDeserializer
from openapi_core.schema.schemas import get_properties
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.media_types.datatypes import MediaType
from openapi_core.templating.paths.datatypes import Path
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.paths.finders import APICallPathFinder
from openapi_core.templating.paths.parsers import PathParser
from openapi_core.validation.request.exceptions import (
    MissingParameter,
    MissingRequestBody,
    ParametersError,
    RequestBodyValidationError,
    SecurityValidationError,
)
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue, ValidateError
from openapi_core.validation.schemas import oas31_schema_validators_factory
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_schema_validator import OAS30WriteValidator
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

Json: TypeAlias = dict[str, Any]


class Sent(NamedTuple):
    """A request as it is on the wire."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None


class Found(NamedTuple):
    """What openapi-core read.

    Attributes:
        parameters: The values by location and name.
        body: The body; None without one.
        security: The values of the security schemes, by name.
        errors: What it objects to, without names and values of the document: where, and the kind of error.
    """

    parameters: dict[tuple[str, str], Any]
    body: Any
    security: dict[str, Any]
    errors: list[str]


class _Fields(ImmutableMultiDict[str, Any]):
    """The fields of a form, encoded."""


class _Parts(ImmutableMultiDict[str, Any]):
    """The parts of a multipart body, bytes."""


class _Request:
    """A request as in `openapi_core.protocols.Request`; values are still encoded."""

    def __init__(self, sent: Sent) -> None:
        parts = urlsplit(sent.url)
        cookies = sent.headers.get("Cookie", "").split("; ")
        self.host_url = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path
        self.method = sent.method.lower()
        self.body = sent.content
        self.content_type = sent.headers.get("Content-Type", "")
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(_pairs(parts.query.split("&"), unquote)),
            header=Headers(list(sent.headers.items())),
            cookie=ImmutableMultiDict(_pairs(cookies, unquote)),
        )


def _pairs(pairs: list[str], decode: Callable[[str], str]) -> list[tuple[str, str]]:
    split = (pair.partition("=") for pair in pairs if pair)
    return [(decode(name), value) for name, _, value in split]


class Referee:
    """openapi-core for the requests of one document."""

    def __init__(self, document: Json) -> None:
        kind = _Version31 if str(document["openapi"]) >= "3.1" else _Version30
        styles = _Styles(kind.schema_casters_factory, style_deserializers=style_deserializers)
        self._validator = kind(
            SchemaPath.from_dict(cast("dict[Hashable, Any]", document)),
            style_deserializers_factory=styles,
            media_type_deserializers_factory=_MediaTypes(styles, media_type_deserializers),
            extra_media_type_deserializers=_Loaders(),
            schema_validators_factory=kind.schema_validators,
        )

    def read(self, sent: Sent, path: str) -> Found:
        """Return what openapi-core finds in a request.

        Args:
            sent: The request.
            path: The path of its operation in the document. Other paths can match the same request, too; which one
                counts then, OpenAPI leaves open ("Paths Object").
        """
        self._validator.path_finder.paths_iterator = _OnePath(path)
        return self._validator.read(_Request(sent))


class _OnePath:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __call__(self, name: str, spec: SchemaPath, base_url: str | None = None) -> Iterator[Path]:
        # Documents write queries and fragments into paths, which openapi-core would look for in the path.
        before = quote(self._pattern.partition("#")[0].partition("?")[0], safe="/:@!$&'()*+,;=~%{}")
        if found := PathParser(before, post_expression="$").search(name):
            yield Path(spec / "paths" / self._pattern, TemplateResult(before, found.named))


class _Reading:
    """What is added to openapi-core's validators: they return what they read."""

    path_finder_cls = APICallPathFinder

    def read(self: Any, request: _Request) -> Found:
        try:
            path, operation, _, path_result, _ = self._find_path(request)
        except PathError as error:
            return Found({}, None, {}, [f"path: {type(error).__name__}"])
        request.parameters.path = path_result.variables
        errors: list[str] = []
        security: dict[str, Any] = {}
        body: Any = None
        try:
            security = self._get_security(request.parameters, operation) or {}
        except SecurityValidationError as error:
            errors.append(f"security: {type(error).__name__}")
        try:
            found = self._get_parameters(request.parameters, operation, path)
        except ParametersError as error:
            found = error.parameters
            errors += [f"parameter: {cause}" for each in error.errors for cause in _causes(each)]
        try:
            body = self._get_body(request.body, request.content_type, operation)
        except MissingRequestBody:
            pass
        except RequestBodyValidationError as error:
            errors += [f"body: {cause}" for cause in _causes(error)]
        parameters = {
            (location, name): value
            for location in ("path", "query", "header", "cookie")
            for name, value in getattr(found, location).items()
        }
        return Found(parameters, body, security, errors)

    def _get_parameter(self: Any, parameters: RequestParameters, param: SchemaPath) -> Any:
        # Their definition "SHALL be ignored" (OpenAPI 3.0.4 and 3.1.1, "Parameter Object"), which openapi-core does not.
        if param["in"] == "header" and param["name"].lower() in {"accept", "content-type", "authorization"}:
            raise MissingParameter(param["name"], "header")
        return super()._get_parameter(parameters, param)  # type: ignore[misc]

    def _get_simple_param_or_header(
        self: Any, parameter: SchemaPath, location: Mapping[str, Any], name: str | None = None
    ) -> tuple[Any, SchemaPath]:
        # Without defaults, which nobody sends, and with texts that are empty, which schemas decide about.
        return self._deserialise_style(parameter, location, name=name), parameter / "schema"

    def _find_media_type(self, content: SchemaPath, mimetype: str | None = None) -> MediaType:
        found = super()._find_media_type(content, mimetype)  # type: ignore[misc]
        # What was sent counts, not the range that matches it.
        actual = (mimetype or found.mime_type).partition(";")[0].strip().lower()
        return MediaType(actual, found.parameters, found.media_type)

    def _get_media_type_value(self: Any, parameter: SchemaPath, location: Mapping[str, Any], name: str = "") -> Any:
        return _decoder(location)(location[name or parameter["name"]])


def _causes(error: BaseException) -> list[str]:
    """Return the kinds of an error: of a schema, the keywords that do not match."""
    cause = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        errors: Any = cause.schema_errors
        return sorted({_kind_of(each) for each in errors})
    return [f"{type(error).__name__} {type(cause).__name__}" if cause else type(error).__name__]


def _kind_of(error: Any) -> str:
    return f"schema format {error.validator_value}" if error.validator == "format" else f"schema {error.validator}"


def _decoder(location: object) -> Callable[[Any], Any]:
    """Return how values at a location are decoded: those of headers are not encoded."""
    if isinstance(location, Headers):
        return str
    if isinstance(location, _Parts):
        return bytes.decode
    return unquote_plus if isinstance(location, _Fields) else unquote


def kinds_of(schema: SchemaPath, level: int = 0) -> set[str]:
    """Return the types that a schema allows, those of its parts and alternatives included."""
    named = schema.getkey("type")
    found = {named} if isinstance(named, str) else set(cast("list[str]", named or ()))
    for keyword in ("allOf", "anyOf", "oneOf"):
        if not found and keyword in schema and level < 5:
            found = {kind for part in schema / keyword for kind in kinds_of(part, level + 1)}
    if not found and "properties" in schema:
        found = {"object"}
    return found - {"null"}


def _read_only(_validator: Any, is_read_only: object, _value: Any, _schema: Json) -> Iterator[ValidationError]:
    """Check a property; openapi-schema-validator rejects those that say that they are not read-only, too."""
    if is_read_only is True:
        yield ValidationError("It is read-only.")


def _required(validator: Any, names: list[str], value: Any, schema: Json) -> Iterator[ValidationError]:
    """Check an object; openapi-schema-validator demands what is read-only, if a `$ref` or `allOf` says so."""
    for name in names if isinstance(value, dict) else ():
        if name not in value and not _says_read_only(validator, schema.get("properties", {}).get(name, {})):
            yield ValidationError(f"{name!r} is a required property")


def _says_read_only(validator: Any, schema: Json, level: int = 0) -> bool:
    if schema.get("readOnly") is True or level > 5:
        return schema.get("readOnly") is True
    parts = [*schema.get("allOf", ())]
    if "$ref" in schema:
        parts.append(validator._resolver.lookup(schema["$ref"]).contents)
    return any(_says_read_only(validator, part, level + 1) for part in parts)


class _Version30(_Reading, V30RequestValidator):
    schema_validators = SchemaValidatorsFactory(
        create(
            OAS30WriteValidator.META_SCHEMA,
            {**OAS30WriteValidator.VALIDATORS, "readOnly": _read_only, "required": _required},
            type_checker=OAS30WriteValidator.TYPE_CHECKER,
            format_checker=OAS30WriteValidator.FORMAT_CHECKER,
            # What is beside a `$ref` "SHALL be ignored" (OpenAPI 3.0.4, "Reference Object").
            applicable_validators=lambda schema: [("$ref", schema["$ref"])] if "$ref" in schema else [*schema.items()],
        )
    )


class _Version31(_Reading, V31RequestValidator):
    schema_validators = oas31_schema_validators_factory


class _Styles(StyleDeserializersFactory):
    def create(self, style: str, explode: bool, schema: SchemaPath, name: str) -> StyleDeserializer:  # noqa: FBT001 - given
        caster = self.schema_casters_factory.create(schema)
        return _Style(style, explode, name, schema, caster, self.style_deserializers.get(style))


class _Style(StyleDeserializer):
    def deserialize(self, location: Mapping[str, Any]) -> Any:
        kinds = kinds_of(self.schema)
        kind = next(iter(kinds)) if len(kinds) == 1 else ""
        decode = _decoder(location)
        if isinstance(location, _Parts) and _is_bytes(self.schema):
            # A style writes texts; the bytes of a file have none.
            return location[self.name]
        try:
            value = self._split(kind, location, decode)
            return self._cast(value)
        except CastError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise DeserializeError(self.style, self.name) from error

    def _split(self, kind: str, location: Any, decode: Callable[[Any], Any]) -> Any:
        read = self.deserializer_callable
        assert read is not None
        if self.style == "form" and self.explode and kind == "object":
            return self._members(location, decode)
        if self.style == "deepObject":
            return _deep(self.name, location, decode)
        if self.style == "form" and self.explode and not kind and len(location.getlist(self.name)) > 1:
            kind = "array"
        if self.style in {"matrix", "label"}:
            name = f"{';' if self.style == 'matrix' else '.'}{self.name}{'*' if self.explode else ''}"
            location = {name: location[self.name]}
        elif self.style == "pipeDelimited" and not self.explode:
            location = {self.name: location[self.name].replace("%7C", "|")}
        elif self.style in {"spaceDelimited", "pipeDelimited"} and self.explode:
            read = style_deserializers["form"]
        return _each(read(self.explode, self.name, kind, location), decode)

    def _members(self, location: Any, decode: Callable[[Any], Any]) -> Json:
        found = {
            name: [decode(item) for item in location.getlist(name)] if "array" in kinds_of(schema) else
            decode(location[name])
            for name, schema in _all_properties(self.schema).items()
            if name in location
        }  # fmt: skip
        found = found or {name: decode(location[name]) for name in location}
        if not found:
            raise KeyError(self.name)
        return found

    def _cast(self, value: Any) -> Any:
        # Nothing on the wire tells the type of a text. What the schema allows counts.
        validator = self.caster.schema_validator
        first: Exception | None = None
        for candidate in (lambda: self.caster.cast(_copy(value)), lambda: _typed(value)):
            try:
                casted = candidate()
                validator.validate(casted)
            except (ValidateError, CastError, ValueError, TypeError, AttributeError) as error:
                first = first or error
            else:
                return casted
        if isinstance(first, ValidateError):
            return self.caster.cast(value)
        raise CastError(value, str(self.schema_type)) from first


def _copy(value: Any) -> Any:
    return dict(cast("Json", value)) if isinstance(value, dict) else value


def _each(value: Any, decode: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {decode(key): decode(item) for key, item in cast("Json", value).items()}
    return [decode(item) for item in cast("list[Any]", value)] if isinstance(value, list) else decode(value)


def _typed(value: Any) -> Any:
    """Return a value whose texts are what they are in JSON, if they are that."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [_typed(item) for item in cast("list[Any]", value)]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _deep(name: str, location: Any, decode: Callable[[Any], Any]) -> Any:
    """Read `name[a][b]`, as query strings are usually read; OpenAPI defines one level ("Style Values")."""
    if name in location:
        # A value that is no object, which OpenAPI leaves undefined.
        return decode(location[name])
    found: Any = {}
    for key in location:
        if key.startswith(f"{name}[") and key.endswith("]"):
            steps = key[len(name) + 1 : -1].split("][")
            values = [decode(value) for value in location.getlist(key)]
            if steps[-1] == "":
                steps, value = steps[:-1], values
            else:
                value = values[0]
            if not steps:
                return value
            node = found
            for step in steps[:-1]:
                node = node.setdefault(step, {})
            node[steps[-1]] = value
    if not found:
        raise KeyError(name)
    return _as_lists(found)


def _as_lists(value: Any) -> Any:
    """Return objects whose members are numbered as arrays."""
    if not isinstance(value, dict):
        return value
    members = {key: _as_lists(item) for key, item in cast("Json", value).items()}
    if members and list(members) == [str(number) for number in range(len(members))]:
        return list(members.values())
    return members


class _MediaTypes(MediaTypeDeserializersFactory):
    def create(self, mimetype: str, *arguments: Any, **named: Any) -> MediaTypeDeserializer:
        made = super().create(mimetype, *arguments, **named)
        made.__class__ = _MediaType
        return made


class _MediaType(MediaTypeDeserializer):
    def decode(self, location: Any, schema_only: bool = False) -> Json:  # noqa: FBT001, FBT002 - given
        assert self.schema is not None
        found: Json = {}
        named = _all_properties(self.schema)
        for name, schema in named.items():
            with contextlib.suppress(KeyError):
                found[name] = self.decode_property(name, schema, location)
        if not named:
            decode = _decoder(location) if isinstance(location, _Fields) else bytes
            lists = {name: [decode(value) for value in location.getlist(name)] for name in location}
            return {name: values if len(values) > 1 else values[0] for name, values in lists.items()}
        return found

    def decode_property(self, prop_name: str, prop_schema: SchemaPath, location: Any) -> Any:
        # Without a style, the media type counts, also in a URL's encoding (OpenAPI 3.0.4, "Encoding Object").
        if self.encoding is None or prop_name not in self.encoding:
            return self.decode_property_content_type(prop_name, prop_schema, location)
        return super().decode_property(prop_name, prop_schema, location)

    def decode_property_content_type(
        self, prop_name: str, prop_schema: SchemaPath, location: Any, prop_encoding: SchemaPath | None = None
    ) -> Any:
        values: list[bytes] = location.getlist(prop_name)
        if not values:
            raise KeyError(prop_name)
        is_array = "array" in kinds_of(prop_schema)
        schema = _items(prop_schema) if is_array else prop_schema
        listed = prop_encoding.getkey("contentType") if prop_encoding is not None else None
        media_type = _default_type(schema)
        if listed and media_type != "application/octet-stream":
            media_type = str(listed).partition(",")[0].strip()
        read = self.evolve(schema, mimetype=media_type)
        if isinstance(location, _Fields):
            values = [unquote_plus(str(value)).encode() for value in values]
        found = [_as_allowed(read.deserialize(value), read) for value in values]
        return found if is_array else found[0]


def _all_properties(schema: SchemaPath, level: int = 0) -> dict[str, SchemaPath]:
    found = get_properties(schema)
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema and level < 5:
            for part in schema / keyword:
                found = {**_all_properties(part, level + 1), **found}
    return found


def _items(schema: SchemaPath) -> SchemaPath:
    if "items" in schema:
        return schema / "items"
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema:
            for part in schema / keyword:
                if "array" in kinds_of(part):
                    return _items(part)
    return SchemaPath.from_dict({})


def _default_type(schema: SchemaPath) -> str:
    """Return the media type of a part without one (OpenAPI 3.0.4 and 3.1.1, "Encoding Object")."""
    kinds = kinds_of(schema)
    if kinds & {"object", "array"}:
        return "application/json"
    return "application/octet-stream" if _is_bytes(schema) or not kinds else "text/plain"


def _is_bytes(schema: SchemaPath) -> bool:
    return schema.getkey("format") == "binary" or "contentEncoding" in schema or "contentMediaType" in schema


def _as_allowed(value: Any, read: MediaTypeDeserializer) -> Any:
    if not isinstance(value, str) or read.schema_validator is None:
        return value
    typed = _typed(value)
    for candidate in (value, typed):
        try:
            read.schema_validator.validate(candidate)
        except ValidateError:
            continue
        return candidate
    return value


class _Loaders(dict[str, Any]):
    """How bodies are read whose media types openapi-core does not know, or reads otherwise."""

    def __contains__(self, media_type: object) -> bool:
        return self._loader(str(media_type)) is not None

    def __missing__(self, media_type: str) -> Any:
        return self._loader(media_type)

    @staticmethod
    def _loader(media_type: str) -> Callable[..., Any] | None:
        kind = media_type.partition(";")[0].strip()
        if kind.startswith("multipart/"):
            return _read_multipart
        if kind == "application/x-www-form-urlencoded":
            return _read_form
        if kind.endswith(("+json", "/json")):
            return _read_json
        if kind == "*/*":
            return _read_any
        if kind.startswith("text/") or kind.endswith(("xml", "yaml", "javascript", "x-ndjson", "graphql", "sql")):
            return _read_text
        return None


def _read_json(content: bytes | str, **_parameters: str) -> Any:
    return json.loads(content)


def _read_any(content: bytes | str, **_parameters: str) -> Any:
    return _typed(_read_text(content))


def _read_text(content: bytes | str, charset: str = "utf-8", **_parameters: str) -> str:
    return content if isinstance(content, str) else content.decode(charset)


def _read_form(content: bytes, **_parameters: str) -> _Fields:
    return _Fields(_pairs(content.decode("ascii").split("&"), unquote_plus))


def _read_multipart(content: bytes, boundary: str = "", **_parameters: str) -> _Parts:
    decoder = MultipartDecoder(boundary.encode())
    decoder.receive_data(content)
    decoder.receive_data(None)
    fields: list[tuple[str, bytes]] = []
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, Field | File):
            fields.append((event.name, b""))
        elif isinstance(event, Data):
            name, former = fields[-1]
            fields[-1] = (name, former + event.data)
    return _Parts(fields)
