"""`contentgroove spec diff`: its reports, its exit statuses, its errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove.cli.app import run
from contentgroove_spec import command

from .conftest import GENERATION_2, GENERATION_3


def changed(tmp_path: Path, films: dict[str, Any]) -> tuple[str, str, str]:
    """Write the corpus's document, one with a safe change, and one with a breaking one."""
    names: list[str] = []
    for name in ("old", "safe", "breaking"):
        if name == "safe":
            films["paths"]["/films"]["get"]["deprecated"] = True
        elif name == "breaking":
            del films["components"]["schemas"]["Film"]["properties"]["seconds"]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(films), encoding="utf-8")
        names.append(str(path))
    old, safe, breaking = names
    return old, safe, breaking


@pytest.mark.process
@pytest.mark.parametrize(
    ("which", "fail_on", "status"),
    [
        (0, "any", 0),
        (1, "breaking", 0),
        (1, "any", 1),
        (2, "none", 0),
        (2, "breaking", 1),
        (2, "any", 1),
    ],
)
def test_exit_statuses(tmp_path: Path, films: dict[str, Any], which: int, fail_on: str, status: int) -> None:
    """CI may stop at breaking changes, at any, or at none."""
    names = changed(tmp_path, films)
    assert run(["spec", "diff", names[0], names[which], "--fail-on", fail_on]) == status


def test_documentation_is_not_a_change_of_the_contract(tmp_path: Path, films: dict[str, Any]) -> None:
    """--fail-on any ignores texts and examples."""
    old, _, _ = changed(tmp_path, films)
    document = json.loads(Path(old).read_text(encoding="utf-8"))
    document["info"]["description"] = "Another text."
    new = tmp_path / "new.json"
    new.write_text(json.dumps(document), encoding="utf-8")
    assert run(["spec", "diff", old, str(new), "--fail-on", "any"]) == 0


