from __future__ import annotations

from msgspec import Struct


class WebhookEvent(Struct, frozen=True, kw_only=True):
    """What the service POSTs to a subscribed URL."""

    event: str
    """ The event's name. """
    payload: WebhookPayload


from ..models.webhook_payload import WebhookPayload
