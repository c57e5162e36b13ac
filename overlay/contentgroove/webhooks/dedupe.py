"""Dedupe keys: equal for all deliveries of one event, different for different events.

The service sends no event id. A digest of the body is not enough: a second delivery of an event can contain newly
signed URLs.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, cast

import msgspec

from contentgroove._view import to_utc

MAX_KEY_LENGTH = 400
"""In characters: short enough for an index of any database."""

# `re` compiles it on first use and caches it: few events need it, and compiling takes as long as importing this module.
_QUERY = rb'("https?://[^"\\?]*)\?(?:[^"\\]|\\.)*"'
"""In JSON text, a string that is a URL with a query."""


def dedupe_key(event: str, kind: str, resource_id: str, started: dt.datetime | str | None) -> str:
    """Return the key of an event about one run of processing of a resource.

    Args:
        event: The event's name.
        kind: The resource's type, such as `medias`.
        resource_id: The resource's id.
        started: When processing started. If it is None, all events of this name about the resource have one key.
    """
    parts = f"{event}{kind}{resource_id}"
    if ":" in parts or "%" in parts:
        event, kind, resource_id = _escape(event), _escape(kind), _escape(resource_id)
    return _storable_key(f"{event}:{kind}:{resource_id}:{_normalised_time(started)}")


def key_prefix(event: str, kind: str, resource_id: str) -> str:
    """Return the start of the keys of an event about a resource, for all runs of processing."""
    return f"{_escape(event)}:{_escape(kind)}:{_escape(resource_id)}:"


def digest_key(event: str, payload: Any) -> str:
    """Return the key of an event that does not name a resource and its run of processing.

    The digest excludes the queries of URLs, because they contain signatures and expiry times.

    Args:
        event: The event's name.
        payload: Its payload as plain JSON.
    """
    stable = re.sub(_QUERY, rb'\1"', msgspec.json.encode(payload, order="deterministic"))
    return _storable_key(f"{_escape(event)}:sha256:{_sha256(stable)}")


def payload_key(event: str, payload: Any) -> str:
    """Return the key of an unknown event: by resource and run if the payload names them, else by digest."""
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
    # Otherwise ("a:b", "c") and ("a", "b:c") would have the same key.
    return part.replace("%", "%25").replace(":", "%3A")


def _storable_key(key: str) -> str:
    # The sender chooses these parts: PostgreSQL text cannot contain NUL, and an index cannot contain megabytes.
    if len(key) <= MAX_KEY_LENGTH and key.isprintable():
        return key
    return f"sha256:{_sha256(key.encode())}"


def _sha256(content: bytes) -> str:
    # Imported here because few events need it, and its import takes a third as long as that of this package.
    import hashlib

    return hashlib.sha256(content).hexdigest()
