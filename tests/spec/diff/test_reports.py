"""The reports of comparisons: true headlines, one order, and formats that their readers accept."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from contentgroove.cli.app import run
from contentgroove_spec.affected import affected_by
from contentgroove_spec.changes import Change, Comparison, Direction, Location, NotCompared, Rating, Subject, Use
from contentgroove_spec.compare import compare
from contentgroove_spec.coverage import Coverage, Usage
from contentgroove_spec.reports.annotations import as_annotations
from contentgroove_spec.reports.html import as_html
from contentgroove_spec.reports.json_report import as_json
from contentgroove_spec.reports.lines import Sources, SourceText
from contentgroove_spec.reports.markdown import MAX_CHARACTERS, as_markdown
from contentgroove_spec.reports.report import Advice, Report, Section, action_for, groups, headline
from contentgroove_spec.reports.sarif import as_sarif
from contentgroove_spec.reports.text import as_text, text_lines
from sarif_pydantic import Sarif

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "spec/contentgroove_spec/reports/report.schema.json").read_text(encoding="utf-8")
)
NOWHERE = Sources(SourceText("old.yaml", b"", is_file=True), SourceText("new.yaml", b"", is_file=True))


def change(text: str, rating: Rating = Rating.SAFE, position: str = "GET /a", reason: str = "Why.") -> Change:
    """Return a change of one operation."""
    location = Location(position, part="operation")
    return Change(
        "operation-added",
        rating,
        "added",
        Subject(location=location, pointer=position),
        text,
        reason,
        new_pointer="/paths",
        uses=(Use(location, None, rating, reason),),
    )


def report(*changes: Change, **others: Any) -> Report:
    """Return the report of some changes."""
    return Report(Comparison("old", "new", changes, **others), sources=NOWHERE)


@pytest.mark.parametrize(
    ("rule", "direction", "action"),
    [
        ("property-became-required", Direction.SENT, "Send it with every call."),
        ("required-parameter-added", Direction.SENT, "Send it with every call."),
        ("property-no-longer-required", Direction.RECEIVED, "handle the new values"),
        ("enum-values-removed", Direction.SENT, "send only accepted values"),
    ],
)
def test_the_advice_is_about_the_change(rule: str, direction: Direction, action: str) -> None:
    """What must be sent is to be sent, and what is sent must be accepted."""
    location = Location("POST /a", part="request", field="/name")
    found = dataclasses.replace(change("A."), rule=rule, uses=(Use(location, direction, Rating.BREAKING, "Why."),))
    assert action in action_for(found)


PART = NotCompared("new", "/paths/~1films", "It is a text, not an object.")
HEADLINES: list[tuple[str, Report, str]] = [
    ("the same", report(identical=True), "Nothing changed."),
    ("written differently", report(), "The documents are written differently and mean the same."),
    ("a text", report(change("A.", Rating.DOCUMENTATION)), "1 change, only in texts; the wire is the same."),
    ("safe", report(change("A.")), "0 breaking changes, 1 safe, 0 only in texts."),
    ("breaking", report(change("A.", Rating.BREAKING)), "1 breaking change, 0 safe, 0 only in texts."),
    (
        "the same, as far as it can be read",
        report(identical=True, not_compared=(PART,)),
        "1 part could not be compared; otherwise: nothing changed.",
    ),
]


@pytest.mark.parametrize(("shown", "expected"), [case[1:] for case in HEADLINES], ids=[case[0] for case in HEADLINES])
def test_headlines(shown: Report, expected: str) -> None:
    """Each is true, and every format contains it."""
    assert headline(shown) == expected
    assert expected in as_text(shown)
    assert json.loads(as_json(shown))["headline"] == expected
    assert expected in as_markdown(shown)
    assert expected in as_html(shown)
    assert expected in as_annotations(shown)


def test_what_nobody_sends_is_no_change_and_yet_no_nothing(films: dict[str, Any]) -> None:
    """A default that is written out changes nothing, but the document is not said to be the same."""
    new = copy.deepcopy(films)
    new["paths"]["/films"]["get"]["deprecated"] = False
    shown = Report(compare(films, new))
    assert headline(shown) == "The documents are written differently and mean the same."
    assert headline(Report(compare(films, copy.deepcopy(films)))) == "Nothing changed."


def app_report(films: dict[str, Any]) -> Report:
    """Return a report with changes of each kind for an app that lists films and reads their names."""
    new = copy.deepcopy(films)
    properties = new["components"]["schemas"]["Film"]["properties"]
    del properties["name"], properties["seconds"]
    properties["studio"] = {"type": "string"}
    new["info"]["description"] = "Another text."
    new["paths"]["/health"] = "soon"
    coverage = Coverage({("get", "/v1/films"): Usage("films", frozenset({"200"}), read=frozenset({"/data/*/name"}))})
    comparison = compare(films, new)
    return Report(comparison, affected_by(comparison, coverage, films, new), sources=NOWHERE)


def test_the_order(films: dict[str, Any]) -> None:
    """What breaks the app comes first, then what breaks others, what is safe, texts, and what was not compared."""
    shown = app_report(films)
    assert [(group.level, len(group.changes)) for group in groups(shown)] == [
        ("breaking_for_you", 1),
        ("breaking", 2),
        ("safe", 1),
        ("documentation", 1),
    ]
    titles = ["Breaking for you (1)", "Breaking for others (2)", "Safe (1)", "Only in texts (1)", "Not compared (1)"]
    for text in (as_text(shown), as_markdown(shown), as_html(shown)):
        positions = [text.index(title) for title in titles]
        assert positions == sorted(positions)
    levels = re.findall(r"^::(\w+) ", as_annotations(shown), re.MULTILINE)
    assert levels == ["notice", "error", "warning", "warning", "notice", "notice", "warning"]
    results = json.loads(as_sarif(shown))["runs"][0]["results"]
    assert [result["level"] for result in results] == ["error", "warning", "warning", "note", "none", "warning"]
    data = json.loads(as_json(shown))
    assert data["summary"] == {"breaking": 3, "safe": 1, "documentation": 1, "notCompared": 1, "breakingForYou": 1}
    mine = [entry for entry in data["changes"] if entry["forYou"] and entry["forYou"]["rating"] == "breaking"]
    assert [entry["subject"] for entry in mine] == ["schema Film: name"]


def test_json_matches_its_schema(films: dict[str, Any]) -> None:
    """With and without coverage, sections and a further comparison."""
    validator = jsonschema_rs.Draft202012Validator(SCHEMA)
    shown = app_report(films)
    for each in (
        report(),
        shown,
        dataclasses.replace(shown, affected=None),
        dataclasses.replace(shown, sections=(Section("A", "B", (Advice("C", "D"),)),), beside=report(change("A."))),
    ):
        assert [str(error) for error in validator.iter_errors(json.loads(as_json(each)))] == []
    wrong = json.loads(as_json(shown))
    wrong["changes"][0]["rating"] = "bad"
    assert not validator.is_valid(wrong)


TEXT = """\
openapi: 3.0.0
info: {title: Films, version: '1'}
paths:
  /films:
    get:
      parameters:
        - {name: sort, in: query, schema: {type: string}}
        - name: size
          in: query
          schema:
            type: integer
      responses:
        '200': {description: All.}
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/openapi", 1),
        ("/paths", 3),
        ("/paths/~1films/get", 5),
        ("/paths/~1films/get/parameters/0", 7),
        ("/paths/~1films/get/parameters/1", 8),
        ("/paths/~1films/get/parameters/1/schema/type", 11),
        ("/paths/~1films/get/parameters/2", 6),
        ("/paths/~1films/get/responses/200", 13),
        ("/paths/~1films/gone/parameters", 4),
    ],
)
@pytest.mark.parametrize("notation", ["yaml", "json"])
def test_lines(pointer: str, line: int, notation: str) -> None:
    """A part is at the line of its key or item, or of what contains it."""
    if notation == "yaml":
        assert SourceText("a.yaml", TEXT.encode(), is_file=True).line(pointer) == line
        return
    text = json.dumps(yaml.safe_load(TEXT), indent=1)
    found = SourceText("a.json", text.encode(), is_file=True).line(pointer)
    steps = [step.replace("~1", "/") for step in pointer.split("/")[1:]]
    existing = steps[: steps.index("gone")] if "gone" in steps else steps
    known = [step for step in existing if not step.isdecimal() or step == "200"]
    last = text.splitlines()[found - 1]
    assert not known or f'"{known[-1]}"' in last or last.strip() == "{"


