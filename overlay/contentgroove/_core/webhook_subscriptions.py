"""The calls on webhook subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from contentgroove_api.api.webhook_subscriptions import (
    create_webhook_subscription,
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
from .calls import Operation, nothing
from .inputs import check_id, check_text, check_url, shown
from .listing import listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove.models import WebhookSubscription

    from .listing import Listing, ListQuery


def walk(query: ListQuery) -> Listing[WebhookSubscription]:
    """List webhook subscriptions."""
    return listing(
        get_webhook_subscriptions.build_request,
        GetWebhookSubscriptionsSort,
        decoding.webhook_subscription_page,
        query,
    )


def get(subscription_id: str) -> Operation[WebhookSubscription]:
    """Fetch one webhook subscription."""
    checked = check_id(subscription_id, "webhook subscription")
    return Operation(get_webhook_subscription_by_id.build_request(checked), decoding.webhook_subscription)


def create(*, url: str, subscribed_events: Sequence[str] | None) -> Operation[WebhookSubscription]:
    """Have events sent to a URL."""
    if isinstance(subscribed_events, str):
        raise InvalidInputError(
            f"subscribed_events must be a list of event names: write [{subscribed_events!r}]. Nothing was sent."
        )
    if not isinstance(subscribed_events, Iterable | None):
        raise InvalidInputError(
            f"subscribed_events must be a list of event names, not {shown(subscribed_events)}. Nothing was sent."
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
    request = create_webhook_subscription.build_request(body=body)
    return Operation(request, decoding.webhook_subscription, repeatable=False)


def delete(subscription_id: str) -> Operation[None]:
    """Stop sending events to a subscription's URL."""
    checked = check_id(subscription_id, "webhook subscription")
    return Operation(delete_webhook_subscription_by_id.build_request(checked), nothing, gone_is_done=True)
