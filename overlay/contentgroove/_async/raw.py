"""`with_raw_response`: the same calls, giving the answer before it is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contentgroove._io.calls import RawResponse

P = ParamSpec("P")
T = TypeVar("T")


def raw(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """Type a method of a resource whose calls are raw as what it gives."""
    return cast("Callable[P, RawResponse[T]]", method)


def araw(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[RawResponse[T]]]:
    """Type an async method of a resource whose calls are raw as what it gives."""
    return cast("Callable[P, Awaitable[RawResponse[T]]]", method)