def test_documents_that_are_one_line_have_one(films: dict[str, Any]) -> None:
    """Everything is in it."""
    assert SourceText("a.json", json.dumps(films).encode(), is_file=True).line("/paths/~1films") == 1


def test_annotations_name_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new document, or the old one if only that is a file; paths are relative to the repository."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/old, 1.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "docs/new.yaml").write_text(TEXT.replace("type: integer", "type: boolean"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = [str(tmp_path / "docs/old, 1.yaml"), str(tmp_path / "docs/new.yaml")]
    assert run(["spec", "diff", *names, "--format", "github", "--fail-on", "breaking"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("::error file=docs/new.yaml,line=11,title=Breaking::GET /films, parameter size in query")
    assert run(["spec", "diff", *reversed(names), "--format", "github"]) == 0
    assert "::error file=docs/old%2C 1.yaml,line=11," in capsys.readouterr().out


def test_annotations_are_escaped() -> None:
    """A document's text cannot end the line, a property or the command (GitHub's rules for workflow commands)."""
    text = as_annotations(report(change("50 %\r\n::error::forged", position="GET /a,b:c")))
    assert len(text.splitlines()) == 2
    assert "50 %25%0D%0A::error::forged" in text


def test_sarif_is_accepted(films: dict[str, Any]) -> None:
    """By a reader that others wrote; each result has a rule, a file, a line, and a fingerprint of its own."""
    log = as_sarif(app_report(films))
    parsed = Sarif.model_validate_json(log)
    (found,) = parsed.runs
    assert found.tool.driver.name == "contentgroove spec diff"
    data = json.loads(log)["runs"][0]
    rules = {rule["id"] for rule in data["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in data["results"]} == rules
    prints = [result["partialFingerprints"]["change/v1"] for result in data["results"]]
    assert len(set(prints)) == len(prints)
    positions = [result["locations"][0]["physicalLocation"] for result in data["results"]]
    assert {position["artifactLocation"]["uri"] for position in positions} == {"new.yaml"}
    assert all(position["region"]["startLine"] >= 1 for position in positions)


def test_sarif_names_files_as_uris() -> None:
    """Spaces are encoded, and absolute paths become `file:` URIs (SARIF 2.1.0, 3.4.3)."""
    for name, uri in (("a b.yaml", "a%20b.yaml"), ("/home/a b.yaml", "file:///home/a%20b.yaml")):
        sources = Sources(NOWHERE.old, SourceText(name, b"", is_file=True))
        assert f'"uri": "{uri}"' in as_sarif(dataclasses.replace(report(change("A.")), sources=sources))


def test_texts_that_are_not_known_have_no_lines() -> None:
    """Then nothing points at a file."""
    shown = dataclasses.replace(report(change("A.")), sources=None)
    assert "line=" not in as_annotations(shown)
    assert "physicalLocation" not in as_sarif(shown)


def test_markdown_fits_into_a_pull_request() -> None:
    """What does not fit is counted, and what was opened is closed."""
    many = report(*(change(f"Change {number} {'x' * 200}.") for number in range(1000)))
    page = as_markdown(many)
    assert len(page) < 65_536
    shown = len(set(re.findall(r"Change (\d+) ", page)))
    assert 100 < shown < 1000
    omitted = re.search(r"\*\*([\d,]+) of 1,000 changes did not fit", page)
    assert omitted is not None
    assert shown + int(omitted[1]) == 1000
    assert page.count("<details>") == page.count("</details>") == 1
    assert MAX_CHARACTERS < 65_536


NASTY = "<script>alert(1)</script> \x1b[31m *bold* [link](x) `code` | \u202e @all"
HOSTILE = dataclasses.replace(
    report(change(NASTY, Rating.BREAKING, f"GET /{NASTY}")),
    sections=(Section("For you", NASTY, (Advice("What", "Do"),)),),
)


class Tags(HTMLParser):
    """Collects the names of a page's elements, and what they would load."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect one element."""
        self.names.add(tag)
        self.loaded += [str(value) for name, value in attrs if name in {"src", "href"} or name.startswith("on")]


def test_html_is_one_harmless_page() -> None:
    """It loads and runs nothing, whatever the documents contain."""
    page = as_html(HOSTILE)
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.names
    assert tags.loaded == []
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page
    assert "Do" in page


def test_markdown_escapes_texts() -> None:
    """Markup in a document's texts stays text, and users' names send no message."""
    page = as_markdown(HOSTILE)
    assert r"\<script\>alert(1)\</script\>" in page
    assert r"\*bold\* \[link\](x) `code` \|" in page
    assert "@all" not in page
    assert "## Breaking (1)" in page
    assert "→ Do" in page


def test_many_locations_are_counted_in_text() -> None:
    """Text stays short; the other formats list every location."""
    shown = report(*(change("Came.", position=f"GET /{number}", reason="Fine.") for number in range(20)))
    assert "… and 12 more" in as_text(shown)
    assert len(json.loads(as_json(shown))["changes"]) == 20
    assert as_markdown(shown).count("\n- GET") == 20
    assert as_html(shown).count("GET /") == 20


def test_text_fits_into_a_terminal(films: dict[str, Any]) -> None:
    """Lines are wrapped at its width, with an indent; in a pipe they are not."""
    shown = app_report(films)
    lines = [line for line, _ in text_lines(shown, 60)]
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()) == " ".join(as_text(shown).split())
    assert max(map(len, as_text(shown).splitlines())) > 60
