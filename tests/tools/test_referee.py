"""The campaign with openapi-core, on documents made for it: what it finds, and that it would find more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.tools import bodies, parameter_styles
from contentgroove.tools.binary_values import Binary
from contentgroove.tools.source_documents import compile_source

from tests.tools.referee.__main__ import Trial, choose, explanation, is_open, main, report
from tests.tools.referee.judging import Court, Verdict

if TYPE_CHECKING:
    from pathlib import Path

STRINGS = {"type": "array", "items": {"type": "string"}}
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}}, "required": ["a"]}
FILE = {"type": "string", "format": "binary"}


def parameter(location: str, name: str, schema: Any, **further: Any) -> dict[str, Any]:
    """Declare a required parameter."""
    return {"name": name, "in": location, "required": True, "schema": schema, **further}


def document(operation: dict[str, Any], path: str = "/a", version: str = "3.0.3") -> dict[str, Any]:
    """Return a document with one operation."""
    schemes = {
        "query": {"type": "apiKey", "in": "query", "name": "key"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
        "basic": {"type": "http", "scheme": "basic"},
    }
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "security": [{"query": [], "cookie": [], "basic": []}],
        "paths": {path: {"post": {"responses": {"200": {"description": "Done"}}, **operation}}},
        "components": {"securitySchemes": schemes},
    }


def judged(content: dict[str, Any]) -> list[Verdict]:
    """Judge the requests of a document."""
    court = Court(compile_source(json.dumps(content), "it"))
    return [verdict for operation in court.document.operations for verdict in court.judge(operation)]


def with_body(media_type: str, schema: Any, **entry: Any) -> dict[str, Any]:
    """Return an operation with a body."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema, **entry}}}}


DEEP = {"type": "object", "required": ["x"], "properties": {"x": OBJECT, "y": STRINGS}}
QUERY = [
    parameter("query", "one", {"type": "string"}),
    parameter("query", "many", STRINGS),
    parameter("query", "joined", STRINGS, explode=False),
    parameter("query", "reserved", {"type": "integer"}, allowReserved=True),
    parameter("query", "object", OBJECT),
    parameter("query", "pairs", OBJECT, explode=False),
    parameter("query", "deep", DEEP, style="deepObject"),
    {"name": "json", "in": "query", "required": True, "content": {"application/json": {"schema": OBJECT}}},
    parameter("header", "X-One", {"type": "number"}),
    parameter("header", "X-Pairs", {"type": "object", "properties": {"a": {"type": "integer"}}}),
    parameter("cookie", "c", {"type": "string"}),
]
LISTED = {"listed": {"enum": ["x", 1]}}
FORM = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "string"}, "s": STRINGS, "o": OBJECT, **LISTED},
}
PARTS = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": FILE, "files": {"type": "array", "items": FILE}, "n": {"type": "integer"}, "o": OBJECT},
}


@pytest.mark.parametrize(
    "content",
    [
        document({"parameters": QUERY}),
        document({"parameters": [parameter("path", "id", {"type": "string"})]}, "/a/{id}/b"),
        document({"parameters": [parameter("path", "id", STRINGS, style="matrix", explode=True)]}, "/a/{id}"),
        document({"parameters": [parameter("path", "id", {"type": "integer"}, style="label")]}, "/a/{id}"),
        document(with_body("application/json", {"allOf": [OBJECT, {"properties": {"more": STRINGS}}]})),
        document(with_body("application/octet-stream", FILE)),
        document(with_body("text/plain", {"type": "string"})),
        document(with_body("application/x-www-form-urlencoded", FORM)),
        document(
            with_body("multipart/form-data", PARTS, encoding={"file": {"style": "form"}, "files": {"style": "form"}})
        ),
        document({"parameters": [QUERY[0], parameter("header", "Accept-Encoding", {"type": "string"})]}, "/a#b"),
        {**document({}), "servers": [{"url": "https://x.example/{p}", "variables": {"p": {"default": "/a/b"}}}]},
        document(with_body("application/json", {"type": ["array", "null"], "items": {"const": 1}}), version="3.1.0"),
    ],
)
def test_what_the_referee_reads(content: dict[str, Any]) -> None:
    """Every argument comes back as it was passed, and every key where the document says."""
    verdicts = judged(content)
    assert {verdict.effort for verdict in verdicts} == {"required", "everything", "edges"}
    assert [verdict for verdict in verdicts if verdict.kind != "agree"] == []


