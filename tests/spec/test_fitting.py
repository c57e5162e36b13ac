"""Corrections know what they correct: each part of the published document that they rely on, removed or changed.

`python -m tests.spec.corrections_trial` does the same with every location that the corrections rely on, one at a time.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove_spec import PipelineError
from contentgroove_spec.config import load_config
from pipeline.corrections import Corrections
from pipeline.expectations import read_record, write_record
from pipeline.fitting import Status
from pipeline.locations import ABSENT, find

from .both_documents import CLIP, MEDIA, SUBSCRIPTION
from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.corrections import Corrected

Json = dict[str, Any]
DONE, CONFLICT, ORPHANED = Status.DONE, Status.CONFLICT, Status.ORPHANED
DIRECT_UPLOAD = ("direct_upload_response_object", "properties", "data")
RENAMED = "media_file_content_duration"
RESOURCES = [(MEDIA,), (CLIP,), (SUBSCRIPTION,), DIRECT_UPLOAD]


def attributes_at(resource: tuple[str, ...]) -> tuple[str, ...]:
    """The location of a resource's attributes."""
    return ("components", "schemas", *resource, "properties", "attributes", "properties")


@pytest.fixture(scope="module")
def corrections() -> Corrections:
    """The committed corrections with their committed record."""
    return Corrections.load(load_config(ROOT / "spec" / "pipeline.toml"))


def corrected_names(published: Json, contract: Json, location: tuple[str, ...]) -> list[str]:
    """The attributes that corrections concern; what is the same in both documents, none does."""
    known = {**find(published, location), **find(contract, location)}
    names = [name for name in known if find(published, (*location, name)) != find(contract, (*location, name))]
    assert len(names) > 1
    return names


def statuses(corrected: Corrected, location: tuple[str, ...]) -> set[Status]:
    """The statuses of the problems at a location, or in what is there."""
    return {item.status for item in corrected.problems if item.location[: len(location)] == location}


def test_nothing_changed(corrections: Corrections, published: Json, contract: Json) -> None:
    """All corrections fit the committed document, and make the committed contract of it."""
    corrected = corrections.correct(published)
    assert corrected.problems == ()
    assert corrected.contract == contract
    assert corrections.record == corrections.make_record(published)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource[0])
def test_removed_attributes_stay_removed(
    corrections: Corrections, published: Json, contract: Json, resource: tuple[str, ...]
) -> None:
    """Each is reported, and no correction puts it back or requires it."""
    location = attributes_at(resource)
    names = [name for name in corrected_names(published, contract, location) if name in find(published, location)]
    find(published, location).clear()
    corrected = corrections.correct(published)
    for name in names:
        assert statuses(corrected, (*location, name)) == ({DONE} if name == RENAMED else {ORPHANED}), name
    # The clip's duration is a new name, which no removed attribute had.
    assert find(corrected.contract, location).keys() <= {"media_file_duration"}
    assert set(find(corrected.contract, location[:-1]).get("required", [])) <= {"media_file_duration"}
    with pytest.raises(PipelineError, match=f"orphaned.*/{names[0]}: expected"):
        corrected.require_fitting()


@pytest.mark.parametrize("name", ["name", "source_file_duration", "source_url"])
def test_one_removed_attribute(corrections: Corrections, published: Json, name: str) -> None:
    """The lines to delete are named: in the overlay each of them has the attribute's name, or decorates it."""
    del find(published, attributes_at((MEDIA,)))[name]
    corrected = corrections.correct(published)
    overlay = (ROOT / "spec" / "corrections.overlay.yaml").read_text(encoding="utf-8").splitlines()
    lines = [item.lines.removeprefix("corrections.overlay.yaml:").partition("-") for item in corrected.problems]
    shown = ["\n".join(overlay[int(first) - 1 : int(last or first)]) for first, _, last in lines]
    assert len(shown) == len(set(shown)) >= 3
    assert all(name in text for text in shown)
    assert {item.status for item in corrected.problems} == {ORPHANED}
    assert find(corrected.contract, (*attributes_at((MEDIA,)), name)) is ABSENT


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource[0])
def test_attributes_in_their_corrected_form_are_done(
    corrections: Corrections, published: Json, contract: Json, resource: tuple[str, ...]
) -> None:
    """The provider mends its document: each attribute's correction is to be deleted."""
    location = attributes_at(resource)
    changed = find(contract, location)
    names = [name for name, value in changed.items() if value != find(published, (*location, name))]
    assert names
    find(published, location).update(copy.deepcopy(changed))
    corrected = corrections.correct(published)
    for name in names:
        assert statuses(corrected, (*location, name)) == {DONE}, name
    assert find(corrected.contract, location) == changed


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource[0])
def test_attributes_in_another_form_are_in_conflict(
    corrections: Corrections, published: Json, contract: Json, resource: tuple[str, ...]
) -> None:
    """A person must decide; until then the contract has what is published."""
    location = attributes_at(resource)
    other = {"type": "object", "properties": {"seconds": {"type": "integer"}}}
    names = [
        name
        for name in corrected_names(published, contract, location)
        if find(contract, (*location, name, "type")) != "object"
    ]
    find(published, location).update({name: copy.deepcopy(other) for name in names})
    corrected = corrections.correct(published)
    for name in names:
        assert statuses(corrected, (*location, name)) == {CONFLICT}, name
    assert all(find(corrected.contract, (*location, name)) == other for name in names if name != RENAMED)


