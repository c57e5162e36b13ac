"""A folder with nothing but a document: a report, a checked mock and a client, whatever the document is like."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove_mock.document_mock import Exchange, prism_document, serve_document
from pipeline.__main__ import main
from pipeline.client import acceptable, generate_client
from pipeline.folders import read_folder
from pipeline.report import make_report

from .conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DONE: dict[str, Any] = {"200": {"description": "Done"}}
JSON = "application/json"
TOY = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
PET = {"$ref": "#/components/schemas/pet"}
SHOWN = {"content": {JSON: {"schema": PET}}}
GZIP = {"Content-Encoding": {"schema": {"type": "string", "example": "gzip"}}}
PETS: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Haustiere & Co.", "version": "2"},
    "servers": [{"url": "https://pets.example/{stage}", "variables": {"stage": {"default": "v2"}}}],
    "paths": {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {"operationId": "show", "responses": {"200": {"description": "", **SHOWN}}},
            "delete": {"operationId": "show", "responses": {"204": {"description": ""}}},
            "put": "nothing",
        },
        "/pets": {
            "post": {
                "requestBody": {"required": True, "content": {JSON: {"schema": PET}}},
                "responses": {"201": {"description": "", "content": {JSON: {"schema": PET}}}},
            },
            "get": {"parameters": [{"name": "sort", "in": "query", "schema": {"type": "number", "default": "no"}}],
                    "responses": DONE},
        },
        "/toys": {
            "get": {"responses": {"200": {"description": "", "headers": GZIP, "content": {"*/*": {"schema": TOY}}}}},
        },
        "/#Action=Feed": {"post": {"operationId": "feed", "responses": DONE}},
    },
    "components": {
        "schemas": {
            "pet": {
                "type": "object",
                "title": "Same",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "born": {"allOf": [{"$ref": "#/components/schemas/day"}, {"description": "A date."}]},
                    "field": {"type": "string"},
                    "parent-of": {"type": "array", "items": PET},
                    "friends": {"$ref": "#/components/schemas/byName"},
                },
            },
            "Pet": {"type": "object", "title": "Same", "properties": {"other": {"type": "integer"}}},
            "byName": {"type": "object", "additionalProperties": PET},
            "day": {"type": "string", "format": "date"},
            "bad": {"type": "objekt"},
        }
    },
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with that document alone."""
    (tmp_path / "api.json").write_text(json.dumps(PETS), encoding="utf-8")
    return tmp_path


def test_a_report(folder: Path) -> None:
    """It says what the document describes, what it lacks, and what is wrong with it."""
    report = make_report(read_folder(folder))
    assert (report.title, report.version, report.openapi) == ("Haustiere & Co.", "2", "3.0.3")
    assert report.servers == ("https://pets.example/v2",)
    assert [(row.method, row.path) for row in report.operations] == [
        ("GET", "/pets/{id}"), ("DELETE", "/pets/{id}"), ("GET", "/pets"), ("POST", "/pets"), ("GET", "/toys"),
        ("POST", "/#Action=Feed"),
    ]  # fmt: skip
    assert "2 operations have the operationId 'show'." in report.hints
    assert "Operations without tags: 6. Their functions are in the module `default`." in report.hints
    problems = "\n".join(report.problems)
    assert "PUT /pets/{id}: it was left out: it is not an object" in problems
    assert "components/schemas/bad/type: 'objekt' is not a value of this keyword; it is not checked" in problems


def test_a_report_on_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text, JSON, and a comparison with an older document."""
    assert main(["--folder", str(folder), "report"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Haustiere & Co. 2\n  api.json, OpenAPI 3.0.3\n")
    assert "  GET     /pets/{id}  show\n" in text
    older = folder / "older.json"
    older.write_text(json.dumps({**PETS, "paths": {}}), encoding="utf-8")
    assert main(["--folder", str(folder / "api.json"), "report", "--format", "json", "--against", str(older)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["title"] == "Haustiere & Co."
    assert found["changes"]


@pytest.mark.parametrize("command", ["report", "mock", "generate"])
@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no OpenAPI document"),
        ({"a.json": json.dumps(PETS), "b.json": json.dumps(PETS)}, "several OpenAPI documents: a.json, b.json"),
        ({"a.yaml": "swagger: '2.0'\n"}, "Swagger 2.0"),
        ({"openapi.yaml": "openapi: [\n"}, "is not valid YAML"),
        ({"openapi.json": json.dumps(PETS), "pipeline.toml": "["}, "is not TOML"),
    ],
)
def test_folders_without_one_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, files: dict[str, str], words: str
) -> None:
    """One sentence says what is wrong, and status 1."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["--folder", str(tmp_path), command]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error


