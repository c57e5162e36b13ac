"""Every edit of the corpus has the rating that a person gave it, and the published document's history is correct."""

from __future__ import annotations

import copy
import json
from collections import Counter, defaultdict
from typing import Any, NotRequired, TypedDict

import jsonpatch
import pytest
import yaml
from contentgroove._openapi.documents import parse
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare
from contentgroove_spec.documents import dump_yaml

from .conftest import BASE, CORPUS


class Edit(TypedDict):
    """One edit: JSON Patches (RFC 6902), and its rating."""

    edit: str
    rating: str
    reason: str
    location: NotRequired[str]
    before: NotRequired[list[dict[str, Any]]]
    patch: list[dict[str, Any]]


def edits() -> dict[str, list[Edit]]:
    """Read the corpus by kinds."""
    files = sorted(path for path in CORPUS.glob("*.yaml") if path.name != "base.yaml")
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in files}


CASES = [pytest.param(edit, id=f"{kind}: {edit['edit']}") for kind, found in edits().items() for edit in found]


def patched(document: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply a patch to a copy."""
    changed: Any = jsonpatch.JsonPatch.from_string(json.dumps(patch)).apply(document)
    return dict(changed)


@pytest.mark.parametrize("edit", CASES)
def test_the_rating(edit: Edit) -> None:
    """The gravest change has the edit's rating, and a change with that rating is at the edit's location."""
    old = patched(BASE, edit.get("before", []))
    comparison = compare(old, patched(old, edit["patch"]))
    changes = comparison.changes
    assert comparison.not_compared == ()
    if edit["rating"] == "none":
        assert changes == ()
        return
    assert changes[0].rating == edit["rating"]
    rated = [change for change in changes if change.rating == edit["rating"]]
    locations = [str(use.location) for change in rated for use in change.uses if use.rating == edit["rating"]]
    assert any(location.startswith(edit.get("location", "nowhere")) for location in locations), locations
    assert all(change.what and change.reason for change in changes)


def test_the_corpus_is_wide() -> None:
    """Each kind of change has breaking and safe edits, with reasons, at least forty in all."""
    ratings: dict[str, set[str]] = defaultdict(set)
    for kind, found in edits().items():
        for edit in found:
            assert edit["rating"] in {*Rating, "none"}
            assert edit["reason"]
            ratings[kind].add(edit["rating"])
    assert sum(map(len, edits().values())) >= 40
    kinds = {"paths", "methods", "parameters", "enums", "required", "types", "nullability", "formats", "auth"}
    for kind in kinds | {"servers", "callbacks", "statuses", "media_types", "fields"}:
        assert {"breaking", "safe"} <= ratings[kind], kind


TIMESTAMPS = "Only timestamps in the example changed."


def test_from_the_second_to_the_third(generation_2: dict[str, Any], generation_3: dict[str, Any]) -> None:
    """No endpoint is removed and nothing breaks; ids and response schemas are added, and one open item is typed."""
    changes = compare(generation_2, generation_3).changes
    assert not [change for change in changes if change.rating is Rating.BREAKING]
    safe = Counter(change.rule for change in changes if change.rating is Rating.SAFE)
    # Counted in the documents: 15 operations have an id in the third generation only, and 27 responses a schema.
    assert safe == {"operation-id-added": 15, "schema-specified": 27, "schema-specified-as-exemplified": 1}
    documentation = [change.what for change in changes if change.rating is Rating.DOCUMENTATION]
    assert TIMESTAMPS in documentation
    assert any(what.startswith("The servers' path changed from `/` to `/api/v1`") for what in documentation)


def test_back_from_the_third_to_the_second(generation_2: dict[str, Any], generation_3: dict[str, Any]) -> None:
    """Responses that lose their schema break."""
    changes = compare(generation_3, generation_2).changes
    lost = [change for change in changes if change.rating is Rating.BREAKING]
    assert Counter(change.reason for change in lost) == {"Any value may come now.": 27}


def test_another_build_of_the_same_generation(generation_3: dict[str, Any]) -> None:
    """Rewritten timestamps are not a change of the contract."""
    rebuilt = copy.deepcopy(generation_3)
    example = rebuilt["paths"]["/medias"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    example["data"][0]["attributes"]["created_at"] = "2031-01-02T03:04:05.678Z"
    (change,) = compare(generation_3, rebuilt).changes
    assert (change.rating, change.what) == (Rating.DOCUMENTATION, TIMESTAMPS)
    assert str(change.subject) == "GET /api/v1/medias, response 200"


def test_the_same_document_in_another_form(generation_3: dict[str, Any]) -> None:
    """JSON or YAML, and the order of keys, change nothing."""
    assert compare(generation_3, parse(dump_yaml(generation_3).encode(), "again")).changes == ()
    turned = dict(reversed(copy.deepcopy(generation_3).items()))
    turned["paths"] = dict(reversed(turned["paths"].items()))
    assert compare(generation_3, turned).changes == ()
