from __future__ import annotations

from msgspec import Struct


class WebhookSubscriptionList(Struct, frozen=True, kw_only=True):
    """WebhookSubscriptionList"""

    data: list[WebhookSubscription]
    links: Links
    """ Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them. """


from ..models.links import Links
from ..models.webhook_subscription import WebhookSubscription
