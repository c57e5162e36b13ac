"""Runs are bounded, tell a refutation from a failure, and delete what they have created however they end."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from contentgroove import ContentGroove
from contentgroove._core.secret import Secret
from contentgroove.verification.caller import Caller
from contentgroove.verification.exchanges import NotTriedError, RunEndedError, TooManyRequestsError
from contentgroove.verification.keys import KeyRefusedError, OtherServiceError
from contentgroove.verification.run import verify
from contentgroove_mock import Fault

from tests.shown import shown_by
from tests.verification.proxy import Request, Response, error, on_request, on_response, refusing
from tests.verification.service import CHECKABLE, KEY, LEDGER, READING, served, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.verification.proxy import Forward, Rule

pytestmark = pytest.mark.slow

PAGE = Response(200, {"content-type": "text/html"}, b"<!DOCTYPE html><title>Login</title>")


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
    """What got no response three times is not tried, and the run continues."""
    with served() as service:
        service.simulator.add_fault(Fault(kind="reset", operation="getMediaById", count=3))
        results = service.run(READING)
    assert verdicts(results, "refuted") == []
    assert "no response" in results["error-404"].seen
    assert results["filter-eq"].verdict == "confirmed"


def test_a_connection_that_was_idle_for_too_long() -> None:
    """A request whose connection breaks is sent again if it creates nothing."""
    with served() as service:
        service.simulator.add_fault(Fault(kind="reset", operation="getMediaById", count=2))
        results = service.run(["error-404"])
    assert results["error-404"].verdict == "confirmed"


def test_a_firewall_refutes_nothing() -> None:
    """A 403 that is a page does not come from the service."""

    def change(request: Request) -> Request | Response:
        return replace(PAGE, status=403) if "%" in str(request.value("filter[name_matches]")) else request

    with served(on_request(change)) as service:
        results = service.run(["filter-matches"])
    assert results["filter-matches"].verdict == "not tried"
    assert results["filter-matches"].seen.endswith("returned 403 without JSON, as a firewall does.")


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
        return replace(response, body=b'{"data": {"attributes": [1], "id": null}, "links": 3, "errors": 7}')

    started = time.monotonic()
    with served(nonsense, subscriptions=None) as service:
        results = service.run(LEDGER, service.writing(seconds=1.0))
    assert set(results) == set(LEDGER)
    assert time.monotonic() - started < 60
    assert service.left == []


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (PAGE, "200 with text/html instead of JSON"),
        (Response(200, {"content-type": "application/json"}, b'{"status": "ok"}'), "200 without a list of medias"),
        (Response(200), "200 without a list of medias"),
        (Response(302, {"location": "https://portal.example/"}), "302, a redirect"),
    ],
)
def test_what_is_not_this_api_gets_no_verdict(response: Response, problem: str) -> None:
    """A login page, another service and a redirect end the run after one request."""
    asked: list[Request] = []

    def respond(request: Request) -> Response:
        asked.append(request)
        return response

    with served(on_request(respond), subscriptions=None) as service, pytest.raises(OtherServiceError, match=problem):
        service.run(CHECKABLE, service.writing())
    assert [(request.method, request.path) for request in asked] == [("GET", "/api/v1/medias")]


def _from(count: int, respond: Callable[[Request], Response]) -> Rule:
    """Respond otherwise from one request on."""
    seen: list[Request] = []

    def change(request: Request) -> Request | Response:
        seen.append(request)
        return respond(request) if len(seen) >= count else request

    return on_request(change)


def test_a_login_page_in_the_middle_of_a_run() -> None:
    """What gets a page instead of JSON is not tried, and what was created is named."""
    with served(_from(40, lambda _: PAGE), subscriptions=None) as service:
        results = service.run(CHECKABLE, service.writing())
        medias, _, subscriptions = service.counts()
    assert verdicts(results, "refuted") == []
    assert results["filter-eq"].seen.endswith("returned 200 with text/html instead of JSON.")
    assert sum(path.startswith("/medias/") for path in service.left) == medias == 3
    assert sum(path.startswith("/webhook_subscriptions/") for path in service.left) == subscriptions == 1


def test_a_key_that_is_revoked_in_the_middle_of_a_run() -> None:
    """The run ends there, with the reason, and nothing is refuted."""
    with served(_from(20, lambda _: error(401))) as service, service.caller() as caller:
        results, ended = verify(caller, LEDGER, READING, None, service.left.extend)
    assert ended == "The service does not take the key any more: it was accepted at first, and now gets 401."
    assert "refuted" not in {result.verdict for result in results}
    assert results[-1].seen == ended


def _failing(path: str, times: int) -> Rule:
    left = [times]

    def change(request: Request, response: Response) -> Response:
        if request.value("page[number]") != path or not left[0]:
            return response
        left[0] -= 1
        return error(500)

    return on_response(change)


@pytest.mark.parametrize(("times", "verdict"), [(1, "confirmed"), (2, "confirmed"), (99, "refuted")])
def test_only_a_failure_that_stays_refutes(times: int, verdict: str) -> None:
    """A request that gets 500 is sent again; what always gets 500 is a fact about the service."""
    with served(_failing("0", times)) as service:
        results = service.run(["page-zero"])
    assert results["page-zero"].verdict == verdict


def test_a_failed_deletion_is_repeated() -> None:
    """What could not be deleted at first is deleted in the end."""
    failing = [3]

    def change(request: Request) -> Request | Response:
        if request.method == "DELETE" and failing[0]:
            failing[0] -= 1
            return error(503)
        return request

    with served(on_request(change), subscriptions=None) as service:
        service.run(["create-returns-200"], service.writing())
        assert service.counts() == (0, 0, 0)
    assert service.left == []


def test_a_creation_that_cannot_be_looked_up_is_named() -> None:
    """Its response is lost, and the list cannot be read: the marker says how to find it."""
    rule = refusing(lambda request: request.value("sort") == "-created_at", 503)
    with served(rule, subscriptions=None) as service:
        service.simulator.add_fault(Fault(kind="reset", operation="createMedia", after_commit=True))
        service.run(["create-returns-200"], service.writing())
        with service.simulator._context.locked_service() as state:
            (media,) = state.state.medias.values()
    assert service.left == [f"/medias (perhaps one whose description contains {media.description})"]


def test_a_subscription_that_was_there_before_stays() -> None:
    """Also if it has the callback URL: only those with the parameter of the run are deleted."""
    with served(subscriptions=None) as service, ContentGroove(KEY, service.base_url) as client:
        own = client.webhook_subscriptions.create(url=service.callback_url.reveal())
        service.simulator.add_fault(Fault(kind="reset", operation="createWebhookSubscription", after_commit=True))
        service.run(["subscription-active"], service.writing())
        assert [item.id for item in client.webhook_subscriptions.list()] == [own.id]
    assert service.left == []


def test_a_service_without_keys_proves_no_form_of_the_key() -> None:
    """If a request without a key is accepted, one with a key in any form proves nothing."""

    def change(request: Request) -> Request:
        return request.with_headers(authorization=f"Bearer {KEY}")

    with served(on_request(change)) as service:
        results = service.run(READING)
    assert verdicts(results, "refuted") == ["key-missing"]
    assert {results[name].verdict for name in ("key-bearer", "key-header", "key-bare", "error-401")} == {"not tried"}


def test_a_long_list_refutes_nothing() -> None:
    """What is not on the first page of a list may be on the next one."""

    def many(_: Request, response: Response) -> Response:
        document = response.json
        if not isinstance(document, dict) or not isinstance(document.get("data"), list):
            return response
        return response.with_json(
            {**document, "links": {**document["links"], "next": "https://service.example/?page=2"}}
        )

    def others(request: Request, response: Response) -> Response:
        response = many(request, response)
        if response.status != 200 or not any(name.startswith("filter[") for name, _ in request.query):
            return response
        document = response.json
        if not document["data"]:
            return response
        unlike = {**document["data"][0], "id": "another", "attributes": {**document["data"][0]["attributes"]}}
        return response.with_json({**document, "data": [unlike]})

    with served(on_response(others)) as service:
        results = service.run(["filter-cont", "filter-start", "filter-by-id", "filter-numbers", "filter-times"])
    assert verdicts(results, "refuted") == verdicts(results, "confirmed") == []
    assert {result.seen for result in results.values()} == {"So much matches that the item may be on a later page."}


def test_an_outage_while_a_media_is_processed() -> None:
    """Polls continue after it, so that what follows is still tried."""
    failing = [3]

    def change(request: Request) -> Request | Response:
        if request.method == "GET" and request.path.startswith("/api/v1/medias/") and failing[0]:
            failing[0] -= 1
            return error(503)
        return request

    with served(on_request(change), subscriptions=None) as service:
        results = service.run(["duration-seconds", "clip-duration", "description-verbatim"], service.writing())
    assert verdicts(results, "confirmed") == ["description-verbatim", "duration-seconds", "clip-duration"]
