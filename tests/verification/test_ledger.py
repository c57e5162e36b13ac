"""The ledger of assumptions: its form, its evidence, and that code and entries refer to each other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove.verification import run
from contentgroove.verification.checks import CHECKS
from contentgroove.verification.ledger import read_ledger
from contentgroove.verification.report import MAX_TEXT

from toolchain import assumptions

if TYPE_CHECKING:
    from pathlib import Path

LEDGER = read_ledger()
PUBLISHED = parse((assumptions.ROOT / "spec" / "openapi.yaml").read_bytes(), "openapi.yaml")

UNMARKED = re.compile(r"\bassum\w*|\bguess\w*|\bnot documented\b|\bdoes not document\b|\bundocumented\b", re.IGNORECASE)
NO_ASSUMPTIONS = {
    "overlay/contentgroove/_core/retries.py": "what a parser of Python guesses",
    "overlay/contentgroove/_core/uploads.py": "the function that recognises media types",
    "overlay/contentgroove/_io/source_checks.py": "the function that recognises media types",
    "overlay/contentgroove/tools/results.py": "errors whose class is not in the documentation",
    "mockserver/contentgroove_mock/contract/checker.py": "the name of a variable",
    "mockserver/contentgroove_mock/contract/violations.py": "the entries that a rule names, which a test looks up",
    "docs/spec-changes.md": "how the scaffold marks decisions in the code that it writes",
    "overlay/contentgroove/cli/help_pages.py": "mistyped commands",
    "overlay/contentgroove/tools/binary_values.py": "the function that recognises media types",
    "overlay/contentgroove/tools/bodies.py": "the function that recognises media types",
    "mockserver/contentgroove_mock/coverage/matrix.py": "statuses that the contract does not have",
    "mockserver/contentgroove_mock/coverage/page.py": "statuses that the contract does not have",
    "mockserver/contentgroove_mock/coverage/reports.py": "statuses that the contract does not have",
    "docs/testing.md": "statuses that the contract does not have",
    "mockserver/contentgroove_mock/inspector/views.py": "statuses that the contract does not have",
    "README.md": "the page of all of them",
    "docs/ci.md": "the command about all of them",
    "docs/index.md": "the page of all of them",
    "docs/limits.md": "how many there are, and what nothing documents, about which nothing is assumed",
    "docs/waiting.md": "what nothing documents, about which nothing is assumed",
    "overlay/contentgroove/cli/doctor.py": "the help of --verify",
    "overlay/contentgroove/cli/verification.py": "the command about all of them",
}
"""Files in which the words mean something else, and what. The package `verification` is about all assumptions."""


def test_every_entry_has_a_check_or_a_reason() -> None:
    """An entry names what checks it, and there is a check for it and for no others."""
    assert sorted(CHECKS) == sorted(name for name, entry in LEDGER.items() if entry.check != "none")
    assert all(re.fullmatch(assumptions._ID, name) for name in LEDGER)
    assert {module.__name__.rpartition(".")[2] for module in run.MODULES} == {
        path.stem for path in (assumptions.LEDGER.parent).glob("*.py") if "@check(" in path.read_text(encoding="utf-8")
    } - {"checks"}


def test_reports_have_room_for_every_text() -> None:
    """No text of the ledger is cut in a report."""
    assert max(len(text) for entry in LEDGER.values() for text in (entry.statement, entry.if_wrong)) < MAX_TEXT


VALID = {
    "area": "'keys'",
    "statement": "'x'",
    "evidence": "[{strength = 'guess', source = 'z'}]",
    "relied_on": "[]",
    "if_wrong": "'y'",
    "check": "'reading'",
}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"evidence": "1"}, "evidence"),
        ({"evidence": "[]"}, "needs evidence"),
        ({"evidence": "[{strength = 'hope', source = 'z'}]"}, "hope"),
        ({"check": "'none'"}, "untried"),
        ({"untried": "'because'"}, "untried"),
        ({"mood": "1"}, "mood"),
        ({"area": "'weather'"}, "weather"),
    ],
)
def test_a_wrong_entry_is_named(changed: dict[str, str], problem: str) -> None:
    """A ledger with an entry of another form cannot be read."""

    def text(values: dict[str, str]) -> str:
        return "\n".join(["[a-b]", *(f"{name} = {value}" for name, value in values.items())])

    assert list(read_ledger(text(VALID))) == ["a-b"]
    with pytest.raises(ValueError, match=f"(?s)a-b.*{problem}"):
        read_ledger(text({**VALID, **changed}))


@pytest.mark.parametrize("identifier", LEDGER)
def test_evidence_can_be_looked_up(identifier: str) -> None:
    """Pointers lead to something in the published document; other sources name a client, a library or a standard."""
    for evidence in LEDGER[identifier].evidence:
        if evidence.strength in {"prose", "example"}:
            pointer, _, heading = evidence.source.removeprefix("openapi.yaml#").partition(" (")
            found = followed(PUBLISHED, pointer)
            if heading:
                assert re.search(rf"^# {re.escape(heading.removesuffix(')'))}$", str(found), re.MULTILINE)
        elif evidence.strength == "outside":
            assert "github.com/" in evidence.source
        else:
            assert len(evidence.source) >= 10


def followed(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to; raises a LookupError if that is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def test_entries_and_code_refer_to_each_other() -> None:
    """Each entry is referred to by exactly the files that it lists, and each reference is to an entry."""
    found = {name: tuple(sorted(files)) for name, files in assumptions.references().items()}
    assert found == {name: entry.relied_on for name, entry in LEDGER.items()}


def test_no_assumption_lacks_an_entry() -> None:
    """The words for assumptions are only written with the id of an entry."""
    found = [
        f"{name}: …{text[max(0, match.start() - 60) : match.end() + 60]}…"
        for path in assumptions.sources()
        if (name := path.relative_to(assumptions.ROOT).as_posix()) not in NO_ASSUMPTIONS
        and path.suffix != ".yaml"
        and path.parent != assumptions.LEDGER.parent
        for text in [assumptions.plain_text(path)]
        for match in UNMARKED.finditer(text)
        if not assumptions._REFERENCE.match(text, match.start()) and "assumptions" not in match[0]
    ]
    assert found == []
    assert [
        name for name in NO_ASSUMPTIONS if not UNMARKED.search(assumptions.plain_text(assumptions.ROOT / name))
    ] == []


def test_corrections_name_what_they_assume() -> None:
    """A correction whose text says that something is assumed has `x-assumes`."""
    overlay = parse((assumptions.ROOT / "spec" / "corrections.overlay.yaml").read_bytes(), "corrections")
    lacking = [
        action["description"]
        for action in overlay["actions"]
        if "assumed" in json.dumps(action.get("update", {})) + action["description"] and not action.get("x-assumes")
    ]
    assert lacking == []
    assert not {name for action in overlay["actions"] for name in action.get("x-assumes", ())} - LEDGER.keys()


def test_the_page_is_up_to_date() -> None:
    """`python -m toolchain.assumptions page` changes nothing."""
    assert assumptions.PAGE.read_text(encoding="utf-8") == assumptions.page(LEDGER)


def verdict(identifier: str, found: str, seen: str, **changed: str) -> dict[str, str]:
    """Return a result of a report."""
    statement = LEDGER[identifier].statement if identifier in LEDGER else "It is so."
    return {"id": identifier, "verdict": found, "seen": seen, "statement": statement, **changed}


REPORT = {
    "package": "contentgroove 9.8.7",
    "date": "2026-03-01T10:00:00Z",
    "base_url": "https://api.contentgroove.com/api/v1",
    "results": [
        verdict("key-bearer", "confirmed", "GET /medias returned 200."),
        verdict("page-zero", "refuted", 'It is "1" \\ and more.'),
        verdict("retry-after", "not tried", "No."),
    ],
}


def test_verdicts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report's verdicts are written into the ledger and onto the page; a later one replaces them."""
    ledger, page, report = tmp_path / "ledger.toml", tmp_path / "page.md", tmp_path / "report.json"
    original = assumptions.LEDGER.read_text(encoding="utf-8")
    ledger.write_text(original, encoding="utf-8")
    monkeypatch.setattr(assumptions, "LEDGER", ledger)
    monkeypatch.setattr(assumptions, "PAGE", page)
    for day in (1, 2):
        report.write_text(json.dumps({**REPORT, "date": f"2026-03-0{day}T10:00:00Z"}), encoding="utf-8")
        assert assumptions.main(["keep", str(report)]) == 0
    kept = read_ledger(ledger.read_text(encoding="utf-8"))
    assert kept.keys() == LEDGER.keys()
    assert str(kept["key-bearer"].verified and kept["key-bearer"].verified.on) == "2026-03-02"
    assert kept["page-zero"].verified is not None
    assert kept["page-zero"].verified.seen == 'It is "1" \\ and more.'
    assert kept["retry-after"].verified is None
    assert ledger.read_text(encoding="utf-8").count("verified = ") == 2
    text = page.read_text(encoding="utf-8")
    assert "Verdicts that were kept: 1 confirmed, 1 refuted." in text
    assert (
        f"| [page-zero](#page-zero) | {LEDGER['page-zero'].statement} | guess | reading | **refuted** on 2026-03-02 |"
        in text
    )
    assert 'Refuted with version 9.8.7: It is "1"' in text


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"base_url": "http://127.0.0.1:8080/api/v1"}, "proves nothing"),
        ({"results": [verdict("no-entry", "confirmed", "x")]}, "no-entry: the ledger has no such entry"),
        (
            {"results": [verdict("page-zero", "confirmed", "x", statement="Other.")]},
            "page-zero: its statement is another",
        ),
        ({"results": None}, "not a whole report"),
        ({"results": [{"id": "page-zero", "verdict": "confirmed"}]}, "KeyError at 'seen'"),
        ({"date": "soon"}, "not a whole report"),
    ],
)
def test_only_reports_about_the_service_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], problem: str
) -> None:
    """Nothing is written for a simulator's report, or one of another form."""
    before = assumptions.LEDGER.read_text(encoding="utf-8")
    report = tmp_path / "report.json"
    report.write_text(json.dumps({**REPORT, **changed}), encoding="utf-8")
    assert assumptions.main(["keep", str(report)]) == 1
    assert problem in capsys.readouterr().err
    assert assumptions.LEDGER.read_text(encoding="utf-8") == before