def test_corrections_of_a_folder(folder: Path) -> None:
    """They are applied; one that does not apply is a warning."""
    actions = [
        {"target": "$.paths['/pets/{id}'].put", "remove": True},
        {"target": "$.paths['/cats']", "remove": True},
    ]
    overlay = {"overlay": "1.1.0", "info": {"title": "C", "version": "1"}, "actions": actions}
    (folder / "corrections.overlay.yaml").write_text(json.dumps(overlay), encoding="utf-8")
    read = read_folder(folder)
    assert "put" not in read.contract["paths"]["/pets/{id}"]
    (problem,) = read.problems
    assert "found nothing" in problem
    assert "cats" in problem


def test_settings_of_a_folder(folder: Path) -> None:
    """A `pipeline.toml` needs to name only what differs."""
    assert read_folder(folder).config.package == folder / "generated" / "haustiere_co_client"
    (folder / "pipeline.toml").write_text('[files]\npackage = "made"\n', encoding="utf-8")
    config = read_folder(folder).config
    assert (config.package, config.generator["package_name_override"]) == (folder / "made", "made")


def test_what_the_generator_would_refuse() -> None:
    """Bad parts are left out, the smallest that contain the mistake, and each is named."""
    broken = {
        **PETS,
        "info": {"title": 3},
        "tags": "none",
        "paths": {
            "/a": {"get": {"responses": DONE, "parameters": [{"name": "p", "in": "query", "schema": {"type": 5}}]}},
            "/b": {"get": {"responses": DONE}},
        },
    }
    document, skipped, warnings = acceptable(broken)
    assert list(document["paths"]["/b"]) == ["get"]
    assert document["paths"]["/a"] == {}
    assert len(skipped) == 1
    assert skipped[0].startswith("GET /a: ")
    assert any(warning.startswith("tags: ") for warning in warnings)
    assert any(warning.startswith("schema bad: it is any value") for warning in warnings)
    assert document["info"]["title"] == "3"


