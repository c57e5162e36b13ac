"""Compares what a call passes with what the referee reads: they must be equal, as far as the wire can tell."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, cast

Json: TypeAlias = dict[str, Any]


def differs(expected: Any, found: Any, encoded: dict[str, bytes]) -> bool:  # noqa: PLR0911 - one for each kind
    """Return whether a value that was read is another one than that which was passed.

    A text that was read can stand for a number, a boolean or JSON, because a URL or a form has no types.

    Args:
        expected: The argument.
        found: What the referee read.
        encoded: The bytes that are expected for each base64 which is to be decoded.
    """
    if isinstance(expected, str) and expected in encoded:
        return found not in (encoded[expected], encoded[expected].decode("latin-1"))
    if isinstance(found, bytes):
        try:
            found = found.decode()
        except UnicodeDecodeError:
            return True
    if isinstance(expected, str):
        return bool(found != expected)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return True
    if isinstance(expected, bool) or expected is None or isinstance(found, bool):
        return found is not expected
    if isinstance(expected, dict):
        return not isinstance(found, dict) or _members_differ(cast("Json", expected), cast("Json", found), encoded)
    if isinstance(expected, list):
        items = cast("list[Any]", expected)
        others = cast("list[Any]", found) if isinstance(found, list) else [found]
        if len(items) != len(others):
            return True
        return any(differs(item, other, encoded) for item, other in zip(items, others, strict=True))
    return bool(found != expected)


def _members_differ(expected: Json, found: Json, encoded: dict[str, bytes]) -> bool:
    return expected.keys() != found.keys() or any(differs(expected[name], found[name], encoded) for name in expected)


def as_sent(value: Any) -> Any:
    """Return a value as parameters and forms can contain it: without what is null, and without what is empty."""
    if isinstance(value, dict):
        members = {name: as_sent(item) for name, item in cast("Json", value).items()}
        return {name: item for name, item in members.items() if item is not None and item not in ([], {})}
    if isinstance(value, list):
        items = [as_sent(item) for item in cast("list[Any]", value)]
        return [item for item in items if item is not None and item not in ([], {})]
    return value
