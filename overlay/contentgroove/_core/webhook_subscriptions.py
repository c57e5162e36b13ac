"""The operations of webhook subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from contentgroove_api.api.webhook_subscriptions import (
    create_webhook_subscription as create_webhook_subscription_endpoint,
)
from contentgroove_api.api.webhook_subscriptions import (
    delete_webhook_subscription_by_id,
    get_webhook_subscription_by_id,
    get_webhook_subscriptions,
)
from contentgroove_api.models.create_webhook_subscription_request import CreateWebhookSubscriptionRequest
from contentgroove_api.models.create_webhook_subscription_request_attributes import (
    CreateWebhookSubscriptionRequestAttributes,
)
from contentgroove_api.models.create_webhook_subscription_request_data import (
    CreateWebhookSubscriptionRequestData,
)
from contentgroove_api.models.get_webhook_subscriptions_sort import GetWebhookSubscriptionsSort
from contentgroove_api.types import UNSET

from contentgroove.errors import InvalidInputError

from . import decoding
from .calls import Operation, decode_nothing
from .inputs import check_id, check_text, check_url, short_repr
from .listing import list_operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove.models import WebhookSubscription

    from .listing import ListArguments, ListOperation


def list_webhook_subscriptions(query: ListArguments) -> ListOperation[WebhookSubscription]:
    """List webhook subscriptions."""
    return list_operation(
        get_webhook_subscriptions.build_request,
        GetWebhookSubscriptionsSort,
        decoding.decode_webhook_subscription_page,
        query,
    )


def get_webhook_subscription(subscription_id: str) -> Operation[WebhookSubscription]:
    """Fetch one webhook subscription."""
    checked = check_id(subscription_id, "webhook subscription")
    return Operation(get_webhook_subscription_by_id.build_request(checked), decoding.decode_webhook_subscription)


def create_webhook_subscription(*, url: str, subscribed_events: Sequence[str] | None) -> Operation[WebhookSubscription]:
    """Subscribe a URL to events."""
    if isinstance(subscribed_events, str):
        raise InvalidInputError(
            f"subscribed_events must be a list of event names: write [{subscribed_events!r}]. Nothing was sent."
        )
    if not isinstance(subscribed_events, Iterable | None):
        raise InvalidInputError(
            f"subscribed_events must be a list of event names, not {short_repr(subscribed_events)}. Nothing was sent."
        )
    attributes = CreateWebhookSubscriptionRequestAttributes(
        url=check_url(url, "url"),
        subscribed_events=(
            UNSET
            if subscribed_events is None
            else [check_text(name, "each of subscribed_events") for name in subscribed_events]
        ),
    )
    body = CreateWebhookSubscriptionRequest(data=CreateWebhookSubscriptionRequestData(attributes=attributes))
    request = create_webhook_subscription_endpoint.build_request(body=body)
    return Operation(request, decoding.decode_webhook_subscription, idempotent=False)


def delete_webhook_subscription(subscription_id: str) -> Operation[None]:
    """Delete a subscription, so that its URL receives no more events."""
    checked = check_id(subscription_id, "webhook subscription")
    return Operation(delete_webhook_subscription_by_id.build_request(checked), decode_nothing, accept_404_on_retry=True)