@pytest.mark.process
def test_a_client(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation that can be read becomes a function, though names are the same and a default is wrong."""
    client = generate_client(read_folder(folder))
    assert (client.operations, client.skipped) == (6, ())
    monkeypatch.syspath_prepend(str(client.package.parent))
    package = importlib.import_module(client.package.name)
    try:
        names = {path.stem for path in (client.package / "api" / "default").glob("[a-z]*.py")}
        assert {"show", "show_2"} < names
        show = importlib.import_module(f"{client.package.name}.api.default.show")
        pet = {"name": "Rex", "born": "2020-02-03", "field": "f", "parent-of": [], "friends": {"a": {"name": "Tom"}}}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=pet))
        with httpx.Client(transport=transport) as http:
            made = package.Client("https://pets.example/v2", http_client=http)
            parsed = show.sync_detailed(client=made, id=1).parsed
        assert (parsed.name, parsed.born.isoformat(), parsed.field) == ("Rex", "2020-02-03", "f")
        assert parsed.friends["a"].name == "Tom"
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == client.package.name]:
            del sys.modules[name]


def test_what_prism_is_given() -> None:
    """Each operation has a path of its own, and JSON is the first media type."""
    content: dict[str, Any] = {"text/plain": {}, "application/json": {}}
    paths: dict[str, Any] = {
        key: {"get": {"responses": {"200": {"content": content}}}} for key in ("/#a", "/#b", "/c?d=1", "/e")
    }
    paths["/e"]["get"]["parameters"] = [{"$ref": name} for name in ("#/paths/~1c%3Fd=1/get", "#/nowhere", "a.json")]
    served, renamed = prism_document({"openapi": "3.0.0", "paths": paths})
    assert list(served["paths"]) == ["/operation-1", "/operation-2", "/c/operation-3", "/e"]
    assert renamed == {"/#a": "operation-1", "/#b": "operation-2", "/c?d=1": "/operation-3"}
    assert served["paths"]["/e"]["get"]["parameters"] == [{"$ref": "#/paths/~1c~1operation-3/get"}, {}, {}]
    assert list(served["paths"]["/e"]["get"]["responses"]["200"]["content"]) == ["application/json", "text/plain"]


@pytest.mark.process
def test_a_mock(folder: Path) -> None:
    """Requests get Prism's responses below the base path, and both are checked."""
    seen: list[Exchange] = []
    json_type = {"Content-Type": "application/json"}
    with (
        serve_document(read_folder(folder).contract, on_exchange=seen.append) as (base_url, mock),
        httpx.Client(base_url=base_url, trust_env=False, timeout=30) as http,
    ):
        assert base_url.endswith("/v2")
        shown = http.get("/toys")
        assert (shown.status_code, shown.json()["name"]) == (200, "string")
        assert http.delete("/pets/1").status_code == 204
        assert http.post("/").status_code == 200
        assert http.post("/pets", json={"nam": 1}).status_code == 422
        assert http.post("/pets", content=b"{", headers=json_type).status_code == 400
        assert http.get("/cats").status_code == 404
        assert http.get("/pets", params={"other": "1"}).status_code == 200
        counts = mock.counts
    found = [[(item.rule, item.location) for item in exchange.violations] for exchange in seen]
    assert found == [
        [],
        [],
        [],
        [("undeclared-field", "request.body#/nam"), ("missing-field", "request.body#/name")],
        [("json", "request.body")],
        [("unknown-path", "request.path")],
        [("unknown-parameter", "request.query.other")],
    ]
    assert (counts.requests, counts.bad_requests, counts.bad_responses) == (7, 4, 0)


@pytest.mark.process
def test_a_mock_whose_prism_ends(folder: Path) -> None:
    """A request at which Prism ends gets a 502, and the next one a response of a new Prism."""
    with (
        serve_document(read_folder(folder).contract) as (base_url, mock),
        httpx.Client(base_url=base_url, trust_env=False, timeout=30) as http,
    ):
        prism = mock._prism
        assert prism is not None
        assert prism._process is not None
        prism._process.kill()
        prism._process.wait()
        assert http.get("/toys").status_code == 502
        assert http.get("/toys").status_code == 200


def test_a_mock_of_webhooks_only() -> None:
    """A document without operations is served without Prism: there is nothing to request."""
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    webhooks = {"moved": {"post": {"requestBody": body, "responses": DONE}}}
    document = {"openapi": "3.1.0", "info": {"title": "W", "version": "1"}, "webhooks": webhooks}
    with serve_document(document) as (base_url, mock):
        assert httpx.get(f"{base_url}/anything", trust_env=False).status_code == 404
        assert list(mock.checker.event_schemas) == ["moved"]


def _mock_process(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", *arguments, "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


@pytest.mark.process
@pytest.mark.parametrize("way", ["pipeline", "command"])
def test_a_mock_on_the_command_line(folder: Path, way: str) -> None:
    """It names its URL, logs what violates the document, and ends with the counts at Ctrl-C."""
    arguments = (
        ("spec.pipeline", "--folder", str(folder), "mock")
        if way == "pipeline"
        else ("contentgroove", "mock", "--document", str(folder))
    )
    with _mock_process(*arguments) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if found := re.search(r"Mock of api\.json at (\S+) \(6 operations\)", line):
                    assert httpx.get(f"{found[1]}/pets/x", trust_env=False).status_code == 422
                    process.send_signal(signal.SIGINT)
            assert process.wait() == 0
        finally:
            process.kill()
    text = "".join(lines)
    assert "warning: PUT /pets/{id}: it was left out" in text
    assert "GET /v2/pets/x → 422\n    request.path.id: path-parameter: " in text
    assert "1 requests: 1 violate the document" in lines[-1]
