from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class CreateWebhookSubscriptionRequestAttributes(Struct, frozen=True, kw_only=True):
    """CreateWebhookSubscriptionRequestAttributes"""

    url: str
    """ Where events are sent. """
    subscribed_events: list[str] | UnsetType = UNSET
    """ The names of the events to send; all if left out (assumed). """
