"""What is left out of the second figure: one criterion for all tools, computed from their rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.documents import parse

from .public.__main__ import compare_rules
from .public.kinds import (
    Location,
    Rule,
    changed_locations,
    checks_of_one_level,
    is_directionless,
    kind_of_locations,
    kind_of_rules,
    rules_of_list,
    rules_of_source,
)
from .public.lists import HERE, NAMES, Expected, left_out, oasdiff_rules, read_list, read_redocly, redocly_pairs

if TYPE_CHECKING:
    from pathlib import Path

NAMED = {"no effect", "announcements", "extensions", "no rule", "one level", "no direction"}
CHECKS = {
    "Credentials": {"credential-added": "safe existence add", "credential-removed": "safe existence remove"},
    "Patterns": {"pattern-added": "breaking constraints add", "pattern-removed": "safe constraints remove"},
    "MaximumSet": {"maximum-set": "warning constraints set"},
    "Defaults": {"default-added": "breaking values add", "default-removed": "breaking values remove"},
    "Modes": {"x-became-read-only": "safe mutability change", "x-became-not-read-only": "safe mutability change"},
    "Deprecation": {"deprecated": "safe lifecycle change", "date-missing": "breaking lifecycle change"},
}
RULES = rules_of_list(CHECKS)


def test_a_check_of_one_level_rates_a_change_and_its_reverse_alike() -> None:
    """A check with two levels judges; one whose rules all go one way may judge."""
    assert checks_of_one_level(RULES) == {"Credentials", "Defaults", "Modes"}


@pytest.mark.parametrize(
    ("ids", "theirs", "kind"),
    [
        (["credential-added"], "safe", "one level"),
        (["credential-removed"], "safe", "one level"),
        (["pattern-added"], "breaking", ""),
        (["pattern-removed", "credential-added"], "safe", "one level"),
        (["default-added", "pattern-added"], "breaking", ""),
        (["default-added"], "breaking", "one level"),
        (["deprecated"], "safe", "announcements"),
        (["own-rule"], "breaking", "extensions"),
        (["maximum-set"], "warning", ""),
        ([], "none", ""),
    ],
)
def test_the_kind_of_a_case(ids: list[str], theirs: str, kind: str) -> None:
    """One rule that judges makes a pair breaking; a pair is only safe if all of its rules judge so."""
    assert kind_of_rules(ids, theirs, RULES, {"extensions": ["own-*"]}) == kind


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({"sent": ["breaking", "safe"], "received": ["safe", "breaking"]}, False),
        ({"sent": ["breaking", "safe"], "received": ["breaking", "safe"]}, True),
        ({"sent": ["safe", "safe"], "received": ["safe", "safe"]}, True),
        ({"received": ["breaking", "breaking"]}, True),
        ({"received": ["breaking", "safe"]}, False),
        ({"sent": ["breaking", "safe"], "received": ["safe", "warning"]}, False),
    ],
)
def test_a_keyword_without_direction(levels: dict[str, list[str]], *, expected: bool) -> None:
    """It has the same levels in both directions, or the same level for its change and the reverse."""
    assert is_directionless(levels) is expected


def test_the_locations_where_documents_differ() -> None:
    """The outermost ones; a list is one location unless its items correspond."""
    old = {"a": {"type": "string", "pattern": "x"}, "b": [{"c": 1}], "d": [1], "e": 0, "f": [{}]}
    new = {"a": {"type": "string", "pattern": "y"}, "b": [{"c": 2}], "d": [2], "g": 0, "f": []}
    assert set(changed_locations(old, new)) == {
        Location("/a/pattern", replaced=True),
        Location("/b/0/c", replaced=True),
        Location("/d", replaced=False),
        Location("/e", replaced=False),
        Location("/g", replaced=False),
        Location("/f", replaced=False),
    }


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ({"default": 1}, {"default": 2}, "one level"),
        ({"default": 1, "type": "a"}, {"default": 2, "type": "b"}, ""),
        ({"pattern": "x"}, {"pattern": "y"}, "no direction"),
        ({"pattern": "x"}, {}, ""),
        ({"maximum": 1}, {"maximum": 2}, ""),
        ({}, {}, ""),
    ],
)
def test_the_kind_of_a_pair_of_redocly(old: dict[str, Any], new: dict[str, Any], kind: str) -> None:
    """All locations must be of the kind; a keyword that is set or dropped has a direction."""
    assert kind_of_locations({"a": old}, {"a": new}, ["/default"], ["pattern"]) == kind


def test_the_levels_of_oasdiff_are_those_of_its_cases() -> None:
    """The rules come from its source, the levels of the cases from its tests: both state the same."""
    rules = oasdiff_rules()
    known = {(id_, case.theirs) for case in read_list("oasdiff").cases for id_ in case.rules if id_ in rules}
    assert len(known) > 300
    assert {(id_, Expected(rules[id_].level)) for id_, _ in known} == known


def test_the_levels_of_openapi_diff_are_those_of_its_cases() -> None:
    """A keyword breaks in its cases only if the table says so, and always if nothing about it is compatible."""
    content = parse((HERE / "openapi_diff.yaml").read_bytes(), "openapi_diff.yaml")
    kinds = {case["case"]: case["kind"] for case in content["cases"] if "kind" in case}
    assert set(kinds.values()) == {*content["keywords"], "no effect"}
    for case in read_list("openapi_diff").cases:
        levels = content["keywords"].get(kinds.get(case.name), {})
        possible = {level == "breaking" for both in levels.values() for level in both} or {True, False}
        assert (case.theirs is Expected.BREAKING) in possible, case.name


def test_the_facts_about_redocly_are_those_that_were_measured() -> None:
    """What no rule reads never breaks, and what has no direction always does; each fact is about a pair."""
    measured = {(left_out(pair), pair.redocly == "breaking") for pair in redocly_pairs() if left_out(pair)}
    assert measured == {("one level", False), ("no direction", True)}
    paths = {location.path for pair in redocly_pairs() for location in changed_locations(pair.old, pair.new)}
    facts = read_redocly()
    for end in (*facts["unread"], *(f"/{keyword}" for keyword in facts["directionless"])):
        assert any(re.search(f"{end}$", path) for path in paths), end


@pytest.mark.parametrize("name", NAMES)
def test_each_kind_leaves_out_what_agrees_as_well(name: str) -> None:
    """Every kind has a name, and it leaves out cases that agree as well as dissents."""
    content = parse((HERE / f"{name}.yaml").read_bytes(), name)
    assert {case.get("kind", "no rule") for case in content["cases"]} <= {*NAMED, *content.get("keywords", {})}
    assert set(content.get("kinds", {})) <= NAMED
    for kind in ("no effect", "announcements", "one level"):
        outcomes = {case.ours is None for case in read_list("oasdiff").cases if case.left_out == kind}
        assert outcomes == {True, False}, kind


SOURCE = """
func GetAllRules() BackwardCompatibilityRules {
\t\tnewBackwardCompatibilityRule(AddedId, INFO, TagCheck, DirectionNone, AreaTags, KindExistence, ActionAdd),
\t\tnewBackwardCompatibilityRule(RemovedId, ERR, TagCheck, DirectionNone, AreaTags, KindExistence, ActionRemove),
"""


def test_the_rules_are_read_from_the_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A checkout proves the list: each rule that differs, or that only one of them has, is named."""
    folder = tmp_path / "checker"
    folder.mkdir()
    (folder / "rules.go").write_text(SOURCE, encoding="utf-8")
    (folder / "tags.go").write_text(
        'const (\n\tAddedId = "tag-added"\n\tRemovedId   = "tag-removed"\n)\n', encoding="utf-8"
    )
    (folder / "tags_test.go").write_text('const AddedId = "wrong"\n', encoding="utf-8")
    found = rules_of_source(tmp_path)
    added = Rule("TagCheck", "safe", "existence", "add")
    assert found == {"tag-added": added, "tag-removed": Rule("TagCheck", "breaking", "existence", "remove")}
    assert compare_rules(found, found) == 0
    assert compare_rules({"tag-added": added, "tag-changed": added}, found) == 2
    printed = capsys.readouterr().out
    assert "rule tag-changed: the list has Rule(" in printed
    assert "the source None" in printed
    assert "rule tag-removed: the list has None" in printed
    assert "tag-added" not in printed
