from __future__ import annotations

from msgspec import Struct, field


class ResourceIdentifier(Struct, frozen=True, kw_only=True):
    """The type and id of another resource."""

    id: str
    type_: str = field(name="type")
