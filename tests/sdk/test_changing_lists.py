"""Lists that change while they are read: nothing twice, nothing skipped by this client's own changes, and an end."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx
import pytest
from contentgroove import (
    APIConnectionError,
    AsyncContentGroove,
    ContentGroove,
    ContentGrooveError,
    NotFoundError,
    PagingError,
    ResponseDecodeError,
    ServerError,
)
from contentgroove._core import paging
from contentgroove._core.calls import Writes
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import BASE, KEY, many, media_json, one, sent_json

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = pytest.mark.parametrize("kind", ["sync", "async"])
LINKED = pytest.mark.parametrize("linked", [True, False], ids=["linked", "counted"])


@dataclass
class Library:
    """The service's side: a list that requests and tests change.

    Attributes:
        ids: The items, in the list's order.
        linked: Whether pages link to the next.
        before: Called with a page's number before it is returned.
        pages: The numbers that were requested.
        grown: How many items were added.
    """

    ids: list[str]
    size: int = 10
    linked: bool = False
    before: Callable[[int], object] = lambda _number: None
    sorts: bool = False
    pages: list[int] = field(default_factory=list)
    grown: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a request."""
        with self.lock:
            return self._respond(request)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        media_id = request.url.path.rpartition("/")[2]
        if request.method == "DELETE":
            if media_id not in self.ids:
                return httpx.Response(404, json={"errors": []})
            self.ids.remove(media_id)
            return httpx.Response(204)
        if request.method == "PUT":
            # In these lists an item's name is its id without the prefix that a renaming adds.
            name = sent_json(request)["data"]["attributes"]["name"]
            if self.sorts:
                self.ids.remove(media_id)
                self.ids.append(media_id)
            else:
                self.ids.remove(media_id)
            return one(media_json(media_id, name=name))
        number = int(parse_qs(request.url.query.decode()).get("page[number]", ["1"])[0])
        self.pages.append(number)
        self.before(number)
        shown = self.ids[(number - 1) * self.size : number * self.size]
        items = [media_json(id_) for id_ in shown]
        if not self.linked:
            return many(items)
        more = len(self.ids) > number * self.size
        return many(items, next=f"{BASE}/medias?page[number]={number + 1}" if more else None)

    def grow(self, count: int) -> None:
        """Add items in front of the others."""
        self.ids[:0] = [f"new-{self.grown + index}" for index in range(count)]
        self.grown += count


def library(count: int = 50, **options: Any) -> Library:
    """Create a list of so many items."""
    return Library([f"m-{index}" for index in range(count)], **options)


def walk(
    kind: str,
    handler: Callable[[httpx.Request], httpx.Response],
    act: Callable[[int, str], list[tuple[str, str]]] = lambda _count, _id: [],
    *,
    by_page: bool = False,
    **arguments: Any,
) -> list[str]:
    """Iterate with one kind of client; `act` returns the calls to make after an item, as method and id."""
    transport = httpx.MockTransport(handler)
    given: list[str] = []

    def walk_sync() -> None:
        with httpx.Client(transport=transport) as own, ContentGroove(KEY, BASE, http_client=own) as client:

            def visit(media: Any) -> None:
                given.append(media.id)
                for name, media_id in act(len(given), media.id):
                    options = {"name": "z"} if name == "update" else {}
                    getattr(client.medias, name)(media_id, **options)

            pager = client.medias.list(**arguments)
            for media in (media for page in pager.pages() for media in page) if by_page else pager:
                visit(media)

    async def walk_async() -> None:
        async with (
            httpx.AsyncClient(transport=transport) as own,
            AsyncContentGroove(KEY, BASE, http_client=own) as client,
        ):
            pager = client.medias.list(**arguments)
            async for media in (media async for page in pager.pages() for media in page) if by_page else pager:
                given.append(media.id)
                for name, media_id in act(len(given), media.id):
                    options = {"name": "z"} if name == "update" else {}
                    await getattr(client.medias, name)(media_id, **options)

    if kind == "sync":
        walk_sync()
    else:
        asyncio.run(walk_async())
    return given


def delete_all(_count: int, media_id: str) -> list[tuple[str, str]]:
    """Delete each item once it was given."""
    return [("delete", media_id)]


