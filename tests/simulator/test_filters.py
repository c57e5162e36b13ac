"""The grammar of filters: every attribute with every matcher of the contract, and rules for all of them."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contentgroove_mock
import msgspec
import pytest
from contentgroove_mock.contract import matchers as ransack
from contentgroove_mock.simulator.core import listing
from contentgroove_mock.simulator.core.errors import ErrorResponse
from contentgroove_mock.simulator.core.filtering import parse_filter

from tests.simulator.test_lists import FILTERS

if TYPE_CHECKING:
    from contentgroove_mock.contract.matchers import Kind

    from tests.simulator.driver import Driver

LISTS: dict[str, dict[str, Kind]] = {
    "/medias": listing.MEDIA_ATTRIBUTES,
    "/clips": listing.CLIP_ATTRIBUTES,
    "/webhook_subscriptions": listing.SUBSCRIPTION_ATTRIBUTES,
}
FITTING: dict[Kind, str] = {"text": "film", "number": "2.5", "boolean": "true", "time": "2026-01-01T00:00:00Z"}
STATES = ("present", "blank", "null", "not_null", "true", "not_true", "false", "not_false")
ODD = [
    "",
    " ",
    "film",
    "-1",
    "1e999",
    "nan",
    "9" * 400,
    "0x1",
    "2026-13-45",
    "2026-01-01",
    "\x00",
    "\ud800",
    "%",
    "\\",
    "[",
    "é",
]


def grammar(path: str) -> tuple[set[str], list[str]]:
    """Return the attributes and the matchers that the contract allows in a list's filters."""
    contract = json.loads(Path(contentgroove_mock.__file__).with_name("contract.json").read_text("utf-8"))
    (schema,) = (item["schema"] for item in contract["paths"][path]["get"]["parameters"] if item["name"] == "filter")
    attributes, _, _, matchers = re.findall(r"\(([a-zA-Z_|]+)\)", schema["x-propertyNames"]["pattern"])[:4]
    return set(attributes.split("|")), matchers.split("|")


@pytest.mark.parametrize("path", LISTS)
def test_simulator_and_contract_name_the_same_filters(path: str) -> None:
    """The contract and the simulator have the same filters."""
    attributes, matchers = grammar(path)
    # The published example spells this attribute in camelCase.
    assert attributes - {"sourceUrl"} == set(LISTS[path])
    assert set(matchers) == {*ransack.COMPARISONS, *ransack.PATTERNS, *ransack.STATES, *ransack.LISTS}


def test_each_matcher_has_an_example() -> None:
    """Each matcher of the contract has a filter in FILTERS, whose results were written by hand."""
    _, matchers = grammar("/medias")
    tried = {query.partition("=")[0].partition("]")[0] for query, _ in FILTERS}
    untried = [
        matcher
        for matcher in matchers
        if not any(re.fullmatch(rf"\w*[a-z]_{matcher}(_any|_all)?", name) for name in tried)
    ]
    assert untried == []


@pytest.mark.anyio
@pytest.mark.parametrize("path", LISTS)
async def test_every_attribute_takes_every_matcher(driver: Driver, path: str) -> None:
    """Each pair is accepted with values that fit; here all matchers of an attribute in one request."""
    await driver.finished(name="film")
    await driver.subscribe()
    _, matchers = grammar(path)
    for attribute, kind in LISTS[path].items():
        query = {
            f"filter[{attribute}_{matcher}]": "true" if matcher in STATES else FITTING[kind] for matcher in matchers
        }
        response = await driver.api.get(path, params=query)
        assert response.status_code == 200, (attribute, response.text)


@pytest.mark.parametrize("path", LISTS)
def test_odd_values_are_read_or_rejected(path: str) -> None:
    """A filter with any value is either evaluated or rejected with 400."""
    attributes: dict[str, Any] = dict.fromkeys(LISTS[path])
    values: dict[Kind, object] = {"text": "film", "number": 2.5, "boolean": True, "time": "2026-01-01T00:00:00.000Z"}
    statuses: set[int] = set()
    results: set[object] = set()
    _, matchers = grammar(path)
    for (attribute, kind), matcher, value in itertools.product(LISTS[path].items(), matchers, ODD):
        try:
            condition = parse_filter(f"{attribute}_{matcher}", [value], LISTS[path])
        except ErrorResponse as error:
            statuses.add(error.status)
            msgspec.json.encode(error.body)
        else:
            assert (condition is None) == (not value.strip())
            if condition is not None:
                results |= {condition(attributes | {attribute: value}) for value in (None, values[kind])}
    assert (statuses, results) == ({400}, {True, False})


@pytest.mark.parametrize("matcher", ["eq", "lt", "lteq", "gt", "gteq", "matches", "cont", "i_cont", "start", "end"])
@pytest.mark.parametrize("name", ["", "a", "alpha", "Alpha", "beta", "100%"])
def test_lists_of_values_combine_single_ones(matcher: str, name: str) -> None:
    """`_any` is satisfied if one value is, `_all` if each is, and `not_` if the plain matcher is not."""

    def satisfied(filter_name: str, *values: str) -> bool:
        condition = parse_filter(filter_name, values, LISTS["/medias"])
        assert condition is not None
        return condition({"name": name})

    values = ("a", "Alpha", "%a", "_")
    single = [satisfied(f"name_{matcher}", value) for value in values]
    assert satisfied(f"name_{matcher}_any", *values) is any(single)
    assert satisfied(f"name_{matcher}_all", *values) is all(single)
    if matcher in {"eq", "matches", "cont", "i_cont", "start", "end"}:
        negative = "does_not_match" if matcher == "matches" else f"not_{matcher}"
        assert [satisfied(f"name_{negative}", value) for value in values] == [not satisfies for satisfies in single]


@pytest.mark.parametrize("name", ["", "a", "beta"])
def test_in_is_equal_to_any(name: str) -> None:
    """`_in` finds what `_eq_any` finds, `_not_in` the remaining items; a null is in neither."""
    values = ("a", "b")
    for value in (name, None):
        found = {
            matcher: condition({"name": value})
            for matcher in ("in", "not_in", "eq_any", "not_eq_all")
            if (condition := parse_filter(f"name_{matcher}", values, LISTS["/medias"]))
        }
        assert found["in"] is found["eq_any"] is (value == "a")
        assert found["not_in"] is found["not_eq_all"] is (value not in {"a", None})
