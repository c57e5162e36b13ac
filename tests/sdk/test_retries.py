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
from contentgroove._core.error_mapping import come_back
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


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "delay"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        (" 1.5 ", 1.5),
        (".25", 0.25),
        ("2.", 2.0),
        ("soon", 0.5),
        ("-3", 0.5),
        ("1e1", 0.5),
        ("inf", 0.5),
        ("nan", 0.5),
        ("0x10", 0.5),
        ("3 s", 0.5),
        ("\u0663", 0.5),
        ("", 0.5),
    ],
)
def test_retry_after_is_obeyed(make: Maker, clock: FakeClock, status: int, value: str, delay: float) -> None:
    """Seconds, with a fraction or without, are waited exactly; anything else is ignored."""
    refusal = httpx.Response(status, headers=[(b"Retry-After", value.encode())])
    handler, _ = script(refusal, one(media_json()))
    get(make(handler))
    assert clock.sleeps == [delay]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"], ids=["now", "850", "C"]
)
def test_retry_after_may_be_a_date(
    make: Maker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, status: int, form: str
) -> None:
    """A date is in UTC in all three formats of HTTP, wherever this machine is."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    date = dt.datetime.fromtimestamp(clock.time() + 7, dt.UTC)
    handler, _ = script(httpx.Response(status, headers={"Retry-After": date.strftime(form)}), one(media_json()))
    try:
        get(make(handler))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert clock.sleeps == [7.0]


def test_a_date_counts_from_the_date_of_the_response(make: Maker, clock: FakeClock) -> None:
    """This machine's clock may differ from the service's by hours."""
    sent = dt.datetime.fromtimestamp(clock.time() + 7200, dt.UTC)
    headers = {"Date": format_datetime(sent, usegmt=True)}
    headers["Retry-After"] = format_datetime(sent + dt.timedelta(seconds=4), usegmt=True)
    handler, _ = script(httpx.Response(503, headers=headers), one(media_json()))
    get(make(handler))
    assert clock.sleeps == [4.0]


def test_a_date_in_the_past_is_now(clock: FakeClock) -> None:
    """A date that is over requests no delay."""
    past = format_datetime(dt.datetime.fromtimestamp(clock.time() - 60, dt.UTC), usegmt=True)
    assert parse_retry_after(past, clock.time()) == 0.0
    assert parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", clock.time()) == 0.0


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimitError), (503, ServerError)], ids=["429", "503"])
@pytest.mark.parametrize("value", ["3600", "3600.0", "date"])
def test_a_delay_that_is_too_long_is_an_error_at_once(
    make: Maker, clock: FakeClock, status: int, kind: type[APIError], value: str
) -> None:
    """An hour is neither waited for nor cut short: the error says when to come back."""
    if value == "date":
        value = format_datetime(dt.datetime.fromtimestamp(clock.time() + 3600, dt.UTC), usegmt=True)
    handler, seen = script(httpx.Response(status, headers={"Retry-After": value}))
    when = dt.datetime.fromtimestamp(clock.time() + 3600, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    with pytest.raises(kind, match=rf"Try again in 3,600 s, at {when}\.") as caught:
        get(make(handler))
    assert (len(seen), clock.sleeps) == (1, [])
    if isinstance(caught.value, RateLimitError):
        assert caught.value.retry_after == 3600.0


def test_an_absurd_delay_is_an_error_like_any_long_one(make: Maker, clock: FakeClock) -> None:
    """So many seconds that no calendar has their date are shortened, and pause the others for an hour at most."""
    handler, _ = script(httpx.Response(429, headers={"Retry-After": "9" * 400}), one(media_json()))
    client = make(handler)
    with pytest.raises(RateLimitError, match="Try again"):
        get(client)
    with pytest.raises(RateLimitError, match="not sent") as caught:
        get(client)
    assert caught.value.retry_after == 3600.0
    clock.now += 3600.0
    assert get(client).id == "m-1"


def test_a_429_pauses_every_call_of_the_client(make: Maker, clock: FakeClock) -> None:
    """The next caller also waits until the time that the service requested, and so do copies with other options."""
    handler, seen = script(httpx.Response(429, headers={"Retry-After": "5"}), one(media_json()))
    client = make(handler, max_retries=0)
    with pytest.raises(RateLimitError) as caught:
        get(client)
    assert caught.value.retry_after == 5.0
    assert clock.sleeps == []
    client.clips.list()
    get(client.with_options(timeout=5))
    assert clock.sleeps == [5.0]
    assert len(seen) == 2


def test_a_call_is_not_sent_if_the_pause_is_too_long_for_it(make: Maker, clock: FakeClock) -> None:
    """After another call's 429, a call with less time ends at once, says when to come back, and sends nothing."""
    handler, seen = script(httpx.Response(429, headers={"Retry-After": "100.5"}), one(media_json()))
    with pytest.raises(RateLimitError, match=r"Try again in 101 s, at .* UTC") as caught:
        get(make(handler, retry_policy=RetryPolicy(deadline=60.0)))
    assert (caught.value.retry_after, len(seen)) == (100.5, 1)
    client = make(script(httpx.Response(429, headers={"Retry-After": "100.5"}), one(media_json()))[0], max_retries=0)
    with pytest.raises(RateLimitError):
        get(client)
    client = client.with_options(max_retries=3)
    clock.now += 50.0
    assert get(client).id == "m-1"
    assert clock.sleeps == [50.5]


