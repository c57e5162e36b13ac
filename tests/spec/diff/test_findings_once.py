"""A change of a component is one finding, with the locations that it reaches; work grows with the document alone."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from contentgroove._openapi.pointers import lookup
from contentgroove_spec.changes import SECTIONS, Direction, Rating
from contentgroove_spec.compare import compare

from .campaign import changed
from .small_documents import component, document

FILM: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "string"}, "seconds": {"type": "number"}}}


def body(schema: Any) -> dict[str, Any]:
    """A body with a schema."""
    return {"content": {"application/json": {"schema": schema}}}


def films(**schemas: Any) -> dict[str, Any]:
    """A component that is sent, received, used in another component, and in a webhook."""
    listed = {"type": "object", "properties": {"data": {"type": "array", "items": component("Film")}}}
    paths = {
        "/films": {
            "get": {"responses": {"200": {"description": "", **body(component("Page"))}}},
            "post": {"requestBody": body(component("Film")), "responses": {"201": {"description": ""}}},
        }
    }
    webhooks = {
        "film.done": {"post": {"requestBody": body({"type": "object", "properties": {"film": component("Film")}})}}
    }
    components = {"schemas": {"Film": FILM, "Page": listed, **schemas}}
    return document(paths, version="3.1.0", webhooks=webhooks, components=components)


def test_one_finding_with_its_uses() -> None:
    """It names the component once, and each location with its direction and rating."""
    new = films(Film={"type": "object", "properties": {"id": {"type": "string"}, "seconds": {"type": "integer"}}})
    (change,) = compare(films(), new).changes
    assert (change.rule, change.rating) == ("type-narrowed", Rating.BREAKING)
    assert (change.subject.component, change.subject.pointer) == (
        "/components/schemas/Film",
        "/properties/seconds/type",
    )
    assert str(change.subject) == "schema Film: seconds"
    assert {(str(use.location), use.direction, use.rating) for use in change.uses} == {
        ("GET /films, response 200: data[].seconds", Direction.RECEIVED, Rating.SAFE),
        ("POST /films, request: seconds", Direction.SENT, Rating.BREAKING),
        ("webhook film.done of the whole document, request: film.seconds", Direction.RECEIVED, Rating.SAFE),
    }


def test_pointers_lead_to_the_change() -> None:
    """In both documents; for what is in one alone, in the other to what contains it."""
    old, new = films(), films(Film={"type": "object", "properties": {"id": {"type": "integer"}}})
    for change in compare(old, new).changes:
        assert change.old_pointer is not None
        assert change.new_pointer is not None
        lookup(old, change.old_pointer)
        lookup(new, change.new_pointer)
    removed = next(change for change in compare(old, new).changes if change.rule == "property-removed")
    assert removed.old_pointer == "/components/schemas/Film/properties/seconds"
    assert removed.new_pointer == "/components/schemas/Film"


@pytest.mark.parametrize("section", ["parameters", "responses", "requestBodies", "headers"])
def test_other_components_are_subjects_too(section: str) -> None:
    """A parameter, response, body or header of the components changes once."""

    def shared(kind: str) -> dict[str, Any]:
        reference = {"$ref": f"#/components/{section}/Shared"}
        schema = {"type": kind}
        shapes: dict[str, dict[str, Any]] = {
            "parameters": {"name": "q", "in": "query", "schema": schema},
            "responses": {"description": "", **body(schema)},
            "requestBodies": body(schema),
            "headers": {"schema": schema},
        }
        operations: dict[str, dict[str, Any]] = {
            "parameters": {"parameters": [reference]},
            "responses": {"responses": {"200": reference}},
            "requestBodies": {"requestBody": reference},
            "headers": {"responses": {"200": {"description": "", "headers": {"X-A": reference}}}},
        }
        components = {section: {"Shared": shapes[section]}}
        return document({f"/{name}": {"post": operations[section]} for name in "abc"}, components=components)

    (change,) = compare(shared("boolean"), shared("array")).changes
    assert (change.subject.component, change.rule) == (f"/components/{section}/Shared", "type-changed")
    assert len(change.uses) == 3


def test_a_component_that_nothing_uses() -> None:
    """Its change is safe, and the report says why."""
    unused = {"type": "object", "properties": {"a": {"type": "string"}}}
    (change,) = compare(films(Lost=unused), films(Lost={"type": "object"})).changes
    assert (change.rating, change.reason) == (Rating.SAFE, "No operation uses it.")
    assert str(change.subject) == "schema Lost: a"
    assert list(change.uses) == []


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_a_component_of_any_kind_that_nothing_uses(section: str) -> None:
    """It is compared as well: only then is it true that nothing changed."""
    old, new, none = films(), films(), films()
    old["components"][section] = {**old["components"].get(section, {}), "Lost": {"description": "One."}}
    new["components"][section] = {**new["components"].get(section, {}), "Lost": {"description": "Two."}}
    for pair in ((old, new), (old, none), (none, old)):
        (change,) = compare(*pair).changes
        assert change.subject.component == f"/components/{section}/Lost"


def test_a_read_only_property() -> None:
    """What is not sent does not break a sender."""
    old = films(Film={"type": "object", "properties": {"id": {"type": "string", "readOnly": True, "enum": ["a", "b"]}}})
    new = films(Film={"type": "object", "properties": {"id": {"type": "string", "readOnly": True, "enum": ["a"]}}})
    (change,) = compare(old, new).changes
    assert change.rating is Rating.SAFE
    assert {use.direction for use in change.uses} == {Direction.RECEIVED}


def test_a_change_without_effect_has_a_location() -> None:
    """A read-only property of a request says where it is, and why its change is safe."""

    def request(*required: str) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"id": {"type": "string", "readOnly": True}}, "required": [*required]}
        return document({"/a": {"post": {"requestBody": body(schema)}}})

    (change,) = compare(request(), request("id")).changes
    assert str(change.subject) == "POST /a, request: id"
    assert (change.rating, list(change.uses)) == (Rating.SAFE, [])
    assert change.reason.startswith("What is read-only is not sent")


def test_the_other_way_round_below_not() -> None:
    """What `not` narrows, the schema widens."""
    old = films(Film={"type": "string", "not": {"maxLength": 5}})
    new = films(Film={"type": "string", "not": {"maxLength": 9}})
    (change,) = compare(old, new).changes
    assert change.rule == "max-length-relaxed"
    ratings = {use.direction: use.rating for use in change.uses}
    assert ratings == {Direction.SENT: Rating.BREAKING, Direction.RECEIVED: Rating.SAFE}


def test_below_not_in_a_request_alone() -> None:
    """What `not` accepts more of, a request accepts less of."""
    old, new = (
        document({"/a": {"post": {"requestBody": body({"type": "string", "not": {"maxLength": length}})}}})
        for length in (5, 9)
    )
    assert [change.rating for change in compare(old, new).changes] == [Rating.BREAKING]
    assert [change.rating for change in compare(new, old).changes] == [Rating.SAFE]


def test_recursive_schemas_add_no_fields() -> None:
    """A film that has films is one use, not one for each level."""
    film = {"type": "object", "properties": {"id": {"type": "string"}, "parts": {"items": component("Film")}}}
    poorer = {"type": "object", "properties": {"parts": {"items": component("Film")}}}
    (change,) = compare(films(Film=film), films(Film=poorer)).changes
    assert sorted(use.location.field for use in change.uses) == ["/data/*/id", "/film/id", "/id"]


def test_a_part_of_several_schemas() -> None:
    """A property that two schemas have by `allOf` is removed once."""
    base = {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string"}}}
    poorer = {"type": "object", "properties": {"id": {"type": "string"}}}
    extended = {name: {"allOf": [component("Base"), {"properties": {name: {"type": "string"}}}]} for name in ("A", "B")}
    union = {"oneOf": [component("A"), component("B")]}
    (change,) = compare(films(Film=union, Base=base, **extended), films(Film=union, Base=poorer, **extended)).changes
    assert (change.rule, str(change.subject)) == ("property-removed", "schema Base: note")
    assert len(change.uses) == 3


def test_a_shared_parameter_that_becomes_required() -> None:
    """Its flag is one finding as well, and so is a text."""
    parameter = {"name": "q", "in": "query", "schema": {"type": "string"}}
    item = {"get": {"parameters": [{"$ref": "#/components/parameters/Q"}]}}
    paths = {f"/{name}": item for name in "abc"}
    old = document(paths, components={"parameters": {"Q": parameter}})
    new = document(paths, components={"parameters": {"Q": {**parameter, "required": True, "description": "Needed."}}})
    changes = compare(old, new).changes
    assert [change.rule for change in changes] == ["parameter-became-required", "text-added"]
    assert [len(change.uses) for change in changes] == [3, 3]
    assert changes[0].newly_required


def test_a_schema_of_a_mapping_alone() -> None:
    """What only a discriminator's mapping names may come as well."""
    base = {
        "type": "object",
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind", "mapping": {"short": "Short"}},
    }
    short = {"allOf": [component("Film"), {"type": "object", "properties": {"genre": {"type": "string"}}}]}
    poorer = {"allOf": [component("Film"), {"type": "object"}]}
    (change,) = compare(films(Film=base, Short=short), films(Film=base, Short=poorer)).changes
    assert str(change.subject) == "schema Short: genre"
    assert "GET /films, response 200: data[].genre" in {str(use.location) for use in change.uses}


