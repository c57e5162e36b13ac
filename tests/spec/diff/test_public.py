"""The ratings are compared with those of other tools: the committed lists, and pairs that restate the public cases."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove_spec import PipelineError
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare

from .public import __main__ as program
from .public.lists import HERE, NAMES, Case, CaseList, Expected, Verdict, figures, read_list, verdict
from .public.restated import Pair, read_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.changes import Comparison

PAGE = Path(__file__).parents[3] / "docs" / "spec-changes.md"
PAIRS = read_pairs()
CHANGES = {pair.change: [other for other in PAIRS if other.change == pair.change] for pair in PAIRS}
REDOCLY = parse((HERE / "redocly.yaml").read_bytes(), "redocly.yaml")


@pytest.mark.parametrize("pairs", CHANGES.values(), ids=CHANGES)
def test_the_ratings_of_a_restated_change(pairs: list[Pair]) -> None:
    """Everywhere, the gravest change has the rating that a person gave it, and nothing was left out."""
    expected = {str(pair): pair.rating for pair in pairs}
    comparisons = {str(pair): compare(pair.old, pair.new) for pair in pairs}
    assert {name: gravest(comparison) for name, comparison in comparisons.items()} == expected
    assert not [name for name, comparison in comparisons.items() if comparison.not_compared]
    assert all(pair.reason for pair in pairs)


def gravest(comparison: Comparison) -> str:
    """Return the rating of the gravest change."""
    return str(comparison.changes[0].rating) if comparison.changes else "none"


@pytest.mark.parametrize("name", NAMES)
def test_every_dissent_has_a_reason(name: str) -> None:
    """A case either agrees or says why not; the list contains each pair once."""
    cases = read_list(name).cases
    for case in cases:
        if case.ours is None:
            assert not case.reason, case.name
        else:
            assert verdict(case.theirs, case.ours) is not Verdict.AGREES, case.name
            assert case.reason.endswith("."), case.name
    assert len({case.name for case in cases}) == len(cases)
    assert len({str((case.base, case.revision, case.edits)) for case in cases}) == len(cases)


def test_every_reason_is_used() -> None:
    """A reason is deleted with its last dissent."""
    for name in NAMES:
        content = parse((HERE / f"{name}.yaml").read_bytes(), name)
        assert {case["reason"] for case in content["cases"] if "reason" in case} == set(content["reasons"]), name


def test_every_kind_of_public_case_is_restated() -> None:
    """Each rule of oasdiff's cases and of Redocly has a restated pair, except oasdiff's own extensions."""
    cases = read_list("oasdiff")
    rules = {f"o:{rule}" for case in cases.cases for rule in case.rules} | {f"r:{rule}" for rule in REDOCLY["rules"]}
    patterns = {pattern for pair in PAIRS for pattern in pair.like}
    unlike = {rule for rule in rules if not any(fnmatchcase(rule, pattern) for pattern in patterns)}
    assert not {rule for rule in unlike if not is_own(rule.removeprefix("o:"), cases)}
    assert not {pattern for pattern in patterns if not any(fnmatchcase(rule, pattern) for rule in rules)}


def is_own(rule: str, cases: CaseList) -> bool:
    """Return whether a rule is about an extension that its tool defined, or about an announcement."""
    return any(fnmatchcase(rule, pattern) for patterns in cases.kinds.values() for pattern in patterns)


def test_the_lists_are_wide() -> None:
    """The cases of each tool that were found stay in the lists."""
    assert Counter({name: len(read_list(name).cases) for name in NAMES}) >= Counter(
        {"oasdiff": 566, "openapi_diff": 128, "swagger_brake": 10}
    )
    assert {pair.rating for pair in PAIRS} == {"breaking", "safe", "documentation", "none"}


def test_the_report_shows_the_figures() -> None:
    """The page contains the table that the program prints."""
    page = PAGE.read_text(encoding="utf-8")
    for row in figures():
        assert f"| {' | '.join(row)} |" in page


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (Expected.BREAKING, Rating.SAFE, Verdict.MISSED),
        (Expected.BREAKING, None, Verdict.MISSED),
        (Expected.BREAKING, Rating.BREAKING, Verdict.AGREES),
        (Expected.SAFE, Rating.BREAKING, Verdict.FALSE_ALARM),
        (Expected.NONE, Rating.BREAKING, Verdict.FALSE_ALARM),
        (Expected.NONE, Rating.DOCUMENTATION, Verdict.AGREES),
        (Expected.SAFE, None, Verdict.AGREES),
        (Expected.WARNING, Rating.BREAKING, Verdict.AGREES),
        (Expected.WARNING, None, Verdict.AGREES),
    ],
)
def test_the_verdict(theirs: Expected, ours: Rating | None, expected: Verdict) -> None:
    """Only what breaks for one and not for the other is a dissent."""
    assert verdict(theirs, ours) is expected


OLD = "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {/a: {get: {responses: {'200': {description: A}}}}}\n"
NEW = OLD.replace("get:", "post:")


def folder_with(path: Path) -> Path:
    """Write two documents."""
    for name, text in (("old.yaml", OLD), ("new.yaml", NEW)):
        (path / name).write_text(text, encoding="utf-8")
    return path


def cases_of(*cases: Case) -> CaseList:
    """Return a list of cases."""
    return CaseList("some", "example/some", "0", "", {}, {}, cases)


def test_the_program_compares_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It counts agreement and dissents, applies the edits of the other tool's test, and names what is not listed."""
    edit = [{"op": "add", "path": "/paths/~1a/get", "value": {"responses": {"200": {"description": "A"}}}}]
    cases = cases_of(
        Case("Removed", "old.yaml", "new.yaml", Expected.BREAKING),
        Case("RemovedAgain", "old.yaml", "new.yaml", Expected.SAFE),
        Case("Kept", "old.yaml", "new.yaml", Expected.BREAKING, edits=([], edit)),
    )
    assert program.compare_list(cases, folder_with(tmp_path), print_all=False) == 2
    printed = capsys.readouterr().out
    assert "some: 3 cases, 1 agree (33.3 %), 1 missed, 1 false alarm, 0 refused, 0 crashed" in printed
    assert "RemovedAgain: false alarm (safe)" in printed
    assert "Kept: missed (breaking)" in printed
    assert "Removed: " not in printed


def test_the_program_counts_what_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused document and a crash are outcomes of their own."""
    errors: Iterator[Exception] = iter([PipelineError("Too old."), KeyError("paths")])

    def failing(*_: Any) -> None:
        raise next(errors)

    monkeypatch.setattr(program, "compare", failing)
    case = Case("Removed", "old.yaml", "new.yaml", Expected.BREAKING)
    assert program.compare_list(cases_of(case, case), folder_with(tmp_path), print_all=False) == 2
    printed = capsys.readouterr().out
    assert "1 refused, 1 crashed" in printed
    assert "refused (breaking): Too old." in printed
    assert "crashed (breaking): KeyError" in printed


def test_the_program_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a folder, it prints the table of the lists; an unknown name is an error."""
    assert program.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [" | ".join(row) for row in figures()]
    with pytest.raises(SystemExit):
        program.main(["other=folder"])
    assert "must be NAME=FOLDER" in capsys.readouterr().err
