"""Subscribe a URL that contains a new secret token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tokens import webhook_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove import AsyncContentGroove, ContentGroove, WebhookSubscription


def subscribe(
    client: ContentGroove, base: str, *, events: Sequence[str] | None = None
) -> tuple[WebhookSubscription, str]:
    """Subscribe a receiver to events, with a URL that contains a new secret token.

    Args:
        client: A `ContentGroove` client.
        base: The URL of the receiver, as for `webhook_url`.
        events: The names of the events, such as `media.processing_finished`; all events if None.

    Returns:
        The subscription, and the token for `WebhookReceiver(secret_token=…)`. Store the token and keep it secret:
        apart from that, only the subscription's URL has it.

    Raises:
        InvalidInputError: `base` is unsafe or already has a token. Nothing was sent.
        OutcomeUnknownError: The subscription may have been created; check `client.webhook_subscriptions.list()`.
        ContentGrooveError: The call failed.
    """
    url, token = webhook_url(base)
    return client.webhook_subscriptions.create(url=url, subscribed_events=events), token


async def asubscribe(
    client: AsyncContentGroove, base: str, *, events: Sequence[str] | None = None
) -> tuple[WebhookSubscription, str]:
    """Subscribe a receiver to events, with a URL that contains a new secret token.

    Args:
        client: An `AsyncContentGroove` client.
        base: The URL of the receiver, as for `webhook_url`.
        events: The names of the events, such as `media.processing_finished`; all events if None.

    Returns:
        The subscription, and the token for `WebhookReceiver(secret_token=…)`. Store the token and keep it secret:
        apart from that, only the subscription's URL has it.

    Raises:
        InvalidInputError: `base` is unsafe or already has a token. Nothing was sent.
        OutcomeUnknownError: The subscription may have been created; check `client.webhook_subscriptions.list()`.
        ContentGrooveError: The call failed.
    """
    url, token = webhook_url(base)
    return await client.webhook_subscriptions.create(url=url, subscribed_events=events), token
