"""Lists: every item once, from the API's own origin, and always an end."""

from __future__ import annotations

import asyncio
import datetime as dt
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove, Filter, PagingError, Sort
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import BASE, KEY, many, media_json

if TYPE_CHECKING:
    from .conftest import Handler, Maker


class Label(str, Enum):  # noqa: UP042 - a StrEnum's `str` is its value, so it would prove nothing
    """A string of an application's own, whose `str` is `Label.MOON`."""

    MOON = "moon"
    NAME = "name"


class Width(int, Enum):
    """A number of an application's own, whose `str` is `Width.HD`."""

    HD = 1920


def number_of(request: httpx.Request) -> int:
    """Return the page number of a request."""
    return int(parse_qs(request.url.query.decode()).get("page[number]", ["1"])[0])


def pages(*sizes: int, linked: bool, scheme: str = "https", host: str = "api.contentgroove.test") -> Handler:
    """Serve pages of so many medias each."""

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "api.contentgroove.test"
        assert request.url.scheme == "https"
        number = number_of(request)
        size = sizes[number - 1] if number <= len(sizes) else 0
        items = [media_json(f"m-{number}-{index}") for index in range(size)]
        if linked and number < len(sizes):
            return many(items, next=f"{scheme}://{host}/api/v1/medias?page[number]={number + 1}&page[size]=9")
        return many(items)

    return handler


@pytest.mark.parametrize("linked", [True, False])
def test_iterating_yields_every_item_of_every_page(make: Maker, *, linked: bool) -> None:
    """Pages are followed by links or counted; each item is returned once, in order."""
    ids = [media.id for media in make(pages(2, 2, 1, linked=linked)).medias.list()]
    assert ids == ["m-1-0", "m-1-1", "m-2-0", "m-2-1", "m-3-0"]


def test_pages_and_limits(make: Maker) -> None:
    """`.pages()` yields whole pages; `limit` ends in the middle of one; `page_number` starts later."""
    client = make(pages(2, 2, 1, linked=True))
    assert [(page.number, len(page)) for page in client.medias.list().pages()] == [(1, 2), (2, 2), (3, 1)]
    assert [media.id for media in client.medias.list(limit=3)] == ["m-1-0", "m-1-1", "m-2-0"]
    assert [media.id for media in client.medias.list(page_number=3)] == ["m-3-0"]


def test_listing_is_lazy(make: Maker) -> None:
    """Nothing is sent before the first item is requested."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return many([])

    listing = make(handler).medias.list()
    assert seen == []
    assert list(listing) == []
    assert len(seen) == 1


def test_links_never_lead_away(make: Maker) -> None:
    """A link to http:// or to another host is followed on the API's own origin, so the key stays there."""
    for scheme, host in (("http", "api.contentgroove.test"), ("https", "evil.test"), ("http", "169.254.169.254")):
        handler = pages(1, 1, linked=True, scheme=scheme, host=host)
        assert len(list(make(handler).medias.list())) == 2


def test_a_null_link_is_the_end(make: Maker) -> None:
    """A page whose link to the next one is null is the last: no further request."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return many([media_json("a")], next=None)

    assert len(list(make(handler).medias.list())) == 1
    assert len(seen) == 1


def test_an_empty_link_is_the_end(make: Maker) -> None:
    """An empty link is treated like null."""
    client = make(lambda _request: many([media_json("a")], next=""))
    assert [item.id for item in client.medias.list()] == ["a"]
    assert [page.is_last for page in client.medias.list().pages()] == [True]


def test_an_empty_page_is_the_end(make: Maker) -> None:
    """An empty page ends the list even if it links another."""
    client = make(lambda _request: many([], next=f"{BASE}/medias?page[number]=2"))
    assert list(client.medias.list()) == []


def test_a_list_that_is_not_paged_ends(make: Maker) -> None:
    """A service that ignores `page[number]` returns the same items again; they are returned once."""
    assert [item.id for item in make(lambda _request: many([media_json("a")])).medias.list()] == ["a"]


@pytest.mark.parametrize("target", [1, 2])
def test_a_loop_is_an_error(make: Maker, target: int) -> None:
    """Links that lead back end in an error instead of an endless loop."""

    def handler(request: httpx.Request) -> httpx.Response:
        number = number_of(request)
        following = number + 1 if number < 3 else target
        return many([media_json(f"m-{number}")], next=f"{BASE}/medias?page[number]={following}")

    with pytest.raises(PagingError, match="loop"):
        list(make(handler).medias.list(page_number=1))


def test_the_same_page_under_ever_new_links_is_an_error(make: Maker) -> None:
    """A service that returns one page for every number does not keep a caller busy forever."""

    def handler(request: httpx.Request) -> httpx.Response:
        return many([media_json("same")], next=f"{BASE}/medias?page[number]={number_of(request) + 1}")

    with pytest.raises(PagingError, match="loop"):
        list(make(handler).medias.list())


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("link", "what"),
    [
        ("http://[::1", "is not a URL"),
        ("https://api.test]/x", "is not a URL"),
        (f"{BASE}/medias?page[number]=7", "loop"),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error_after_its_page(kind: str, link: str, what: str) -> None:
    """A page's items are returned before the error about its link, so that single pages can still be requested."""
    given: list[str] = []
    transport = httpx.MockTransport(lambda _request: many([media_json("a")], next=link))

    def walk() -> None:
        with httpx.Client(transport=transport) as own, ContentGroove(KEY, BASE, http_client=own) as client:
            given.extend(media.id for media in client.medias.list(page_number=7))

    async def awalk() -> None:
        async with (
            httpx.AsyncClient(transport=transport) as own,
            AsyncContentGroove(KEY, BASE, http_client=own) as client,
        ):
            async for media in client.medias.list(page_number=7):
                given.append(media.id)  # noqa: PERF401 - what came before the error is the point

    with pytest.raises(PagingError, match=what):
        walk() if kind == "sync" else asyncio.run(awalk())
    assert given == ["a"]


