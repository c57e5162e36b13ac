"""Compares what concerns only readers and generators: texts, examples, extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._openapi.pointers import escape

from .documents import without_timestamps
from .reading import Part, encoded
from .schemas import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Location
    from .findings import Findings
    from .schema_comparison import Pair

_WIRE = frozenset({"deprecated", "default", "readOnly", "writeOnly", "nullable", "$defs", "definitions"})
SCHEMA_TEXTS = ANNOTATIONS - _WIRE
"""The texts of a schema."""

TEXTS = frozenset(
    {"summary", "description", "tags", "links", "externalDocs", "example", "examples", "termsOfService", "contact",
     "license", "version", "title", "xml", "bearerFormat"}
)  # fmt: skip
"""The texts of everything else."""

_SUNSET = "x-sunset"


def compare_texts(pair: Pair) -> None:
    """Compare the texts of a pair of schemas."""
    old, new = pair.old.leaves, pair.new.leaves
    if len(old) == len(new):
        couples = list(zip(old, new, strict=True))
    else:
        by_pointer = {leaf.pointer: leaf for leaf in old}
        couples = [(by_pointer[leaf.pointer], leaf) for leaf in new if leaf.pointer in by_pointer]
    for before, after in couples:
        for rule, had, has, name in text_differences(before, after, SCHEMA_TEXTS):
            pair.add(rule, had, has, name=name)


def report_texts(
    findings: Findings, old: Part, new: Part, location: Location, *, fields: frozenset[str] = TEXTS
) -> None:
    """Compare the texts of two parts at a location of the API."""
    for rule, had, has, name in text_differences(old, new, fields):
        findings.at(rule, had, has, location, name=name, parents=(old.pointer, new.pointer))


def text_differences(
    old: Part, new: Part, fields: frozenset[str]
) -> Iterator[tuple[str, Part | None, Part | None, str]]:
    """Yield each difference of texts of two objects: the rule's id, the parts and the name."""
    if not isinstance(old.value, dict) or not isinstance(new.value, dict):
        return
    for name in dict.fromkeys([*new.value, *old.value]):
        if (name in fields or str(name).startswith("x-")) and name != _SUNSET:
            had, has = (
                Part(f"{part.pointer}/{escape(str(name))}", part.value[name]) if name in part.value else None
                for part in (old, new)
            )
            if had is None or has is None or encoded(had.value) != encoded(has.value):
                yield _rule(str(name), had, has), had, has, str(name)


def _rule(name: str, had: Part | None, has: Part | None) -> str:
    subject = "example" if name in {"example", "examples"} else "text"
    if had is None or has is None:
        return f"{subject}-added" if had is None else f"{subject}-removed"
    if subject == "example" and _stable(had.value) == _stable(has.value):
        return "example-timestamps-changed"
    return f"{subject}-changed"


def _stable(example: Any) -> bytes:
    return encoded(without_timestamps(example, in_example=True))
