"""Complete resources written from the contract's schemas, ways to damage one field, and what is readable then.

`expected` is a second reader, written from the contract and independent of the library.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = "dict[str, Any]"
Steps: TypeAlias = "tuple[str | int, ...]"

CONTRACT: Json = json.loads(
    (Path(__file__).parents[2] / "mockserver/contentgroove_mock/contract.json").read_text(encoding="utf-8")
)
SCHEMAS: Json = CONTRACT["components"]["schemas"]

_TRANSCRIPTION: Json = SCHEMAS["to_one_or_none"]
REMOVED = object()
DAMAGES: dict[str, Any] = {
    "removed": REMOVED,
    "null": None,
    "string": "no such value",
    "number": 5,
    "list": [],
    "object": {},
}


@dataclass(frozen=True)
class Resource:
    """A kind of resource: its schema, its client method, and the public names of its relationships."""

    schema: str
    calls: str
    relationships: tuple[tuple[str, str], ...] = ()


RESOURCES = {
    "media": Resource(
        "media_response_object_data", "medias", (("clips", "clip_ids"), ("transcription", "transcription_id"))
    ),
    "clip": Resource("clip_response_object_data", "clips", (("media", "media_id"),)),
    "subscription": Resource(
        "webhook_subscription_response_object_data",
        "webhook_subscriptions",
        (("user", "user_id"), ("webhook_events", "webhook_event_ids")),
    ),
}


def resolved(schema: Json) -> Json:
    """Follow references, and merge `allOf`."""
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    for part in schema.get("allOf", ()):
        schema = {**resolved(part), **{key: value for key, value in schema.items() if key != "allOf"}}
    return schema


def complete(schema: Json) -> Any:
    """Write a value with every property of a schema, none of them null."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return complete(schema["anyOf"][0])
    if schema["type"] == "object":
        return {name: complete(part) for name, part in schema.get("properties", {}).items()}
    if schema["type"] == "array":
        return [complete(schema["items"]), complete(schema["items"])]
    text = "2025-10-15T13:51:02Z" if schema.get("format") == "date-time" else "https://example.com/x"
    return {"boolean": False, "number": 1.5, "integer": 2, "string": text}[schema["type"]]


def resource(kind: str, resource_id: str = "r-1") -> Json:
    """Write a complete resource."""
    return {**complete(SCHEMAS[RESOURCES[kind].schema]), "id": resource_id}


def locations(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """Yield where each member and element of a value is."""
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield (*steps, step)
        yield from locations(inner, (*steps, step))


def damaged(value: Any, steps: Steps, damage: str) -> Any:
    """Copy a value with one part of it removed or replaced."""
    changed = copy.deepcopy(value)
    holder = changed
    for step in steps[:-1]:
        holder = holder[step]
    if DAMAGES[damage] is REMOVED:
        del holder[steps[-1]]
    else:
        holder[steps[-1]] = DAMAGES[damage]
    return changed


def names(kind: str) -> dict[str, tuple[str, str]]:
    """Return all public attributes but the id, and where each is in JSON."""
    attributes = SCHEMAS[RESOURCES[kind].schema]["properties"]["attributes"]["properties"]
    return {name: ("attributes", name) for name in attributes} | {
        public: ("relationships", name) for name, public in RESOURCES[kind].relationships
    }


def missing(kind: str, sent: Json) -> set[str]:
    """Return the attributes that cannot be read of a resource."""
    found = {name for name, (holder, key) in names(kind).items() if not _is_readable(kind, sent, holder, key)}
    if "transcription_id" in names(kind):
        # In `relationships` or next to them: one that names it is enough, an odd one says that it may be there.
        inside = sent.get("relationships")
        links = [sent.get("transcription"), inside.get("transcription") if isinstance(inside, dict) else None]
        if any(isinstance(link, dict) and _names_a_resource(link.get("data")) for link in links):
            found.discard("transcription_id")
        elif "transcription" in sent and not _accepts_relationship(_TRANSCRIPTION, sent["transcription"]):
            found.add("transcription_id")
    return found


def _is_readable(kind: str, sent: Json, holder: str, key: str) -> bool:
    schema = resolved(SCHEMAS[RESOURCES[kind].schema]["properties"][holder])
    members = sent.get(holder)
    if members is None:
        members = {}
    if not isinstance(members, dict):
        return False
    part = resolved(schema["properties"][key])
    if key not in members:
        return _is_nullable(part) or key not in schema.get("required", ())
    return _accepts_relationship(part, members[key]) if holder == "relationships" else _accepts(part, members[key])


def _is_nullable(schema: Json) -> bool:
    return any(part.get("nullable") for part in (schema, *schema.get("anyOf", ())))


def _accepts(schema: Json, value: Any) -> bool:
    """Whether an attribute's value can be read; numbers and times may be written as strings and numbers."""
    schema = resolved(schema)
    if value is None:
        return _is_nullable(schema)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    kinds = {part.get("type") for part in (schema, *schema.get("anyOf", ()))}
    if kinds & {"number", "integer"}:
        return is_number or (isinstance(value, str) and value.replace(".", "").isdigit())
    if kinds & {"boolean", "object"}:
        return isinstance(value, bool if "boolean" in kinds else dict)
    if "array" in kinds:
        return isinstance(value, list) and all(_accepts(schema["items"], item) for item in value)
    if schema.get("format") == "date-time":
        return is_number or (isinstance(value, str) and value.startswith("2025"))
    return isinstance(value, str)


def _accepts_relationship(schema: Json, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    data = resolved(schema["properties"]["data"])
    if "data" not in value:
        return _is_nullable(data) or "data" not in schema.get("required", ())
    if data.get("type") == "array":
        linked = [] if value["data"] is None else value["data"]
        return isinstance(linked, list) and all(_names_a_resource(item) for item in linked)
    return _is_nullable(data) if value["data"] is None else _names_a_resource(value["data"])


def _names_a_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), (str, int))