@pytest.mark.parametrize("number", ["9" * 5000, "x", "-1", "²"])
def test_a_link_may_number_its_page_as_it_likes(make: Maker, number: str) -> None:
    """A link with a strange page number is followed, and counting continues."""
    pages_: list[dict[str, str]] = [{"next": f"{BASE}/medias?page[number]={number}"}, {}]
    responses = iter([many([media_json(f"m-{index}")], **links) for index, links in enumerate(pages_)])
    client = make(lambda _request: next(responses))
    assert [(page.number, len(page)) for page in client.medias.list().pages()] == [(1, 1), (2, 1)]


@settings(max_examples=60)
@given(st.lists(st.integers(1, 4), max_size=6), st.booleans(), st.integers(1, 30))
def test_any_paging_yields_each_item_once(sizes: list[int], linked: bool, limit: int) -> None:  # noqa: FBT001 - drawn
    """Whatever the pages' sizes: all items once, or the first `limit` of them."""
    http_client = httpx.Client(transport=httpx.MockTransport(pages(*sizes, linked=linked)))
    with http_client, ContentGroove(KEY, BASE, http_client=http_client) as client:
        ids = [media.id for media in client.medias.list(limit=limit)]
    expected = [f"m-{page + 1}-{index}" for page, size in enumerate(sizes) for index in range(size)]
    assert ids == expected[:limit]


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("maximum", [1, 3, 30])
def test_smaller_pages_than_requested_are_not_the_end(make: Maker, maximum: int, *, linked: bool) -> None:
    """A service that caps the size of pages: each item comes once, however many were requested, and the list ends."""
    ids = [f"m-{number}" for number in range(31)]
    requested: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        requested.extend(query["page[size]"])
        number = number_of(request)
        items = [media_json(id_) for id_ in ids[(number - 1) * maximum : number * maximum]]
        url = f"{BASE}/medias?page[number]={number + 1}&page[size]=100"
        return many(items, next=url) if linked and number * maximum < len(ids) else many(items)

    client = make(handler)
    assert [media.id for media in client.medias.list(page_size=100)] == ids
    assert set(requested) == {"100"}
    assert len(requested) == -(-len(ids) // maximum) + (not linked)
    assert [media.id for media in client.medias.list(page_size=100, limit=5)] == ids[:5]
    assert [len(page) for page in client.medias.list(page_size=100).pages()][:-1] == [maximum] * (30 // maximum)


@pytest.mark.parametrize(
    ("filter_", "query"),
    [
        ({"name_eq": "chimp into space"}, "filter[name_eq]=chimp%20into%20space"),
        ({"name_eq": ""}, "filter[name_eq]="),
        ({"name_cont": "é&=#+"}, "filter[name_cont]=%C3%A9%26%3D%23%2B"),
        ({"has_fetch_error_true": True}, "filter[has_fetch_error_true]=true"),
        ({"name_in": ["a", "b,c"]}, "filter[name_in][]=a&filter[name_in][]=b%2Cc"),
        ({"source_file_duration_gteq": 1.5}, "filter[source_file_duration_gteq]=1.5"),
        (
            {"created_at_gteq": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)},
            "filter[created_at_gteq]=2026-01-02T03%3A04%3A05%2B00%3A00",
        ),
        ({"name_in": [Label.MOON, Width.HD]}, "filter[name_in][]=moon&filter[name_in][]=1920"),
        ({"created_at_lt": dt.date(2026, 1, 2)}, "filter[created_at_lt]=2026-01-02"),
        ({"brand_new_attribute_eq": 1}, "filter[brand_new_attribute_eq]=1"),
    ],
)
def test_filters_are_written_as_the_api_reads_them(make: Maker, filter_: dict[str, Any], query: str) -> None:
    """Matchers, lists, booleans, datetimes and other alphabets are sent as `filter[…]=…`."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query.decode())
        return many([])

    list(make(handler).medias.list(filter=filter_))
    assert seen == [query]


def test_a_naive_datetime_is_refused(make: Maker) -> None:
    """A time without a zone is ambiguous."""
    naive = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - that is the case
    with pytest.raises(ValueError, match="no time zone"):
        make(lambda _request: many([])).medias.list(filter={"created_at_gt": naive})


def test_sort_orders(make: Maker) -> None:
    """A wrong order is refused with a list of the right ones; one that only the service knows passes on purpose."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query.decode())
        return many([])

    client = make(handler)
    with pytest.raises(ValueError, match=r"sort must be one of -created_at, .*created_at, .*name, .*not "):
        client.clips.list(sort="rank")
    list(client.clips.list(sort=Sort("-rank")))
    list(client.medias.list(sort="-original_created_at"))
    list(client.medias.list(sort=Label.NAME))
    assert seen == ["sort=-rank", "sort=-original_created_at", "sort=name"]


def test_filters_that_type_checkers_do_not_know(make: Maker) -> None:
    """A `Filter` is sent like a dict, and a dict may have any name, too."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query.decode())
        return many([])

    client = make(handler)
    list(client.medias.list(filter=Filter({"name_or_description_cont": "a"})))
    list(client.medias.list(filter={"name_or_description_cont": "a"}))
    list(client.medias.list(filter=Filter(later_eq=1)))
    assert seen == ["filter[name_or_description_cont]=a"] * 2 + ["filter[later_eq]=1"]
