"""Documents with anything anywhere: a defect leaves out what has it, and never is an error of this package."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from contentgroove.errors import ContentGrooveError
from contentgroove.tools.source_documents import compile_source, describe_document

SEEDS = 300

ODD: list[Any] = [None, True, 0, -1.5, "", "x", "#", "#/", [], {}, [[]], [None], {"$ref": "#"}, {"a": 1}, {"type": []}]

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "servers": [{"url": "https://{a}.example.com/v1", "variables": {"a": {"default": "x", "enum": ["x"]}}}],
    "security": [{"key": []}],
    "tags": [{"name": "t"}],
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "k"}},
        "schemas": {
            "Tree": {
                "$id": "tree",
                "$anchor": "here",
                "properties": {"next": {"$ref": "#"}, "d": {"$dynamicRef": "#dyn"}},
                "$defs": {"Dyn": {"$dynamicAnchor": "dyn", "type": ["string", "null"], "enum": ["a"], "minimum": 1}},
            },
            "Id": {"allOf": [{"type": "string", "readOnly": True, "pattern": "^a"}], "nullable": True},
        },
        "parameters": {
            "P": {"name": "p", "in": "query", "style": "form", "explode": True, "schema": {"type": "array"}}
        },
        "headers": {"H": {"schema": {"enum": ["h"]}, "required": True}},
    },
    "paths": {
        "/a/{id}": {
            "summary": "s",
            "servers": [{"url": "/item"}],
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/Id"}}
            ],
            "post": {
                "tags": ["t"],
                "operationId": "o",
                "servers": [{"url": "v2"}],
                "security": [{"key": []}, {}],
                "parameters": [
                    {"$ref": "#/components/parameters/P"},
                    {"name": "c", "in": "cookie", "content": {"application/json": {"schema": {"type": "object"}}}},
                ],
                "requestBody": {
                    "required": True,
                    "description": "d",
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "required": ["f"],
                                "properties": {
                                    "f": {"type": "string", "format": "binary", "contentMediaType": "image/png"},
                                    "l": {
                                        "type": "array",
                                        "items": {"oneOf": [{"type": "string"}, {"type": "object"}]},
                                    },
                                },
                            },
                            "encoding": {
                                "f": {"contentType": "image/png", "headers": {"X": {"$ref": "#/components/headers/H"}}},
                                "l": {"style": "form", "explode": False, "allowReserved": True},
                            },
                        },
                    },
                },
                "responses": {"200": {"description": "", "content": {"application/json": {}}}, "default": {}},
            },
            "get": {"requestBody": {"content": {"text/csv": {"schema": {"type": ["string", "null"]}}}}},
            "put": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "tree#here"}}}}},
        },
    },
}


def locations(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where each value of a document is."""
    found = [above] if above else []
    members: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [location for key, item in members for location in locations(item, (*above, key))]


def mutated(seed: int) -> dict[str, Any]:
    """Replace one to three values of the document by others, or remove them."""
    chosen = random.Random(seed)  # noqa: S311 - not for secrets
    document = copy.deepcopy(DOCUMENT)
    for _ in range(chosen.randint(1, 3)):
        *above, last = chosen.choice(locations(document))
        holder: Any = document
        for step in above:
            holder = holder[step]
        if chosen.random() < 0.15:
            del holder[last]
        else:
            holder[last] = copy.deepcopy(chosen.choice(ODD))
    return document


def test_the_document_itself_is_good() -> None:
    """All of it becomes tools, so that what is left out later is so for its mutation."""
    made = compile_source(json.dumps(DOCUMENT), "it")
    assert made.left_out == []
    assert len(made.operations) == 3


@pytest.mark.parametrize("start", range(0, SEEDS, 100))
def test_documents_with_anything_anywhere(start: int) -> None:
    """Each is compiled, in part if need be, or refused by a documented error."""
    kinds = {"whole": 0, "partial": 0, "refused": 0}
    for seed in range(start, start + 100):
        try:
            made = compile_source(json.dumps(mutated(seed)), "it")
            json.dumps(describe_document(made))
        except ContentGrooveError:
            kinds["refused"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        else:
            kinds["partial" if made.left_out else "whole"] += 1
    assert min(kinds.values()) > 0
