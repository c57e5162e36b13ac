"""Turns what Redocly found into rated changes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape, lookup, split

from .changes import Change, Rating
from .evidence import examples_match
from .places import locate
from .rating import rate, was_unspecified
from .wording import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .changes import Kind, Location
    from .documents import Document
    from .folding import Operation
    from .redocly import Finding

_DEMANDS = frozenset({"parameter-became-required"})


def changes_between(
    finding: Finding,
    before: Mapping[tuple[str, str], Operation],
    compared: tuple[Document, Document],
    names: Mapping[tuple[str, str], Operation],
) -> Iterator[Change]:
    """Give the changes that one finding stands for.

    Args:
        finding: What Redocly reports.
        before: The old document's operations, with their examples.
        compared: The canonical documents that Redocly compared.
        names: The new document's operations, for names.
    """
    path = finding["path"]
    if finding["property"] == "key":
        # It stands at its new name; an app knows the old one.
        path = f"{path.rpartition('/')[0]}/{escape(str(finding['old']))}"
    # A removed thing has no place in the new document.
    where = locate(path, compared[0] if finding["kind"] == "removed" else compared[1], names)
    if finding["property"] == "required" and finding["typeName"] == "Schema":
        yield from _required(finding, where)
        return
    breaking, reason = rate(
        finding, where, shown=was_unspecified(finding) and _short_value(finding, before, compared[1])
    )
    yield Change(
        Rating.BREAKING if breaking else Rating.SAFE,
        _kind(finding),
        where,
        describe(finding),
        reason,
        finding["old"],
        finding["new"],
        demands=breaking and bool(_DEMANDS & {*finding["rules"]}),
    )


def _kind(finding: Finding) -> Kind:
    return "changed" if finding["kind"] == "modified" else cast("Kind", finding["kind"])


def _required(finding: Finding, where: Location) -> Iterator[Change]:
    """Tell of each field on its own, because an app uses some of them."""
    old, new = (cast("list[str]", value or []) for value in (finding["old"], finding["new"]))
    said = " ".join(finding["messages"])
    for name in sorted({*old} ^ {*new}):
        demanded = name in new
        breaks = f"`{name}`" in said
        inner = dataclasses.replace(where, field=f"{where.field}/{escape(name)}")
        what = f"`{name}` {'became required' if demanded else 'is no longer required'}."
        if breaks:
            reason = "Requests without it are refused." if demanded else "Who reads it may find nothing."
        elif demanded:
            reason = "It always comes now." if where.is_received else "Requests with it are accepted as before."
        else:
            reason = "Requests with it are accepted as before." if not where.is_received else "It may still come."
        rating = Rating.BREAKING if breaks else Rating.SAFE
        yield Change(rating, "changed", inner, what, reason, demands=demanded and breaks)


def _short_value(finding: Finding, before: Mapping[tuple[str, str], Operation], new: Document) -> bool:
    """Tell whether the old document's own examples fit what a request's schema says now."""
    match split(finding["path"]):
        case ["paths", path, method, "requestBody", "content", _, "schema", *inner]:
            schema: Any = lookup(new, finding["path"])
            return examples_match(before[method, path].definition["requestBody"], inner, schema)
        case _:
            return False
