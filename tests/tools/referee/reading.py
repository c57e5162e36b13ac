"""Lets openapi-core read the requests of a document: the operation, its parameters, its body, its credentials.

openapi-core gets what a web framework would give it. What it cannot read by itself, although the specification defines
it, is read here, independently of the code under test. Its limits are in the named modules of the locked version:

- `deserializing/styles/util.py` splits values after they were decoded, and so cannot tell a delimiter from the same
  character in a value. Here it gets the encoded text, and each part is decoded afterwards.
- The same module looks for an exploded object of the style `form` under the parameter's name, which no query
  has; knows one level of `deepObject`, and of its arrays the first item; and needs `;name` as a name for `matrix`.
- `deserializing/styles/deserializers.py` knows a type only if it is beside the parameter, and not in
  `allOf` or a list of types; `casting/schemas` casts no texts to such types.
- `deserializing/media_types/util.py` reads multipart bodies as mails, which changes bytes; here, werkzeug reads them.
- `deserializing/media_types/deserializers.py` casts no parts of multipart bodies, and takes those without a type beside
  them for bytes; `schema/encodings.py` takes a list of media types for one.
- `deserializing/media_types/__init__.py` knows few media types that are text or JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast
from urllib.parse import quote, unquote, urlsplit

from contentgroove._openapi.documents import as_object
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import create  # type: ignore[import-untyped]
from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V31RequestValidator
from openapi_core.datatypes import RequestParameters
from openapi_core.deserializing.media_types import media_type_deserializers
from openapi_core.deserializing.styles import style_deserializers
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.media_types.datatypes import MediaType
from openapi_core.templating.paths.datatypes import Path
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.paths.parsers import PathParser
from openapi_core.validation.request.exceptions import (
    MissingParameter,
    MissingRequestBody,
    ParametersError,
    RequestBodyValidationError,
    SecurityValidationError,
)
from openapi_core.validation.request.validators import APICallRequestValidator
from openapi_core.validation.schemas import oas31_schema_validators_factory
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_schema_validator import OAS30WriteValidator
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.tools.referee.media_types import Loaders, MediaTypes
from tests.tools.referee.styles import Styles, decoder, pairs_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

Json: TypeAlias = dict[str, Any]

_OTHERS_HEADERS = frozenset({"accept", "content-type", "authorization", "accept-encoding", "content-length"})


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
            query=ImmutableMultiDict(pairs_of(parts.query.split("&"), unquote)),
            header=Headers(list(sent.headers.items())),
            cookie=ImmutableMultiDict(pairs_of(cookies, unquote)),
        )


class Referee:
    """openapi-core for the requests of one document."""

    def __init__(self, document: Json) -> None:
        kind = _Version31 if str(document["openapi"]) >= "3.1" else _Version30
        paths = {_key(path): item for path, item in as_object(document.get("paths")).items()}
        styles = Styles(kind.schema_casters_factory, style_deserializers=style_deserializers)
        self._validator = kind(
            SchemaPath.from_dict(cast("dict[Hashable, Any]", {**document, "paths": paths})),
            style_deserializers_factory=styles,
            media_type_deserializers_factory=MediaTypes(styles, media_type_deserializers),
            extra_media_type_deserializers=Loaders(),
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

    def __call__(self, name: str, spec: SchemaPath, base_url: str | None = None) -> Iterator[Path]:  # noqa: ARG002 - given
        # Documents write queries and fragments into paths, which openapi-core would look for in the path.
        before = quote(self._pattern.partition("#")[0].partition("?")[0], safe="/:@!$&'()*+,;=~%{}")
        if found := PathParser(before, post_expression="$").search(name):
            yield Path(spec / "paths" / _key(self._pattern), TemplateResult(before, found.named))


def _key(path: str) -> str:
    """Return another key for a path: jsonschema-path takes the sign of a fragment for a separator."""
    return path.replace("#", "\N{FULLWIDTH NUMBER SIGN}")


class _Reading(APICallRequestValidator):
    """openapi-core's validator, which returns what it reads."""

    schema_validators: SchemaValidatorsFactory

    def read(self, request: _Request) -> Found:
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

    def _get_parameter(self, parameters: RequestParameters, param: SchemaPath) -> Any:
        # The definition of three "SHALL be ignored" (OpenAPI 3.0.4, "Parameter Object"), which openapi-core does not.
        # The HTTP client sets the others.
        if param["in"] == "header" and param["name"].lower() in _OTHERS_HEADERS:
            raise MissingParameter(param["name"], "header")
        return super()._get_parameter(parameters, param)

    def _get_simple_param_or_header(
        self, param_or_header: SchemaPath, location: Mapping[str, Any], name: str | None = None
    ) -> tuple[Any, SchemaPath]:
        # Without defaults, which are never sent, and with texts that are empty, which schemas decide about.
        return self._deserialise_style(param_or_header, location, name=name), param_or_header / "schema"

    def _find_media_type(self, content: SchemaPath, mimetype: str | None = None) -> MediaType:
        found = super()._find_media_type(content, mimetype)
        # What was sent counts, not the range that matches it.
        actual = (mimetype or found.mime_type).partition(";")[0].strip().lower()
        return MediaType(actual, found.parameters, found.media_type)

    def _get_media_type_value(
        self, param_or_header: SchemaPath, location: Mapping[str, Any], name: str | None = None
    ) -> Any:
        return decoder(location)(location[name or param_or_header["name"]])


def _causes(error: BaseException) -> list[str]:
    """Return the kinds of an error: of a schema, the keywords that do not match."""
    cause = error.__cause__
    if isinstance(cause, InvalidSchemaValue):
        errors: Any = cause.schema_errors
        return sorted({_kind_of(each) for each in errors})
    return [f"{type(error).__name__} {type(cause).__name__}" if cause else type(error).__name__]


def _kind_of(error: Any) -> str:
    return f"schema format {error.validator_value}" if error.validator == "format" else f"schema {error.validator}"


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


class _Version30(_Reading):
    schema_casters_factory = V30RequestValidator.schema_casters_factory
    schema_validators = SchemaValidatorsFactory(
        # The types that type checkers know for it are not those that it calls.
        cast("Any", create)(
            OAS30WriteValidator.META_SCHEMA,
            {**OAS30WriteValidator.VALIDATORS, "readOnly": _read_only, "required": _required},
            type_checker=OAS30WriteValidator.TYPE_CHECKER,
            format_checker=OAS30WriteValidator.FORMAT_CHECKER,
            # What is beside a `$ref` "SHALL be ignored" (OpenAPI 3.0.4, "Reference Object").
            applicable_validators=lambda schema: [("$ref", schema["$ref"])] if "$ref" in schema else [*schema.items()],
        )
    )


class _Version31(_Reading):
    schema_casters_factory = V31RequestValidator.schema_casters_factory
    schema_validators = oas31_schema_validators_factory
