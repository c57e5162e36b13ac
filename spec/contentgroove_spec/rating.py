"""Rate the findings of Redocly, and correct its ratings where they are wrong or missing.

Redocly knows which schemas are sent and which are received, and rates most changes correctly. The differences:

- a request's field that is removed breaks (the value that an app sends is no longer read);
- a request's default that changes breaks (a call that omits it behaves differently);
- a response that loses its schema breaks (any value may come);
- a webhook that is sent to another URL breaks;
- a new required request body breaks;
- an error that is no longer documented is safe, because nothing must change;
- a wider number format in a request is safe;
- a request's schema where there was none is safe if the document's own examples match it; otherwise it breaks.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape, lookup, split

from . import legacy
from .changes import Change, Rating

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .changes import Kind, Location
    from .documents import Document
    from .operations import Operation
    from .redocly import Finding

_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}

# By Redocly's rules. _REASONS_WRITTEN is for values that an app sends, _REASONS_READ for those that it receives.
_REASONS = {
    "enum-values-added": "An app may receive a value that it does not know.",
    "enum-values-removed": "Requests with the old value are rejected.",
    "media-type-removed": "Apps that send or expect this media type fail.",
    "parameter-became-required": "Calls without it are rejected.",
    "parameter-removed": "A value sent there is ignored or rejected.",
    "parameter-serialization-changed": "The value that is sent is read differently.",
    "property-removed": "Apps that read it find nothing.",
    "request-body-became-required": "Calls without a body are rejected.",
    "request-body-removed": "A body that is sent is ignored or rejected.",
    "required-properties-added": "Requests without it are rejected.",
    "required-properties-removed": "Apps that read it may find nothing.",
    "response-header-removed": "Apps that read it find nothing.",
    "response-removed": "Apps do not expect the response that comes instead.",
    "security-requirement-changed": "Calls as they are sent today are rejected.",
    "security-scheme-changed": "Keys as they are sent today are not read.",
    "server-removed": "Calls to it may fail.",
}
_REASONS_WRITTEN = {
    "schema-combinator-changed": "Values that are sent today may be rejected.",
    "schema-constraint-changed": "Values that are sent today may be rejected.",
    "schema-type-changed": "Values that are sent today may be rejected.",
}
_REASONS_READ = {
    "schema-combinator-changed": "Other values than before may come.",
    "schema-constraint-changed": "Other values than before may come.",
    "schema-type-changed": "Code that expects the old type fails.",
}

# Redocly's names of the parts of a document.
_NAMES = {
    "AnyOf": "anyOf",
    "Callback": "the webhook",
    "CallbacksMap": "all webhooks",
    "Header": "the header",
    "HeadersMap": "all headers",
    "MediaType": "the media type",
    "MediaTypesMap": "all media types",
    "OneOf": "oneOf",
    "Parameter": "the parameter",
    "ParameterList": "all parameters",
    "RequestBody": "the request body",
    "Response": "the response",
    "Schema": "the schema",
    "SchemaProperties": "all fields",
    "SecurityRequirement": "a way to authenticate",
    "SecurityRequirementList": "authentication",
    "SecurityScheme": "the security scheme",
    "Server": "the server",
}
_MAX_VALUE = 60


def changes_between(
    finding: Finding,
    before: Mapping[tuple[str, str], Operation],
    compared: tuple[Document, Document],
    names: Mapping[tuple[str, str], Operation],
) -> Iterator[Change]:
    """Yield the changes of one finding.

    Args:
        finding: A finding of Redocly.
        before: The old document's operations, with their examples.
        compared: The canonical documents that Redocly compared.
        names: The new document's operations, for names.
    """
    path = finding["path"]
    if finding["property"] == "key":
        # The finding has the new name, but apps know the old one.
        path = f"{path.rpartition('/')[0]}/{escape(str(finding['old']))}"
    # Removed parts have no location in the new document.
    location = legacy.locate(path, compared[0] if finding["kind"] == "removed" else compared[1], names)
    if finding["property"] == "required" and finding["typeName"] == "Schema":
        yield from _required(finding, location)
        return
    breaking, reason = _rate(
        finding, location, examples_match=_was_unspecified(finding) and _examples_match(finding, before, compared[1])
    )
    yield legacy.change(
        Rating.BREAKING if breaking else Rating.SAFE,
        "changed" if finding["kind"] == "modified" else cast("Kind", finding["kind"]),
        location,
        _describe(finding),
        reason,
        finding["old"],
        finding["new"],
        newly_required=breaking and "parameter-became-required" in finding["rules"],
    )


def _required(finding: Finding, location: Location) -> Iterator[Change]:
    """Yield a change for each field, because an app may use only some of them."""
    old, new = (cast("list[str]", value or []) for value in (finding["old"], finding["new"]))
    messages = " ".join(finding["messages"])
    for name in sorted({*old} ^ {*new}):
        required = name in new
        breaks = f"`{name}`" in messages
        inner = dataclasses.replace(location, field=f"{location.field}/{escape(name)}")
        what = f"`{name}` {'became required' if required else 'is no longer required'}."
        if breaks:
            reason = "Requests without it are rejected." if required else "Apps that read it may find nothing."
        elif legacy.is_received(location):
            reason = "It is always present now." if required else "It may still be present."
        else:
            reason = "Requests with it are accepted as before."
        rating = Rating.BREAKING if breaks else Rating.SAFE
        yield legacy.change(rating, "changed", inner, what, reason, newly_required=required and breaks)


def _examples_match(finding: Finding, before: Mapping[tuple[str, str], Operation], new: Document) -> bool:
    """Return whether the old document's own examples have values for a request's new schema, and all match it."""
    match split(finding["path"]):
        case ["paths", path, method, "requestBody", "content", _, "schema", *inner]:
            content = before[method, path].definition["requestBody"].get("content", {})
        case _:
            return False
    found = [value for media in content.values() for value in _values(media, inner)]
    if not found:
        return False
    import jsonschema_rs

    try:
        validator = jsonschema_rs.Draft202012Validator(lookup(new, finding["path"]))
    except ValueError:
        return False
    return all(validator.is_valid(value) for value in found)


def _rate(finding: Finding, location: Location, *, examples_match: bool) -> tuple[bool, str]:
    """Return whether a finding breaks, and the reason."""
    if location.webhook and finding["typeName"] == "PathItem" and finding["kind"] != "added":
        return True, "Deliveries no longer go to the URL that the app subscribed."
    if location.part in {"request", "parameter"} and not legacy.is_received(location):
        own = _request_part(finding) or _request_value(finding, examples_match=examples_match)
    else:
        own = _response(finding, location)
    if own is not None:
        return own
    if finding["major"]:
        reasons = _REASONS | (_REASONS_READ if legacy.is_received(location) else _REASONS_WRITTEN)
        return True, reasons.get(finding["rules"][0], "Code that relies on it may break.")
    reason = (
        "What an app reads today still comes."
        if legacy.is_received(location)
        else "What an app sends today still works."
    )
    return False, reason


def _request_part(finding: Finding) -> tuple[bool, str] | None:
    kind, subject = finding["kind"], finding["typeName"]
    if kind == "removed" and subject in {"Schema", "SchemaProperties"} and "/properties" in finding["path"]:
        return True, "A value that an app sends there is ignored or rejected."
    if subject == "Schema" and finding["property"] == "key":
        return True, "A value that an app sends under the old name is ignored or rejected."
    if subject == "RequestBody" and kind == "added" and cast("Document", finding["new"] or {}).get("required"):
        return True, "Calls without a body are rejected."
    return None


def _request_value(finding: Finding, *, examples_match: bool) -> tuple[bool, str] | None:
    if finding["property"] == "default" and finding["old"] is not None and finding["new"] is not None:
        return True, "A call that omits it behaves differently."
    if finding["property"] == "format" and (finding["old"], finding["new"]) in _WIDER_FORMATS:
        return False, "Smaller numbers are accepted as before."
    if _was_unspecified(finding):
        if examples_match:
            return False, "The document specifies what it left open, and its own examples match."
        return True, "The document allowed any value; now some may be rejected."
    return None


def _was_unspecified(finding: Finding) -> bool:
    """Return whether a finding is about a location that had no schema and now has one."""
    if finding["kind"] == "added":
        return finding["typeName"] == "Schema" and finding["path"].endswith("/schema")
    return finding["property"] == "type" and finding["old"] is None and "schema-type-changed" in finding["rules"]


def _response(finding: Finding, location: Location) -> tuple[bool, str] | None:
    if location.part == "response" and finding["typeName"] == "Response" and finding["kind"] == "removed":
        if location.name[:1] in {"4", "5"} or location.name == "default":
            return False, "Code that handles it is not reached, or is reached as before."
        return None
    if legacy.is_received(location) and finding["kind"] == "removed" and finding["path"].endswith("/schema"):
        return True, "Any value may come now."
    if legacy.is_received(location) and _was_unspecified(finding) and not finding["major"]:
        return False, "The document specifies what it left open."
    return None


def _describe(finding: Finding) -> str:
    """Describe a finding, without its location."""
    if finding["messages"]:
        return " ".join(finding["messages"])
    last = split(finding["path"])[-1]
    name = _NAMES.get(finding["typeName"], finding["typeName"])
    if finding["kind"] == "modified":
        subject = "The name" if finding["property"] == "key" else f"`{finding['property']}`"
        return f"{subject} {describe_change(finding['old'], finding['new'])}."
    if finding["typeName"] == "Schema":
        name = "a schema" if last in {"schema", "items"} else f"`{last}`"
    elif finding["typeName"] in {"Callback", "Header", "MediaType", "Response"}:
        name = f"{name} `{last}`"
    elif finding["kind"] == "added":
        name = name.replace("all ", "")
    return f"{name[0].upper()}{name[1:]} {'was' if name.split()[0] != 'all' else 'were'} {finding['kind']}."


def describe_change(old: Any, new: Any) -> str:
    """Describe the change from one value to another."""
    if old is None:
        return f"was set to {_short(new)}"
    if new is None:
        return f"was removed (it was {_short(old)})"
    return f"changed from {_short(old)} to {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _values(media: Document, path: list[str]) -> Iterator[Any]:
    for example in _examples(media):
        yield from _values_at(example, path)
    schema: Any = media.get("schema")
    for index in range(len(path) + 1):
        if not isinstance(schema, dict):
            return
        for example in _examples(cast("Document", schema)):
            yield from _values_at(example, path[index:])
        if index < len(path):
            schema = cast("Document", schema).get(path[index])


def _examples(holder: Document) -> Iterator[Any]:
    if "example" in holder:
        yield holder["example"]
    examples = holder.get("examples")
    if isinstance(examples, dict):
        for example in cast("dict[str, Any]", examples).values():
            if isinstance(example, dict) and "value" in example:
                yield cast("Document", example)["value"]
    elif isinstance(examples, list):
        yield from cast("list[Any]", examples)


def _values_at(value: Any, path: list[str]) -> list[Any]:
    match path:
        case []:
            return [value]
        case ["items", *inner] if isinstance(value, list):
            return [found for item in cast("list[Any]", value) for found in _values_at(item, inner)]
        case ["properties", name, *inner] if isinstance(value, dict) and name in value:
            return _values_at(cast("Document", value)[name], inner)
        case _:
            return []
