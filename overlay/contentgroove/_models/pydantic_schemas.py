"""Models and pages as types of pydantic, and so of FastAPI. Only pydantic imports this module, and need not be there.

A model is validated from an instance or from what `from_dict()` takes, and serialised as `to_dict()`; the schema of
JSON is made from the properties' annotations and from what the contract requires.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec
from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

    from .json_views import JsonView, Shape

_TYPES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "dt.datetime": {"type": "string", "format": "date-time"},
    "tuple[str, ...]": {"type": "array", "items": {"type": "string"}},
    "Any": {},
}
"""The schemas of the annotations of models."""

_NULLABLE = " | None"
_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}

_OTHERS: dict[str, dict[str, Any]] = {
    "extra": {"type": "object", "description": "Fields that the service sent and this version does not know."},
    "missing": _NAMES | {"description": "Attributes that the service sent otherwise than its contract says."},
    "absent": _NAMES | {"description": "Attributes that the service omitted; they are null here."},
}


def model_core_schema(model: type[JsonView], from_dict: Callable[[Mapping[str, Any]], JsonView]) -> CoreSchema:
    """Return how pydantic validates and serialises a model."""

    def validate(value: object) -> JsonView:
        if isinstance(value, model):
            return value
        if isinstance(value, Mapping):
            return from_dict(cast("Mapping[str, Any]", value))
        raise ValueError(f"Input should be a {model.__name__} or what its to_dict() returns")

    as_dict = core_schema.plain_serializer_function_ser_schema(_to_dict, when_used="json")
    # The reference lets a document of OpenAPI name the schema, instead of repeating it.
    reference = f"{model.__module__}.{model.__qualname__}:{id(model)}"
    return core_schema.no_info_plain_validator_function(validate, ref=reference, serialization=as_dict)


def page_core_schema(page: type[JsonView], source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return how pydantic validates and serialises a page, which only calls make.

    Args:
        page: The class.
        source: The annotation, such as `Page[Media]`.
        handler: Creates the schema of the items.
    """
    items = [handler.generate_schema(item) for item in get_args(source)]
    field = core_schema.typed_dict_field
    unreadable = {"index": field(core_schema.int_schema()), "reason": field(core_schema.str_schema())}
    content = core_schema.typed_dict_schema(
        {
            "number": field(core_schema.int_schema()),
            "items": field(core_schema.list_schema(*items)),
            "unreadable": field(core_schema.list_schema(core_schema.typed_dict_schema(unreadable)), required=False),
        }
    )

    def validate(value: object, _validate_content: object) -> JsonView:
        if isinstance(value, page):
            return value
        raise ValueError(f"Input should be a {page.__name__} that a call returned")

    def write(value: Any) -> dict[str, Any]:
        # The items' own schema writes them, if there is one.
        return {name: list(value.items) if items and name == "items" else value[name] for name in value.keys()}  # noqa: SIM118 - pages iterate over their items

    as_dict = core_schema.plain_serializer_function_ser_schema(write, return_schema=content, when_used="json")
    # Outside of JSON, a page is written by the schema of what it wraps: as it is.
    as_it_is = content.copy()
    as_it_is["serialization"] = core_schema.simple_ser_schema("any")
    return core_schema.no_info_wrap_validator_function(validate, as_it_is, serialization=as_dict)


def model_json_schema(model: type[JsonView], shape: Shape) -> dict[str, Any]:
    """Return the JSON schema of a model's `to_dict()`."""
    properties: dict[str, Any] = {}
    for name in shape.names:
        getter = getattr(model, name).fget
        annotation: str = getter.__annotations__["return"]
        # What the contract enumerates, such as `MediaVisibility | str`, may be any other text as well.
        kind = _TYPES[annotation.removesuffix(_NULLABLE).rpartition(" | ")[2]]
        content = {"anyOf": [kind, {"type": "null"}]} if annotation.endswith(_NULLABLE) else kind
        properties[name] = {**content, "description": inspect.getdoc(getter)}
    return {
        "title": shape.model,
        "description": (inspect.getdoc(model) or "").partition("\n")[0],
        "type": "object",
        "properties": {**properties, **_OTHERS},
        "required": _required(shape),
    }


def _to_dict(value: JsonView) -> dict[str, Any]:
    return value.to_dict()


def _required(shape: Shape) -> list[str]:
    """Return the attributes that the contract requires, from the generated structs."""
    needed = {"id"}
    parts = {item.encode_name: item.type for item in msgspec.structs.fields(shape.struct)}
    for part in (parts.get("attributes"), parts.get("relationships")):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            needed |= {item.encode_name for item in msgspec.structs.fields(part) if item.required}
    return [name for name in shape.names if shape.relationships.get(name, name) in needed]
