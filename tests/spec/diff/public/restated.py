"""The restated pairs: what the public cases are about, in documents of this project.

`restated_schemas.yaml` contains pairs of schemas, which are compared where they are sent and where they are received.
`restated_documents.yaml` contains edits of one document, for what is not in a schema.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonpatch
import yaml
from contentgroove_spec.changes import Rating

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contentgroove_spec.documents import Document

HERE = Path(__file__).parent
SENT = ("request body", "request property", "query parameter")
RECEIVED = ("response body", "response property", "response header")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents and the rating of the change between them.

    Attributes:
        change: The change.
        position: Where it is made, if it is a schema's.
        old: The old document.
        new: The new document.
        rating: A rating of this engine, or `none`.
        reason: The reason for it.
        redocly: The rating of Redocly's command line 2.77.0: `breaking`, `safe`, or `none` if it reports nothing.
        like: Names of rules of other tools about the same change, as patterns.
    """

    change: str
    position: str
    old: Document
    new: Document
    rating: str
    reason: str
    redocly: str
    like: tuple[str, ...]

    def __str__(self) -> str:
        """Return the change and its position."""
        return ": ".join(filter(None, (self.change, self.position)))

    @property
    def rating_or_none(self) -> Rating | None:
        """The rating; None if nothing is reported."""
        return None if self.rating == "none" else Rating(self.rating)


@functools.cache
def read_pairs() -> tuple[Pair, ...]:
    """Return all pairs."""
    return (*_schema_pairs(), *_document_pairs())


def _schema_pairs() -> Iterator[Pair]:
    for change in _read("restated_schemas.yaml"):
        for direction, positions, redocly in zip(
            ("sent", "received"), (SENT, RECEIVED), change["redocly"], strict=True
        ):
            rating, reason = change[direction]
            for position in positions:
                if position not in change.get("positions", positions):
                    continue
                version = change.get("version", "3.1.0")
                old, new = (_document(change[side], position, version) for side in ("old", "new"))
                like = tuple(change.get("like", ()))
                yield Pair(change["change"], position, old, new, rating, reason, redocly, like)


def _document_pairs() -> Iterator[Pair]:
    base, *changes = _read("restated_documents.yaml")
    for change in changes:
        old = patched(base, change.get("before", []))
        new = patched(old, change["patch"])
        rating, reason = change["rating"]
        yield Pair(change["change"], "", old, new, rating, reason, change["redocly"], tuple(change.get("like", ())))


def _read(name: str) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return changes


def patched(document: Document, patch: list[dict[str, Any]]) -> Document:
    """Apply a JSON Patch to a copy."""
    changed: Any = jsonpatch.JsonPatch.from_string(json.dumps(patch)).apply(document)
    return dict(changed)


def _document(schema: Any, position: str, version: str) -> Document:
    """Return a document with one operation that has a schema at one position."""
    operation: dict[str, Any] = {"responses": {"200": {"description": "Done"}}}
    match position:
        case "request body" | "request property":
            operation["requestBody"] = {"required": True, "content": _content(schema, position)}
        case "query parameter":
            operation["parameters"] = [{"name": "q", "in": "query", "schema": schema}]
        case "response body" | "response property":
            operation["responses"]["200"]["content"] = _content(schema, position)
        case _:
            operation["responses"]["200"]["headers"] = {"X-Value": {"required": True, "schema": schema}}
    return {"openapi": version, "info": {"title": "Films", "version": "1"}, "paths": {"/films": {"post": operation}}}


def _content(schema: Any, position: str) -> Mapping[str, Any]:
    if position.endswith("property"):
        schema = {"type": "object", "properties": {"value": schema}, "required": ["value"]}
    return {"application/json": {"schema": schema}}
