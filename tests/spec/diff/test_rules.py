"""Each rule has an example pair, which is compared in both directions and has the ratings that the corpus says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from contentgroove_spec.changes import Direction, Rating
from contentgroove_spec.compare import compare
from contentgroove_spec.rules import RULES

from .conftest import CORPUS

EXAMPLES: dict[str, dict[str, Any]] = {
    rule: example
    for path in sorted((CORPUS / "rules").glob("*.yaml"))
    for rule, example in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}
CASES = [
    pytest.param(rule, direction, id=f"{rule}: {direction}")
    for rule in sorted({*RULES, *EXAMPLES})
    for direction in Direction
]
COMPONENTS = {
    "schemas": {"Cat": {"type": "object", "properties": {"a": {}}}, "Dog": {"type": "object", "required": ["b"]}},
    "securitySchemes": {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "login": {"type": "oauth2", "flows": {}},
    },
}


def document(example: dict[str, Any], direction: Direction, side: str) -> dict[str, Any]:
    """Put one side of an example at a location where an app sends or receives it."""
    result: dict[str, Any] = {
        "openapi": example.get("version", "3.0.3"),
        "info": {"title": "Things", "version": "1"},
        "components": COMPONENTS,
        "paths": {},
    }
    if "document" in example:
        return {**result, **example["document"][side]}
    item = example["item"][side] if "item" in example else {"post": operation(example, direction, side)}
    calls = (direction is Direction.SENT) == sends_in_calls(example)
    if "secured" in example:
        result["components"] = {"securitySchemes": {"key": example["secured"][side]}}
    if calls or "schema" in example or "property" in example:
        result["paths"] = {"/things": item}
    else:
        result |= {"openapi": "3.1.0", "webhooks": {"thing.done": item}}
    return result


def sends_in_calls(example: dict[str, Any]) -> bool:
    """Whether an app sends what the example is about in calls, and not in responses to webhooks."""
    return "responses" not in {
        *example.get("operation", {}).get("old", {}),
        *example.get("operation", {}).get("new", {}),
    }


def operation(example: dict[str, Any], direction: Direction, side: str) -> dict[str, Any]:
    """The operation that has one side of an example."""
    if "operation" in example:
        return dict(example["operation"][side])
    if "secured" in example:
        return {"security": [{"key": []}]}
    if "parameter" in example:
        return {"parameters": [{"name": "q", "in": "query", "schema": example["parameter"][side]}]}
    schema = example["schema"][side] if "schema" in example else None
    if "property" in example:
        schema = {"type": "object", "properties": {"value": example["property"][side]}}
    media = {"schema": schema} | ({"example": example["example"]} if "example" in example else {})
    content = {"content": {"application/json": media}}
    return {"requestBody": content} if direction is Direction.SENT else {"responses": {"200": content}}


@pytest.mark.parametrize(("rule", "direction"), CASES)
def test_the_rating_of_a_rule(rule: str, direction: Direction) -> None:
    """The example is found by this rule, with its rating for who sends and for who receives."""
    example = EXAMPLES[rule]
    expected = Rating(example[direction])
    assert RULES[rule].verdict(direction).rating is expected
    found = (
        RULES["schema-specified"] if rule.endswith("-exemplified") and direction is Direction.RECEIVED else RULES[rule]
    )
    comparison = compare(*(document(example, direction, side) for side in ("old", "new")))
    assert comparison.not_compared == ()
    (change,) = [change for change in comparison.changes if change.rule == found.id]
    assert change.rating is expected
    assert change.reason == RULES[rule].verdict(direction).reason
    assert {use.rating for use in change.uses} <= {expected}
    assert {use.direction for use in change.uses} <= {direction, None}
    # What is not the rule's own change is not graver.
    assert max((list(Rating).index(expected), 1)) >= list(Rating).index(change.rating)


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_nothing_changes(rule: str) -> None:
    """Either side of each example is equal to itself."""
    for side in ("old", "new"):
        same = document(EXAMPLES[rule], Direction.SENT, side)
        comparison = compare(same, same)
        assert comparison.changes == ()
        assert comparison.identical


def test_a_rule_says_what_changed() -> None:
    """Every row has a word, texts and reasons, and its id tells it apart."""
    for rule_id, rule in RULES.items():
        assert rule.id == rule_id == rule_id.lower()
        assert rule.word
        assert rule.text.endswith(".")
        for direction in Direction:
            assert rule.verdict(direction).reason.endswith(".")