def test_retries_after_429_are_limited(make: Maker, clock: FakeClock) -> None:
    """A service that lets nothing through gets as many requests as `max_retries` allows, with growing pauses."""
    handler, seen = script(429)
    with pytest.raises(RateLimitError, match="after 4 attempts"):
        get(make(handler))
    assert (len(seen), clock.sleeps) == (4, [0.5, 1.0, 2.0])


@pytest.mark.parametrize("value", ["0", "0.0", "0.1"])
def test_a_delay_that_has_proven_too_short_grows(make: Maker, clock: FakeClock, value: str) -> None:
    """`Retry-After: 0` cannot make a client repeat its request without any pause."""
    handler, seen = script(httpx.Response(429, headers={"Retry-After": value}))
    with pytest.raises(RateLimitError):
        get(make(handler, random=lambda: 0.0))
    assert len(seen) == 4
    assert clock.sleeps[1:] == [pytest.approx(0.5), pytest.approx(1.0)]
    assert clock.sleeps[0] > 0


def test_a_sleep_that_takes_no_time_is_called_once(make: Maker) -> None:
    """A test may let waits take no time on the machine's clock: a cool-down is waited for, not polled."""
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def asleep(seconds: float) -> None:
        sleep(seconds)

    handler, _ = script(httpx.Response(429, headers={"Retry-After": "100"}), one(media_json()))
    get(make(handler, clock=time, sleep=sleep if make.kind == "sync" else asleep))
    assert waits == [pytest.approx(100.0, abs=1.0)]


def test_a_cool_down_beyond_the_deadline_ends_a_call(clock: FakeClock) -> None:
    """If another call's 429 delays a retry for too long, a call ends with the response that it has."""

    class Delayed(ScriptedIO):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            pacer = session.pacer
            pacer.record_refused(pacer.epoch, clock.now, 100.0, lambda _refusals: 0.0)

    unavailable = Response(503, {}, b"")
    scripted = Delayed(clock, unavailable)
    session = session_over(scripted, clock, RetryPolicy(deadline=60.0))
    assert run_sync(send_with_retries(operations.get_media("m-1"), session)) == (unavailable, 1)
    assert scripted.steps == [("send", "GET", "/medias/m-1"), ("sleep", 0.5)]


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
    """Any header is parsed to a number of seconds from 0, or to None, and has a date to come back."""
    seconds = parse_retry_after(value, now)
    assert seconds is None or 0 <= seconds <= 1e9
    assert come_back(seconds or 0.0, now).startswith("Try again in ")
