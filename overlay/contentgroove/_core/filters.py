"""Checks of the `filter` and `sort` arguments of lists.

The API filters by ransack matchers: `name_eq`, `text_cont`, `created_at_gteq`. Its document can name neither all
attributes nor all matchers that the server accepts, so unknown names pass; what cannot be a filter does not.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, cast, get_args

from contentgroove.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Scalar: TypeAlias = "str | int | float | bool | dt.datetime | dt.date"
FilterValue: TypeAlias = "Scalar | Sequence[Scalar]"
Filter: TypeAlias = "Mapping[str, FilterValue]"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


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
    return {_check_name(name): _check_value(name, item) for name, item in value.items()}


def _check_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or "_" not in name.strip("_"):
        raise InvalidInputError(
            f"{name!r} is not a filter: write attribute_matcher, such as name_eq, text_cont or "
            "created_at_gteq. Nothing was sent."
        )
    return name


def _check_value(name: str, value: object) -> object:
    if isinstance(value, (str, bool, int, dt.date)):
        return _moment(value) if isinstance(value, dt.datetime) else value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_check_value(name, item) for item in _ordered(cast("Collection[object]", value))]
        if items and not any(isinstance(item, list) for item in items):
            return items
    raise InvalidInputError(
        f"The filter {name} cannot have the value {value!r}: give a string, a number, True or False, a date, "
        "an aware datetime, or a non-empty list of those. Nothing was sent."
    )


def _ordered(values: Collection[object]) -> list[object]:
    return sorted(values, key=repr) if isinstance(values, (set, frozenset)) else list(values)


def _moment(value: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        raise InvalidInputError(
            f"The filter value {value!r} has no time zone, so it names no moment: add tzinfo, such as "
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
        return None if value is None else str(value)
    orders: tuple[str, ...] = get_args(known)
    if value not in orders:
        raise InvalidInputError(
            f"sort={value!r} is not offered; choose one of {', '.join(orders)}, or pass "
            "contentgroove.Sort(...) for an order that only the service knows. Nothing was sent."
        )
    return value