@KINDS
@LINKED
@pytest.mark.parametrize("by_page", [False, True])
def test_deleting_while_iterating_visits_every_item(kind: str, *, linked: bool, by_page: bool) -> None:
    """All of them, in their order, whatever moves to the pages that were read."""
    medias = library(linked=linked)
    expected = list(medias.ids)
    assert walk(kind, medias, delete_all, by_page=by_page) == expected
    assert medias.ids == []


@LINKED
@pytest.mark.parametrize("batch", [1, 3, 10, 15, 25, 40, 50])
@pytest.mark.parametrize("every", [1, 2, 7])
def test_deleting_some_of_them_now_and_then(batch: int, every: int, *, linked: bool) -> None:
    """Every second or seventh, collected and deleted together, also those of several pages."""
    medias = library(linked=linked)
    expected = list(medias.ids)
    collected: list[str] = []

    def act(count: int, media_id: str) -> list[tuple[str, str]]:
        if count % every == 0:
            collected.append(media_id)
        if count % batch:
            return []
        calls = [("delete", id_) for id_ in collected]
        collected.clear()
        return calls

    assert walk("sync", medias, act) == expected


@LINKED
def test_deleting_items_to_come(*, linked: bool) -> None:
    """What was deleted before it was given does not appear, and nothing else is missing."""
    medias = library(linked=linked)
    expected = [id_ for id_ in medias.ids if id_ not in {"m-9", "m-10", "m-30"}]

    def act(count: int, _id: str) -> list[tuple[str, str]]:
        return [("delete", "m-10"), ("delete", "m-30")] if count == 3 else [("delete", "m-9")] if count == 20 else []

    assert [id_ for id_ in walk("sync", medias, act) if id_ != "m-9"] == expected


def test_a_list_that_starts_in_the_middle_stays_behind_its_start() -> None:
    """With page_number= the pages before are not read, whatever moves there."""
    medias = library()
    expected = medias.ids[20:]
    assert walk("sync", medias, delete_all, page_number=3) == expected
    assert min(medias.pages) == 3


def test_a_limit_counts_what_was_given() -> None:
    """A limit is reached by so many different items, the first ones."""
    medias = library()
    expected = medias.ids[:25]
    assert walk("sync", medias, delete_all, limit=25) == expected


@KINDS
@LINKED
def test_changing_items_so_that_the_filter_excludes_them(kind: str, *, linked: bool) -> None:
    """It is the same as deleting."""
    medias = library(linked=linked)
    expected = list(medias.ids)
    assert walk(kind, medias, lambda _count, id_: [("update", id_)], filter={"name_cont": "m"}) == expected


@LINKED
def test_renaming_in_a_list_sorted_by_name(*, linked: bool) -> None:
    """Items that move to the end by their new names are not given again, and the list ends."""
    medias = library(linked=linked, sorts=True)
    expected = list(medias.ids)
    assert walk("sync", medias, lambda _count, id_: [("update", id_)], sort="name") == expected


def test_the_last_page_is_not_read_again() -> None:
    """Changing each item of a single page costs one request for the list, if the page says that it is the last."""
    medias = library(10, linked=True)
    assert len(walk("sync", medias, delete_all)) == 10
    assert medias.pages == [1]


@pytest.mark.parametrize("workers", [2, 8])
@LINKED
def test_deleting_from_threads_while_iterating(workers: int, *, linked: bool) -> None:
    """Every item is given once, although deletions overtake the iteration."""
    medias = library(200, linked=linked)
    expected = set(medias.ids)
    transport = httpx.MockTransport(medias)
    with (
        httpx.Client(transport=transport) as own,
        ContentGroove(KEY, BASE, http_client=own) as client,
        ThreadPoolExecutor(workers) as pool,
    ):
        given: list[str] = []

        def visit(media: Any) -> Any:
            given.append(media.id)
            return pool.submit(client.medias.delete, media.id)

        for future in [visit(media) for media in client.medias.list()]:
            future.result()
    assert sorted(given) == sorted(expected)
    assert medias.ids == []


def test_a_deletion_that_runs_while_a_page_is_read() -> None:
    """The service has deleted the item, the client does not know yet: what moved is found by another pass."""
    medias = library()
    expected = set(medias.ids)
    transport = httpx.MockTransport(medias)
    with httpx.Client(transport=transport) as own, ContentGroove(KEY, BASE, http_client=own) as client:
        writes = client.medias._session.writes

        def before(number: int) -> None:
            if number == 2 and "m-0" in medias.ids:
                token = writes.begin()
                medias.ids.remove("m-0")
                writes.end(token)

        medias.before = before
        given = [media.id for media in client.medias.list()]
    assert sorted(given) == sorted(expected)