def hook(document: Json) -> Json:
    """The members of the webhook's payload, where they are published."""
    callback = document["paths"]["/medias"]["post"]["callbacks"]["media.processing_finished"]
    body = callback["Provided URL in /webhook_subscriptions"]["post"]["requestBody"]["content"]["application/json"]
    found: Json = body["schema"]["properties"]["payload"]["properties"]
    return found


def upload(document: Json) -> Json:
    """The attributes of the body of POST /medias."""
    body = document["paths"]["/medias"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    found: Json = body["properties"]["data"]["properties"]["attributes"]["properties"]
    return found


def query(document: Json, path: str, name: str) -> Json:
    """A parameter of a list."""
    found: Json = find(document, ("paths", path, "get", "parameters", f"{name} in query"))
    return found


def links(document: Json) -> Json:
    """The links of an example."""
    found: Json = document["paths"]["/clips"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    return found


def schemas(document: Json) -> Json:
    """The components."""
    found: Json = document["components"]["schemas"]
    return found


def rename_page(document: Json) -> None:
    """The page of clips gets another name."""
    query(document, "/clips", "page")["name"] = "cursor"


CASES: list[tuple[str, Callable[[Json], Any], str, Status, bool]] = [
    # A change, the words of the pointer that is named, the status, and whether `make generate` refuses it.
    ("webhook field removed", lambda d: hook(d)["data"]["properties"]["attributes"]["properties"].pop("name"),
     "attributes/properties/name", CONFLICT, True),
    ("webhook field added", lambda d: hook(d)["data"]["properties"]["attributes"]["properties"].update(mood={}),
     "attributes/properties/mood", CONFLICT, True),
    ("event added", lambda d: d["paths"]["/medias"]["post"]["callbacks"].update({"media.failed": {}}),
     "callbacks/media.failed", CONFLICT, True),
    ("event removed", lambda d: d["paths"]["/medias"]["post"].pop("callbacks"), "/paths/~1medias/post/callbacks",
     DONE, True),
    ("request field removed", lambda d: upload(d).pop("source_url"), "properties/source_url", ORPHANED, True),
    ("request field changed", lambda d: upload(d)["upload_id"].update(type="integer"), "properties/upload_id",
     CONFLICT, True),
    ("value removed", lambda d: query(d, "/clips", "sort")["schema"]["enum"].remove("original_created_at"),
     "/paths/~1clips/get/parameters/2/schema/enum/original_created_at", DONE, True),
    ("values removed", lambda d: query(d, "/clips", "sort")["schema"].update(enum=["name"]), "sort", DONE, True),
    ("parameter removed", rename_page, "/parameters/page in query", ORPHANED, False),
    ("parameter added", lambda d: d["paths"]["/webhook_subscriptions"]["get"]["parameters"].append(
        {"name": "page", "in": "query", "schema": {"type": "integer"}}),
     "/paths/~1webhook_subscriptions/get/parameters/2", CONFLICT, True),
    ("operation removed", lambda d: d["paths"]["/clips/{id}"].pop("put"), "/paths/~1clips~1{id}/put", ORPHANED, True),
    ("deletion removed", lambda d: d["paths"]["/clips/{id}"].pop("delete"), "/paths/~1clips~1{id}/delete", ORPHANED,
     False),
    ("path removed", lambda d: d["paths"].pop("/direct_uploads"), "/paths/~1direct_uploads/get", ORPHANED, True),
    ("response removed", lambda d: d["paths"]["/clips"]["get"]["responses"].pop("429"), "responses/429", ORPHANED,
     False),
    ("response added", lambda d: d["paths"]["/clips"]["get"]["responses"].update({"500": {"description": "x"}}),
     "responses/500", CONFLICT, True),
    ("component removed", lambda d: schemas(d).pop("links_object_data"), "/components/schemas/links_object_data",
     ORPHANED, True),
    ("component added", lambda d: schemas(d).update(transcription={"type": "object"}),
     "/components/schemas/transcription", CONFLICT, True),
    ("schema moved", lambda d: schemas(d)[MEDIA]["properties"].update(attributes={"$ref": "#/components/schemas/x"}),
     f"/components/schemas/{MEDIA}/properties/attributes", CONFLICT, True),
    ("resource's type removed", lambda d: schemas(d)[CLIP]["properties"].pop("type"), f"{CLIP}/properties/type",
     ORPHANED, True),
    ("values added", lambda d: schemas(d)[CLIP]["properties"]["type"].update(enum=["clip"]),
     f"{CLIP}/properties/type/enum", CONFLICT, True),
    ("relationship added", lambda d: schemas(d)[MEDIA]["properties"]["relationships"]["properties"].update(tags={}),
     "relationships/properties/tags", CONFLICT, True),
    ("required there", lambda d: schemas(d)["media_response_object"].update(required=["data"]), "required/0", DONE,
     True),
    ("example mended", lambda d: links(d)["links"].update(self="https://api.contentgroove.com/api/v1/clips"),
     "example/links/self", DONE, True),
    ("example removed", lambda d: links(d).pop("links"), "example/links", ORPHANED, True),
    ("example changed", lambda d: links(d)["links"].update(self="/clips"), "example/links/self", CONFLICT, True),
    ("security changed", lambda d: d["paths"]["/clips"]["get"].update(security=[]), "/paths/~1clips/get/security",
     CONFLICT, True),
    ("security removed", lambda d: d["paths"]["/clips"]["get"].pop("security"), "/paths/~1clips/get/security",
     ORPHANED, False),
    ("security added", lambda d: d["paths"]["/clips"]["get"]["security"].append({"ApiKeyQuery": []}),
     "/paths/~1clips/get/security/1", DONE, True),
    ("scheme changed", lambda d: d["components"]["securitySchemes"]["BearerHeader"].update(name="X-Key"),
     "/components/securitySchemes/BearerHeader/name", CONFLICT, True),
    ("tags there", lambda d: d.update(tags=[{"name": "films"}]), "/tags", CONFLICT, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words", "status", "refused"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_other_parts(
    corrections: Corrections,
    published: Json,
    change: Callable[[Json], Any],
    words: str,
    status: Status,
    refused: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Webhooks, requests, parameters, values, operations, responses, components, examples, security."""
    change(published)
    corrected = corrections.correct(published)
    (first, *_) = [item for item in corrected.problems if item.pointer.endswith(words) or words == "sort"]
    assert first.status is status
    assert first.lines.startswith("corrections.overlay.yaml:")
    assert any(not item.is_followed for item in corrected.problems) is refused
    if refused:
        with pytest.raises(PipelineError, match="no longer fit"):
            corrected.require_fitting()
    else:
        corrected.require_fitting()
    # What was removed stays away, and what is in conflict is as published; a removal still applies.
    if status is not DONE and "callbacks" not in first.pointer and not first.is_followed:
        assert find(corrected.contract, first.location) == find(published, first.location)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: query(d, "/clips", "sort")["schema"]["enum"].append("rank"),
        lambda d: d["paths"]["/clips"]["get"]["parameters"].insert(0, {"name": "q", "in": "query"}),
        lambda d: d["paths"].update({"/moods/{id}": copy.deepcopy(d["paths"]["/clips/{id}"])}),
        lambda d: find(d, attributes_at((MEDIA,))).update(language={"type": "string"}),
        lambda d: find(d, attributes_at((CLIP,)))["name"].update(nullable=True),
        lambda d: links(d)["data"][0]["attributes"].update(created_at="2031-01-02T03:04:05Z"),
    ],
)
def test_what_does_not_concern_a_correction(
    corrections: Corrections, published: Json, change: Callable[[Json], Any]
) -> None:
    """New values, parameters, operations and attributes, and other timestamps, stop nothing."""
    change(published)
    assert corrections.correct(published).problems == ()


def test_what_a_person_accepts(corrections: Corrections, published: Json, tmp_path: Path) -> None:
    """A conflict can be accepted, and is then what is expected. What decorates nothing cannot be."""
    find(published, attributes_at((CLIP,)))["name"]["type"] = "integer"
    assert {item.status for item in corrections.correct(published).problems} == {CONFLICT}
    accepted = corrections.correct(published, accept=True)
    assert accepted.problems == ()
    assert find(accepted.contract, (*attributes_at((CLIP,)), "name", "description")) == "The clip's name."
    path = tmp_path / "record.yaml"
    path.write_text(write_record(corrections.make_record(published)), encoding="utf-8")
    record = read_record(path)
    assert record
    assert record.shapes[*attributes_at((CLIP,)), "name"] == "integer"
    del find(published, attributes_at((CLIP,)))["name"]
    problems = corrections.correct(published, accept=True).problems
    assert {(item.status, item.location[-1]) for item in problems} == {(ORPHANED, "name")}
    assert len(problems) >= 2, "the description and the name in `required`"


def test_a_removal_that_is_accepted_becomes_an_addition(corrections: Corrections, published: Json) -> None:
    """A correction with a whole form can bring back what the provider removed by mistake; a person says so."""
    location = (*attributes_at((MEDIA,)), "source_file_duration")
    del find(published, location[:-1])[location[-1]]
    pending = corrections.correct(published, accept=True)
    # The name in the target of the removal selects nothing, so that it is needless.
    assert all("from the target" in item.todo for item in pending.problems)
    assert find(pending.contract, location)["description"] == "The file's length in seconds."


@pytest.mark.parametrize(
    "content",
    ["found: []\n", "published: x\nfound: {'/a': {was: object}}\n", "published: x\nfound: {'/a': 5}\n", "a: ["],
)
def test_a_broken_record(tmp_path: Path, content: str) -> None:
    """An error names the file."""
    path = tmp_path / "record.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PipelineError, match=r"record\.yaml"):
        read_record(path)


XERO = ROOT / "tests" / "spec" / "other_apis" / "xero_bank_feeds"


def test_another_api_without_a_record(published: Json) -> None:
    """Its corrections must select and change something, and nothing more."""
    other = Corrections.load(load_config(XERO / "pipeline.toml"))
    document = parse((XERO / "document.json").read_bytes(), "document.json")
    assert not other.is_recorded
    assert other.correct(document).problems == ()
    (first, *_) = other.correct(published).problems
    assert (first.status, first.todo) == (DONE, "It selects nothing: delete the action.")


def test_another_api_with_a_record(tmp_path: Path) -> None:
    """The same corrections are checked with a record as soon as the configuration names one."""
    config = dataclasses.replace(load_config(XERO / "pipeline.toml"), expected=tmp_path / "expected.yaml")
    document = parse((XERO / "document.json").read_bytes(), "document.json")
    new = Corrections.load(config)
    assert new.correct(document).problems == ()
    (tmp_path / "expected.yaml").write_text(write_record(new.make_record(document)), encoding="utf-8")
    location = ("paths", "/Statements/{statementID}", "get", "parameters", "statementId in query")
    find(document, location)["schema"] = {"type": "array", "items": {"type": "string"}}
    (problem,) = Corrections.load(config).correct(document).problems
    assert (problem.status, problem.location[: len(location)]) == (CONFLICT, location)


def test_a_description_alone_creates_no_property() -> None:
    """Also without a record: a property needs a form."""
    overlay: Json = {
        "overlay": "1.1.0",
        "info": {"title": "T", "version": "1"},
        "actions": [{"target": "$.components.schemas.Film.properties", "update": {"year": {"description": "When."}}}],
    }
    document: Json = {"components": {"schemas": {"Film": {"properties": {"name": {"type": "string"}}}}}}
    corrected = Corrections(overlay, json.dumps(overlay).encode(), "o.json", None, is_recorded=False).correct(document)
    assert [(item.status, item.pointer) for item in corrected.problems] == [
        (ORPHANED, "/components/schemas/Film/properties/year")
    ]
    assert corrected.contract == document
