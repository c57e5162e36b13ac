"""What is the same thing in both documents: decided by what is on the wire, never by likeness."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare

from .small_documents import around, component, document, query, with_parameters


def rules(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    """The changes of the wire: their rules and subjects."""
    changes = compare(old, new).changes
    return [(change.rule, str(change.subject)) for change in changes if change.rating is not Rating.DOCUMENTATION]


def test_a_renamed_parameter_is_another_one() -> None:
    """The same schema, description and position do not prove a rename."""
    old = with_parameters(query("first_name", description="A name."), query("other"))
    new = with_parameters(query("last_name", description="A name."), query("other"))
    assert rules(old, new) == [
        ("parameter-removed", "GET /things, parameter first_name in query"),
        ("parameter-added", "GET /things, parameter last_name in query"),
    ]


@pytest.mark.parametrize("number", [2, 14, 32])
def test_many_renamed_parameters(number: int) -> None:
    """As many as there are come and go, and none is paired with another."""
    old = with_parameters(*(query(f"a{index}") for index in range(number)))
    new = with_parameters(*(query(f"b{index}") for index in range(number)))
    changes = compare(old, new).changes
    assert [change.rule for change in changes] == ["parameter-removed"] * number + ["parameter-added"] * number


@pytest.mark.parametrize("style", ["ids", "ids[]", "IDS"])
def test_names_in_queries_are_exact(style: str) -> None:
    """A query parameter has its case and its brackets."""
    removed = rules(with_parameters(query("Ids")), with_parameters(query(style)))
    assert removed[0] == ("parameter-removed", "GET /things, parameter Ids in query")


def test_a_parameter_of_another_location_is_another_one() -> None:
    """The name alone proves nothing either."""
    new = {"name": "q", "in": "cookie", "schema": {"type": "string"}}
    found = rules(with_parameters(query("q")), with_parameters(new))
    assert [rule for rule, _ in found] == ["parameter-removed", "parameter-added"]


def test_headers_have_no_case() -> None:
    """The case of a header's name proves a rename."""
    header = {"in": "header", "schema": {"type": "string"}}
    assert rules(with_parameters({"name": "X-A", **header}), with_parameters({"name": "x-a", **header})) == []


def path_parameter(name: str, kind: str = "string") -> dict[str, Any]:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}}


def test_path_parameters_have_positions() -> None:
    """They are compared by position, so that a swap of names is a swap of schemas."""
    old = with_parameters(path_parameter("a"), path_parameter("b", "integer"), path="/x/{a}/{b}")
    new = with_parameters(path_parameter("b"), path_parameter("a", "integer"), path="/x/{b}/{a}")
    assert rules(old, new) == []
    swapped = with_parameters(path_parameter("a"), path_parameter("b", "integer"), path="/x/{b}/{a}")
    assert [rule for rule, _ in rules(old, swapped)] == ["type-specialized-in-text", "type-generalized-in-text"]


def test_path_parameters_without_a_variable_have_names() -> None:
    """A mistake of the document does not hide the parameter."""
    old = with_parameters(path_parameter("id", "integer"))
    new = with_parameters(path_parameter("id", "boolean"))
    assert [rule for rule, _ in rules(old, new)] == ["type-changed"]


def test_an_operation_is_its_method_and_path() -> None:
    """Its id and its tags are names."""
    old = document({"/a": {"get": {"operationId": "list", "responses": {}}}, "/b": {"get": {"operationId": "b"}}})
    new = document({"/c": {"get": {"operationId": "list", "responses": {}}}, "/b": {"get": {"operationId": "b"}}})
    assert [rule for rule, _ in rules(old, new)] == ["operation-removed", "operation-added"]


def test_properties_have_names() -> None:
    """A property with another name is another property."""
    old, new = (around({"type": "object", "properties": {name: {"type": "string"}}}) for name in ("a", "b"))
    assert {rule for rule, _ in rules(old, new)} == {"property-removed", "property-added"}


