"""Webhook subscriptions: URLs that the service sends events to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from contentgroove._core import operations
from contentgroove._core.io import InOneProcess
from contentgroove._core.paging import ListArguments
from contentgroove._core.secret import conceal

from .base import AsyncPager, AsyncResource, raw_method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove._core.inputs import EventName, Filter, Sort
    from contentgroove._core.names import KnownEvent, SubscriptionFilter, SubscriptionSort
    from contentgroove._core.secret import Secret
    from contentgroove.models import WebhookSubscription


class AsyncWebhookSubscriptions(AsyncResource):
    """Calls on webhook subscriptions; use it as `client.webhook_subscriptions`. The API has no update."""

    @property
    def with_raw_response(self) -> AsyncRawWebhookSubscriptions:
        """The same calls, returning `RawResponse`s."""
        return AsyncRawWebhookSubscriptions(AsyncWebhookSubscriptions(self._session, raw=True))

    def list(
        self,
        *,
        filter: SubscriptionFilter | Filter | None = None,  # noqa: A002 - the API's name
        sort: SubscriptionSort | Sort | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> AsyncPager[WebhookSubscription]:
        """List webhook subscriptions lazily: iterating fetches page after page, `.pages()` yields whole pages.

        Args:
            filter: Ransack matchers, such as `{"url_cont": "example.com"}`.
                The service may ignore a filter whose value is empty, and return everything (assumed:
                filter-blank-dropped): check a variable before it decides what is deleted.
            sort: `created_at` or `-created_at`.
            page_number: The page to start with, from 1.
            page_size: The maximum number of subscriptions in a page.
            limit: The maximum number of subscriptions in total.

        Raises:
            InvalidInputError: An argument is invalid. Nothing was sent.
            ContentGrooveError: A call failed while iterating.
        """
        arguments = ListArguments(filter, sort, page_number, page_size, limit)
        return AsyncPager(operations.list_webhook_subscriptions(arguments), self._session)

    async def get(self, id: str) -> WebhookSubscription:  # noqa: A002 - the API's name
        """Fetch one webhook subscription.

        Raises:
            NotFoundError: There is no subscription with this id.
        """
        return await self._call(operations.get_webhook_subscription(id))

    async def create(
        self, *, url: str | Secret, subscribed_events: Sequence[KnownEvent | Literal["*"] | EventName] | None = None
    ) -> WebhookSubscription:
        """Subscribe a URL to events.

        The service does not sign deliveries: put a secret token into the URL, and check it on arrival.

        Args:
            url: The URL that events are POSTed to.
            subscribed_events: The names of the events, such as `media.processing_finished`; by default all
                (assumed: subscription-of-all-events).

        Raises:
            OutcomeUnknownError: It is unknown whether the subscription was created. The request was not retried.
        """
        url = conceal(url)
        operation = operations.create_webhook_subscription(url=url, subscribed_events=subscribed_events)
        return await self._call(operation)

    async def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """Delete a webhook subscription: no more events are sent to its URL.

        Raises:
            NotFoundError: There is no subscription with this id.
        """
        return await self._call(operations.delete_webhook_subscription(id))


class AsyncRawWebhookSubscriptions(InOneProcess):
    """Calls on webhook subscriptions that return `RawResponse`s."""

    def __init__(self, subscriptions: AsyncWebhookSubscriptions) -> None:
        self.get = raw_method(subscriptions.get)
        self.create = raw_method(subscriptions.create)
        self.delete = raw_method(subscriptions.delete)
