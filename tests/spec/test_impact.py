"""The impact of a new document: one report, each line with an action."""

from __future__ import annotations

import copy
import importlib
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pipeline import impact as impacts
from pipeline.__main__ import main
from pipeline.impact import Impact, api_changes, impact, package_api

from .conftest import ROOT, as_json
from .published_changes import CLIP, attributes, with_a_defect_mended, with_names_as_numbers

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove_spec.config import Config

pytestmark = pytest.mark.slow


def by_title(found: Impact) -> dict[str, list[str]]:
    """Return the lines of each section, without their actions."""
    assert all(advice.action for section in found.sections for advice in section.advice)
    return {section.title: [advice.what for advice in section.advice] for section in found.sections}


@pytest.mark.process
@pytest.mark.usefixtures("each_generated_once")
def test_the_committed_document_has_no_impact(up_to_date: Config, published: dict[str, Any]) -> None:
    """There is nothing to do if nothing changed, and every section is empty if only a word of a text did."""
    assert impact(up_to_date, published, "new").sections == ()
    published["info"]["description"] += "More words."
    assert set(map(len, by_title(impact(up_to_date, published, "new")).values())) == {0}


def test_a_fixed_defect(up_to_date: Config, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The superfluous correction is named by its number and its target; the other sections are complete."""
    monkeypatch.setattr(impacts, "_generated", lambda *_: ())
    lines = by_title(impact(up_to_date, with_a_defect_mended(published), "new"))
    removal, addition = lines["Corrections"]
    assert "2. The clip schema has `media_file_content_duration`" in removal
    assert "in conflict" in addition
    assert addition.endswith("expected nothing, found {'nullable': True, 'type': 'string'}.")
    assert not any("is new" in line or "was removed" in line for line in lines["To write by hand"])


@pytest.mark.process
@pytest.mark.usefixtures("each_generated_once")
def test_a_new_attribute_and_another_type(up_to_date: Config, published: dict[str, Any]) -> None:
    """Generated code, public models, examples and recordings that no longer match are reported."""
    lines = by_title(impact(up_to_date, with_names_as_numbers(published), "new"))
    assert any("/media_response_object/required/0: expected nothing" in line for line in lines["Corrections"])
    generated = lines["Generated code"]
    assert "`models.media_attributes.MediaAttributes.language` is new: `str | None | UnsetType`" in generated
    assert "`models.media_attributes.MediaAttributes.name` changed from `str` to `int`" in generated
    assert any("`Media.language` is new" in line for line in lines["To write by hand"])
    assert any("GET /medias" in line for line in lines["Contract"])
    recorded = lines["Recorded exchanges"]
    assert any(re.search(r"\bgetMediaById-200\b.*: .*/name", line) for line in recorded)
    assert any(re.search(r"\bmedia\.processing_finished-200\b.*: ", line) for line in recorded)
    assert not any("getClips-200" in line for line in recorded)
    assert not any("\n" in line or "called by" in line for line in lines["Recorded exchanges"])


def test_operations_that_come_and_go(
    up_to_date: Config, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are compared by their URL on the wire; of a new resource, the one task is to scaffold it."""
    monkeypatch.setattr(impacts, "_generated", lambda *_: ())
    clip = published["paths"]["/clips/{id}"]
    published["paths"]["/moods/{id}"] = {"get": {**copy.deepcopy(clip["get"]), "operationId": "getMood"}}
    del clip["delete"]
    lines = by_title(impact(up_to_date, published, "new"))
    written = [line.partition(". ")[2] for line in lines["To write by hand"]]
    assert [line.partition(": ")[0] for line in written] == [
        "DELETE /clips/{id} was removed",
        "When all of this is written",
        "The resource `moods` is new",
        "At the end",
    ]
    recorded = {
        reason: names.split(", ") for names, _, reason in (line.partition(": ") for line in lines["Recorded exchanges"])
    }
    assert recorded.pop("the operation deleteClipById no longer exists.") == [
        f"deleteClipById-{status}" for status in (204, 401, 404, 429, 500)
    ]
    assert recorded == {}, "recordings of a new resource are not repeated"


def test_the_surface_of_a_package(tmp_path: Path) -> None:
    """Functions, classes, fields and aliases are compared by what callers see of them."""
    for name, text in (
        ("old", "X = int\nclass A(B):\n    x: int\n    y: int = 1\ndef f(a, *, b=1) -> int: return 1\ndef g(): ...\n"),
        (
            "new",
            "X = str\nclass A(B):\n    x: str\n    z: int\nclass C:\n    q: int\ndef f(a, *, b=1) -> int: return 2\n",
        ),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.py").write_text(text, encoding="utf-8")
    lines = [advice.what for advice in api_changes(package_api(tmp_path / "old"), package_api(tmp_path / "new"))]
    assert lines == [
        "`m.A.x` changed from `int` to `str`",
        "`m.A.y` was removed.",
        "`m.A.z` is new: `int`",
        "`m.C` is new.",
        "`m.X` changed from `int` to `str`",
        "`m.g` was removed.",
    ]


@pytest.mark.process
def test_the_command(
    tmp_path: Path,
    published: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One command reports the changes and their impact; CI may fail on them."""
    monkeypatch.setattr(impacts, "_generated", lambda *_: ())
    new = tmp_path / "new.json"
    (sort,) = [item for item in published["paths"]["/clips"]["get"]["parameters"] if item["name"] == "sort"]
    sort["schema"]["enum"].remove("original_created_at")
    new.write_bytes(as_json(published))
    # The contract never had this order, so that nothing breaks for apps.
    assert main(["diff", "--file", str(new), "--fail-on", "any"]) == 0
    output = capsys.readouterr().out
    contract_line, published_line = re.findall(r"^openapi.*|^contract of .*", output, re.MULTILINE)
    assert contract_line == "contract of openapi.yaml → contract of file:new.json: Nothing changed."
    assert published_line.startswith("openapi.yaml as published → file:new.json as published: 1 breaking change")
    assert "Corrections: 1 item to check." in output
    report = tmp_path / "report.html"
    arguments = ["diff", "--file", str(new), "--output", str(report), "--format"]
    assert main([*arguments, "html"]) == 0
    shown = report.read_text(encoding="utf-8")
    # One main heading: that of the contract, which decides.
    assert re.findall("<h[12]>([^<]* → [^<]*)</h[12]>", shown) == [
        "contract of openapi.yaml → contract of file:new.json",
        "openapi.yaml as published → file:new.json as published",
    ]
    assert shown.count("<h1") == 1
    assert main([*arguments, "markdown"]) == 0
    assert re.findall("(?m)^## (.* → .*)", report.read_text(encoding="utf-8")) == [
        "contract of openapi.yaml → contract of file:new.json",
        "openapi.yaml as published → file:new.json as published",
    ]
    assert main([*arguments, "json"]) == 0
    summary = json.loads(report.read_text(encoding="utf-8"))
    assert summary["changes"] == []
    assert summary["beside"]["summary"]["breaking"] == 1
    attributes(published, CLIP)["name"]["type"] = "integer"
    new.write_bytes(as_json(published))
    assert main(["diff", "--file", str(new), "--fail-on", "breaking"]) == 1
    assert main(["diff", "--file", str(ROOT / "README.md")]) == 1


def test_each_module_is_loaded_once() -> None:
    """As a part of `spec`, a module would be loaded twice, and the list would not know the other one's enums."""
    importlib.import_module("spec.pipeline.__main__")
    twice = [name for name in sys.modules if name.startswith("spec.pipeline.")]
    assert twice == ["spec.pipeline.__main__"]
