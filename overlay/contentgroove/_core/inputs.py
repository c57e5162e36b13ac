"""Checks of arguments before anything is sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from urllib.parse import urlsplit

from contentgroove.errors import InvalidInputError

from .redaction import redact_url

# Printable ASCII without the characters that have a meaning in a path or a query. The service's ids are UUIDs, but the
# documentation calls them strings, so other spellings are accepted.
_SAFE_ID = re.compile(r"[A-Za-z0-9_.~-]{1,200}")

MAX_COUNT = 2**31 - 1
"""The largest integer that every database accepts; a larger page number is a mistake."""


def short_repr(value: object) -> str:
    """Return a short text for a value in a message."""
    try:
        return repr(value)[:200]
    except (ValueError, RecursionError):
        # Python refuses to convert integers of thousands of digits.
        return f"this {type(value).__name__}"


def check_id(value: object, kind: str) -> str:
    """Return the id if it cannot lead to anything but the resource that it names.

    Args:
        value: The id.
        kind: The kind of resource, for the message.

    Raises:
        InvalidInputError: It is not a string, is empty, `.` or `..`, is too long, or has a character such as `/`.
    """
    if not isinstance(value, str):
        raise InvalidInputError(
            f"A {kind} id must be a string, not {type(value).__name__}: pass the .id of the {kind}. Nothing was sent."
        )
    if not _SAFE_ID.fullmatch(value) or not value.strip("."):
        raise InvalidInputError(
            f"{value[:60]!r} is not a {kind} id: ids consist of letters, digits and - _ . ~, such as "
            "9b9a2e82-5b47-4f59-831d-4c239824b983. Nothing was sent."
        )
    return value


def check_iterable(value: object, name: str) -> None:
    """Check that a value is an iterable of several, not a single id, whose letters would be taken for ids.

    Raises:
        InvalidInputError: It is not.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidInputError(
            f"{name} must be several {name} or ids, such as a list of them, not {type(value).__name__}. "
            "Nothing was sent."
        )


def check_text(value: object, name: str) -> str:
    """Return a string; raise InvalidInputError for anything else."""
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be a string, not {type(value).__name__}. Nothing was sent.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{name} contains a lone surrogate at index {error.start} and cannot be encoded as UTF-8. Nothing was sent."
        ) from error
    return value


def check_seconds(value: object, name: str) -> float:
    """Return a finite number of seconds from 0; raise InvalidInputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        raise InvalidInputError(
            f"{name} must be a number of seconds from 0, not {short_repr(value)}. Nothing was sent."
        )
    return float(value)


def check_url(value: object, name: str) -> str:
    """Return an http or https URL; raise InvalidInputError for anything else."""
    text = check_text(value, name)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInputError(
            f"{name} must be an http or https URL, not {redact_url(text)[:200]!r}. Nothing was sent."
        )
    return text


def check_count(value: object, name: str) -> int | None:
    """Return a page number, page size or limit: None or a whole number from 1.

    Raises:
        InvalidInputError: It is something else.
    """
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_COUNT:
        raise InvalidInputError(f"{name} must be a whole number from 1, not {short_repr(value)}. Nothing was sent.")
    return value
