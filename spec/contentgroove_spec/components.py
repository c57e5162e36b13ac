"""Compares the components that no operation uses: their changes affect no app, and are reported as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._openapi.pointers import escape

from .changes import Location
from .reading import Part, all_references, encoded

if TYPE_CHECKING:
    from .messages import Context
    from .reading import Reader

_KINDS = {
    "schemas": "schema",
    "parameters": "parameter",
    "responses": "response",
    "requestBodies": "request body",
    "headers": "header",
    "securitySchemes": "security scheme",
    "pathItems": "path item",
    "callbacks": "callback",
    "mediaTypes": "media type",
}


def compare_unused(context: Context, schemes: set[str]) -> None:
    """Report changed, added and removed components that are not reached from any operation.

    Args:
        context: What the comparison shares.
        schemes: The names of the security schemes that an operation requires.
    """
    old, new = context.readers
    reached = [_reached(reader) for reader in context.readers]
    reached.append({f"/components/securitySchemes/{escape(name)}" for name in schemes})
    sections = [dict(reader.members(reader.root("components"))) for reader in context.readers]
    for section, kind in _KINDS.items():
        had, has = (
            dict(reader.members(found.get(section))) for reader, found in zip((old, new), sections, strict=True)
        )
        for name in dict.fromkeys([*had, *has]):
            before, after = had.get(name), has.get(name)
            pointer = f"/components/{section}/{escape(name)}"
            if any(pointer in pointers for pointers in reached):
                continue
            rule = (
                "component-added" if before is None else "component-removed" if after is None else "component-changed"
            )
            if before is None or after is None or encoded(before.value) != encoded(after.value):
                context.findings.at(rule, before, after, Location(name=f"{kind} {name}"), name=f"{kind} `{name}`")


def _reached(reader: Reader) -> set[str]:
    """Return the JSON pointers of everything that is reached from outside of the components."""
    found: set[str] = set()
    document = reader.document
    pending = [value for name, value in document.items() if name != "components" and isinstance(value, (dict, list))]
    while pending:
        for reference in all_references(pending.pop()):
            part = reader.find(reference)
            if isinstance(part, Part) and part.pointer not in found:
                found.add(part.pointer)
                if isinstance(part.value, (dict, list)):
                    pending.append(part.value)
    # A reference to a part of a component uses the component.
    return found | {"/".join(pointer.split("/")[:4]) for pointer in found}
