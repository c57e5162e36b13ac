from __future__ import annotations

from msgspec import Struct


class CreateWebhookSubscriptionRequestData(Struct, frozen=True, kw_only=True):
    """CreateWebhookSubscriptionRequestData"""

    attributes: CreateWebhookSubscriptionRequestAttributes


from ..models.create_webhook_subscription_request_attributes import CreateWebhookSubscriptionRequestAttributes
