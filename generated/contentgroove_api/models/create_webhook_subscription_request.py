from __future__ import annotations

from msgspec import Struct


class CreateWebhookSubscriptionRequest(Struct, frozen=True, kw_only=True):
    """CreateWebhookSubscriptionRequest"""

    data: CreateWebhookSubscriptionRequestData


from ..models.create_webhook_subscription_request_data import CreateWebhookSubscriptionRequestData
