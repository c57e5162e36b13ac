"""The impact of changes on an app: only those that affect what its own tests used."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonpatch
import pytest
from contentgroove.cli.app import run
from contentgroove_spec import PipelineError
from contentgroove_spec.affected import affected_by, summary, uses
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare
from contentgroove_spec.coverage import Coverage, Usage, read_coverage

if TYPE_CHECKING:
    from pathlib import Path

COVERAGE: dict[str, Any] = {
    "version": 1,
    "contract": "0" * 64,
    "operations": {
        "aNameThatChanged": {
            "method": "GET",
            "path": "/v1/films",
            "statuses": {"200": {"calls": 3}, "401": {"calls": 1}},
            "query": ["sort", "filter[name_eq]"],
            "request_fields": [],
            "response_fields": ["/data/*/name", "/data/*/links/self"],
        },
        "createFilm": {
            "method": "POST",
            "path": "/v1/films",
            "statuses": {"200": {"calls": 1}},
            "query": [],
            "request_fields": ["/name", "/genre"],
            "response_fields": ["/id"],
        },
        "getFilm": {
            "method": "GET",
            "path": "/v1/films/{film_id}",
            "statuses": {"404": {"calls": 1}},
            "query": [],
            "request_fields": [],
            "response_fields": [],
        },
        "deleteFilm": {"method": "DELETE", "path": "/v1/films/{id}", "statuses": {}},
    },
    "webhooks": {
        "film.finished": {"deliveries": 2, "fields": ["/film/id"]},
        "film.started": {"deliveries": 0, "fields": []},
    },
    "faults": {},
}

FILM = "/components/schemas/Film"
NEW_FILM = "/components/schemas/NewFilm"
FILMS = "/paths/~1films"
HOOK = f"{FILMS}/post/callbacks/film.finished/{{$request.body#~1notify_url}}/post"

# A patch, and the breaking changes that affect the app. Each was checked by hand against the usage above.
CASES: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    (
        "a field that is read",
        [{"op": "remove", "path": f"{FILM}/properties/name"}],
        ["GET /v1/films, response 200: data[].name"],
    ),
    ("a field that is not read", [{"op": "remove", "path": f"{FILM}/properties/seconds"}], []),
    (
        "the parent of a field that is read",
        [{"op": "remove", "path": f"{FILM}/properties/links"}],
        ["GET /v1/films, response 200: data[].links"],
    ),
    (
        "a field that is read in another response and in the webhook",
        [{"op": "replace", "path": f"{FILM}/properties/id/type", "value": "integer"}],
        ["POST /v1/films, response 200: id", "webhook film.finished of POST /v1/films, request: film.id"],
    ),
    (
        "a response that the tests never received",
        [{"op": "remove", "path": "/paths/~1films~1{id}/get/responses/200/content"}],
        [],
    ),
    ("an operation that is called", [{"op": "remove", "path": f"{FILMS}/post"}], ["POST /v1/films"]),
    ("an operation that is not called", [{"op": "remove", "path": "/paths/~1health"}], []),
    ("an operation of which nothing was called", [{"op": "remove", "path": "/paths/~1films~1{id}/delete"}], []),
    (
        "a query parameter that is sent",
        [{"op": "remove", "path": f"{FILMS}/get/parameters/0"}],
        ["GET /v1/films, parameter sort in query"],
    ),
    (
        "a parameter whose keys are sent",
        [{"op": "replace", "path": f"{FILMS}/get/parameters/2/style", "value": "form"}],
        ["GET /v1/films, parameter filter in query"],
    ),
    ("a query parameter that is not sent", [{"op": "remove", "path": f"{FILMS}/get/parameters/1"}], []),
    (
        "a parameter that is required and not sent",
        [{"op": "add", "path": f"{FILMS}/get/parameters/1/required", "value": True}],
        ["GET /v1/films, parameter size in query"],
    ),
    (
        "a parameter that is required and sent anyway",
        [{"op": "add", "path": f"{FILMS}/get/parameters/0/required", "value": True}],
        [],
    ),
    (
        "the default of a parameter that is not sent",
        [{"op": "replace", "path": f"{FILMS}/get/parameters/1/schema/default", "value": 10}],
        ["GET /v1/films, parameter size in query"],
    ),
    (
        "a property of a parameter that is required and not sent",
        [{"op": "add", "path": f"{FILMS}/get/parameters/2/schema/required", "value": ["name_cont"]}],
        ["GET /v1/films, parameter filter in query: name_cont"],
    ),
    (
        "a property of a parameter that is required and sent anyway",
        [{"op": "add", "path": f"{FILMS}/get/parameters/2/schema/required", "value": ["name_eq"]}],
        [],
    ),
    (
        "a field that is required and not sent",
        [{"op": "add", "path": f"{NEW_FILM}/required/-", "value": "year"}],
        ["POST /v1/films, request (application/x-www-form-urlencoded): year", "POST /v1/films, request: year"],
    ),
    (
        "a field that is required and sent anyway",
        [{"op": "add", "path": f"{NEW_FILM}/required/-", "value": "genre"}],
        [],
    ),
    (
        "an enum of what is sent",
        [{"op": "remove", "path": f"{NEW_FILM}/properties/genre/enum/0"}],
        ["POST /v1/films, request (application/x-www-form-urlencoded): genre", "POST /v1/films, request: genre"],
    ),
    (
        "authentication",
        [{"op": "replace", "path": "/components/securitySchemes/key/name", "value": "Api-Key"}],
        ["GET /v1/films, security", "GET /v1/films/{id}, security", "POST /v1/films, security"],
    ),
    (
        "a webhook that comes",
        [{"op": "remove", "path": f"{FILMS}/post/callbacks"}],
        ["webhook film.finished of POST /v1/films"],
    ),
    (
        "a field of the webhook that is not read",
        [{"op": "remove", "path": f"{HOOK}/requestBody/content/application~1json/schema/properties/note"}],
        [],
    ),
]


@pytest.fixture
def coverage(tmp_path: Path) -> Coverage:
    """What the app uses, read from a file."""
    return read_coverage(written(tmp_path, COVERAGE))


def written(folder: Path, data: object) -> Path:
    """Write a coverage file."""
    path = folder / "coverage.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(("patch", "affected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_changes_that_affect_an_app(
    films: dict[str, Any], coverage: Coverage, patch: list[dict[str, Any]], affected: list[str]
) -> None:
    """Down to the fields read and sent, and to required values that are not sent."""
    new: Any = jsonpatch.JsonPatch.from_string(json.dumps(patch)).apply(films)
    comparison = compare(films, new)
    breaking = len(comparison.rated(Rating.BREAKING))
    assert breaking
    found = affected_by(comparison, coverage, films, new)
    used = found.breaking()
    assert sorted(str(use.location) for change in used for use in change.uses) == sorted(affected)
    text = summary(comparison, found).summary
    assert text.startswith(f"{breaking} breaking change{'' if breaking == 1 else 's'}; you use {len(used)}")
    assert all(str(change.uses[0].location) in text for change in used)


@pytest.mark.parametrize(("field", "affected"), [("year", 1), ("genre", 0)])
def test_a_default_affects_who_omits_the_value(
    films: dict[str, Any], coverage: Coverage, field: str, affected: int
) -> None:
    """The app sends a genre and no year."""
    old = copy.deepcopy(films)
    old["components"]["schemas"]["NewFilm"]["properties"][field]["default"] = "any"
    comparison = compare(old, films)
    assert [change.rule for change in comparison.rated(Rating.BREAKING)] == ["default-removed"]
    assert len(affected_by(comparison, coverage, old, films).breaking()) == affected


@pytest.mark.process
def test_safe_changes_are_reported_if_they_are_used(films: dict[str, Any], coverage: Coverage) -> None:
    """The deprecation of a called operation is reported, a new field that is not used yet is not."""
    new = copy.deepcopy(films)
    new["paths"]["/films"]["get"]["deprecated"] = True
    new["components"]["schemas"]["Film"]["properties"]["studio"] = {"type": "string"}
    comparison = compare(films, new)
    found = affected_by(comparison, coverage, films, new)
    assert [str(use.location) for change in found.changes for use in change.uses] == ["GET /v1/films"]
    assert summary(comparison, found).summary == "0 breaking changes; you use 0."


def test_documentation_of_the_whole_document_affects_no_app(films: dict[str, Any], coverage: Coverage) -> None:
    """Apps do not use the version in the document's info."""
    new = copy.deepcopy(films)
    new["info"]["version"] = "2"
    comparison = compare(films, new)
    assert comparison.changes
    assert affected_by(comparison, coverage, films, new).changes == ()


