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

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .changes import Location
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


def rate(finding: Finding, location: Location, *, examples_fit: bool) -> tuple[bool, str]:
    """Rate one finding.

    Args:
        finding: A finding of Redocly.
        location: Its location.
        examples_fit: Whether the old document's own examples match the new schema.

    Returns:
        Whether it breaks, and the reason.
    """
    own = (
        _webhook(finding, location)
        or _request(finding, location, examples_fit=examples_fit)
        or _response(finding, location)
    )
    if own is not None:
        return own
    if not finding["major"]:
        return (
            False,
            "Apps still receive what they read today."
            if location.is_received
            else "What an app sends today still works.",
        )
    reasons = {**_REASONS, **(_REASONS_READ if location.is_received else _REASONS_WRITTEN)}
    return True, reasons.get(finding["rules"][0], "Code that relies on it may break.")


def _webhook(finding: Finding, location: Location) -> tuple[bool, str] | None:
    if location.webhook and finding["typeName"] == "PathItem" and finding["kind"] != "added":
        return True, "Deliveries no longer go to the URL that the app subscribed."
    return None


def _request(finding: Finding, location: Location, *, examples_fit: bool) -> tuple[bool, str] | None:
    if location.is_received or location.part not in {"request", "parameter"}:
        return None
    return _request_part(finding) or _request_value(finding, examples_fit=examples_fit)


def _request_part(finding: Finding) -> tuple[bool, str] | None:
    kind, subject = finding["kind"], finding["typeName"]
    if kind == "removed" and subject in {"Schema", "SchemaProperties"} and "/properties" in finding["path"]:
        return True, "A value that an app sends there is ignored or rejected."
    if subject == "Schema" and finding["property"] == "key":
        return True, "A value that an app sends under the old name is ignored or rejected."
    if subject == "RequestBody" and kind == "added" and _get(finding["new"], "required"):
        return True, "Calls without a body are rejected."
    return None


def _request_value(finding: Finding, *, examples_fit: bool) -> tuple[bool, str] | None:
    if finding["property"] == "default" and finding["old"] is not None and finding["new"] is not None:
        return True, "A call that omits it behaves differently."
    if finding["property"] == "format" and (finding["old"], finding["new"]) in _WIDER_FORMATS:
        return False, "Smaller numbers are accepted as before."
    if was_unspecified(finding):
        if examples_fit:
            return False, "The document specifies what it left open, and its own examples match."
        return True, "The document allowed any value; now some may be rejected."
    return None


def was_unspecified(finding: Finding) -> bool:
    """Return whether a finding is about a location that had no schema and now has one."""
    if finding["kind"] == "added":
        return finding["typeName"] == "Schema" and finding["path"].endswith("/schema")
    return finding["property"] == "type" and finding["old"] is None and "schema-type-changed" in finding["rules"]


def _response(finding: Finding, location: Location) -> tuple[bool, str] | None:
    if location.part == "response" and finding["typeName"] == "Response" and finding["kind"] == "removed":
        if location.name[:1] in {"4", "5"} or location.name == "default":
            return False, "Code that handles it is not reached, or is reached as before."
        return None
    if location.is_received and finding["kind"] == "removed" and finding["path"].endswith("/schema"):
        return True, "Any value may come now."
    if location.is_received and was_unspecified(finding) and not finding["major"]:
        return False, "The document specifies what it left open."
    return None


def _get(value: Any, key: str) -> Any:
    return cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
