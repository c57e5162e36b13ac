"""New members that are allowed by name, so that tests pass until the document has them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import split
from contentgroove.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract.violations import Violation


class Allowance:
    """The members that are allowed although the document does not declare them."""

    def __init__(self, names: Iterable[str], operations: Sequence[str], document: Json) -> None:
        """Read the names, `MEMBER` or `OPERATION:MEMBER`.

        Raises:
            ConfigurationError: A name is of another form, its operation does not exist, or its member is not new.
        """
        if isinstance(names, str):
            raise ConfigurationError(f"allow must be a list of names, not the text {names!r}: write [{names!r}].")
        entries = [self._read(name, operations) for name in names]
        if entries:
            declared = set(_declared(document))
            for operation, member in entries:
                if operation is None and member in declared:
                    raise ConfigurationError(
                        f"allow={member!r}: the document has a member of this name already. "
                        f"Write where it is new: OPERATION:{member}, such as {operations[0]}:{member}."
                    )
        self._entries = frozenset(entries)

    def _read(self, name: str, operations: Sequence[str]) -> tuple[str | None, str]:
        operation, colon, member = name.rpartition(":")
        if not member or member != member.strip() or "/" in member or (colon and not operation):
            raise ConfigurationError(
                f"allow={name!r}: write the name of the member alone, such as mood, "
                f"or where it is new, such as {operations[0]}:mood."
            )
        if colon and operation not in operations:
            close = difflib.get_close_matches(operation, operations, n=1, cutoff=0.5)
            hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(operations)}."
            raise ConfigurationError(f"allow={name!r}: there is no operation or event {operation!r}. {hint}")
        return (operation if colon else None), member

    def covers(self, violation: Violation) -> bool:
        """Return whether a violation is only about an allowed member."""
        if not self._entries or violation.rule != "undeclared-field":
            return False
        member = split(violation.location.partition("#")[2])[-1]
        return bool({(None, member), (violation.operation, member)} & self._entries)


def _declared(value: Any) -> Iterator[str]:
    """Yield the names of all properties in a document."""
    if isinstance(value, dict):
        members = cast("Json", value)
        properties = members.get("properties")
        if isinstance(properties, dict):
            yield from cast("Json", properties)
        for inner in members.values():
            yield from _declared(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _declared(inner)
