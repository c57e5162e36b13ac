"""Checks of arguments before anything is sent: each raises `InvalidInputError` for a wrong value.

The API filters lists by ransack matchers: `name_eq`, `text_cont`, `created_at_gteq`. Its document can name neither all
attributes nor all matchers that the server accepts, so unknown names are accepted; what cannot be a filter is refused.
Type checkers know the names in the document. `Sort`, `Filter` and `EventName` are for those that they do not know.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast, get_args
from urllib.parse import urlsplit

from contentgroove_api.types import FilterValue

from contentgroove.errors import InvalidInputError

from .levels import check_value_levels
from .redaction import redact_text, redact_url
from .secret import Secret

if TYPE_CHECKING:
    from collections.abc import Collection

# Printable ASCII without the characters that have a meaning in a path or a query. The service's ids are UUIDs, but the
# documentation calls them strings, so other spellings are accepted.
_SAFE_ID = re.compile(r"[A-Za-z0-9_.~-]{1,200}")

MAX_COUNT = 2**31 - 1
"""The largest integer that every database accepts; a larger page number is a mistake."""

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MAX_INTEGER_BITS = 64
"""Bits; databases do not compare longer ones."""


def invalid_input(problem: str) -> InvalidInputError:
    """Create the error of a wrong argument."""
    return InvalidInputError(f"{problem} Nothing was sent.")


def short_repr(value: object) -> str:
    """Return a short text for a value in a message, without the credentials of URLs."""
    try:
        check_value_levels(value)
        return redact_text(repr(value)[:1000])[:200]
    except (ValueError, RecursionError):
        # Python refuses to convert integers of thousands of digits; some Pythons end with what is nested deeply.
        return f"this {type(value).__name__}"


def check_id(value: object, kind: str) -> str:
    """Return an id if it cannot lead to anything but the resource that it names; `kind` is for the message."""
    if not isinstance(value, str):
        raise invalid_input(f"A {kind} id must be a string, not {type(value).__name__}: pass the .id of the {kind}.")
    if not _SAFE_ID.fullmatch(value) or not value.strip("."):
        raise invalid_input(
            f"{redact_text(value[:1000])[:60]!r} is not a {kind} id: ids consist of letters, digits and - _ . ~, such "
            "as 9b9a2e82-5b47-4f59-831d-4c239824b983."
        )
    return value


def check_iterable(value: object, name: str) -> None:
    """Check that a value is an iterable of several, not a single id, whose letters would be taken for ids."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise invalid_input(
            f"{name} must be several {name} or ids, such as a list of them, not {type(value).__name__}."
        )


def check_text(value: object, name: str) -> str:
    """Return a string that can be sent; the text of a `Secret` is not a variable when an error is raised."""
    problem = _text_problem(value, name)
    if problem is not None:
        raise invalid_input(problem)
    return _text_of(value)


def _text_problem(value: object, name: str) -> str | None:
    text: object = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(text, str):
        return f"{name} must be a string, not {type(text).__name__}."
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"{name} contains a lone surrogate at index {error.start} and cannot be encoded as UTF-8."
    return None


def _text_of(value: object) -> str:
    # As a plain string: encoders of JSON do not know subclasses, and the text of an enum's member can be its name.
    return str.__str__(value.reveal() if isinstance(value, Secret) else cast("str", value))


def check_texts(value: object, name: str, kind: str = "strings") -> list[str]:
    """Return several strings that can be sent; `kind` says what they are."""
    if isinstance(value, str):
        raise invalid_input(f"{name} must be a list of {kind}: write [{value!r}].")
    if not isinstance(value, Iterable):
        raise invalid_input(f"{name} must be a list of {kind}, not {short_repr(value)}.")
    return [check_text(item, f"each of {name}") for item in cast("Iterable[object]", value)]


def check_seconds(value: object, name: str) -> float:
    """Return a finite number of seconds from 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= sys.float_info.max:
        raise invalid_input(f"{name} must be a number of seconds from 0, not {short_repr(value)}.")
    return float(value)


def check_url(value: object, name: str) -> str:
    """Return an http or https URL."""
    problem = _text_problem(value, name) or _url_problem(value, name)
    if problem is not None:
        raise invalid_input(problem)
    return _text_of(value)


def _url_problem(value: object, name: str) -> str | None:
    text = _text_of(value)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    return None if usable else f"{name} must be an http or https URL, not {redact_url(text)[:200]!r}."


def check_count(value: object, name: str) -> int | None:
    """Return a page number, page size or limit: None or a whole number from 1."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_COUNT:
        raise invalid_input(f"{name} must be a whole number from 1, not {short_repr(value)}.")
    return value


