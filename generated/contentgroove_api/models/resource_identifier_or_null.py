from __future__ import annotations

from msgspec import Struct, field


class ResourceIdentifierOrNull(Struct, frozen=True, kw_only=True):
    """The type and id of another resource, null if there is none yet."""

    id: str
    type_: str = field(name="type")
