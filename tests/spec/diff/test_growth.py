"""The work of a comparison grows with the documents and with what changed, not with the uses of it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, cast

from contentgroove_spec import compare as comparison
from contentgroove_spec.changes import Direction
from contentgroove_spec.fetching import FetchedDocument, parse_both
from contentgroove_spec.reading import Reader, containers
from contentgroove_spec.rules import RULES
from contentgroove_spec.schema_comparison import compare_pair
from contentgroove_spec.uses import Node, Source

from .small_documents import component, document

if TYPE_CHECKING:
    import pytest
    from contentgroove_spec.pairs import Pair
    from contentgroove_spec.uses import State

FILM = {"type": "object", "properties": {"id": {"type": "string"}, "seconds": {"type": "number"}}}


def used_by(operations: int) -> dict[str, Any]:
    """A document with operations that all have the same parameters, body and errors."""
    content = {"content": {"application/json": {"schema": component("Film")}}}
    responses = {"200": {"description": "", **content}, "4XX": {"description": "An error: of the app", **content}}
    operation = {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}], "responses": responses}
    paths = {
        f"/a{number}": {"get": operation, "put": {**operation, "requestBody": content}} for number in range(operations)
    }
    return document(paths, components={"schemas": {"Film": FILM}})


def extended_by(kinds: int) -> dict[str, Any]:
    """A document with schemas that all extend one whose discriminator names all of them."""
    names = [f"Kind{number}" for number in range(kinds)]
    mapping = {name: f"#/components/schemas/{name}" for name in names}
    base = {**FILM, "discriminator": {"propertyName": "id", "mapping": mapping}}
    schemas = {
        name: {"allOf": [component("Base"), {"type": "object", "properties": {name: {"type": "string"}}}]}
        for name in names
    }
    paths = {"/a": {"get": {"responses": {"200": {"content": {"application/json": {"schema": component("Base")}}}}}}}
    return document(paths, components={"schemas": {"Base": base, **schemas}})


def both(old: dict[str, Any], new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two documents as the command reads them, in two notations."""
    texts = json.dumps(old, separators=(",", ":")), json.dumps(new, indent=1)
    before, after = (FetchedDocument(text.encode(), "it") for text in texts)
    return parse_both(before, after)


def counted(monkeypatch: pytest.MonkeyPatch, old: dict[str, Any], new: dict[str, Any]) -> tuple[int, int, int]:
    """How many pairs of schemas were compared and references looked up, and how many changes were found."""
    pairs: list[Pair] = []
    references: list[Any] = []
    find = Reader.find

    def compared(pair: Pair) -> None:
        pairs.append(pair)
        compare_pair(pair)

    def found(reader: Reader, reference: Any) -> Any:
        references.append(reference)
        return find(reader, reference)

    with monkeypatch.context() as patched:
        patched.setattr(comparison, "compare_pair", compared)
        patched.setattr(Reader, "find", found)
        changes = comparison.compare(*both(old, new)).changes
    return len(pairs), len(references), len(changes)


def test_a_component_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether 5 or 100 operations use it: they add no pair of schemas, and each only its own references."""
    few, many = (used_by(number) for number in (5, 100))
    changed = [copy.deepcopy(old) for old in (few, many)]
    for new in changed:
        new["components"]["schemas"]["Film"]["properties"]["seconds"]["type"] = "integer"
    pairs, references, changes = counted(monkeypatch, few, changed[0])
    more_pairs, more_references, more_changes = counted(monkeypatch, many, changed[1])
    assert (pairs, changes) == (more_pairs, more_changes) == (2, 1)
    assert more_references <= 20 * references


def test_unchanged_documents_compare_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large they are: no pair of schemas is compared, and each reference is looked up for each document."""
    pairs, references, changes = counted(monkeypatch, used_by(100), used_by(100))
    assert (pairs, changes) == (0, 0)
    assert references <= 6


def test_a_discriminator_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every schema that extends another has its discriminator, whose mapping names all of them."""

    def references(kinds: int) -> int:
        old = extended_by(kinds)
        new = copy.deepcopy(old)
        for schema in new["components"]["schemas"].values():
            schema["minProperties"] = 1
        new["components"]["schemas"]["Base"]["discriminator"]["mapping"]["other"] = "#/components/schemas/Kind0"
        return counted(monkeypatch, old, new)[1]

    assert references(80) < 6 * references(20)


def test_memory_grows_with_what_differs() -> None:
    """Two documents consist of the objects of one and of what changed, and equal operations of the same ones."""
    old = used_by(100)
    new = json.loads(json.dumps(old))
    apart = len(list(containers(new)))
    new["paths"]["/a7"]["get"]["responses"]["404"] = {"description": "There is none."}
    documents = both(old, new)
    one, two = (len(list(containers(value))) for value in (documents[0], list(documents)))
    # The list itself, and from the new response up to the new document.
    assert two - one == 1 + len(["404", "responses", "get", "/a7", "paths", "document"])
    assert 30 * one < apart


def test_no_document_is_changed() -> None:
    """The documents share their parts, so a change of one would be a change of the other."""
    old, new = both(extended_by(5), used_by(5))
    texts = json.dumps(old), json.dumps(new)
    comparison.compare(old, new)
    assert (json.dumps(old), json.dumps(new)) == texts


def test_the_order_of_verdicts_is_that_of_no_set() -> None:
    """Of equal verdicts the first gives the reason, and a set has another order in each process."""
    states: list[State] = [(Direction.SENT, False), (Direction.RECEIVED, False)]
    nodes = [Node((), (), states=cast("set[State]", order)) for order in (states, states[::-1])]
    first, second = ([*Source(node=node).verdicts(RULES["property-removed"])] for node in nodes)
    assert first == second
    assert len(first) == len(states)
