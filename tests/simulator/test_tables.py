"""Tables of records: which of them count as touched."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from contentgroove_mock.simulator.core.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable


def table() -> Table[int]:
    """Return a table of three records, none of which is touched."""
    made = Table({"a": 1, "b": 2, "c": 3})
    assert list(made.touched) == ["a", "b", "c"]
    made.touched.clear()
    return made


@pytest.mark.parametrize(
    ("use", "touched", "left"),
    [
        (lambda it: it["a"], ["a"], "abc"),
        (lambda it: it.get("b"), ["b"], "abc"),
        (lambda it: it.get("d"), [], "abc"),
        (lambda it: it.setdefault("c", 4), ["c"], "abc"),
        (lambda it: it.setdefault("d", 4), ["d"], "abcd"),
        (lambda it: it.update(b=5, d=6), ["b", "d"], "abcd"),
        (lambda it: it.__ior__({"d": 4}), ["d"], "abcd"),
        (lambda it: it.__delitem__("a"), ["a"], "bc"),
        (lambda it: it.pop("b"), ["b"], "ac"),
        (lambda it: it.pop("d", None), [], "abc"),
        (lambda it: it.popitem(), ["a"], "bc"),
        (lambda it: it.clear(), ["a", "b", "c"], ""),
        (lambda it: list(it.values()), ["a", "b", "c"], "abc"),
        (lambda it: list(it.items()), ["a", "b", "c"], "abc"),
        (lambda it: it.touch_all(), ["a", "b", "c"], "abc"),
        (lambda it: ("a" in it, len(it), list(it), repr(it)), [], "abc"),
        (msgspec.json.encode, [], "abc"),
        (lambda it: (it.view["a"], it.view.get("b"), "c" in it.view, len(it.view), list(it.view)), [], "abc"),
        (lambda it: (list(it.view.values()), list(it.view.items())), [], "abc"),
    ],
)
def test_uses_that_touch(use: Callable[[Any], object], touched: list[str], left: str) -> None:
    """Whatever returns, sets or deletes a record, and nothing that only reads."""
    made = table()
    use(made)
    assert (list(made.touched), "".join(made)) == (touched, left)


@pytest.mark.parametrize("use", [lambda it: it["d"], lambda it: it.pop("d"), lambda it: it.view["d"]])
def test_missing_record_is_an_error(use: Callable[[Any], object]) -> None:
    """As in a dict."""
    with pytest.raises(KeyError, match="d"):
        use(table())


def test_copies_are_independent() -> None:
    """A copy has the records, and touches of its own."""
    made = table()
    copied = copy.deepcopy(made)
    copied["d"] = 4
    assert (dict(made.view), list(made.touched)) == ({"a": 1, "b": 2, "c": 3}, ["a", "b", "c"])
    assert dict(copied.view) == {"a": 1, "b": 2, "c": 3, "d": 4}
