"""Subscribe a URL that carries a fresh secret token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .tokens import webhook_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove import AsyncContentGroove, ContentGroove, WebhookSubscription


def subscribe(
    client: ContentGroove, base: str, *, events: Sequence[str] | None = None
) -> tuple[WebhookSubscription, str]:
    """Have events sent to a receiver, by a URL with a secret token that nobody else knows.

    Args:
        client: A `ContentGroove` client.
        base: Where the receiver is reached, as for `webhook_url`.
        events: The names of the events, such as `media.processing_finished`; all without it.

    Returns:
        The subscription, and the token for `WebhookReceiver(secret_token=…)`. Keep the token secret, and keep it: only
        the subscription's URL has it otherwise.

    Raises:
        InvalidInputError: `base` is unsafe or has a token already; nothing was sent.
        OutcomeUnknownError: Whether it was subscribed is not known; `client.webhook_subscriptions.list()` says.
        ContentGrooveError: The call failed.
    """
    url, token = webhook_url(base)
    return client.webhook_subscriptions.create(url=url, subscribed_events=events), token


async def asubscribe(
    client: AsyncContentGroove, base: str, *, events: Sequence[str] | None = None
) -> tuple[WebhookSubscription, str]:
    """As `subscribe`, with an `AsyncContentGroove` client."""
    url, token = webhook_url(base)
    return await client.webhook_subscriptions.create(url=url, subscribed_events=events), token
