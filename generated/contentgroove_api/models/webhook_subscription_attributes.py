from __future__ import annotations

from msgspec import Struct

from .. import Times


class WebhookSubscriptionAttributes(Struct, frozen=True, kw_only=True):
    """WebhookSubscriptionAttributes"""

    active: bool
    """ Whether events are sent. """
    created_at: Times.datetime
    """ When the subscription was created. """
    subscribed_events: list[str]
    """ The names of the events that are sent; `*` stands for all. """
    updated_at: Times.datetime
    """ When the subscription was last changed. """
    url: str
    """ Where events are sent. """
