"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable


def steps(pointer: str) -> list[str]:
    """Split a pointer, with or without the `#` of a URI fragment.

    Percent-encoding is kept, because not every tool writes it.
    """
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#").split("/")[1:]]


def reference_steps(reference: str) -> list[str]:
    """Split a `$ref` into the same document."""
    return steps(unquote(reference))


def escape(step: str) -> str:
    """Escape one step of a pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def resolve(value: Any, path: Iterable[str]) -> Any:
    """Return the value at a pointer's steps.

    Raises:
        LookupError: There is no such value.
    """
    found: Any = value
    for step in path:
        if isinstance(found, list):
            items = cast("list[Any]", found)
            if not step.isdecimal():
                raise LookupError(step)
            found = items[int(step)]
        elif isinstance(found, dict):
            found = cast("dict[str, Any]", found)[step]
        else:
            raise LookupError(step)  # noqa: TRY004 - not a misuse
    return found
