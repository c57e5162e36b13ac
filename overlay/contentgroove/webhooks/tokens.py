"""The secret token in the subscribed URL: the service signs nothing, so this tells its deliveries from forged ones."""

from __future__ import annotations

import hmac
import secrets
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlencode, urlsplit

from contentgroove.errors import InvalidInputError, WebhookAuthError

TOKEN_PARAMETER = "token"  # noqa: S105 - a name, not a token
"""The query parameter that carries it."""

TOKEN_BYTES = 32


def webhook_url(base: str) -> tuple[str, str]:
    """Make a URL to subscribe, with a fresh token.

    Args:
        base: Where the receiver is reached, such as `https://example.com/contentgroove`; a query is kept.

    Returns:
        The URL for `client.webhook_subscriptions.create(url=…)`, and the token for
        `WebhookReceiver(secret_token=…)`. Keep both secret.

    Raises:
        InvalidInputError: `base` is no https URL (nor an http one of this machine), or has a token already.
    """
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError as error:
        raise InvalidInputError(f"The base of a webhook's URL cannot be read: {error}.") from None
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host))):
        raise InvalidInputError("A webhook's URL carries a secret, so its base begins with https:// and names a host.")
    if TOKEN_PARAMETER in dict(query):
        raise InvalidInputError(
            f"The base of a webhook's URL has a parameter `{TOKEN_PARAMETER}` already; leave it out."
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    parts = parts._replace(query=urlencode([*query, (TOKEN_PARAMETER, token)]), fragment="")
    return parts.geturl(), token


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which what is sent to it does not leave."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_token(expected: str, given: str | None) -> None:
    """Compare tokens in constant time.

    Raises:
        WebhookAuthError: They differ.
    """
    # Undecodable bytes of a query arrive as surrogates, which plain UTF-8 would refuse.
    if not hmac.compare_digest(expected.encode(), (given or "").encode(errors="surrogatepass")):
        raise WebhookAuthError("The token of the subscribed URL is missing or wrong.")
