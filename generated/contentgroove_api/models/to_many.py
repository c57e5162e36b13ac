from __future__ import annotations

from msgspec import Struct


class ToMany(Struct, frozen=True, kw_only=True):
    """A relationship to several other resources."""

    data: list[ResourceIdentifier]


from ..models.resource_identifier import ResourceIdentifier