@pytest.mark.parametrize(
    ("used", "changed", "affected"),
    [
        ("/data/*/name", "/data/*/name", True),
        ("/data/*/name", "/data", True),
        ("/data/*/name", "/data/*/name/first", True),
        ("/data/*/name", "/data/*/names", False),
        ("/meta/de/title", "/meta/*/title", True),
        ("/meta/*/title", "/meta/de/title", True),
    ],
)
def test_fields(used: str, changed: str, affected: bool) -> None:  # noqa: FBT001 - a case
    """A field is used if it, one inside it, or one around it was; a star stands for any step."""
    assert uses([used], changed) is affected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "version 1"),
        ({"version": 2}, "version 1"),
        ({"version": 1, "operations": []}, "AttributeError"),
        ({"version": 1, "operations": {"a": {"statuses": {"200": {"calls": 1}}}}}, "KeyError 'method'"),
        ({"version": 1, "webhooks": {"a": None}}, "AttributeError"),
    ],
)
def test_other_files(tmp_path: Path, data: object, words: str) -> None:
    """Another file is rejected with the command that writes one."""
    with pytest.raises(PipelineError, match="--contentgroove-coverage=FILE") as caught:
        read_coverage(written(tmp_path, data))
    assert words in str(caught.value)


def test_a_file_without_json(tmp_path: Path) -> None:
    """A file that is not JSON is named."""
    path = tmp_path / "coverage.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(PipelineError, match=r"coverage\.json is not a coverage file"):
        read_coverage(path)


