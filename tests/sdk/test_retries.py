"""What is sent again, what never, and how long between."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    ResponseDecodeError,
    RetryPolicy,
    ServerError,
    ServerOutcomeUnknownError,
)
from contentgroove._core import operations
from contentgroove._core.calls import send_with_retries
from contentgroove._core.io import run_sync
from contentgroove._core.responses import Response
from contentgroove._core.retries import parse_retry_after
from hypothesis import given
from hypothesis import strategies as st

from .conftest import media_json, one
from .scripted_io import ScriptedIO, session_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import FakeClock, Handler, Maker

Step = "httpx.Response | type[httpx.HTTPError] | int"


def script(*steps: Any) -> tuple[Handler, list[httpx.Request]]:
    """Return each request with the next step: a status, a response or an error; the last one repeats."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        step = steps[min(len(seen), len(steps) - 1)]
        seen.append(request)
        if isinstance(step, int):
            return httpx.Response(step)
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, content=step.content, headers=step.headers)
        raise step("broken", request=request)

    return handler, seen


def get(client: Any) -> Any:
    """Make an idempotent call."""
    return client.medias.get("m-1")


def create(client: Any) -> Any:
    """Make a call that is not idempotent."""
    return client.medias.create(upload_id="u")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_get_is_repeated_on_statuses_that_pass(make: Maker, clock: FakeClock, status: int) -> None:
    """A GET is sent again with growing waits until it succeeds."""
    handler, seen = script(status, status, one(media_json()))
    assert get(make(handler)).id == "m-1"
    assert len(seen) == 3
    assert clock.sleeps == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409, 422, 501, 520])
def test_other_statuses_are_final(make: Maker, clock: FakeClock, status: int) -> None:
    """A status that will not pass is raised at once; a 402 above all."""
    handler, seen = script(status)
    with pytest.raises(Exception, match=str(status)):
        get(make(handler))
    assert len(seen) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError])
@pytest.mark.parametrize("call", [get, lambda client: client.medias.update("m-1", name="n")], ids=["GET", "PUT"])
def test_connection_errors_are_repeated(make: Maker, error: Any, call: Callable[[Any], Any]) -> None:
    """A GET or PUT whose connection fails is sent again."""
    handler, seen = script(error, one(media_json()))
    assert call(make(handler)).id == "m-1"
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, APIConnectionError),
        (httpx.ReadTimeout, APITimeoutError),
        (httpx.ReadError, APIConnectionError),
    ],
)
def test_attempts_are_limited(make: Maker, clock: FakeClock, error: Any, kind: type[Exception]) -> None:
    """After `max_retries` the error is raised and contains the number of attempts."""
    handler, seen = script(error)
    with pytest.raises(kind, match="after 3 attempts"):
        get(make(handler, max_retries=2))
    assert len(seen) == 3
    assert clock.sleeps == [0.5, 1.0]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_post_is_never_repeated_on_a_failure_of_the_server(make: Maker, status: int) -> None:
    """A POST that failed in the server may have been performed: it is sent once, and the error says so."""
    handler, seen = script(status)
    with pytest.raises(APIError) as caught:
        create(make(handler))
    assert len(seen) == 1
    if status >= 500:
        assert isinstance(caught.value, ServerOutcomeUnknownError)
        assert isinstance(caught.value, ServerError)
        assert isinstance(caught.value, OutcomeUnknownError)
        assert not caught.value.retryable
        assert "may have been performed" in str(caught.value)


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError])
def test_post_is_never_repeated_once_it_may_have_arrived(make: Maker, error: Any) -> None:
    """A POST whose response was lost is sent once: a media that is created twice is paid for twice."""
    handler, seen = script(error)
    with pytest.raises(OutcomeUnknownError, match="may have been performed"):
        create(make(handler))
    assert len(seen) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_post_is_repeated_if_it_never_left(make: Maker, error: Any) -> None:
    """A POST that found no connection cannot have been done, so it is sent again."""
    handler, seen = script(error, one(media_json()))
    assert create(make(handler)).id == "m-1"
    assert len(seen) == 2


def test_post_is_repeated_on_429(make: Maker) -> None:
    """A 429 means that nothing was done."""
    handler, seen = script(429, one(media_json()))
    assert create(make(handler)).id == "m-1"
    assert len(seen) == 2


def test_a_created_media_that_cannot_be_read_is_not_created_again(make: Maker) -> None:
    """A success whose body is broken is an error, and the POST is not repeated."""
    handler, seen = script(httpx.Response(200, content=b"oops"))
    with pytest.raises(ResponseDecodeError):
        create(make(handler))
    assert len(seen) == 1


def test_delete_that_finds_nothing_on_its_second_try_has_succeeded(make: Maker) -> None:
    """The first try deleted it and its response was lost."""
    handler, seen = script(503, 404)
    make(handler).medias.delete("m-1")
    assert len(seen) == 2
    raw_calls: list[Callable[[Any], Any]] = [
        lambda client: client.medias.with_raw_response.delete("m-1"),
        lambda client: client.request("DELETE", "/folders/f-1"),
    ]
    for call in raw_calls:
        handler, seen = script(503, 404)
        raw = call(make(handler))
        assert (len(seen), raw.status_code, raw.parse()) == (2, 404, None)
    handler, seen = script(404)
    with pytest.raises(NotFoundError):
        make(handler).medias.delete("m-1")


