"""Runs are bounded, tell a refutation from a failure, and delete what they have created however they end."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from contentgroove._core.secret import Secret
from contentgroove.verification.exchanges import (
    Caller,
    NotTriedError,
    RunEndedError,
    TooManyRequestsError,
)
from contentgroove.verification.keys import KeyRefusedError
from contentgroove_mock import Fault

from tests.shown import shown_by
from tests.verification.proxy import Request, Response, error, on_request, refusing
from tests.verification.service import CHECKABLE, KEY, LEDGER, READING, served, verdicts

if TYPE_CHECKING:
    from tests.verification.proxy import Forward

pytestmark = pytest.mark.slow


def test_an_interrupted_run_deletes_what_it_has_created() -> None:
    """Ctrl-C while a media is processed: the medias and the subscription are deleted, then the run ends."""
    with served(subscriptions=None) as service:
        created: list[tuple[int, int, int]] = []

        def interrupt(seconds: float) -> None:
            del seconds
            created.append(service.counts())
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            service.run(CHECKABLE, service.writing(), sleep=interrupt)
        assert created == [(3, 0, 1)]
        assert service.counts() == (0, 0, 0)
    assert service.left == []


def test_a_run_that_fails_deletes_what_it_has_created(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of a check is raised, and nothing stays."""
    from contentgroove.verification.checks import CHECKS

    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(CHECKS, "clip-of-media", broken)  # pyright: ignore[reportArgumentType]
    with served(subscriptions=None) as service:
        with pytest.raises(ZeroDivisionError):
            service.run(CHECKABLE, service.writing())
        assert service.counts() == (0, 0, 0)


def test_what_cannot_be_deleted_is_named() -> None:
    """The path of each thing that stays is reported, and the verdicts are returned nevertheless."""
    with served(refusing(lambda request: request.method == "DELETE", 500), subscriptions=None) as service:
        results = service.run(["create-returns-200"], service.writing())
        medias, clips, subscriptions = service.counts()
    assert results["create-returns-200"].verdict == "confirmed"
    assert medias == sum(path.startswith("/medias/") for path in service.left) == 3
    assert subscriptions == sum(path.startswith("/webhook_subscriptions/") for path in service.left) == 1
    # The suggested clips were not created by the run; its own was.
    assert sum(path.startswith("/clips/") for path in service.left) == 1 < clips


def test_a_creation_whose_response_is_lost_is_found_and_deleted() -> None:
    """The connection breaks after the media was created: its marker finds it."""
    with served(subscriptions=None) as service:
        service.simulator.add_fault(Fault(kind="status", operation="createMedia", status=502, after_commit=True))
        results = service.run(["create-returns-200"], service.writing())
        assert service.counts() == (0, 0, 0)
    assert results["create-returns-200"].verdict == "not tried"
    assert "unavailable" in results["create-returns-200"].seen


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_unavailable_service_refutes_nothing(status: int) -> None:
    """A gateway's errors say nothing about the service."""
    rule = refusing(lambda request: request.value("filter[name_eq]"), status)
    with served(rule) as service:
        results = service.run(READING)
    assert verdicts(results, "refuted") == []
    assert results["filter-eq"].verdict == "not tried"
    assert str(status) in results["filter-eq"].seen


def test_a_lost_connection_refutes_nothing() -> None:
    """What got no response is not tried, and the run continues."""
    with served() as service:
        service.simulator.add_fault(Fault(kind="reset", operation="getMediaById"))
        results = service.run(READING)
    assert verdicts(results, "refuted") == []
    assert "no response" in results["error-404"].seen
    assert results["filter-eq"].verdict == "confirmed"


def test_a_short_pause_is_obeyed() -> None:
    """After a 429, the run waits as long as Retry-After says, and sends the request again."""
    pauses: list[float] = []
    with served() as service:
        service.simulator.add_fault(Fault(kind="status", operation="getMedias", status=429, retry_after="7"))
        results = service.run(READING, sleep=pauses.append)
    assert pauses == [7.0]
    assert verdicts(results, "refuted") == []
    assert results["key-bearer"].verdict == "confirmed"


