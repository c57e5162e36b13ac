"""From the dict of `to_dict()` back to a model: as the JSON of its resource, which is then read like any other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec
from contentgroove_api.types import check_levels

from contentgroove._core.levels import check_value_levels
from contentgroove._core.redaction import redact_text
from contentgroove.errors import InvalidInputError

from .partial_structs import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .json_views import Shape

_MAX_PROBLEM = 500
"""Characters of what is wrong that a message repeats."""

_OTHERS = ("extra", "missing", "absent")


def resource_json(shape: Shape, data: object) -> bytes:
    """Write the JSON:API resource that a dict describes.

    Raises:
        InvalidInputError: It is not a dict of JSON values with an id, or the id of a relationship is not a string.
    """
    if not isinstance(data, Mapping):
        raise _invalid(shape, f"a mapping is needed, such as to_dict() returns, not {type(data).__name__}")
    sent = cast("Mapping[Any, Any]", data)
    for key in sent:
        if not isinstance(key, str):
            raise _invalid(shape, f"keys must be strings, not {type(key).__name__}")
    if not isinstance(sent.get("id"), str):
        raise _invalid(shape, "id must be a string" if "id" in sent else "id is absent")
    attributes = _known(shape, sent, [name for name in shape.names if name not in {"id", *shape.relationships}])
    relationships = _known(shape, sent, shape.relationships)
    resource: dict[str, Any] = {"id": sent["id"], "type": shape.kind, "attributes": attributes}
    # What an earlier version did not know may be an attribute now. Otherwise each goes to the first part that has
    # nothing of its name, as in `extra`.
    given = {*sent, *_names(shape, sent, "missing"), *_names(shape, sent, "absent")}
    for name, value in _extra(shape, sent).items():
        if name not in attributes and (name not in shape.names or name not in given):
            part = attributes
        elif name not in relationships and name not in shape.relationships.values():
            part = relationships
        else:
            part = resource
        part.setdefault(name, _encode(shape, name, value))
    if relationships or shape.relationships:
        resource["relationships"] = relationships
    return _encode_all(shape, resource)


def _known(shape: Shape, sent: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the members of the resource's attributes or relationships that have these names in the dict."""
    missing, absent = (_names(shape, sent, key) for key in ("missing", "absent"))
    found: dict[str, Any] = {}
    for name in names:
        key = shape.relationships.get(name, name)
        if name in absent:
            continue
        if name in missing:
            found[key] = msgspec.Raw(UNREADABLE)
        elif name in sent:
            value = _relationship(shape, name, key, sent[name]) if name in shape.relationships else sent[name]
            found[key] = _encode(shape, name, value)
    return found


def undeclared(shape: Shape, missing: frozenset[str], data: Mapping[str, Any]) -> list[str]:
    """Return which attributes of a model cannot be read although its dict does not say so, in their order."""
    declared = _names(shape, data, "missing")
    return [name for name in shape.names if name in missing and name not in declared]


def invalid_dict(shape: Shape, data: Mapping[str, Any], problem: str) -> InvalidInputError:
    """Create the error of a dict that cannot be read."""
    is_resource = isinstance(data.get("attributes"), Mapping)
    hint = " This is a JSON:API resource: pass what to_dict() returns, a flat dict." if is_resource else ""
    return _invalid(shape, problem, hint)


def _invalid(shape: Shape, problem: str, hint: str = "") -> InvalidInputError:
    # Keys can be anything, such as a URL.
    return InvalidInputError(f"{shape.model}.from_dict: {redact_text(problem[:_MAX_PROBLEM])}.{hint}")


def _names(shape: Shape, sent: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value: Any = sent.get(key, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in cast("list[Any]", value)):
        raise _invalid(shape, f"{key} must be a list of attributes' names")
    return tuple(cast("Iterable[str]", value))


def _extra(shape: Shape, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `extra` of the model will have: unknown keys too, such as those of a later version."""
    extra: Any = sent.get("extra", {})
    if not isinstance(extra, Mapping) or not all(isinstance(name, str) for name in cast("Mapping[Any, Any]", extra)):
        raise _invalid(shape, "extra must be a mapping with strings as keys")
    known = {*shape.names, *_OTHERS}
    return {**{name: value for name, value in sent.items() if name not in known}, **cast("Mapping[str, Any]", extra)}


def _relationship(shape: Shape, name: str, key: str, value: Any) -> dict[str, Any]:
    if not name.endswith("_ids"):
        if value is not None and not isinstance(value, str):
            raise _invalid(shape, f"{name} must be a string or None, not {type(value).__name__}")
        return {"data": None if value is None else {"id": value, "type": f"{key}s"}}
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in cast("list[Any]", value)):
        raise _invalid(shape, f"{name} must be a list of strings")
    return {"data": [{"id": item, "type": key} for item in cast("list[str]", value)]}


def _encode(shape: Shape, name: str, value: Any) -> msgspec.Raw:
    # The standard library's encoder refuses what JSON has no type for, such as bytes and NaN; msgspec's converts it.
    import json

    try:
        check_value_levels(value)
        return msgspec.Raw(json.dumps(value, allow_nan=False, ensure_ascii=False, default=_encode_time).encode())
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)[:200] or type(error).__name__
    raise _invalid(shape, f"{name} is not JSON: {problem}")


def _encode_time(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"a value of type {type(value).__name__} is not of JSON's")


def _encode_all(shape: Shape, resource: dict[str, Any]) -> bytes:
    try:
        content = msgspec.json.encode(resource)
        check_levels(content)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        problem = str(error)[:200]
    else:
        return content
    raise _invalid(shape, problem)