def test_a_pass_that_is_overtaken_is_not_the_last() -> None:
    """Changes hide an item from two passes, of which the second finds nothing new; the next one finds it."""
    medias = library(20)
    expected = set(medias.ids)
    transport = httpx.MockTransport(medias)
    with httpx.Client(transport=transport) as own, ContentGroove(KEY, BASE, http_client=own) as client:
        writes = client.medias._session.writes

        def before(number: int) -> None:
            # Every second page is read while the first item is away: what follows it moves back by one.
            if len(medias.pages) > 8:
                return
            token = writes.begin()
            if number % 2 == 0 and "m-0" in medias.ids:
                medias.ids.remove("m-0")
            elif number % 2 and "m-0" not in medias.ids:
                medias.ids.insert(0, "m-0")
            writes.end(token)

        medias.before = before
        given = [media.id for media in client.medias.list()]
    assert sorted(given) == sorted(expected)


def test_a_write_that_ends_during_a_look_is_seen() -> None:
    """Whichever part of the record is read first, a call that ends in between shows in the other."""
    writes = Writes()
    mark, token = writes.mark(), object()

    class Ending(set[object]):
        def __len__(self) -> int:
            writes.end(token)
            return 0

    writes._running = Ending()
    assert writes.happened_since(mark)


def test_deletions_of_a_client_with_other_options_count() -> None:
    """`with_options` returns the same client with other limits."""
    medias = library()
    expected = list(medias.ids)
    transport = httpx.MockTransport(medias)
    with httpx.Client(transport=transport) as own, ContentGroove(KEY, BASE, http_client=own) as client:
        given = []
        for media in client.medias.list():
            given.append(media.id)
            client.with_options(timeout=5).medias.with_raw_response.delete(media.id)
    assert given == expected


@KINDS
@LINKED
@pytest.mark.parametrize("growth", [1, 9, 10, 11, 20, 35])
def test_a_list_that_grows_at_its_head_gives_nothing_twice(kind: str, growth: int, *, linked: bool) -> None:
    """By less than a page, by exactly one, which makes the next page equal, or by several; all old items are given."""
    medias = library(linked=linked)
    expected = list(medias.ids)

    def before(number: int) -> None:
        if number == 2 and "new-50-0" not in medias.ids:
            medias.grow(growth)

    medias.before = before
    given = walk(kind, medias)
    assert len(given) == len(set(given))
    assert [id_ for id_ in given if id_.startswith("m-")] == expected


@LINKED
@pytest.mark.parametrize("pages", [2, 3, 5])
def test_a_list_that_grows_by_a_page_again_and_again(pages: int, *, linked: bool) -> None:
    """Several times in a row."""
    medias = library(linked=linked)
    expected = list(medias.ids)
    medias.before = lambda number: medias.grow(10) if 2 <= number <= pages else None
    given = walk("sync", medias)
    assert len(given) == len(set(given))
    assert [id_ for id_ in given if id_.startswith("m-")] == expected


@KINDS
@LINKED
def test_a_list_that_grows_faster_than_it_is_read_ends(kind: str, *, linked: bool) -> None:
    """With an error after a bounded number of pages without anything new."""
    medias = library(linked=linked)
    medias.before = lambda number: medias.grow(10) if medias.pages.count(number) == 1 else None
    with pytest.raises(PagingError, match="pages in a row"):
        walk(kind, medias)
    assert len(medias.pages) < 3 * paging.MAX_PAGES_WITHOUT_NEW


@pytest.mark.parametrize("turns", [2, 3])
@LINKED
def test_a_service_that_returns_a_few_pages_in_turns_ends(turns: int, *, linked: bool) -> None:
    """Pages that alternate without end are found, too."""

    def handler(request: httpx.Request) -> httpx.Response:
        number = int(parse_qs(request.url.query.decode()).get("page[number]", ["1"])[0])
        links = {"next": f"{BASE}/medias?page[number]={number + 1}"} if linked else {}
        return many([media_json(f"m-{number % turns}")], **links)

    with pytest.raises(PagingError, match="pages in a row"):
        walk("sync", handler)