def test_unknown_members_are_ignored(tmp_path: Path) -> None:
    """A newer plugin may write more."""
    more = copy.deepcopy(COVERAGE)
    more["later"] = {}
    more["operations"]["createFilm"]["later"] = 1
    assert read_coverage(written(tmp_path, more)) == read_coverage(written(tmp_path, COVERAGE))


@pytest.mark.process
def test_the_command(tmp_path: Path, films: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """With --coverage, the report and the exit status are the app's."""
    names: list[str] = []
    for name, field in (("old", ""), ("unused", "seconds"), ("used", "name")):
        films["components"]["schemas"]["Film"]["properties"].pop(field, None)
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(films), encoding="utf-8")
        names.append(str(path))
    options = ["--coverage", str(written(tmp_path, COVERAGE)), "--fail-on", "breaking"]
    assert run(["spec", "diff", names[0], names[1], *options]) == 0
    output = capsys.readouterr().out
    assert "1 breaking change; you use 0." in output
    assert "Breaking for others (1)" in output
    assert run(["spec", "diff", names[1], names[2], *options]) == 1
    output = capsys.readouterr().out
    words = "1 breaking change; you use 1: GET /v1/films, response 200: data[].name: Property `name` was removed."
    assert words in output
    assert "Breaking for you (1)" in output
    # Other operations lose it, too; the app does not use them.
    assert "GET /v1/films/{id}" not in output


def test_nothing_is_used(films: dict[str, Any]) -> None:
    """An app without tests is affected only by changes of the whole document."""
    new = copy.deepcopy(films)
    new["servers"] = [{"url": "https://other.example/v1"}]
    del new["paths"]["/films"]["post"]
    comparison = compare(films, new)
    assert {change.rule for change in affected_by(comparison, Coverage(), films, new).breaking()} == {"server-removed"}
    used = Coverage({("post", "/v1/films"): Usage("createFilm")})
    rules = {change.rule for change in affected_by(comparison, used, films, new).breaking()}
    assert rules == {"server-removed", "operation-removed"}


def test_a_renamed_parameter_that_is_sent(films: dict[str, Any], coverage: Coverage) -> None:
    """A rename is a removal: the service no longer reads what the app sends."""
    new = copy.deepcopy(films)
    new["paths"]["/films"]["get"]["parameters"][0]["name"] = "order"
    found = affected_by(compare(films, new), coverage, films, new).breaking()
    assert [str(use.location) for change in found for use in change.uses] == ["GET /v1/films, parameter sort in query"]


