from __future__ import annotations

from msgspec import Struct


class ToOne(Struct, frozen=True, kw_only=True):
    """A relationship to one other resource."""

    data: ResourceIdentifier
    """ The type and id of another resource. """


from ..models.resource_identifier import ResourceIdentifier
