"""A client library for accessing ContentGroove API"""

from __future__ import annotations

import datetime as _datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .client import Client

__all__ = ("Client", "Times")


class Times:
    """The types of times in structs: msgspec looks them up when a type is first used, and keeps them.

    What freezes the time for a test (freezegun) replaces `datetime.datetime` in every module meanwhile, but not in a
    class.
    """

    if TYPE_CHECKING:
        datetime: TypeAlias = _datetime.datetime
        date: TypeAlias = _datetime.date
    else:
        # What replaces them is a subclass of them.
        datetime = next(kind for kind in _datetime.datetime.__mro__ if kind.__module__ == "datetime")
        date = next(kind for kind in _datetime.date.__mro__ if kind.__module__ == "datetime")


def __getattr__(name: str) -> object:
    if name == "Client":
        from .client import Client  # noqa: PLC0415

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