@pytest.mark.process
def test_text_and_json(tmp_path: Path, films: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Both contain the change, its location and the reason; --output writes a file instead."""
    old, _, new = changed(tmp_path, films)
    assert run(["spec", "diff", old, new]) == 0
    text = capsys.readouterr().out
    assert text.startswith("file:old.json → file:breaking.json: 1 breaking change, 1 safe")
    assert (
        "Property `seconds` was removed. Apps that read it find nothing.\n"
        "    schema Film: seconds\n      GET /v1/films, response 200" in text
    )
    report = tmp_path / "report.json"
    assert run(["spec", "diff", old, new, "--json", "--output", str(report)]) == 0
    assert capsys.readouterr().out == ""
    data = json.loads(report.read_text(encoding="utf-8"))
    assert data["summary"] == {"breaking": 1, "safe": 1, "documentation": 0, "notCompared": 0}
    change = data["changes"][0]
    assert (change["component"], change["kind"], change["rating"]) == (
        "/components/schemas/Film",
        "removed",
        "breaking",
    )
    first = change["uses"][0]
    assert (first["operation"], first["part"], first["name"]) == ("GET /v1/films", "response", "200")
    assert first["location"] == "GET /v1/films, response 200: data[].seconds"
    assert (first["field"], first["direction"]) == ("/data/*/seconds", "received")


@pytest.mark.process
def test_a_copy_to_keep(tmp_path: Path, films: dict[str, Any]) -> None:
    """--save makes a copy, replaces it if the document's content changed, and ignores rewritten timestamps."""
    old, safe, _ = changed(tmp_path, films)
    copy = tmp_path / "copy.yaml"
    assert run(["spec", "diff", old, old, "--save", str(copy)]) == 0
    first = copy.read_bytes()
    assert parse(first, "copy") == json.loads(Path(old).read_text(encoding="utf-8"))
    rebuilt = Path(old).read_text(encoding="utf-8").replace("2024-01-01", "2031-01-01")
    (tmp_path / "rebuilt.json").write_text(rebuilt, encoding="utf-8")
    assert run(["spec", "diff", str(copy), str(tmp_path / "rebuilt.json"), "--save", str(copy)]) == 0
    assert copy.read_bytes() == first
    assert run(["spec", "diff", str(copy), safe, "--save", str(copy)]) == 0
    assert parse(copy.read_bytes(), "copy") == json.loads(Path(safe).read_text(encoding="utf-8"))


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.yaml", str(GENERATION_3)], "Cannot read missing.yaml"),
        ([str(GENERATION_3), str(Path(__file__))], "is not valid YAML"),
        ([str(GENERATION_3), str(Path(__file__).with_name("published") / "README.md")], "README.md"),
        (["http://127.0.0.1:9/openapi.yaml", str(GENERATION_3)], "127.0.0.1:9/openapi.yaml cannot be fetched: Conn"),
        ([str(GENERATION_2), str(GENERATION_3), "--output", "/nowhere/report.txt"], "Cannot write /nowhere/report.txt"),
        ([str(GENERATION_2), str(GENERATION_3), "--coverage", "missing.json"], "Cannot read missing.json"),
    ],
)
def test_errors(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file or URL that cannot be read or written is named, in one line."""
    assert run(["spec", "diff", *arguments]) == 1
    output = capsys.readouterr()
    assert words in output.err
    assert "Traceback" not in output.err
    assert output.out == ""


def test_the_group_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command, the help is shown, as in every other group."""
    assert run(["spec"]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Usage: contentgroove spec [OPTIONS] COMMAND [ARGS]...\n")
    assert output.err == ""


def test_a_swagger_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Version 2 of the format is rejected by name."""
    path = tmp_path / "old.json"
    path.write_text('{"swagger": "2.0", "paths": {}}', encoding="utf-8")
    assert run(["spec", "diff", str(path), str(GENERATION_3)]) == 1
    assert "Swagger 2.0" in capsys.readouterr().err


@pytest.mark.process
def test_as_a_program() -> None:
    """The command is part of `contentgroove`, and gives no secrets to its children."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "contentgroove", "spec", "diff", GENERATION_2, GENERATION_3, "--fail-on", "any"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "0 breaking changes, 43 safe" in done.stdout


def test_the_terminal_gets_no_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a document's texts are made visible."""
    old = {"openapi": "3.0.0", "info": {"title": "a", "version": "1"}, "paths": {}}
    new = {**old, "paths": {"/\x1b[31mred": {"get": {"responses": {"200": {"description": ""}}}}}}
    for name, document in (("old.json", old), ("new.json", new)):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    assert run(["spec", "diff", str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 0
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "\\x1b[31mred" in output


def test_files_with_the_same_name_are_told_apart(
    tmp_path: Path, films: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """A report names both by their paths, for example those of two releases."""
    paths = [tmp_path / folder / "openapi.json" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(json.dumps(films), encoding="utf-8")
    assert run(["spec", "diff", *map(str, paths)]) == 0
    assert capsys.readouterr().out == f"file:{paths[0]} → file:{paths[1]}: Nothing changed.\n"


@pytest.mark.parametrize(("limit", "terminal", "told"), [(100, True, True), (100, False, False), (10**6, True, False)])
def test_a_person_who_waits_is_told(
    tmp_path: Path,
    films: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limit: int,
    terminal: bool,  # noqa: FBT001 - a case
    told: bool,  # noqa: FBT001 - a case
) -> None:
    """That large documents are compared, on standard error if that is a terminal."""
    monkeypatch.setattr(command, "LARGE", limit)
    monkeypatch.setattr(command, "is_terminal", lambda stream: terminal and stream is sys.stderr)
    old, _, new = changed(tmp_path, films)
    assert run(["spec", "diff", old, new]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("file:old.json")
    assert printed.err.startswith("Comparing") is told
    assert bool(printed.err) is told