@pytest.mark.parametrize("retry_after", ["3600", None])
def test_a_long_pause_ends_the_run(retry_after: str | None) -> None:
    """Nothing else is sent, whether it is given in seconds or as a date."""
    with served() as service:
        service.simulator.clear_requests()
        in_an_hour = format_datetime(service.simulator.clock.now() + dt.timedelta(hours=1), usegmt=True)
        service.simulator.add_fault(
            Fault(kind="status", operation="getMedias", status=429, retry_after=retry_after or in_an_hour, count=99)
        )
        with pytest.raises(TooManyRequestsError, match=r"a pause of 3,[56]\d\d s"):
            service.run(READING)
        assert len(service.simulator.requests) == 1


def test_a_limit_in_the_middle_of_a_run() -> None:
    """The verdicts so far stay; the rest is not tried."""
    with served() as service:
        service.simulator.add_fault(
            Fault(kind="status", operation="getMediaById", status=429, retry_after="3600", count=99)
        )
        results = service.run(READING)
    assert results["key-bearer"].verdict == "confirmed"
    assert results["date-header"].verdict == "confirmed"
    assert {results[name].verdict for name in READING[READING.index("error-404") :]} == {"not tried"}
    assert "3,600 s" in results["filter-eq"].seen


def test_a_run_has_a_limit_of_calls() -> None:
    """It ends there, and what was created is still deleted."""
    with served(subscriptions=None) as service:
        results = service.run(CHECKABLE, service.writing(), max_calls=40)
        assert service.counts() == (0, 0, 0)
        assert len(service.simulator.requests) < 40 + 20
    assert verdicts(results, "refuted") == []
    assert results["webhook-included"].seen == "The limit of calls is reached."


def test_a_run_has_a_limit_of_time() -> None:
    """No call starts after it."""
    with served() as service, pytest.raises(RunEndedError, match="time limit"):
        service.run(READING, max_seconds=-1)


def test_a_media_that_is_never_finished() -> None:
    """What needs it is not tried after the time for waiting."""
    with served(subscriptions=None) as service:
        results = service.run(CHECKABLE, service.writing(seconds=2.0), sleep=lambda _: None)
        assert service.counts() == (0, 0, 0)
    assert results["duration-seconds"].seen == "The media was not finished within 2 s."
    assert results["clip-duration"].verdict == "not tried"
    assert results["processing-null-first"].verdict == "confirmed"
    assert verdicts(results, "refuted") == []


@pytest.mark.parametrize("status", [401, 404])
def test_a_refused_key_ends_the_run(status: int) -> None:
    """No verdict is made of a wrong key or a wrong URL."""
    with served(on_request(lambda _: error(status))) as service, pytest.raises(KeyRefusedError) as caught:
        service.run(READING)
    assert caught.value.status == status
    assert KEY not in shown_by(caught.value)


def test_a_service_that_cannot_be_reached() -> None:
    """The error has no trace of the key."""
    with (
        Caller("http://127.0.0.1:9/api/v1", Secret(KEY)) as caller,
        pytest.raises(NotTriedError, match=r"GET /api/v1/medias got no response \(ConnectError\)") as caught,
    ):
        caller.call("GET", "/medias")
    assert KEY not in shown_by(caught.value)


def test_only_what_was_asked_for_is_checked() -> None:
    """Reading one entry sends few requests, and creates nothing although it may."""
    with served(subscriptions=None) as service:
        results = service.run(["page-zero"], service.writing())
        assert {record.method for record in service.simulator.requests} == {"GET"}
    assert list(results) == ["page-zero"]


def test_pages_that_lead_nowhere_do_not_hang() -> None:
    """A service whose responses are not of this API refutes some entries and ends."""

    async def nonsense(request: Request, forward: Forward) -> Response:
        response = await forward(request)
        if len(service.simulator.requests) == 1:
            return response
        return dataclasses.replace(response, body=b'{"data": {"attributes": [1], "id": null}, "links": 3, "errors": 7}')

    started = time.monotonic()
    with served(nonsense, subscriptions=None) as service:
        results = service.run(LEDGER, service.writing(seconds=1.0))
    assert set(results) == set(LEDGER)
    assert time.monotonic() - started < 60
    assert service.left == []
