"""Each exchange of the corpus has the verdict that was written down for it before the rules were."""

from __future__ import annotations

from typing import get_args

import pytest
from contentgroove.verification.ledger import read_ledger
from contentgroove_mock.contract import RULES, Checker, Rule

from tests.contract.judged import found, found_rules, read_cases
from toolchain import contract_rules

CASES = read_cases()
GOALS = {"responses": (95, 3), "requests": (75, 3), "unusual": (55, 0)}
"""By what is counted: how many cases there are at least, and how many may have the wrong verdict."""


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


@pytest.mark.parametrize("kind", GOALS)
def test_each_case_has_its_verdict(checker: Checker, kind: str) -> None:
    """Exactly the rules that were expected find something."""
    wrong = {
        case.name: [*found(case, checker)]
        for case in CASES
        if case.kind == kind and found_rules(case, checker) != case.rules
    }
    assert wrong == {}


@pytest.mark.parametrize(("kind", "goal"), GOALS.items())
def test_the_goals_are_met(kind: str, goal: tuple[int, int]) -> None:
    """Few changes are missed, each for a reason; of what is correct, nothing is refused, so it has no rule."""
    least, allowed = goal
    own = [case for case in CASES if case.kind == kind]
    missed = [case for case in own if not case.rules]
    assert len(own) >= least
    if kind == "unusual":
        assert missed == own
    else:
        assert len(missed) <= allowed
        assert [case for case in own if bool(case.rules) == bool(case.missed)] == []


def test_names_are_unique() -> None:
    """A name is one exchange of a file."""
    names = [(case.kind, case.is_run, case.name) for case in CASES]
    assert len(set(names)) == len(names)


def test_the_rules_are_listed_once() -> None:
    """The list has each rule that a violation can name, and no others."""
    assert [entry.name for entry in RULES] == [*dict.fromkeys(entry.name for entry in RULES)]
    assert {entry.name for entry in RULES} == set(get_args(Rule))


def test_assumptions_are_in_the_ledger() -> None:
    """A rule that the ledger supports names its entries, and the ledger has them."""
    ledger = read_ledger()
    assert [entry.name for entry in RULES if not {*entry.assumptions} <= ledger.keys()] == []
    assert [entry.name for entry in RULES if entry.source == "ledger" and not entry.assumptions] == []


def test_a_rule_of_the_ledger_says_so(checker: Checker) -> None:
    """Such a violation names the entries: the service may be right."""
    (case,) = (case for case in CASES if case.name == "ends-before-it-starts" and case.kind == "requests")
    request = case.steps[0].exchange.request("https://api.contentgroove.com/api/v1")
    (violation,) = checker.check_request(request)
    assert "(assumed: clip-end-after-start, clip-chars)" in str(violation)


def test_each_new_rule_finds_something_in_the_corpus() -> None:
    """Rules that no exchange breaks would be silent unnoticed; others have tests of their own."""
    elsewhere = {"prism", "missing-parameter", "missing-header", "header-value", "webhook-response"}
    assert {entry.name for entry in RULES} - {rule for case in CASES for rule in case.rules} == elsewhere


def test_the_page_lists_the_rules() -> None:
    """`python -m toolchain.contract_rules` changes nothing, and the page has the counts of this corpus."""
    text = contract_rules.PAGE.read_text(encoding="utf-8")
    assert contract_rules.with_tables(text) == text
    counts = {kind: [bool(case.rules) for case in CASES if case.kind == kind] for kind in GOALS}
    for kind, word in (("responses", "responses"), ("requests", "requests")):
        assert f"{sum(counts[kind])} of {len(counts[kind])} changed {word}" in text
    assert f"none of {len(counts['unusual'])} correct" in text
