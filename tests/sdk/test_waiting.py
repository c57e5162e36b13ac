"""Waiting: null is not finished, trouble that passes is not the end, and nothing paid for is lost."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import InvalidInputError, MediaProcessingError, NotFoundError, RateLimitError, WaitTimeoutError
from contentgroove.webhooks import InboxError, MemoryInbox

from .conftest import BASE, clip_json, many, media_json, one

if TYPE_CHECKING:
    from .conftest import FakeClock, Handler, Maker


def states(*values: Any, write: Any = media_json) -> tuple[Handler, list[httpx.Request]]:
    """Return with one state after the other; the last one repeats. Numbers are statuses."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        value = values[min(len(seen), len(values) - 1)]
        seen.append(request)
        if isinstance(value, type):
            raise value("broken", request=request)
        if isinstance(value, int) and not isinstance(value, bool):
            return httpx.Response(value)
        return one(write(is_processing=value))

    return handler, seen


def _same(resource: dict[str, Any], _request: httpx.Request) -> httpx.Response:
    return one(resource)


@pytest.mark.parametrize("what", ["media", "clip"])
def test_null_is_not_finished(make: Maker, clock: FakeClock, what: str) -> None:
    """A fresh resource has null and is waited for, then true, then false ends it."""
    write = media_json if what == "media" else clip_json
    handler, seen = states(None, None, True, False, write=write)
    client = make(handler)
    resource = client.medias if what == "media" else client.clips
    updates: list[bool | None] = []
    done = resource.wait("m-1", poll_interval=2.0, on_update=lambda item: updates.append(item.is_processing))
    assert done.is_finished
    assert len(seen) == 4
    assert updates == [None, True, False]
    assert clock.sleeps == [2.0, 2.0, 2.0]


def test_intervals_grow(make: Maker, clock: FakeClock) -> None:
    """Without an interval, polling starts after one second and slows down to one poll in fifteen seconds."""
    handler, _ = states(*[True] * 12, False)
    make(handler).medias.wait("m-1")
    assert clock.sleeps[:3] == [1.0, 1.5, 2.25]
    assert max(clock.sleeps) == 15.0
    assert clock.sleeps == sorted(clock.sleeps)


def test_a_timeout_names_the_media(make: Maker, clock: FakeClock) -> None:
    """The error contains the id and says that processing continues."""
    handler, seen = states(True)
    start = clock.now
    with pytest.raises(WaitTimeoutError, match=r"m-1.*continues") as caught:
        make(handler).medias.wait("m-1", timeout=10.0, poll_interval=4.0)
    assert caught.value.media_id == "m-1"
    assert clock.now - start == 10.0
    assert len(seen) == 4


def test_a_result_at_the_deadline_counts(make: Maker) -> None:
    """The last poll is at the deadline, and its result is returned."""
    handler, _ = states(True, True, True, False)
    assert make(handler).medias.wait("m-1", timeout=10.0, poll_interval=4.0).is_finished


@pytest.mark.parametrize(
    ("delay", "timeout", "requests", "error"),
    [("3600", 600.0, 1, RateLimitError), ("60", 30.0, 1, WaitTimeoutError), ("3600", 4000.0, 2, None)],
)
def test_a_pause_that_outlasts_the_wait(
    make: Maker, clock: FakeClock, delay: str, timeout: float, requests: int, error: type[Exception] | None
) -> None:
    """An hour's pause ends a shorter wait at once and says when to come back; no poll is sent during a pause."""
    seen: list[float] = []

    def handler(_request: httpx.Request) -> httpx.Response:
        seen.append(clock.now)
        if len(seen) == 1:
            return httpx.Response(429, headers={"Retry-After": delay})
        return one(media_json(is_processing=False))

    client = make(handler)
    if error is None:
        assert client.medias.wait("m-1", timeout=timeout).is_finished
        assert seen[1] - seen[0] >= 3600.0
    else:
        with pytest.raises(error, match="Try again in 3,600 s" if error is RateLimitError else "m-1"):
            client.medias.wait("m-1", timeout=timeout)
        assert sum(clock.sleeps) == (0 if error is RateLimitError else timeout)
    assert len(seen) == requests


def test_a_timeout_of_zero_polls_once(make: Maker) -> None:
    """With `timeout=0`, a media that is already finished is returned."""
    handler, seen = states(False)
    assert make(handler).medias.wait("m-1", timeout=0).is_finished
    assert len(seen) == 1


@pytest.mark.parametrize("trouble", [500, 503, 429, httpx.ReadTimeout, httpx.ConnectError])
def test_temporary_failures_do_not_end_a_wait(make: Maker, trouble: Any) -> None:
    """A failing server or connection, for longer than the retries, does not end a wait."""
    handler, seen = states(*[trouble] * 9, False)
    assert make(handler, max_retries=1).medias.wait("m-1").is_finished
    assert len(seen) == 10


