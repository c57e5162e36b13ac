"""Compares the components that no operation uses: their changes affect no app, and are reported as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._openapi.pointers import escape

from .changes import SECTIONS, Location
from .reading import Part, all_references, same_value
from .texts import report_text, report_texts

if TYPE_CHECKING:
    from .context import Context
    from .reading import Reader


_TEXTS = frozenset({"examples", "links"})
"""Sections that no comparison of an operation follows references to."""


def compare_components(context: Context, schemes: set[str]) -> None:
    """Report changed, added and removed components that are not reached from any operation, and referenced examples.

    Args:
        context: What the comparison shares.
        schemes: The names of the security schemes that an operation requires.
    """
    old, new = context.readers
    reached = [_reached(reader) for reader in context.readers]
    reached.append({f"/components/securitySchemes/{escape(name)}" for name in schemes})
    sections = [dict(reader.members(reader.root("components"))) for reader in context.readers]
    for section, kind in SECTIONS.items():
        had, has = (
            dict(reader.members(found.get(section))) for reader, found in zip((old, new), sections, strict=True)
        )
        for name in dict.fromkeys([*had, *has]):
            before, after = had.get(name), has.get(name)
            pointer = f"/components/{section}/{escape(name)}"
            location = Location(name=f"{kind} {name}")
            is_reached = any(pointer in pointers for pointers in reached)
            if section in _TEXTS and (is_reached or (before is not None and after is not None)):
                # Used or not, they are never sent.
                report_text(context.findings, before, after, location, name=section)
            elif is_reached:
                continue
            elif before is None or after is None:
                rule = "component-added" if before is None else "component-removed"
                context.findings.at(rule, before, after, location, name=f"{kind} `{name}`")
            elif section == "schemas":
                # It is compared like all others; without a use, nothing that is found affects an app.
                context.schemas.connect((before,), (after,))
            elif not same_value(before.value, after.value):
                known = len(context.findings)
                report_texts(context.findings, before, after, location)
                if len(context.findings) == known:
                    context.findings.at("component-changed", before, after, location, name=f"{kind} `{name}`")


def _reached(reader: Reader) -> set[str]:
    """Return the JSON pointers of everything that is reached from outside of the components."""
    found: set[str] = set()
    seen: set[int] = set()
    document = reader.document
    pending = [Part("", value) for name, value in document.items() if name != "components"]
    while pending:
        outer = pending.pop()
        for reference in all_references(outer.value, seen) if outer.has_parts else ():
            part = reader.find(reference)
            if isinstance(part, Part) and part.pointer not in found:
                found.add(part.pointer)
                pending.append(part)
    # A reference to a part of a component uses the component.
    return found | {"/".join(pointer.split("/")[:4]) for pointer in found}
