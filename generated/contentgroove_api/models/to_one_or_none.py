from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class ToOneOrNone(Struct, frozen=True, kw_only=True):
    """A relationship to at most one other resource."""

    data: ResourceIdentifierOrNull | None | UnsetType = UNSET
    """ The type and id of another resource, null if there is none yet. """


from ..models.resource_identifier_or_null import ResourceIdentifierOrNull
