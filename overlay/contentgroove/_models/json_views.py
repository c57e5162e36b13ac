"""What models and pages have in common: they are JSON objects to `json`, pydantic, FastAPI and notebooks.

`dict(media)` is `media.to_dict()`, so that what converts objects by that protocol, such as FastAPI's encoder for
functions without a return type, needs no help.
"""

from __future__ import annotations

import datetime as dt
import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from .display import to_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .display import Table


class Shape(NamedTuple):
    """What is generic in a model's JSON.

    Attributes:
        model: The name of the class.
        kind: The resource's `type`.
        struct: The generated struct.
        names: The keys of all attributes in `to_dict()`.
        relationships: Those of relationships, with their names in the resource.
    """

    model: str
    kind: str
    struct: type[msgspec.Struct]
    names: tuple[str, ...]
    relationships: Mapping[str, str]


class JsonView:
    """An object with the members of a JSON object; subclasses have `keys()` and `[]`, which return JSON values."""

    __slots__ = ()

    @abstractmethod
    def keys(self) -> tuple[str, ...]:
        """Return the keys of `to_dict()`."""

    @abstractmethod
    def __getitem__(self, name: str, /) -> Any:
        """Return one value of `to_dict()`."""

    @abstractmethod
    def _table(self) -> Table: ...

    def to_dict(self) -> dict[str, Any]:
        """Return everything as the types of JSON, which `json.dumps` writes: times as ISO 8601 with their zone."""
        return {name: self[name] for name in self.keys()}

    def to_json(self) -> str:
        """Return `to_dict()` as JSON text."""
        return msgspec.json.encode(self.to_dict()).decode()

    def _repr_html_(self) -> str:
        return to_html(self._table())


def to_json_value(value: Any) -> Any:
    """Return the value of an attribute as a type of JSON."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - of strings
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no such numbers; the service can only have sent them as strings, which the reader accepts.
        return str(value)
    return value