def test_another_component_of_a_union() -> None:
    """Components with different names and contents are not compared with each other."""
    cat = {"type": "object", "properties": {"claws": {"type": "integer"}}}
    dog = {"type": "object", "properties": {"tail": {"type": "string"}, "age": {"type": "integer"}}}
    fish = {"type": "object", "properties": {"fins": {"type": "integer"}}}
    old = around({"oneOf": [component("Cat"), component("Dog")]}, Cat=cat, Dog=dog)
    new = around({"oneOf": [component("Cat"), component("Fish")]}, Cat=cat, Fish=fish)
    assert {rule for rule, _ in rules(old, new)} == {"branch-removed", "branch-added"}


def test_a_branch_is_known_by_its_tag() -> None:
    """The value of a tag, or the title, tells which branches correspond; what changed in them is found."""

    def branch(kind: str, **properties: Any) -> dict[str, Any]:
        return {"type": "object", "properties": {"kind": {"const": kind}, **properties}}

    old = around({"oneOf": [branch("a", x={"type": "string"}), branch("b", y={"type": "string"})]}, version="3.1.0")
    new = around({"oneOf": [branch("b", y={"type": "integer"}), branch("a", x={"type": "string"})]}, version="3.1.0")
    changes = compare(old, new).changes
    assert [change.rule for change in changes] == ["type-changed", "type-changed"]
    assert {str(use.location) for change in changes for use in change.uses} == {
        "POST /things, request: y",
        "POST /things, response 200: y",
    }


def test_an_encoding_comes_with_its_property() -> None:
    """A new property of a form is one change."""

    def form(*names: str) -> dict[str, Any]:
        media = {
            "schema": {"type": "object", "properties": {name: {"type": "array", "items": {}} for name in names}},
            "encoding": {name: {"style": "deepObject", "explode": True} for name in names},
        }
        content = {"application/x-www-form-urlencoded": media}
        return document({"/things": {"post": {"requestBody": {"content": content}}}})

    assert rules(form("a"), form("a", "b")) == [
        ("property-added", "POST /things, request (application/x-www-form-urlencoded): b")
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ([{"a": []}], [{"a": []}, {}], ["security-removed"]),
        ([{"a": []}, {}], [{"a": []}], ["security-added"]),
        ([{"a": []}, {}], [], []),
        ([{"a": [], "b": []}], [{"a": []}], ["security-alternative-relaxed"]),
        ([{"a": []}], [{"a": [], "b": []}], ["security-alternative-removed", "security-alternative-added"]),
        (
            [{"a": []}, {"b": []}],
            [{"b": []}, {"c": []}],
            ["security-alternative-removed", "security-alternative-added"],
        ),
        ([{"a": ["x"]}], [{"a": ["x", "y"]}], ["security-alternative-removed", "security-alternative-added"]),
        ([{"a": []}], [], ["security-removed"]),
        ([], [{"a": []}, {"b": []}], ["security-added"]),
    ],
)
def test_alternatives_of_security(old: list[Any], new: list[Any], found: list[str]) -> None:
    """Credentials that are sent today are enough, or they are not."""
    before, after = (document({"/a": {"get": {"security": security}}}) for security in (old, new))
    assert [rule for rule, _ in rules(before, after)] == found


def test_a_schema_that_becomes_one_of_several() -> None:
    """It is compared with the branch that it corresponds to, and its discriminator with that of the union."""
    cat = {"type": "object", "properties": {"kind": {"type": "string"}, "claws": {"type": "integer"}}}
    dog = {"type": "object", "properties": {"kind": {"type": "string"}, "tail": {"type": "string"}}}
    one = {"oneOf": [component("Cat")], "discriminator": {"propertyName": "kind"}}
    two = {"oneOf": [component("Dog"), component("Cat")], "discriminator": {"propertyName": "kind"}}
    poorer = {"type": "object", "properties": {"kind": {"type": "string"}}}
    other = {**two, "discriminator": {"propertyName": "sort"}}
    found = rules(around(one, Cat=cat), around(other, Cat=cat, Dog=dog))
    assert {rule for rule, _ in found} == {"branch-added", "discriminator-property-changed"}
    assert {rule for rule, _ in rules(around(one, Cat=cat), around(two, Cat=cat, Dog=dog))} == {"branch-added"}
    found = rules(around(component("Cat"), Cat=cat), around({"anyOf": two["oneOf"]}, Cat=poorer, Dog=dog))
    assert ("property-removed", "schema Cat: claws") in found