def test_trouble_that_stays_ends_with_the_deadline(make: Maker, clock: FakeClock) -> None:
    """A service that stays away ends a wait on time, retries included."""
    handler, _ = states(503)
    start = clock.now
    with pytest.raises(WaitTimeoutError):
        make(handler).medias.wait("m-1", timeout=30.0)
    assert clock.now - start <= 31.0


def test_a_deleted_media_ends_a_wait(make: Maker) -> None:
    """A 404 will not pass."""
    handler, _ = states(None, 404)
    with pytest.raises(NotFoundError):
        make(handler).medias.wait("m-1")


def test_a_fetch_error_is_a_failure(make: Maker) -> None:
    """A media whose file the service could not fetch is an error that names it, whatever `is_processing` is."""
    for state in (None, True, False):
        url = "https://example.com/gone.mp4"
        http_response = media_json(has_fetch_error=True, is_processing=state, source_url=url)
        client = make(functools.partial(_same, http_response))
        with pytest.raises(MediaProcessingError, match=r"gone\.mp4") as caught:
            client.medias.wait("m-1")
        assert caught.value.media_id == "m-1"


def test_a_media_can_be_passed_itself(make: Maker) -> None:
    """`wait(media)` and `wait(media.id)` are the same."""
    handler, seen = states(None, False)
    client = make(handler)
    assert client.medias.wait(client.medias.get("m-1")).is_finished
    assert [request.url.path for request in seen] == ["/api/v1/medias/m-1"] * 2


def test_several_are_waited_for_by_one_list(make: Maker) -> None:
    """Many medias cost one request per poll, and are returned in the order of the arguments."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        done = len(seen) >= 3
        return many([media_json(f"m-{index}", is_processing=not (done or index < 2)) for index in range(5)], next=None)

    found = make(handler).medias.wait_many(["m-3", "m-0", "m-3", "m-4"])
    assert [media.id for media in found] == ["m-3", "m-0", "m-4"]
    assert all(media.is_finished for media in found)
    assert seen == ["/api/v1/medias"] * 3


def test_several_that_are_not_in_the_list_are_requested(make: Maker) -> None:
    """A media that is not among the newest is fetched by its id."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/medias"):
            return many([media_json("m-1", is_processing=False)], next=None)
        return one(media_json(request.url.path.rpartition("/")[2], is_processing=False))

    found = make(handler).medias.wait_many(["m-1", "old-1"])
    assert [media.id for media in found] == ["m-1", "old-1"]


@pytest.mark.parametrize(("count", "lists"), [(2, 1), (310, 11), (1020, 34)])
def test_smaller_pages_than_requested_are_all_read(make: Maker, count: int, lists: int) -> None:
    """A service that returns 30 items for a page of 100 costs a request for each 30, and none for single items."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        number = int(request.url.params.get("page[number]", "1"))
        page = [media_json(f"m-{index}", is_processing=False) for index in range((number - 1) * 30, number * 30)]
        return many(page, next=f"{BASE}/medias?page[number]={number + 1}")

    found = make(handler).medias.wait_many([f"m-{index}" for index in range(count)])
    assert len(found) == count
    assert seen == ["/api/v1/medias"] * lists


def test_what_is_not_among_the_newest_costs_few_lists(make: Maker) -> None:
    """The list is read no further than single requests would cost."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path.removeprefix("/api/v1/"))
        if request.url.path.endswith("/medias"):
            number = int(request.url.params.get("page[number]", "1"))
            return many([media_json(f"m-{number}")], next=f"{BASE}/medias?page[number]={number + 1}")
        return one(media_json(request.url.path.rpartition("/")[2], is_processing=False))

    make(handler).medias.wait_many(["old-1", "old-2"])
    assert seen == ["medias", "medias", "medias/old-1", "medias/old-2"]


def test_several_that_do_not_finish_are_named(make: Maker) -> None:
    """A timeout names the missing ones."""
    page = [media_json("a", is_processing=False), media_json("b"), media_json("c", is_processing=True)]
    with pytest.raises(WaitTimeoutError, match=r"2 of 3 .*: b, c\."):
        make(lambda _request: many(page, next=None)).medias.wait_many(["a", "b", "c"], timeout=5)


class Deliveries:
    """Webhooks that arrive in an inbox while a wait sleeps.

    Attributes:
        inbox: Where they are recorded.
        client: The client that waits.
    """

    def __init__(self, make: Maker, clock: FakeClock, handler: Handler, at: dict[float, str]) -> None:
        self.inbox = MemoryInbox()
        self._clock = clock
        self._start = clock.now
        self._at = at
        sync = make.kind == "sync"
        self.client = make(handler, sleep=self.sleep if sync else self.asleep)

    def sleep(self, seconds: float) -> None:
        """Let time pass, and record what arrives in the meantime."""
        self._clock.sleep(seconds)
        for moment, key in list(self._at.items()):
            if moment <= self._clock.now - self._start:
                self.inbox.record(key, b"")
                del self._at[moment]

    async def asleep(self, seconds: float) -> None:
        """Let time pass, and record what arrives in the meantime."""
        self.sleep(seconds)