class Sort(str):
    """A sort order that this version of the library does not know, passed on purpose.

    `list(sort=Sort("-rank"))` sends `sort=-rank` unchecked, whereas a plain string must be one of the orders in the
    API's document.
    """

    __slots__ = ()


# (assumed: filter-eq, filter-cont, filter-start, filter-by-id, filter-media-id, filter-and, filter-or, filter-any,
# filter-i-cont, filter-null)
class Filter(dict[str, FilterValue | Sequence[FilterValue]]):
    """Filters whose names type checkers do not know: built while the program runs, or of several attributes.

    `list(filter=Filter({"name_or_description_cont": "chimp"}))` sends what a plain dict would. Only type checkers tell
    them apart: they compare the keys of a plain dict with the filters of single attributes.

    The service may ignore a filter whose value is empty, and return everything (assumed: filter-blank-dropped).
    """

    __slots__ = ()


class EventName(str):
    """The name of an event that type checkers do not know, such as one that the API's document does not contain yet.

    `EventName("media.archived")` is sent and compared like the plain string.
    """

    __slots__ = ()


def check_filter(value: Mapping[str, object] | None) -> dict[str, object] | None:
    """Check a filter and return its values as the API reads them."""
    if value is None:
        return None
    mapping: object = value
    if not isinstance(mapping, Mapping):
        raise invalid_input(f"filter must be a mapping such as {{'name_eq': 'Chimp'}}, not {type(value).__name__}.")
    names: list[object] = list(value)
    for name in names:
        if not isinstance(name, str) or not _ATTRIBUTE.fullmatch(name) or "_" not in name.strip("_"):
            raise invalid_input(
                f"{name!r} is not a filter: write attribute_matcher, such as name_eq, text_cont or created_at_gteq."
            )
    return {name: check_query_value(f"filter {name}", item) for name, item in value.items()}


# A blank value is sent: it may be meant, and what the service makes of it is not known (assumed: filter-blank-dropped).
# (assumed: filter-in, filter-times, filter-numbers, filter-booleans)
def check_query_value(parameter: str, value: object) -> object:
    """Check a value, or a list of values, of a query parameter and return it as a plain one."""
    plain = _plain_scalar(parameter, value)
    if plain is not None:
        return plain
    short = short_repr(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        members = cast("Collection[object]", value)
        # Sets in a stable order, so that equal calls send equal requests.
        ordered = sorted(members, key=short_repr) if isinstance(value, (set, frozenset)) else members
        items = [_plain_scalar(parameter, item) for item in ordered]
        if items and None not in items:
            return items
    raise invalid_input(
        f"The {parameter} must be a string, a number, True or False, a date, an aware datetime, or a non-empty list of "
        f"those, not {short}."
    )


def _plain_scalar(parameter: str, value: object) -> object:
    # Converted to plain values: the text of an Enum's member that is also a string or a number can be its name.
    if isinstance(value, str):
        return check_text(value, f"The {parameter}")
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise invalid_input(
                f"The {parameter} {value!r} has no time zone: pass an aware datetime, such as one with "
                "tzinfo=datetime.UTC."
            )
        return value
    if isinstance(value, (bool, dt.date)):
        return value
    if isinstance(value, int) and value.bit_length() <= _MAX_INTEGER_BITS:
        return int(value)
    return float(value) if isinstance(value, float) and math.isfinite(value) else None


def check_sort(value: str | None, known: object) -> str | None:
    """Check a sort order; `known` is the generated `Literal` type of the orders in the API's document."""
    if value is None or isinstance(value, Sort):
        return None if value is None else check_text(value, "sort")
    orders: tuple[str, ...] = get_args(known)
    if value not in orders:
        raise invalid_input(
            f"sort must be one of {', '.join(orders)}, not {short_repr(value)}. Pass contentgroove.Sort(...) for an "
            "order that only the service knows."
        )
    return str.__str__(value)
