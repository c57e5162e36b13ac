from __future__ import annotations

from msgspec import Struct


class WebhookSubscriptionDocument(Struct, frozen=True, kw_only=True):
    """WebhookSubscriptionDocument"""

    data: WebhookSubscription
    """ A URL that the service tells about events. """
    links: Links
    """ Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them. """


from ..models.links import Links
from ..models.webhook_subscription import WebhookSubscription
