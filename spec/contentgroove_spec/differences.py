"""Convert findings of Redocly to rated changes."""

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
    from .operations import Operation
    from .redocly import Finding

_REQUIRING_RULES = frozenset({"parameter-became-required"})


def changes_between(
    finding: Finding,
    before: Mapping[tuple[str, str], Operation],
    compared: tuple[Document, Document],
    names: Mapping[tuple[str, str], Operation],
) -> Iterator[Change]:
    """Yield the changes of one finding.

    Args:
        finding: A finding of Redocly.
        before: The old document's operations, with their examples.
        compared: The canonical documents that Redocly compared.
        names: The new document's operations, for names.
    """
    path = finding["path"]
    if finding["property"] == "key":
        # The finding has the new name, but apps know the old one.
        path = f"{path.rpartition('/')[0]}/{escape(str(finding['old']))}"
    # Removed parts have no location in the new document.
    location = locate(path, compared[0] if finding["kind"] == "removed" else compared[1], names)
    if finding["property"] == "required" and finding["typeName"] == "Schema":
        yield from _required(finding, location)
        return
    breaking, reason = rate(
        finding, location, examples_fit=was_unspecified(finding) and _examples_fit(finding, before, compared[1])
    )
    yield Change(
        Rating.BREAKING if breaking else Rating.SAFE,
        _kind(finding),
        location,
        describe(finding),
        reason,
        finding["old"],
        finding["new"],
        newly_required=breaking and bool(_REQUIRING_RULES & {*finding["rules"]}),
    )


def _kind(finding: Finding) -> Kind:
    return "changed" if finding["kind"] == "modified" else cast("Kind", finding["kind"])


def _required(finding: Finding, location: Location) -> Iterator[Change]:
    """Yield a change for each field, because an app may use only some of them."""
    old, new = (cast("list[str]", value or []) for value in (finding["old"], finding["new"]))
    messages = " ".join(finding["messages"])
    for name in sorted({*old} ^ {*new}):
        required = name in new
        breaks = f"`{name}`" in messages
        inner = dataclasses.replace(location, field=f"{location.field}/{escape(name)}")
        what = f"`{name}` {'became required' if required else 'is no longer required'}."
        if breaks:
            reason = "Requests without it are rejected." if required else "Apps that read it may find nothing."
        elif required:
            reason = "It is always present now." if location.is_received else "Requests with it are accepted as before."
        else:
            reason = (
                "Requests with it are accepted as before." if not location.is_received else "It may still be present."
            )
        rating = Rating.BREAKING if breaks else Rating.SAFE
        yield Change(rating, "changed", inner, what, reason, newly_required=required and breaks)


def _examples_fit(finding: Finding, before: Mapping[tuple[str, str], Operation], new: Document) -> bool:
    """Return whether the old document's own examples match a request's new schema."""
    match split(finding["path"]):
        case ["paths", path, method, "requestBody", "content", _, "schema", *inner]:
            schema: Any = lookup(new, finding["path"])
            return examples_match(before[method, path].definition["requestBody"], inner, schema)
        case _:
            return False
