"""Lets openapi-core read bodies of all media types; see `reading` for its limits."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote_plus

from jsonschema_path import SchemaPath
from openapi_core.deserializing.media_types import MediaTypeDeserializersFactory
from openapi_core.deserializing.media_types.deserializers import MediaTypeDeserializer
from openapi_core.validation.schemas.exceptions import ValidateError
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from tests.tools.referee.styles import Fields, Parts, all_properties, decoder, is_bytes, kinds_of, pairs_of, typed

if TYPE_CHECKING:
    from collections.abc import Callable

Json: TypeAlias = dict[str, Any]


class MediaTypes(MediaTypeDeserializersFactory):
    """Makes what reads a body of a media type."""

    def create(self, mimetype: str, *arguments: Any, **named: Any) -> MediaTypeDeserializer:
        """Make it."""
        made = super().create(mimetype, *arguments, **named)
        made.__class__ = _MediaType
        return made


class _MediaType(MediaTypeDeserializer):
    def decode(self, location: Any, schema_only: bool = False) -> Json:  # noqa: ARG002, FBT001, FBT002 - given
        assert self.schema is not None
        found: Json = {}
        named = all_properties(self.schema)
        for name, schema in named.items():
            with contextlib.suppress(KeyError):
                found[name] = self.decode_property(name, schema, location)
        if not named:
            decode = decoder(location) if isinstance(location, Fields) else bytes
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
        if isinstance(location, Fields):
            values = [unquote_plus(str(value)).encode() for value in values]
        found = [_as_allowed(read.deserialize(value), read) for value in values]
        return found if is_array else found[0]


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
    return "application/octet-stream" if is_bytes(schema) or not kinds else "text/plain"


def _as_allowed(value: Any, read: MediaTypeDeserializer) -> Any:
    if not isinstance(value, str) or read.schema_validator is None:
        return value
    for candidate in (value, typed(value)):
        try:
            read.schema_validator.validate(candidate)
        except ValidateError:
            continue
        return candidate
    return value


class Loaders(dict[str, Any]):
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
    return typed(_read_text(content))


def _read_text(content: bytes | str, charset: str = "utf-8", **_parameters: str) -> str:
    return content if isinstance(content, str) else content.decode(charset)


def _read_form(content: bytes, **_parameters: str) -> Fields:
    return Fields(pairs_of(content.decode("ascii").split("&"), unquote_plus))


def _read_multipart(content: bytes, boundary: str = "", **_parameters: str) -> Parts:
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
    return Parts(fields)
