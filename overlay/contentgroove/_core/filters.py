"""Checks of the `filter` and `sort` arguments of lists.

The API filters by ransack matchers: `name_eq`, `text_cont`, `created_at_gteq`. Its document can name neither all
attributes nor all matchers that the server accepts, so unknown names pass; what cannot be a filter does not.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast, get_args

from contentgroove.errors import InvalidInputError

from .inputs import check_text, short_repr

if TYPE_CHECKING:
    from collections.abc import Collection

FilterValue: TypeAlias = str | int | float | bool | dt.datetime | dt.date
Filter: TypeAlias = Mapping[str, FilterValue | Sequence[FilterValue]]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MAX_INTEGER_BITS = 64
"""Bits; no database compares with longer ones."""


class Sort(str):
    """A sort order that this version of the library does not know, passed on purpose.

    `list(sort=Sort("-rank"))` sends `sort=-rank` as it is, where a plain string is checked against what the
    API's document offers.
    """

    __slots__ = ()


def check_filter(value: Filter | None) -> dict[str, object] | None:
    """Check a filter and write its values as the API reads them.

    Raises:
        InvalidInputError: A name or a value cannot be a filter.
    """
    if value is None:
        return None
    given: object = value
    if not isinstance(given, Mapping):
        raise InvalidInputError(
            f"filter must be a mapping such as {{'name_eq': 'Chimp'}}, not {type(value).__name__}. Nothing was sent."
        )
    return {_check_filter_name(name): check_query_value(f"filter {name}", item) for name, item in value.items()}


def _check_filter_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or "_" not in name.strip("_"):
        raise InvalidInputError(
            f"{name!r} is not a filter: write attribute_matcher, such as name_eq, text_cont or "
            "created_at_gteq. Nothing was sent."
        )
    return name


def check_query_value(parameter: str, value: object) -> object:
    """Check a value, or a list of values, of a query parameter and give it as a plain one.

    Args:
        parameter: The parameter, for the message.
        value: Its value as the caller gave it.

    Raises:
        InvalidInputError: It cannot be one.
    """
    plain = _plain_scalar(parameter, value)
    if plain is not None:
        return plain
    seen = short_repr(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain_scalar(parameter, item) for item in _stable_order(cast("Collection[object]", value))]
        if items and None not in items:
            return items
    raise InvalidInputError(
        f"The {parameter} cannot have the value {seen}: give a string, a number, True or False, a date, "
        "an aware datetime, or a non-empty list of those. Nothing was sent."
    )


def _plain_scalar(parameter: str, value: object) -> object:
    # Plain, because the text of a member of an Enum that is a string or a number, too, can be its name.
    if isinstance(value, str):
        return str.__str__(check_text(value, f"The {parameter}"))
    if isinstance(value, dt.datetime):
        return _check_aware(parameter, value)
    if isinstance(value, (bool, dt.date)):
        return value
    if isinstance(value, int) and value.bit_length() <= _MAX_INTEGER_BITS:
        return int(value)
    return float(value) if isinstance(value, float) and math.isfinite(value) else None


def _stable_order(values: Collection[object]) -> list[object]:
    return sorted(values, key=short_repr) if isinstance(values, (set, frozenset)) else list(values)


def _check_aware(parameter: str, value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise InvalidInputError(
            f"The value {value!r} of the {parameter} has no time zone, so it names no moment: add tzinfo, such as "
            "datetime.UTC. Nothing was sent."
        )
    return value


def check_sort(value: str | None, known: object) -> str | None:
    """Check a sort order.

    Args:
        value: The order as the caller gave it.
        known: The generated `Literal` type of the orders that the API's document offers.

    Raises:
        InvalidInputError: The document does not offer it, and it is no `Sort`.
    """
    if value is None or isinstance(value, Sort):
        return None if value is None else str(check_text(value, "sort"))
    orders: tuple[str, ...] = get_args(known)
    if value not in orders:
        raise InvalidInputError(
            f"sort={short_repr(value)} is not offered; choose one of {', '.join(orders)}, or pass "
            "contentgroove.Sort(...) for an order that only the service knows. Nothing was sent."
        )
    return str.__str__(value)
