"""Webhook subscriptions: URLs that the service tells about events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core import webhook_subscriptions
from contentgroove._core.listing import ListArguments
from contentgroove._io.calls import AsyncPager, AsyncRawResource, Pager, RawResource

from .raw import araw, raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove._core.filters import Filter
    from contentgroove._io.calls import AsyncResource, Resource
    from contentgroove.models import WebhookSubscription


class WebhookSubscriptions:
    """Calls on webhook subscriptions; reach it as `client.webhook_subscriptions`. The API has no update."""

    def __init__(self, calls: Resource) -> None:
        self._calls = calls

    @property
    def with_raw_response(self) -> RawWebhookSubscriptions:
        """The same calls, giving `RawResponse`s."""
        calls = RawResource(self._calls.session)
        return RawWebhookSubscriptions(WebhookSubscriptions(calls))

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002 - the API's name
        sort: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> Pager[WebhookSubscription]:
        """List webhook subscriptions, lazily: iterating fetches page after page, `.pages()` gives whole pages.

        Args:
            filter: Ransack matchers, such as `{"url_cont": "example.com"}`.
            sort: `created_at` or `-created_at`.
            page_number: The page to begin with, from 1.
            page_size: Subscriptions in a page at most.
            limit: Subscriptions in all at most.

        Raises:
            InvalidInputError: An argument is wrong; nothing was sent.
            ContentGrooveError: While iterating, a call failed.
        """
        query = ListArguments(filter, sort, page_number, page_size, limit)
        return Pager(webhook_subscriptions.list_webhook_subscriptions(query), self._calls)

    def get(self, id: str) -> WebhookSubscription:  # noqa: A002 - the API's name
        """Fetch one webhook subscription.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(webhook_subscriptions.get_webhook_subscription(id))

    def create(self, *, url: str, subscribed_events: Sequence[str] | None = None) -> WebhookSubscription:
        """Have events sent to a URL.

        The service does not sign what it sends: give the URL a secret token, and check it on arrival.

        Args:
            url: Where events are POSTed.
            subscribed_events: The names of the events, such as `media.processing_finished`; all without it
                (assumed: the API's examples answer with `*`).

        Raises:
            OutcomeUnknownError: Whether it was created is not known; it was not tried again.
        """
        return self._calls.call(
            webhook_subscriptions.create_webhook_subscription(url=url, subscribed_events=subscribed_events)
        )

    def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """Stop sending events to a subscription's URL.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(webhook_subscriptions.delete_webhook_subscription(id))


class AsyncWebhookSubscriptions:
    """As `WebhookSubscriptions`, awaited; reach it as `client.webhook_subscriptions`."""

    def __init__(self, calls: AsyncResource) -> None:
        self._calls = calls

    @property
    def with_raw_response(self) -> AsyncRawWebhookSubscriptions:
        """The same calls, giving `RawResponse`s."""
        calls = AsyncRawResource(self._calls.session)
        return AsyncRawWebhookSubscriptions(AsyncWebhookSubscriptions(calls))

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002 - the API's name
        sort: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> AsyncPager[WebhookSubscription]:
        """As `WebhookSubscriptions.list`, iterated with `async for`."""
        query = ListArguments(filter, sort, page_number, page_size, limit)
        return AsyncPager(webhook_subscriptions.list_webhook_subscriptions(query), self._calls)

    async def get(self, id: str) -> WebhookSubscription:  # noqa: A002 - the API's name
        """As `WebhookSubscriptions.get`."""
        return await self._calls.call(webhook_subscriptions.get_webhook_subscription(id))

    async def create(self, *, url: str, subscribed_events: Sequence[str] | None = None) -> WebhookSubscription:
        """As `WebhookSubscriptions.create`."""
        operation = webhook_subscriptions.create_webhook_subscription(url=url, subscribed_events=subscribed_events)
        return await self._calls.call(operation)

    async def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """As `WebhookSubscriptions.delete`."""
        return await self._calls.call(webhook_subscriptions.delete_webhook_subscription(id))


class RawWebhookSubscriptions:
    """Calls on webhook subscriptions that give `RawResponse`s."""

    def __init__(self, subscriptions: WebhookSubscriptions) -> None:
        self.get = raw(subscriptions.get)
        self.create = raw(subscriptions.create)
        self.delete = raw(subscriptions.delete)


class AsyncRawWebhookSubscriptions:
    """Calls on webhook subscriptions that give `RawResponse`s, awaited."""

    def __init__(self, subscriptions: AsyncWebhookSubscriptions) -> None:
        self.get = araw(subscriptions.get)
        self.create = araw(subscriptions.create)
        self.delete = araw(subscriptions.delete)