def test_the_rest_of_a_report_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An entry that the ledger does not have, and a verdict that is older than the kept one, are named and left out."""
    ledger, report = tmp_path / "ledger.toml", tmp_path / "report.json"
    ledger.write_text(assumptions.LEDGER.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(assumptions, "LEDGER", ledger)
    monkeypatch.setattr(assumptions, "PAGE", tmp_path / "page.md")
    for day, results in (
        (3, [verdict("page-zero", "refuted", "Later."), verdict("no-entry", "refuted", "x")]),
        (2, [verdict("page-zero", "confirmed", "Earlier."), verdict("key-bearer", "confirmed", "It is so.")]),
    ):
        report.write_text(
            json.dumps({**REPORT, "date": f"2026-03-0{day}T10:00:00Z", "results": results}), encoding="utf-8"
        )
        assert assumptions.main(["keep", str(report)]) == 0
    kept = read_ledger(ledger.read_text(encoding="utf-8"))
    verified = {name: entry.verified.seen for name, entry in kept.items() if entry.verified}
    assert verified == {"key-bearer": "It is so.", "page-zero": "Later."}
    shown = capsys.readouterr().err
    assert "not kept: no-entry" in shown
    assert "not kept: page-zero: the ledger has a later verdict, of 2026-03-03." in shown


@pytest.mark.parametrize("content", [b"", b'{"package": "contentg', b"\xff\xfe", b"[]", b"null"])
def test_a_damaged_report(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    """It is an error that names the file or the form, and changes nothing."""
    before = assumptions.LEDGER.read_text(encoding="utf-8")
    report = tmp_path / "report.json"
    report.write_bytes(content)
    assert assumptions.main(["keep", str(report)]) == 1
    assert re.match(r"error: (This is not a whole report|\S+report\.json is damaged)", capsys.readouterr().err)
    assert assumptions.LEDGER.read_text(encoding="utf-8") == before
