"""Subscribe a URL with a secret token.

The service does not sign deliveries, so only the token distinguishes them from forged ones.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from contentgroove._core.secret import Secret, conceal
from contentgroove._core.settings import is_loopback
from contentgroove.errors import InvalidInputError, WebhookAuthError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove import AsyncContentGroove, ContentGroove, WebhookSubscription
    from contentgroove._core.inputs import EventName
    from contentgroove._core.names import KnownEvent

# (assumed: subscription-url-verbatim, webhook-keeps-query, webhook-unsigned)
TOKEN_PARAMETER = "token"  # noqa: S105 - a name, not a token
"""The query parameter with the token."""

TOKEN_BYTES = 32


def subscribe(
    client: ContentGroove, base: str | Secret, *, events: Sequence[KnownEvent | Literal["*"] | EventName] | None = None
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
    base = conceal(base)
    url, token = _url_with_token(base)
    return client.webhook_subscriptions.create(url=url, subscribed_events=events), token.reveal()


async def asubscribe(
    client: AsyncContentGroove,
    base: str | Secret,
    *,
    events: Sequence[KnownEvent | Literal["*"] | EventName] | None = None,
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
    base = conceal(base)
    url, token = _url_with_token(base)
    return await client.webhook_subscriptions.create(url=url, subscribed_events=events), token.reveal()


def webhook_url(base: str | Secret) -> tuple[str, str]:
    """Return a URL to subscribe, with a new token.

    Args:
        base: The URL of the receiver, such as `https://example.com/contentgroove`; a query is kept.

    Returns:
        The URL for `client.webhook_subscriptions.create(url=…)`, and the token for
        `WebhookReceiver(secret_token=…)`. Keep both secret.

    Raises:
        InvalidInputError: `base` is not an https URL (or an http URL of this machine), or already has a token.
    """
    base = conceal(base)
    url, token = _url_with_token(base)
    return url.reveal(), token.reveal()


def _url_with_token(base: Secret) -> tuple[Secret, Secret]:
    problem = _base_problem(base)
    if problem is not None:
        raise InvalidInputError(f"base {problem}")
    token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
    return Secret(with_token(base, token)), token


def _base_problem(base: Secret) -> str | None:
    try:
        parts = urlsplit(base.reveal())
        host = parts.hostname or ""
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "cannot be parsed as a URL."
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host))):
        return "must start with https:// and name a host, because the URL will contain a secret."
    if TOKEN_PARAMETER in dict(query):
        return f"must not have a parameter `{TOKEN_PARAMETER}`: a new token is added to it."
    return None


def with_token(url: Secret, token: Secret) -> str:
    """Return a URL with a token as the last parameter of its query, and without a fragment."""
    parts = urlsplit(url.reveal())
    query = [*parse_qsl(parts.query, keep_blank_values=True), (TOKEN_PARAMETER, token.reveal())]
    return parts._replace(query=urlencode(query), fragment="").geturl()


def check_token(expected: str | Secret, actual: str | None) -> None:
    """Compare tokens in constant time; raises WebhookAuthError if they differ."""
    # Undecodable bytes of a query are surrogates here, which plain UTF-8 would reject.
    if not hmac.compare_digest(conceal(expected).reveal().encode(), (actual or "").encode(errors="surrogatepass")):
        raise WebhookAuthError("The token of the subscribed URL is missing or wrong.")