def knotted(size: int) -> dict[str, Any]:
    """Components that all refer to each other, in many operations: expanded, they would have no end."""
    schemas = {
        f"C{number}": {
            "type": "object",
            "properties": {f"p{other}": component(f"C{(number * 7 + other) % size}") for other in range(12)},
        }
        for number in range(size)
    }
    paths = {
        f"/c{number}": {"get": {"responses": {"200": {"description": "", **body(component(f"C{number}"))}}}}
        for number in range(size)
    }
    return document(paths, components={"schemas": schemas})


def test_schemas_that_refer_to_each_other() -> None:
    """One change in a knot of 150 components is found once, with all 150 operations."""
    old = knotted(150)
    new = copy.deepcopy(old)
    del new["components"]["schemas"]["C3"]["properties"]["p0"]
    (change,) = compare(old, new).changes
    assert str(change.subject) == "schema C3: p0"
    assert {use.location.operation for use in change.uses} == {f"GET /c{number}" for number in range(150)}


def seconds(size: int) -> float:
    """The processor's time for a comparison of a knot with changes."""
    old = knotted(size)
    new = changed(old, 1, rate=0.02)
    start = time.process_time()
    compare(old, new)
    return time.process_time() - start


def test_time_grows_with_the_document() -> None:
    """Eight times as many components take far less than the square of it."""
    small, large = seconds(30), seconds(240)
    assert large < 30 * max(small, 0.01)


def test_unions_are_not_tried_all_with_all() -> None:
    """A union of 600 branches without names, each changed, takes no time to speak of."""
    branches = [
        {"type": "object", "title": f"T{number}", "properties": {f"p{number}": {"type": "string"}}}
        for number in range(600)
    ]
    old, new = films(Film={"oneOf": branches}), json.loads(json.dumps(films(Film={"oneOf": branches[::-1]})))
    for branch in new["components"]["schemas"]["Film"]["oneOf"]:
        branch["description"] = "Changed."
    start = time.process_time()
    comparison = compare(old, new)
    assert {change.rule for change in comparison.changes} == {"text-added"}
    assert time.process_time() - start < 5