def test_what_the_tools_refuse() -> None:
    """A value that a style cannot express is refused, and the request is tried again without it."""
    verdicts = judged(document({"parameters": [parameter("query", "p", STRINGS, style="pipeDelimited")]}))
    assert [verdict.kind for verdict in verdicts] == ["agree", "agree", "refused", "agree"]
    assert "contains '|'" in verdicts[2].causes[0]


def test_objects_with_open_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have the names of other parameters and keys, but no others."""
    content = document({"parameters": [QUERY[0], parameter("query", "open", {"type": "object", "minProperties": 1})]})
    assert {verdict.causes for verdict in judged(content)} == {("query form: names of other parameters",)}
    assert not any(is_open("a.json", verdict) for verdict in judged(content))
    monkeypatch.setattr("contentgroove.tools.credentials.Credentials.query", lambda *_: ["key=key-of-0", "further=1"])
    assert {verdict.causes for verdict in judged(content)} == {("query form: other value",)}


def test_what_the_tools_could_do_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is not encoded, base64 that is not decoded, and a key that is missing are found."""
    schema = {"type": "object", "properties": {"file": FILE}, "required": ["file"]}
    query, files = document({"parameters": QUERY[:1]}), document(with_body("multipart/form-data", schema))
    with monkeypatch.context() as patch:
        patch.setattr(parameter_styles, "percent", lambda text: text.replace(" ", "%20"))
        assert "query form: other value" in judged(query)[-1].causes
    with monkeypatch.context() as patch:
        patch.setattr(bodies, "read_binary", lambda value, *_: Binary(value.encode()))
        assert ("body multipart: other value",) in [verdict.causes for verdict in judged(files)]
    with monkeypatch.context() as patch:
        patch.setattr("contentgroove.tools.credentials.Credentials.cookies", lambda *_: [])
        assert {verdict.causes for verdict in judged(query)} == {("security: SecurityValidationError",)}


def test_explanations() -> None:
    """They apply to what they name, and to nothing else."""
    verdict = Verdict("POST /a", "edges", "disagree", "json", ("body: schema format binary",))
    assert "JSON has no bytes" in explanation("a.json", verdict, verdict.causes[0])
    assert not is_open("a.json", verdict)
    assert is_open("a.json", verdict._replace(body="multipart"))
    beside = verdict._replace(causes=("path simple: other value",))
    assert (is_open("hhs.gov.json", beside), is_open("a.json", beside)) == (False, True)


def test_the_report() -> None:
    """It counts requests, and shows what is open."""
    agreed = Verdict("GET /a", "edges", "agree")
    wrong = Verdict("GET /b", "edges", "disagree", "", ("body json: other value",), "shown")
    lines = "\n".join(report([Trial("a.json", [agreed, wrong], 0.1), Trial("b.json", [], 0.1, "KeyError")]))
    assert "2 documents, 2 operations, 2 requests" in lines
    assert "1 read otherwise, 1 of them without an explanation" in lines
    assert "OPEN a.json GET /b (edges): body json: other value: shown" in lines
    assert "CRASHED b.json: KeyError" in lines


def test_the_choice(tmp_path: Path) -> None:
    """Each publisher comes before a second document of another, and a seed chooses the same again."""
    for name in ("a/1", "a/2", "a/3", "b/1", "c/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.json").touch()
    chosen = choose(tmp_path, 3, 1)
    assert {path.parent.name for path in chosen} == {"a", "b", "c"}
    assert choose(tmp_path, 3, 1) == chosen
    assert len(choose(tmp_path, 9, 1)) == 5


@pytest.mark.process
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 1 if something is open."""
    good = json.dumps(document({"parameters": QUERY[:1]}))
    (tmp_path / "a.json").write_text(good, encoding="utf-8")
    assert main([str(tmp_path), "--processes", "1"]) == 0
    assert "3 read as they were meant" in capsys.readouterr().out
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    assert main([str(tmp_path), "--processes", "1"]) == 1
