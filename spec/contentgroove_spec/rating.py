"""Rates what Redocly found, where its own rating misreads or says nothing.

Redocly knows in which direction a schema travels and rates most changes right. What differs here:

- a request's field that is removed breaks (what an app sends is not read any more);
- a request's default that changes breaks (a call that leaves it out does something else);
- an answer that loses its schema breaks (anything may come);
- a webhook that is sent to another URL breaks;
- a required request body where there was none breaks;
- an error that is not documented any more is safe, as nothing has to change;
- a wider number format in a request is safe;
- a request's schema where there was none is safe if the document's own examples fit it, else it breaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .changes import Location
    from .redocly import Finding

_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}

# By Redocly's rules; the first is for what an app writes, the second for what it reads.
_REASONS = {
    "enum-values-added": "An app that knows all values meets one that it does not know.",
    "enum-values-removed": "Who sends the old value is refused.",
    "media-type-removed": "Who sends or expects this media type fails.",
    "parameter-became-required": "Calls without it are refused.",
    "parameter-removed": "What is sent there is ignored or refused.",
    "parameter-serialization-changed": "What is sent is read as something else.",
    "property-removed": "Who reads it finds nothing.",
    "request-body-became-required": "Calls without a body are refused.",
    "request-body-removed": "What is sent is ignored or refused.",
    "required-properties-added": "Requests without it are refused.",
    "required-properties-removed": "Who reads it may find nothing.",
    "response-header-removed": "Who reads it finds nothing.",
    "response-removed": "What comes instead is not what an app looks for.",
    "security-requirement-changed": "Calls as they are sent today are refused.",
    "security-scheme-changed": "Keys as they are sent today are not seen.",
    "server-removed": "Calls to it may not be answered any more.",
}
_REASONS_WRITTEN = {
    "schema-combinator-changed": "What is sent today may be refused.",
    "schema-constraint-changed": "What is sent today may be refused.",
    "schema-type-changed": "What is sent today may be refused.",
}
_REASONS_READ = {
    "schema-combinator-changed": "Something else than before may come.",
    "schema-constraint-changed": "Something else than before may come.",
    "schema-type-changed": "Code that takes it for what it was fails.",
}


def rate(finding: Finding, place: Location, *, shown: bool) -> tuple[bool, str]:
    """Rate one finding.

    Args:
        finding: What Redocly reports.
        place: Where that is.
        shown: Whether the old document's own examples fit the new schema.

    Returns:
        Whether it breaks, and why.
    """
    own = _webhook(finding, place) or _request(finding, place, shown=shown) or _response(finding, place)
    if own is not None:
        return own
    if not finding["major"]:
        return (
            False,
            "What an app reads today still comes." if place.is_received else "What an app sends today still works.",
        )
    reasons = {**_REASONS, **(_REASONS_READ if place.is_received else _REASONS_WRITTEN)}
    return True, reasons.get(finding["rules"][0], "It may break what relies on it.")


def _webhook(finding: Finding, place: Location) -> tuple[bool, str] | None:
    if place.webhook and finding["typeName"] == "PathItem" and finding["kind"] != "added":
        return True, "Nothing is sent any more to where an app asked for it."
    return None


def _request(finding: Finding, place: Location, *, shown: bool) -> tuple[bool, str] | None:
    if place.is_received or place.part not in {"request", "parameter"}:
        return None
    return _request_part(finding) or _request_value(finding, shown=shown)


def _request_part(finding: Finding) -> tuple[bool, str] | None:
    kind, what = finding["kind"], finding["typeName"]
    if kind == "removed" and what in {"Schema", "SchemaProperties"} and "/properties" in finding["path"]:
        return True, "What an app sends there is ignored or refused."
    if what == "Schema" and finding["property"] == "key":
        return True, "What an app sends under the old name is ignored or refused."
    if what == "RequestBody" and kind == "added" and _get(finding["new"], "required"):
        return True, "Calls without a body are refused."
    return None


def _request_value(finding: Finding, *, shown: bool) -> tuple[bool, str] | None:
    if finding["property"] == "default" and finding["old"] is not None and finding["new"] is not None:
        return True, "A call that leaves it out does something else."
    if finding["property"] == "format" and (finding["old"], finding["new"]) in _WIDER_FORMATS:
        return False, "Smaller numbers are accepted as before."
    if was_unspecified(finding):
        if shown:
            return False, "The document says what it left open, and its own examples fit."
        return True, "Anything was accepted, as far as the document said; now it may be refused."
    return None


def was_unspecified(finding: Finding) -> bool:
    """Tell whether a finding is about a place that said nothing at all before, and now has a schema."""
    if finding["kind"] == "added":
        return finding["typeName"] == "Schema" and finding["path"].endswith("/schema")
    return finding["property"] == "type" and finding["old"] is None and "schema-type-changed" in finding["rules"]


def _response(finding: Finding, place: Location) -> tuple[bool, str] | None:
    if place.part == "response" and finding["typeName"] == "Response" and finding["kind"] == "removed":
        if place.name[:1] in {"4", "5"} or place.name == "default":
            return False, "Code that handles it is not reached, or is reached as before."
        return None
    if place.is_received and finding["kind"] == "removed" and finding["path"].endswith("/schema"):
        return True, "Anything may come now."
    if place.is_received and was_unspecified(finding) and not finding["major"]:
        return False, "The document says what it left open."
    return None


def _get(value: Any, key: str) -> Any:
    return cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
