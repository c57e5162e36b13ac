"""Name events so that every delivery of one event has the same name, and no other event has it.

The service sends no event id. A digest of the body would not do: a second delivery of the same event can carry
freshly signed URLs.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, cast

import msgspec

from contentgroove._model_base import to_utc

MAX_KEY_LENGTH = 400
"""Characters: short enough for an index of any database."""

# Compiled by `re` when first used, and kept there: few events need it, and compiling takes as long as importing this.
_QUERY = rb'("https?://[^"\\?]*)\?(?:[^"\\]|\\.)*"'
"""In JSON text, a string that is a URL with a query."""


def dedupe_key(event: str, kind: str, resource_id: str, started: dt.datetime | str | None) -> str:
    """Name an event after what happened to which resource in which run of processing.

    Args:
        event: The event's name.
        kind: The resource's type, such as `medias`.
        resource_id: The resource's id.
        started: When processing began; without it, every event of this name about this resource is the same one.
    """
    parts = f"{event}{kind}{resource_id}"
    if ":" in parts or "%" in parts:
        event, kind, resource_id = _escape(event), _escape(kind), _escape(resource_id)
    return _storable_key(f"{event}:{kind}:{resource_id}:{_normalised_time(started)}")


def key_prefix(event: str, kind: str, resource_id: str) -> str:
    """Give what the names of an event about a resource begin with, whichever the run of processing."""
    return f"{_escape(event)}:{_escape(kind)}:{_escape(resource_id)}:"


def digest_key(event: str, payload: Any) -> str:
    """Name an event that does not say which run of processing of which resource it is about.

    The digest leaves out the queries of URLs, where signatures and their expiry are.

    Args:
        event: The event's name.
        payload: Its payload as plain JSON.
    """
    stable = re.sub(_QUERY, rb'\1"', msgspec.json.encode(payload, order="deterministic"))
    return _storable_key(f"{_escape(event)}:sha256:{_sha256(stable)}")


def payload_key(event: str, payload: Any) -> str:
    """Name an event that this version does not know by the members that the known one has, else by its content."""
    data = _member(payload, "data")
    kind, resource_id = _member(data, "type"), _member(data, "id")
    started = _member(_member(data, "attributes"), "processing_started_at")
    if isinstance(kind, str) and isinstance(resource_id, str) and isinstance(started, str):
        return dedupe_key(event, kind, resource_id, started)
    return digest_key(event, payload)


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _normalised_time(started: dt.datetime | str | None) -> str:
    if started is None:
        return ""
    if isinstance(started, str):
        try:
            return _normalised_time(msgspec.convert(started, dt.datetime))
        except msgspec.ValidationError:
            return started
    if started.tzinfo is not dt.UTC:
        started = to_utc(started).astimezone(dt.UTC)
    return started.isoformat()


def _escape(part: str) -> str:
    # So that ("a:b", "c") and ("a", "b:c") differ.
    return part.replace("%", "%25").replace(":", "%3A")


def _storable_key(key: str) -> str:
    # Whoever POSTs chooses these parts: NUL is no text in PostgreSQL, and megabytes fit no index.
    if len(key) <= MAX_KEY_LENGTH and key.isprintable():
        return key
    return f"sha256:{_sha256(key.encode())}"


def _sha256(content: bytes) -> str:
    # Few events need it, and it takes as long to import as a third of this package.
    import hashlib

    return hashlib.sha256(content).hexdigest()