def hook(media_id: str = "m-1", run: str = "1") -> str:
    return f"media.processing_finished:medias:{media_id}:{run}"


def test_a_webhook_wakes(make: Maker, clock: FakeClock) -> None:
    """Within half a second, and the media is fetched from the API."""
    handler, seen = states(None, False)
    start = clock.now
    setup = Deliveries(make, clock, handler, {20.2: hook()})
    media = setup.client.medias.wait("m-1", inbox=setup.inbox)
    assert (media.is_finished, media.name) == (True, "Chimp")
    assert len(seen) == 2
    assert 20.2 <= clock.now - start <= 20.7
    assert [event.state for event in setup.inbox.events()] == ["pending"], "the event is left to its handlers"


def test_webhooks_wake_a_wait_for_several(make: Maker, clock: FakeClock) -> None:
    """The webhook of any of them is a reason to poll the list; that of another media is not."""
    start = clock.now
    looks: list[float] = []

    def handler(request: httpx.Request) -> httpx.Response:
        looks.append(clock.now - start)
        done = {"m-1": clock.now - start >= 20, "m-2": clock.now - start >= 41.5}
        if request.url.path.endswith("m-2"):
            return one(media_json("m-2", is_processing=not done["m-2"]))
        return many([media_json(name, is_processing=not is_done) for name, is_done in done.items()], next=None)

    setup = Deliveries(make, clock, handler, {10.0: hook("m-10"), 20.2: hook("m-1"), 41.7: hook("m-2")})
    found = setup.client.medias.wait_many(["m-2", "m-1"], inbox=setup.inbox, poll_interval=30)
    assert [(media.id, media.is_finished) for media in found] == [("m-2", True), ("m-1", True)]
    assert looks[:2] == [0.0, 20.5]
    assert 41.7 <= looks[-1] <= 42.2


def test_a_wait_for_several_knows_earlier_webhooks(make: Maker, clock: FakeClock) -> None:
    """A webhook from before the wait is not a reason to poll, and the wait still polls each minute."""
    start = clock.now

    def handler(_request: httpx.Request) -> httpx.Response:
        return many([media_json(name, is_processing=clock.now == start) for name in ("m-1", "m-2")], next=None)

    setup = Deliveries(make, clock, handler, {})
    setup.inbox.record(hook("m-2"), b"")
    setup.client.medias.wait_many(["m-1", "m-2"], inbox=setup.inbox)
    assert clock.now - start == 60.0


@pytest.mark.parametrize("what", ["medias", "clips"])
@pytest.mark.parametrize("given", ["m-1", None, 5])
def test_several_are_not_one(make: Maker, what: str, given: Any) -> None:
    """One id would be read as the ids of its letters."""
    handler, seen = states(False)
    client = make(handler)
    with pytest.raises(InvalidInputError, match=rf"several {what}.*not {type(given).__name__}"):
        (client.medias if what == "medias" else client.clips).wait_many(given)
    assert seen == []


