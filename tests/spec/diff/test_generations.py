"""The published document's own history is compared correctly."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove_spec import redocly
from contentgroove_spec.changes import Rating
from contentgroove_spec.compare import compare
from contentgroove_spec.documents import dump_yaml

TIMESTAMPS = "Only timestamps in the example changed."


@pytest.mark.process
def test_from_the_second_to_the_third(generation_2: dict[str, Any], generation_3: dict[str, Any]) -> None:
    """No endpoint is removed and nothing breaks; ids and response schemas are added, and one open item is typed."""
    changes = compare(generation_2, generation_3).changes
    assert not [change for change in changes if change.rating is Rating.BREAKING]
    safe = Counter(change.what for change in changes if change.rating is Rating.SAFE)
    # Counted in the documents: 15 operations have an id in the third generation only, and 27 responses a schema.
    assert safe == {
        "The operationId was added.": 15,
        "A schema was added.": 27,
        "Type narrowed from 'any' to 'string'.": 1,
    }
    documentation = [change.what for change in changes if change.rating is Rating.DOCUMENTATION]
    assert TIMESTAMPS in documentation
    assert any(what.startswith("The servers' path changed from `/` to `/api/v1`") for what in documentation)


@pytest.mark.process
def test_back_from_the_third_to_the_second(generation_2: dict[str, Any], generation_3: dict[str, Any]) -> None:
    """Responses that lose their schema break."""
    changes = compare(generation_3, generation_2).changes
    lost = [change for change in changes if change.rating is Rating.BREAKING]
    assert Counter(change.reason for change in lost) == {"Any value may come now.": 27}


@pytest.mark.process
def test_a_process_for_many_comparisons_has_the_same_results(
    generation_2: dict[str, Any], generation_3: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Redocly that is loaded once for many tests gives them what it gives users, who start it for each comparison."""
    there, back = redocly.compare(generation_2, generation_3), redocly.compare(generation_3, generation_2)
    assert there != back
    request.getfixturevalue("redocly_stays")
    assert redocly.compare(generation_2, generation_3) == there
    assert redocly.compare(generation_3, generation_2) == back


def test_another_build_of_the_same_generation(generation_3: dict[str, Any], monkeypatch: Any) -> None:
    """Rewritten timestamps are not a change of the contract, and Node is not needed to recognise them."""
    monkeypatch.setattr(redocly, "node_program", None)
    rebuilt = copy.deepcopy(generation_3)
    example = rebuilt["paths"]["/medias"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    example["data"][0]["attributes"]["created_at"] = "2031-01-02T03:04:05.678Z"
    (change,) = compare(generation_3, rebuilt).changes
    assert (change.rating, change.what) == (Rating.DOCUMENTATION, TIMESTAMPS)
    assert str(change.location) == "GET /api/v1/medias, response 200"


def test_the_same_document_in_another_form(generation_3: dict[str, Any], monkeypatch: Any) -> None:
    """JSON or YAML, and the order of keys, change nothing."""
    monkeypatch.setattr(redocly, "node_program", None)
    assert compare(generation_3, parse(dump_yaml(generation_3).encode(), "again")).changes == ()
    turned = dict(reversed(copy.deepcopy(generation_3).items()))
    turned["paths"] = dict(reversed(turned["paths"].items()))
    assert compare(generation_3, turned).changes == ()
