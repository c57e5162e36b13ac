from __future__ import annotations

from msgspec import Struct, field


class WebhookSubscription(Struct, frozen=True, kw_only=True):
    """A URL that the service tells about events."""

    attributes: WebhookSubscriptionAttributes
    id: str
    relationships: WebhookSubscriptionRelationships
    type_: str = field(name="type")


from ..models.webhook_subscription_attributes import WebhookSubscriptionAttributes
from ..models.webhook_subscription_relationships import WebhookSubscriptionRelationships
