"""The campaign over public documents, on a few made ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.tools import documents
from tests.tools.documents import Outcome, main, report, try_document, without_names

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "T"}, "paths": {"/a": {"get": {}, "post": {}}}}


def outcome(folder: Path, content: str, name: str = "a.json") -> Outcome:
    """Try a document."""
    (folder / name).write_text(content, encoding="utf-8")
    return try_document(folder / name, name, yaml_bytes=10_000)


def test_kinds_of_outcomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, partial, refused, crashed; the reasons have no names of the document."""
    whole = outcome(tmp_path, json.dumps(GOOD))
    assert (whole.kind, whole.operations, whole.version) == ("whole", 2, "3.1.0")
    assert outcome(tmp_path, "openapi: 3.0.0\ninfo: {title: T}\n", "a.yaml").kind == "whole"
    broken = json.dumps(GOOD | {"paths": GOOD["paths"] | {"/b/{c}": {"get": {}}}})
    partial = outcome(tmp_path, broken)
    assert (partial.kind, partial.operations) == ("partial", 2)
    assert partial.reasons == ["An operation does not describe the parameters in its path."]
    refused = outcome(tmp_path, '{"swagger": "2.0"}')
    assert refused.kind == "refused"
    assert "Swagger" in refused.reasons[0]

    def fail(*_arguments: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(documents, "compile_source", fail)
    crashed = outcome(tmp_path, json.dumps(GOOD))
    assert (crashed.kind, "KeyError" in crashed.reasons[0]) == ("crashed", True)
    lines = "\n".join(report([whole, partial, refused, crashed]))
    assert "4 documents: 1 whole, 1 partial, 1 refused, 1 crashed" in lines
    assert "CRASHED a.json" in lines


def test_yaml_that_means_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that compiles otherwise as YAML counts as a crash."""
    other = json.dumps(GOOD | {"paths": {}})
    monkeypatch.setattr(documents, "dump_yaml", lambda _document: other)
    assert outcome(tmp_path, json.dumps(GOOD)).reasons == ["Its YAML compiles to other operations."]


@pytest.mark.process
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It reads every document below a folder, each in a process of its own."""
    (tmp_path / "below").mkdir()
    for name in ("a.json", "b.yaml", "below/c.yml", "d.txt"):
        (tmp_path / name).write_text(json.dumps(GOOD), encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    assert "3 documents: 3 whole" in capsys.readouterr().out
    assert main([str(tmp_path), "--every", "2"]) == 0
    assert "2 documents: 2 whole" in capsys.readouterr().out


def test_reasons_that_are_equal() -> None:
    """What they quote of a document does not count."""
    reasons = ("GET /a/{b} does not have 'x'.", "POST /c does not have 'y z'.")
    assert {without_names(reason) for reason in reasons} == {"An operation does not have …."}
