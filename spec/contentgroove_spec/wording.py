"""Describe a finding of Redocly in a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.pointers import split

if TYPE_CHECKING:
    from .redocly import Finding

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


def describe(finding: Finding) -> str:
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