def test_several_clips_are_waited_for_by_one_list(make: Maker, clock: FakeClock) -> None:
    """Like several medias, with a callback for each change; one that is not in the list is requested by its id."""
    start = clock.now
    seen: list[str] = []
    updates: list[tuple[str, bool | None]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        state = None if clock.now == start else False
        if request.url.path.endswith("/clips"):
            assert request.url.params["sort"] == "-created_at"
            return many([clip_json(name, is_processing=state) for name in ("c-1", "c-2", "c-3")], next=None)
        return one(clip_json(request.url.path.rpartition("/")[2], is_processing=state))

    client = make(handler)
    told = client.clips.wait_many(
        ["old-1", client.clips.get("c-2")],
        poll_interval=5,
        on_update=lambda clip: updates.append((clip.id, clip.is_processing)),
    )
    assert [(clip.id, clip.is_finished) for clip in told] == [("old-1", True), ("c-2", True)]
    assert [path.rpartition("/")[2] for path in seen] == ["c-2", "clips", "old-1", "clips", "old-1"]
    assert sorted(updates, key=str) == [("c-2", False), ("c-2", None), ("old-1", False), ("old-1", None)]
    assert clock.sleeps == [5.0]


def test_clips_that_do_not_finish_are_named(make: Maker) -> None:
    """A timeout names the missing ones."""
    page = [clip_json("a", is_processing=False), clip_json("b"), clip_json("c", is_processing=True)]
    with pytest.raises(WaitTimeoutError, match=r"2 of 3 clips .*: b, c\.") as caught:
        make(lambda _request: many(page, next=None)).clips.wait_many(["a", "b", "c"], timeout=5)
    assert (caught.value.media_id, caught.value.clip_id) == (None, "b")


def test_several_without_an_inbox(make: Maker, clock: FakeClock) -> None:
    """What is not an inbox is refused before anything is sent."""
    with pytest.raises(InvalidInputError, match=r"SQLiteInbox.*Nothing was sent"):
        make(lambda _request: many([], next=None)).medias.wait_many(["m-1", "m-2"], inbox="events.db")
    assert clock.sleeps == []


def test_a_lost_webhook_is_made_up_for(make: Maker, clock: FakeClock) -> None:
    """The wait still polls each minute."""
    handler, seen = states(None, True, False)
    start = clock.now
    setup = Deliveries(make, clock, handler, {})
    assert setup.client.medias.wait("m-1", inbox=setup.inbox).is_finished
    assert (len(seen), clock.now - start) == (3, 120.0)


def test_the_fallback_can_be_chosen(make: Maker, clock: FakeClock) -> None:
    """By the poll interval, however short."""
    handler, _ = states(None, True, False)
    start = clock.now
    setup = Deliveries(make, clock, handler, {})
    assert setup.client.medias.wait("m-1", inbox=setup.inbox, poll_interval=0.2).is_finished
    assert clock.now - start == pytest.approx(0.4)


def test_webhooks_of_others_wake_no_wait(make: Maker, clock: FakeClock) -> None:
    """Nor does one that was there before, nor another event."""
    handler, seen = states(None, False)
    start = clock.now
    others = {5.0: hook("m-10"), 6.0: hook("m"), 7.0: "clip.made:medias:m-1:1"}
    setup = Deliveries(make, clock, handler, others)
    setup.inbox.record(hook(), b"")
    assert setup.client.medias.wait("m-1", inbox=setup.inbox).is_finished
    assert (len(seen), clock.now - start) == (2, 60.0)


def test_a_forged_webhook_injects_nothing(make: Maker, clock: FakeClock) -> None:
    """It makes the wait poll, and the API returns an unfinished media; a flood costs two polls per second."""
    handler, seen = states(*[True] * 400, False)
    start = clock.now
    setup = Deliveries(make, clock, handler, {n / 100: hook(run=str(n)) for n in range(3_000)})
    with pytest.raises(WaitTimeoutError):
        setup.client.medias.wait("m-1", inbox=setup.inbox, timeout=30)
    assert clock.now - start == 30.0
    assert len(seen) <= 61


def test_a_webhook_that_is_earlier_than_the_api_is_followed_up(make: Maker, clock: FakeClock) -> None:
    """The media is looked at again soon, not only after a minute, and ever more slowly."""
    handler, _ = states(None, None, None, None, False)
    start = clock.now
    setup = Deliveries(make, clock, handler, {5.0: hook()})
    assert setup.client.medias.wait("m-1", inbox=setup.inbox).is_finished
    assert clock.now - start == 5.0 + 1.0 + 1.5 + 2.25


def test_a_wait_with_an_inbox_ends_in_time(make: Maker, clock: FakeClock) -> None:
    """And polls again at the end."""
    handler, seen = states(True)
    start = clock.now
    setup = Deliveries(make, clock, handler, {})
    with pytest.raises(WaitTimeoutError, match="m-1"):
        setup.client.medias.wait("m-1", inbox=setup.inbox, timeout=10)
    assert (len(seen), clock.now - start) == (2, 10.0)


def test_an_inbox_that_fails_leaves_the_fallback(
    make: Maker, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported once; an inbox that works again is used again."""
    handler, seen = states(None, None, False)
    start = clock.now
    setup = Deliveries(make, clock, handler, {80.0: hook()})

    class Shaky(MemoryInbox):
        """Fails for 70 seconds."""

        def keys_with_prefix(self, prefix: str) -> frozenset[str]:
            """Fail, or return the arrivals."""
            if clock.now - start < 70:
                raise InboxError("the database is away")
            return super().keys_with_prefix(prefix)

    setup.inbox = Shaky()
    assert setup.client.medias.wait("m-1", inbox=setup.inbox).is_finished
    assert (len(seen), clock.now - start) == (3, 80.0)
    assert caplog.text.count("the database is away") == 1


@pytest.mark.parametrize(
    "arguments",
    [{"timeout": -1}, {"timeout": float("nan")}, {"poll_interval": "1"}, {"on_update": 5}, {"inbox": {}}],
)
def test_bad_arguments(make: Maker, arguments: dict[str, Any]) -> None:
    """A wait that cannot work is refused before anything is sent."""
    handler, seen = states(False)
    with pytest.raises(InvalidInputError):
        make(handler).medias.wait("m-1", **arguments)
    assert seen == []