@pytest.mark.parametrize(("sent", "affected"), [(["name"], False), (["year"], True), (["name", "year"], True)])
def test_a_value_that_is_sent(films: dict[str, Any], tmp_path: Path, sent: list[str], affected: bool) -> None:  # noqa: FBT001 - a case
    """The removal of an allowed value affects who sends it; without recorded values, all who send the parameter."""
    new = copy.deepcopy(films)
    new["paths"]["/films"]["get"]["parameters"][0]["schema"]["enum"] = ["name"]
    data = copy.deepcopy(COVERAGE)
    comparison = compare(films, new)
    unknown = affected_by(comparison, read_coverage(written(tmp_path, data)), films, new)
    assert len(unknown.breaking()) == 1
    data["operations"]["aNameThatChanged"]["query_values"] = {"sort": sent}
    found = affected_by(comparison, read_coverage(written(tmp_path, data)), films, new)
    assert bool(found.breaking()) is affected


def tree_of_films(depth_changed: str) -> dict[str, Any]:
    """Return a document whose schema contains itself, with a property of a given type."""
    film = {
        "type": "object",
        "properties": {
            "title": {"type": depth_changed},
            "year": {"type": "integer"},
            "sequel": {"$ref": "#/components/schemas/Film"},
            "remakes": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Film"}},
        },
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Film"}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Films", "version": "1"},
        "paths": {"/film": {"get": {"responses": {"200": {"description": "", "content": content}}}}},
        "components": {"schemas": {"Film": film}},
    }


@pytest.mark.parametrize(
    ("read", "affected"),
    [
        ("/sequel/sequel/sequel/sequel/sequel/sequel/title", True),
        ("/sequel/remakes/*/sequel/remakes/fr/title", True),
        ("/sequel/sequel/sequel/sequel/sequel/sequel/year", False),
        ("/sequel/sequel/sequel", True),
        ("/title", True),
        ("/year", False),
    ],
)
def test_fields_of_recursive_schemas(read: str, affected: bool) -> None:  # noqa: FBT001 - a case
    """A field is found however deep it is, although reports name only the shortest ones."""
    old, new = tree_of_films("string"), tree_of_films("integer")
    coverage = Coverage({("get", "/film"): Usage("film", frozenset({"200"}), read=frozenset({read}))})
    found = affected_by(compare(old, new), coverage, old, new)
    assert bool(found.breaking()) is affected


def test_a_part_that_cannot_be_compared_counts_if_it_is_used(films: dict[str, Any], coverage: Coverage) -> None:
    """It may break: who uses it must look."""
    new = copy.deepcopy(films)
    new["paths"]["/films"]["get"]["responses"]["200"] = {"$ref": "#/components/responses/Gone"}
    comparison = compare(films, new)
    assert comparison.not_compared
    found = affected_by(comparison, coverage, films, new)
    assert found.not_compared == comparison.not_compared
    assert "could not be compared" in summary(comparison, found).summary
    other = Coverage({("post", "/v1/films"): Usage("createFilm")})
    assert affected_by(comparison, other, films, new).not_compared == ()


@pytest.mark.process
def test_the_plugin_writes_what_is_read(
    tmp_path: Path, generation_3: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """An app's own test run writes the file, and the report follows from it: `name` is read, `external_id` is not."""
    (tmp_path / "test_app.py").write_text(
        "def test_app(contentgroove_client):\n"
        "    media = contentgroove_client.medias.create(source_url='https://films.example/a.mp4')\n"
        "    assert media.name is not None\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-q", "--contentgroove-coverage=coverage.json", "test_app.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stdout
    names: list[str] = []
    attributes = generation_3["components"]["schemas"]["media_response_object_data"]["properties"]["attributes"]
    for name, removed in (("old", []), ("new", ["name", "external_id"])):
        for attribute in removed:
            del attributes["properties"][attribute]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(generation_3), encoding="utf-8")
        names.append(str(path))
    assert run(["spec", "diff", *names, "--coverage", str(tmp_path / "coverage.json"), "--fail-on", "breaking"]) == 1
    output = capsys.readouterr().out
    assert "you use 1: POST /api/v1/medias, response 200: data.attributes.name" in output
    assert output.index("Breaking for you (1)") < output.index("Breaking for others (1)") < output.index("external_id")
