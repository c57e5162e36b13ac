from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...types import UNSET, Request, Response, Unset, decode_body, encode_query

if TYPE_CHECKING:
    from ...client import Client
    from ...models.errors import Errors
    from ...models.get_webhook_subscriptions_sort import (
        GetWebhookSubscriptionsSort,
    )
    from ...models.too_many_requests_errors import TooManyRequestsErrors
    from ...models.unauthorized_errors import UnauthorizedErrors
    from ...models.webhook_subscription_list import WebhookSubscriptionList


def build_request(
    *,
    filter_: Mapping[str, object] | Unset = UNSET,
    sort: GetWebhookSubscriptionsSort | Unset = UNSET,
    page: Mapping[str, object] | Unset = UNSET,
) -> Request:
    """list webhook subscriptions

    Args:
        filter_: filter
        sort: sort
        page: Which page of a list, and how large.
    """
    return Request(
        method="GET",
        path="/webhook_subscriptions",
        query=encode_query(
            (
                ("filter", filter_),
                ("sort", sort),
                ("page", page),
            )
        ),
    )


def parse_response(
    status_code: int, content: bytes
) -> WebhookSubscriptionList | Errors | UnauthorizedErrors | TooManyRequestsErrors | None:
    """Decode a response's body by its status.

    Returns:
        The decoded body, None for a status that the document does not name or that has no body.

    Raises:
        UnexpectedBody: The body does not fit the document.
    """
    if status_code == 200:
        from ...models.webhook_subscription_list import WebhookSubscriptionList

        return decode_body(status_code, content, WebhookSubscriptionList)
    if status_code == 400:
        from ...models.errors import Errors

        return decode_body(status_code, content, Errors)
    if status_code == 401:
        from ...models.unauthorized_errors import UnauthorizedErrors

        return decode_body(status_code, content, UnauthorizedErrors)
    if status_code == 429:
        from ...models.too_many_requests_errors import TooManyRequestsErrors

        return decode_body(status_code, content, TooManyRequestsErrors)
    if status_code == 500:
        from ...models.errors import Errors

        return decode_body(status_code, content, Errors)
    return None


def sync_detailed(
    *,
    client: Client,
    filter_: Mapping[str, object] | Unset = UNSET,
    sort: GetWebhookSubscriptionsSort | Unset = UNSET,
    page: Mapping[str, object] | Unset = UNSET,
) -> Response[WebhookSubscriptionList | Errors | UnauthorizedErrors | TooManyRequestsErrors | None]:
    """Send what `build_request` makes, and return the complete response."""
    response = client.send(
        build_request(
            filter_=filter_,
            sort=sort,
            page=page,
        )
    )
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )


async def asyncio_detailed(
    *,
    client: Client,
    filter_: Mapping[str, object] | Unset = UNSET,
    sort: GetWebhookSubscriptionsSort | Unset = UNSET,
    page: Mapping[str, object] | Unset = UNSET,
) -> Response[WebhookSubscriptionList | Errors | UnauthorizedErrors | TooManyRequestsErrors | None]:
    """Send what `build_request` makes without blocking the event loop, and return the complete response."""
    response = await client.asend(
        build_request(
            filter_=filter_,
            sort=sort,
            page=page,
        )
    )
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )
