"""Type checkers read this file: they find wrong names of sort orders, filters and events.

It is never run. Each mistake has a comment that silences the type checker. If a mistake is no longer found, its comment
is unnecessary, and `make check` fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_type

from contentgroove import AsyncContentGroove, Clip, ContentGroove, EventName, Filter, Media, Page, Sort
from contentgroove.types import AsyncPager, KnownEvent, MediaFilter, MediaSort, Pager
from contentgroove.webhooks import MediaProcessingFinished, asubscribe, subscribe
from contentgroove_mock import factories

if TYPE_CHECKING:
    import datetime as dt

    from contentgroove.webhooks import Event, WebhookReceiver

FINISHED: Final = "media.processing_finished"


def right_lists(client: ContentGroove, since: dt.datetime, ids: list[str], order: MediaSort) -> None:
    """Names of the document, as literals, constants, parameters and variables of the public types."""
    assert_type(client.medias.list(filter={"name_cont": "a", "created_at_gteq": since}, sort=order), Pager[Media])
    client.medias.list(filter={"id_in": ids, "is_processing_false": True, "name_cont_any": ["a", "b"]}, sort="-name")
    client.clips.list(filter={"media_id_eq": "m", "rank_lt": 3, "start_time_gteq": 1.5}, sort="created_at")
    client.webhook_subscriptions.list(filter={"url_cont": "example.com"}, sort="-created_at")
    matchers: MediaFilter = {"name_eq": "a"}
    matchers["created_at_lt"] = since.date()
    client.medias.list(filter=matchers)


def right_names_of_events(client: ContentGroove, receiver: WebhookReceiver, known: KnownEvent) -> None:
    """The documented events, and all of them."""
    client.webhook_subscriptions.create(url="u", subscribed_events=["media.processing_finished", "*"])
    subscribe(client, "u", events=[FINISHED, known])
    receiver.on(FINISHED)
    receiver.on("*", name="all")


async def way_round(client: AsyncContentGroove, receiver: WebhookReceiver, column: str, order: str) -> None:
    """Names that are only known while the program runs, or only to the service."""
    assert_type(client.medias.list(filter=Filter({f"{column}_eq": "a"}), sort=Sort(order)), AsyncPager[Media])
    client.clips.list(filter=Filter(name_or_text_cont="a"), sort=Sort("-rank"))
    await client.webhook_subscriptions.create(url="u", subscribed_events=["*", EventName("clip.exported")])
    await asubscribe(client, "u", events=[EventName(column)])
    receiver.on(EventName("clip.exported"))


def wrong_sort_orders(client: ContentGroove, order: str) -> None:
    """A typing error, an order of another list, and a string that may be anything."""
    client.medias.list(sort="-createdAt")  # type: ignore[arg-type]
    client.clips.list(sort="original_created_at")  # type: ignore[arg-type]
    client.webhook_subscriptions.list(sort="name")  # type: ignore[arg-type]
    client.medias.list(sort=order)  # type: ignore[arg-type]


def wrong_filters(client: ContentGroove, matchers: dict[str, str]) -> None:
    """An attribute without a matcher, one of another list, a typing error, no value, and any dict."""
    client.medias.list(filter={"name": "a"})  # type: ignore[arg-type]
    client.medias.list(filter={"media_id_eq": "m"})  # type: ignore[arg-type]
    client.clips.list(filter={"name_equals": "a"})  # type: ignore[arg-type]
    client.webhook_subscriptions.list(filter={"name_eq": "a"})  # type: ignore[arg-type]
    client.medias.list(filter={"name_eq": None})  # type: ignore[arg-type]
    client.medias.list(filter=matchers)  # type: ignore[arg-type]


async def wrong_names_of_events(client: AsyncContentGroove, receiver: WebhookReceiver, names: list[str]) -> None:
    """Typing errors, one string for several, and any strings."""
    receiver.on("media.processing_finnished")  # type: ignore[arg-type]
    await client.webhook_subscriptions.create(url="u", subscribed_events=["media.finished"])  # type: ignore[list-item]
    await client.webhook_subscriptions.create(url="u", subscribed_events=names)  # type: ignore[arg-type]
    await asubscribe(client, "u", events=["all"])  # type: ignore[list-item]


def models_as_json(media: Media, page: Page[Clip], content: dict[str, object]) -> None:
    """What models become, and are made of."""
    assert_type(media.to_dict(), dict[str, Any])
    assert_type(media.to_json(), str)
    assert_type(Media.from_dict(content), Media)
    assert_type(Clip.from_dict({}), Clip)
    assert_type(page.to_dict(), dict[str, Any])
    for _ in media:  # type: ignore[misc]
        pass


def matched(value: Media | Clip | Event) -> str:
    """Positional patterns have the types of the attributes."""
    match value:
        case Media(media_id, name):
            return assert_type(media_id, str) + assert_type(name, str)
        case Clip(_, _, start, end):
            return f"{assert_type(start, float)} {assert_type(end, float)}"
        case MediaProcessingFinished(media=Media(media_id)):
            return assert_type(media_id, str)
        case _:
            return ""


def made() -> None:
    """What the factories return."""
    assert_type(factories.media(name="a"), Media)
    assert_type(factories.page([factories.clip()]), Page[Clip])
    assert_type(factories.media_processing_finished(), MediaProcessingFinished)
