"""Ransack's matchers, for the checker and for the simulator: names, values, and what is compared with what."""

from __future__ import annotations

import datetime as dt
import operator
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Kind: TypeAlias = Literal["text", "number", "boolean", "time"]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "not_eq": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_POSITIVE_PATTERNS = ("matches", "cont", "i_cont", "start", "end")
PATTERNS: dict[str, tuple[str, bool]] = {
    **{name: (name, False) for name in _POSITIVE_PATTERNS},
    **{f"not_{name}": (name, True) for name in _POSITIVE_PATTERNS[1:]},
    "does_not_match": ("matches", True),
}
"""Matchers that compare parts of texts: the positive one, and whether it is negated."""

STATES = frozenset({"present", "blank", "null", "not_null", "true", "not_true", "false", "not_false"})
LISTS = {"in": ("eq", "_any"), "not_in": ("not_eq", "_all")}
"""Matchers that take a list, and what they mean for each of its values."""

_MATCHERS = "|".join(sorted([*COMPARISONS, *PATTERNS, *STATES, *LISTS], key=len, reverse=True))
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# (assumed: filter-booleans)
# Ransack's own values: "True", which is Python's text of it, is none of them.
_BOOLEANS: dict[str, bool] = {
    **dict.fromkeys(("true", "TRUE", "t", "T", "1"), True),
    **dict.fromkeys(("false", "FALSE", "f", "F", "0"), False),
}


class FilterName(NamedTuple):
    """The parts of a filter's name, such as `name_or_description_cont_any`.

    Attributes:
        attributes: Their names in snake case.
        joint: `_or_`, `_and_`, or nothing for one attribute.
        matcher: Without `_any` and `_all`.
        several: `_any`, `_all` or nothing.
    """

    attributes: tuple[str, ...]
    joint: str
    matcher: str
    several: str


def split_name(name: str, attributes: Iterable[str]) -> FilterName | None:
    """Split a filter's name; None if it is not made of these attributes and one matcher.

    Attributes may be in camel case (assumed: filter-camel-case).
    """
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)
    known = "|".join(sorted(map(re.escape, attributes), key=len, reverse=True))
    joined = rf"(?:(?:{known})(?:_or_(?:{known}))*|(?:{known})(?:_and_(?:{known}))+)"
    found = re.fullmatch(rf"(?P<attributes>{joined})_(?P<matcher>{_MATCHERS})(?P<several>_any|_all)?", snake)
    if found is None:
        return None
    joint = "_and_" if "_and_" in found["attributes"] else "_or_"
    names = tuple(re.split(joint, found["attributes"]))
    return FilterName(names, joint if len(names) > 1 else "", found["matcher"], found["several"] or "")


def is_blank(text: str) -> bool:
    """Return whether a text has nothing but blanks, as Rails defines it."""
    return not text.strip()


def read_boolean(text: str) -> bool | None:
    """Return the boolean that ransack reads in a text; None for other texts."""
    return _BOOLEANS.get(text)


def read_time(text: str) -> dt.datetime | None:
    """Return a time in ISO 8601, in UTC if it names no zone; None for other texts."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def read_number(value: object) -> float | None:
    """Return a number, also one in a text; None for other values."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def has_part(text: str, matcher: str, part: str) -> bool:
    """Return whether a text has a part where a positive matcher of `PATTERNS` looks for it; case counts."""
    match matcher:
        case "start":
            return text.startswith(part)
        case "end":
            return text.endswith(part)
        case "matches":
            return is_like(text, part)
        case _:
            return part in text


def is_like(text: Iterable[str], pattern: str) -> bool:
    r"""Return whether a text matches a pattern of SQL's LIKE, in one step for each of its characters.

    `%` stands for any characters, `_` for one; a backslash makes the next character stand for itself.

    A regular expression would go back for each `%`. Here, bit `n` of a number tells whether the text up to here matches
    the first `n` characters of the pattern, `%` not counted, and one step moves all bits at once.
    """
    length = repeats = wild = 0
    literal: dict[str, int] = {}
    for token in re.findall(r"\\.|.", pattern, re.DOTALL):
        if token == "%":  # noqa: S105 - not a password
            repeats |= 1 << length
            continue
        if token == "_":  # noqa: S105 - not a password
            wild |= 1 << length
        else:
            literal[token[-1]] = literal.get(token[-1], 0) | 1 << length
        length += 1
    matched = 1
    for character in text:
        matched = (matched & (wild | literal.get(character, 0))) << 1 | matched & repeats
        if not matched:
            return False
    return bool(matched >> length)
