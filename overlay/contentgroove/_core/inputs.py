"""Checks of arguments before anything is sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from urllib.parse import urlsplit

from contentgroove.errors import InvalidInputError

from .redaction import redact_url

# Printable ASCII without what a path, a query or a proxy reads as structure. The service's ids are UUIDs; the
# documentation calls them strings, so other spellings pass.
_SAFE_ID = re.compile(r"[A-Za-z0-9_.~-]{1,200}")

MAX_COUNT = 2**31 - 1
"""What any database takes as an integer; a larger page number is a mistake."""


def short_repr(value: object) -> str:
    """Give a wrong argument as a message shows it."""
    try:
        return repr(value)[:200]
    except (ValueError, RecursionError):
        # Python does not write numbers of thousands of digits.
        return f"this {type(value).__name__}"


def check_id(value: object, what: str) -> str:
    """Give the id back if it can only lead to the resource it names.

    Args:
        value: The id as the caller gave it.
        what: What it is an id of, for the message.

    Raises:
        InvalidInputError: It is no string, empty, `.` or `..`, too long, or has a character such as `/`.
    """
    if not isinstance(value, str):
        raise InvalidInputError(
            f"A {what} id must be a string, not {type(value).__name__}: pass the .id of the {what}. Nothing was sent."
        )
    if not _SAFE_ID.fullmatch(value) or not value.strip("."):
        raise InvalidInputError(
            f"{value[:60]!r} is not a {what} id: ids are letters, digits and - _ . ~, such as "
            "9b9a2e82-5b47-4f59-831d-4c239824b983. Nothing was sent."
        )
    return value


def check_iterable(value: object, name: str) -> None:
    """Refuse one thing or one id, whose letters nobody means, where several are needed.

    Raises:
        InvalidInputError: It is that, or nothing to iterate.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidInputError(
            f"{name} must be several {name} or ids, such as a list of them, not {type(value).__name__}. "
            "Nothing was sent."
        )


def check_text(value: object, name: str) -> str:
    """Give a string back; anything else is an InvalidInputError."""
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} must be a string, not {type(value).__name__}. Nothing was sent.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{name} holds half of a surrogate pair at character {error.start}, which no UTF-8 text can carry. "
            "Nothing was sent."
        ) from error
    return value


def check_seconds(value: object, name: str) -> float:
    """Give a finite number of seconds from 0 back; anything else is an InvalidInputError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        raise InvalidInputError(
            f"{name} must be a number of seconds from 0, not {short_repr(value)}. Nothing was sent."
        )
    return float(value)


def check_url(value: object, name: str) -> str:
    """Give an http or https URL back; anything else is an InvalidInputError."""
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
    """Give a page number, page size or limit back if it is None or a whole number from 1.

    Raises:
        InvalidInputError: It is something else.
    """
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_COUNT:
        raise InvalidInputError(f"{name} must be a whole number from 1, not {short_repr(value)}. Nothing was sent.")
    return value