def test_retry_after_is_obeyed(make: Maker, clock: FakeClock) -> None:
    """Seconds, a date, or something else: the wait is as requested, and never longer than two minutes."""
    date = dt.datetime.fromtimestamp(clock.time() + 7, dt.UTC)
    for value, wait in (("3", 3.0), (format_datetime(date, usegmt=True), 7.0), ("soon", 0.5), ("99999999", 120.0)):
        clock.sleeps.clear()
        clock.now = 1_000.0
        handler, _ = script(httpx.Response(503, headers={"Retry-After": value}), one(media_json()))
        get(make(handler))
        assert clock.sleeps == [pytest.approx(wait, abs=1.0) if wait == 7.0 else wait]


def test_a_429_slows_down_every_call_of_the_client(make: Maker, clock: FakeClock) -> None:
    """The next caller also waits until the time that the service requested."""
    handler, _ = script(httpx.Response(429, headers={"Retry-After": "5"}), one(media_json()))
    client = make(handler, max_retries=0, random=lambda: 0.0)
    with pytest.raises(RateLimitError) as caught:
        get(client)
    assert caught.value.retry_after == 5.0
    assert clock.sleeps == []
    client.clips.list()
    get(client)
    assert clock.sleeps == [5.0]


def test_a_sleep_that_takes_no_time_is_called_once(make: Maker) -> None:
    """A test may let waits take no time on the machine's clock: a cool-down is waited for, not polled."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def asleep(seconds: float) -> None:
        sleep(seconds)

    handler, _ = script(httpx.Response(429, headers={"Retry-After": "100"}), one(media_json()))
    get(make(handler, clock=time, sleep=sleep if make.kind == "sync" else asleep))
    assert waits == [100.0, pytest.approx(101.0, abs=1.0)]


def test_a_cool_down_beyond_the_deadline_ends_a_call(clock: FakeClock) -> None:
    """If another call's 429 delays a retry for too long, a call ends with the response that it has."""

    class Delayed(ScriptedIO):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            session.cooldown.extend(clock.now + 100.0)

    unavailable = Response(503, {}, b"")
    scripted = Delayed(clock, unavailable)
    session = session_over(scripted, clock, RetryPolicy(deadline=60.0))
    assert run_sync(send_with_retries(operations.get_media("m-1"), session)) == (unavailable, 1)
    assert scripted.steps == [("send", "GET", "/medias/m-1"), ("sleep", 0.5)]


def test_the_deadline_is_counted_from_the_first_attempt(clock: FakeClock) -> None:
    """A call that is delayed before its first attempt has all its time afterwards."""
    success = Response(200, {}, b"")
    scripted = ScriptedIO(clock, Response(503, {}, b""), success)
    session = session_over(scripted, clock, RetryPolicy(deadline=60.0))
    session.cooldown.extend(clock.now + 100.0)
    assert run_sync(send_with_retries(operations.get_media("m-1"), session)) == (success, 2)
    attempt = ("send", "GET", "/medias/m-1")
    assert scripted.steps == [("sleep", 101.0), attempt, ("sleep", 0.5), attempt]


def test_no_attempt_starts_after_the_deadline(make: Maker, clock: FakeClock) -> None:
    """A wait that would end too late is not started."""
    handler, seen = script(httpx.Response(503, headers={"Retry-After": "50"}))
    with pytest.raises(ServerError):
        get(make(handler, retry_policy=RetryPolicy(max_retries=9, deadline=120.0)))
    assert len(seen) == 3
    assert sum(clock.sleeps) == 100.0


def test_options_of_single_calls(make: Maker) -> None:
    """`with_options` changes limits for some calls and shares the rest."""
    handler, seen = script(503)
    client = make(handler)
    with pytest.raises(ServerError):
        get(client.with_options(max_retries=0, timeout=1.5))
    assert len(seen) == 1
    assert seen[0].extensions["timeout"] == {"connect": 1.5, "read": 1.5, "write": 1.5, "pool": 1.5}
    with pytest.raises(ServerError):
        get(client)
    assert len(seen) == 5
    assert seen[1].extensions["timeout"]["read"] == 30.0


@given(st.integers(min_value=0, max_value=10_000), st.floats(min_value=0, max_value=1, exclude_max=True, width=32))
def test_backoff_is_jitter_under_a_cap(attempt: int, chance: float) -> None:
    """Any wait is between nothing and the cap, which doubles until the longest."""
    policy = RetryPolicy(initial_delay=0.5, max_delay=20.0)
    delay = policy.backoff(attempt, lambda: chance)
    assert 0 <= delay <= 20.0
    assert delay <= chance * 0.5 * 2.0 ** min(attempt, 100)


@given(st.text(max_size=60), st.floats(min_value=0, max_value=4e9))
def test_any_retry_after_header_is_survived(value: str, now: float) -> None:
    """Any header is parsed to a number of seconds from 0, or to None."""
    seconds = parse_retry_after(value, now)
    assert seconds is None or 0 <= seconds < float("inf")