def test_a_service_that_returns_its_last_page_for_later_numbers() -> None:
    """The repeated page is the end of a list without links."""
    medias = library(25)

    def handler(request: httpx.Request) -> httpx.Response:
        number = int(parse_qs(request.url.query.decode()).get("page[number]", ["1"])[0])
        return medias(httpx.Request("GET", f"{BASE}/medias?page[number]={min(number, 3)}"))

    assert walk("sync", handler) == medias.ids


@settings(max_examples=150)
@given(data=st.data(), linked=st.booleans(), count=st.integers(0, 30), size=st.integers(1, 7))
def test_any_mixture_of_deletions_and_growth(data: st.DataObject, linked: bool, count: int, size: int) -> None:  # noqa: FBT001 - drawn
    """Each item that stays in the list is given exactly once, and none twice."""
    medias = library(count, linked=linked, size=size)
    start = list(medias.ids)
    deleted: set[str] = set()
    growths = iter(data.draw(st.lists(st.integers(0, 8), max_size=5)))
    medias.before = lambda number: medias.grow(next(growths, 0)) if number > 1 else None

    def act(_count: int, media_id: str) -> list[tuple[str, str]]:
        chosen = [id_ for id_ in data.draw(st.sampled_from([[], [media_id]])) if id_ not in deleted]
        deleted.update(chosen)
        return [("delete", id_) for id_ in chosen]

    given = walk("sync", medias, act)
    assert len(given) == len(set(given))
    assert {id_ for id_ in given if id_.startswith("m-")} == set(start)


BROKEN: dict[str, tuple[Any, type[ContentGrooveError]]] = {
    "503": (lambda _request: httpx.Response(503), ServerError),
    "404": (lambda _request: httpx.Response(404), NotFoundError),
    "not JSON": (lambda _request: httpx.Response(200, text="<html>"), ResponseDecodeError),
    "no connection": (httpx.ConnectError, APIConnectionError),
}


@KINDS
@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("number", [1, 3])
def test_a_page_that_cannot_be_read_is_named(kind: str, case: str, number: int) -> None:
    """The error keeps its class, and says from which page the list continues; what was given stays valid."""
    medias = library(linked=True)
    trouble, expected = BROKEN[case]
    given: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if number > 1 and f"number]={number}" not in request.url.query.decode():
            return medias(request)
        if isinstance(trouble, type):
            raise trouble("broken", request=request)
        response: httpx.Response = trouble(request)
        return response

    def note(_count: int, media_id: str) -> list[tuple[str, str]]:
        given.append(media_id)
        return []

    with pytest.raises(expected, match=rf"Page {number} of the list could not be read: GET ") as caught:
        walk_without_retries(kind, handler, note)
    assert given == medias.ids[: (number - 1) * 10]
    assert str(caught.value) == caught.value.message
    assert ("page_number=3 continues" in str(caught.value)) == (number == 3)
    rest = walk(kind, medias, page_number=number)
    assert given + rest == medias.ids


def walk_without_retries(kind: str, handler: Any, act: Any) -> None:
    """Iterate with a client that does not retry."""
    transport = httpx.MockTransport(handler)

    async def walk_async() -> None:
        async with (
            httpx.AsyncClient(transport=transport) as own,
            AsyncContentGroove(KEY, BASE, http_client=own, max_retries=0) as client,
        ):
            async for media in client.medias.list():
                act(0, media.id)

    if kind == "async":
        asyncio.run(walk_async())
        return
    with httpx.Client(transport=transport) as own, ContentGroove(KEY, BASE, http_client=own, max_retries=0) as client:
        for media in client.medias.list():
            act(0, media.id)


def test_memory_does_not_grow_with_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest ids are remembered while this client changes nothing."""
    monkeypatch.setattr(paging, "REMEMBERED_IDS", 30)
    ids = paging._GivenIds()
    for number in range(100):
        ids.update(tuple(f"m-{number}-{index}" for index in range(10)))
    assert sum(f"m-{number}-{index}" in ids for number in range(100) for index in range(10)) <= 60
    assert all(f"m-{number}-9" in ids for number in (97, 98, 99))


def test_the_promises_are_documented() -> None:
    """The documentation of lists says what holds while they change."""
    from contentgroove.types import AsyncPager, Pager

    for pager in (Pager, AsyncPager):
        assert re.search("No item is given twice", pager.__doc__ or "")
