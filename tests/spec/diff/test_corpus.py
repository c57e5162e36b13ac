"""Every edit of the corpus has the rating that a person gave it, at the edit's location."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, NotRequired, TypedDict

import jsonpatch
import pytest
import yaml
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare

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


@pytest.mark.process
@pytest.mark.usefixtures("redocly_stays")
@pytest.mark.parametrize("edit", CASES)
def test_the_rating(edit: Edit) -> None:
    """The gravest change has the edit's rating, and a change with that rating is at the edit's location."""
    old = patched(BASE, edit.get("before", []))
    changes = compare(old, patched(old, edit["patch"])).changes
    if edit["rating"] == "none":
        assert changes == ()
        return
    assert changes[0].rating == edit["rating"]
    locations = [str(change.location) for change in changes if change.rating == edit["rating"]]
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
