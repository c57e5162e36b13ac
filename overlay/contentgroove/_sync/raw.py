# Generated from _async/raw.py by overlay/make_sync.py: edit that file and run `make sync`.
"""`with_raw_response`: the same calls, returning the response before it is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove._io.calls import RawResponse

P = ParamSpec("P")
T = TypeVar("T")


def raw_method(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """Give a method of a resource with raw calls its actual type."""
    raw: Callable[P, RawResponse[T]] = cast("Any", method)
    return raw
