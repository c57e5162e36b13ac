"""What models and pages have in common: they are JSON objects to `json`, pydantic, FastAPI and notebooks.

`dict(media)` is `media.to_dict()`, so that what converts objects by that protocol, such as FastAPI's encoder for
functions without a return type, needs no help.
"""

from __future__ import annotations

import datetime as dt
import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from ._core.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_SHOWN = 80
"""Characters of a value in a repr or a table."""

_MAX_REDACTED = 1000
"""Characters of a value that are searched for credentials; no more of it is shown."""


class Table(NamedTuple):
    """What a notebook shows."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


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
        # Imported here, because only notebooks ask for it.
        from ._html_tables import to_html

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


def short_repr(value: object) -> str:
    """Return a short repr, on one line and without the credentials of URLs."""
    if isinstance(value, tuple):
        return _short(repr(cast("tuple[str, ...]", value)[:_MAX_REDACTED]))
    return _short(repr(value[:_MAX_REDACTED] if isinstance(value, str) else value))


def cell_text(value: object) -> str:
    """Return a short text for a cell of a table, without the credentials of URLs."""
    return _short(", ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value))


def _short(text: str) -> str:
    text = redact_text(text[:_MAX_REDACTED])
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
