"""Webhooks: receivers, content and retries."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from contentgroove_mock import Fault, ManualClock, Policy, Simulator, serve

from tests.simulator.driver import KEY, Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

HOOK = "http://127.0.0.1/hook"
POLICY = Policy(webhook_attempts=4, webhook_retry_seconds=10)


class Receiver:
    """Receives webhooks in this process.

    Attributes:
        statuses: The statuses of the responses, in order; then 200.
        bodies: The received bodies, in order.
    """

    def __init__(self) -> None:
        self.statuses: list[int | Exception] = []
        self.bodies: list[dict[str, Any]] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Respond to one webhook."""
        assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
        assert "authorization" not in request.headers
        self.bodies.append(json.loads(request.content))
        status = self.statuses.pop(0) if self.statuses else 200
        if isinstance(status, Exception):
            raise status
        return httpx.Response(status, headers={"Location": "http://127.0.0.1/elsewhere"})

    @property
    def medias(self) -> list[str]:
        """The names of the medias in the received webhooks."""
        return [body["payload"]["data"]["attributes"]["name"] for body in self.bodies]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def driver(receiver: Receiver, contract: Contract) -> AsyncGenerator[Driver]:
    client = httpx.AsyncClient(transport=httpx.MockTransport(receiver.respond))
    driver = Driver(Simulator(clock=ManualClock(), seed=1, policy=POLICY, webhook_client=client), contract)
    yield driver
    await driver.aclose()
    await driver.simulator.aclose()
    await client.aclose()


async def test_webhook_describes_a_finished_media(driver: Driver, receiver: Receiver, contract: Contract) -> None:
    """The webhook fits the contract and uses the spellings of the published example."""
    await driver.subscribe(HOOK)
    media = await driver.finished(name="Film")
    await driver.simulator.wait_until_idle()
    (body,) = receiver.bodies
    contract.check_component("webhook_event", body)
    assert body["event"] == "media.processing_finished"
    data, included = body["payload"]["data"], body["payload"]["included"]
    assert data["id"] == media["id"]
    assert data["attributes"]["source_file_duration"] == "6"
    assert data["attributes"]["is_processing"] is False
    assert data["transcription"]["data"]["id"] == included[-1]["id"]
    assert data["relationships"] == {"clips": media["relationships"]["clips"]}
    clip = included[0]["attributes"]
    assert (clip["start_time"], clip["end_time"], clip["media_file_duration"], clip["end_char"]) == ("0", "2", 2.0, 62)
    assert "is_processing" not in clip
    assert "processing_started_at" not in clip
    # The API's version of the same clip only differs in the form of these.
    rest = (await driver.data(f"/clips/{included[0]['id']}"))["attributes"]
    assert {name for name in clip if clip[name] != rest[name]} == {"start_time", "end_time"}


async def test_only_subscribers_of_the_event_and_account_receive_it(
    driver: Driver, receiver: Receiver, contract: Contract
) -> None:
    """`*` and the event's own name subscribe to it; other names, accounts and deleted subscriptions do not."""
    all_events = await driver.subscribe(HOOK)
    named = await driver.subscribe(HOOK, subscribed_events=["media.processing_finished"])
    other_event = await driver.subscribe(HOOK, subscribed_events=["media.deleted"])
    deleted = await driver.subscribe(HOOK)
    await driver.api.delete(f"/webhook_subscriptions/{deleted['id']}")
    stranger = Driver(driver.simulator, contract, "another key")
    await stranger.subscribe(HOOK)
    await driver.finished()
    await driver.simulator.wait_until_idle()
    assert len(receiver.bodies) == 2
    for subscription, count in ((all_events, 1), (named, 1), (other_event, 0)):
        fetched = await driver.data(f"/webhook_subscriptions/{subscription['id']}")
        events = fetched["relationships"]["webhook_events"]["data"]
        assert [event["type"] for event in events] == ["webhook_events"] * count
    await stranger.aclose()


async def test_failed_media_sends_nothing(driver: Driver, receiver: Receiver) -> None:
    """A media that could not be fetched has no webhook."""
    await driver.subscribe(HOOK)
    await driver.media(source_url="https://a.invalid/a.mp4")
    driver.simulator.advance(60)
    await driver.simulator.wait_until_idle()
    assert receiver.bodies == []


@pytest.mark.parametrize(
    "status",
    [201, 202, 204, 301, 404, 500, httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), KeyError("its own bug")],
)
async def test_only_200_counts_as_delivered(driver: Driver, receiver: Receiver, status: int | Exception) -> None:
    """Anything but 200 is retried after the wait, and no redirect is followed."""
    receiver.statuses = [status]
    await driver.subscribe(HOOK)
    await driver.finished()
    await driver.simulator.wait_until_idle()
    driver.simulator.advance(9.9)
    await driver.simulator.wait_until_idle()
    assert len(receiver.bodies) == 1
    driver.simulator.advance(0.1)
    await driver.simulator.wait_until_idle()
    assert len(receiver.bodies) == 2
    (delivery,) = driver.simulator.deliveries
    assert delivery.state == "delivered"
    assert delivery.attempts[1].status == 200


async def test_attempt_without_a_response_ends(contract: Contract) -> None:
    """An attempt ends after its timeout even if the receiver hangs, and another is planned."""
    never = anyio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        await never.wait()
        return httpx.Response(200)

    client = httpx.AsyncClient(transport=httpx.MockTransport(hang))
    policy = Policy(webhook_timeout=0.01)
    driver = Driver(Simulator(clock=ManualClock(), policy=policy, webhook_client=client), contract)
    await driver.subscribe(HOOK)
    await driver.finished()
    with anyio.fail_after(10):
        await driver.simulator.wait_until_idle()
    (delivery,) = driver.simulator.deliveries
    assert (delivery.attempts[0].status, delivery.attempts[0].error) == (None, "no response in time")
    assert delivery.state == "pending"
    await driver.aclose()
    await driver.simulator.aclose()
    await client.aclose()


async def test_retries_back_off_and_end(driver: Driver, receiver: Receiver) -> None:
    """Each wait is twice as long as the last; after the last attempt the webhook has failed."""
    receiver.statuses = [500] * 9
    await driver.subscribe(HOOK)
    await driver.finished()
    for _ in range(200):
        driver.simulator.advance(1)
        await driver.simulator.wait_until_idle()
    (delivery,) = driver.simulator.deliveries
    start = delivery.attempts[0].at
    waits = [(attempt.at - start) / dt.timedelta(seconds=1) for attempt in delivery.attempts]
    assert waits == [0, 10, 30, 70]
    assert delivery.state == "failed"


def subscribe_and_create(base_url: str, hook: str) -> None:
    """Subscribe a URL and create a media, whose processing time will finish."""
    bodies = {
        "/webhook_subscriptions": {"url": hook, "subscribed_events": ["*"]},
        "/medias": {"source_url": "https://films.example/a.mp4"},
    }
    with httpx.Client(base_url=base_url, headers={"X-API-KEY": KEY}) as client:
        for path, attributes in bodies.items():
            client.post(path, json={"data": {"attributes": attributes}}).raise_for_status()


def test_one_advance_plays_every_retry_at_its_time(receiver: Receiver) -> None:
    """A receiver that fails for a minute gets each attempt when it is due, and the clock ends where it was sent."""
    receiver.statuses = [500] * 9
    client = httpx.AsyncClient(transport=httpx.MockTransport(receiver.respond))
    with serve(Simulator(clock=ManualClock(), policy=POLICY, webhook_client=client)) as server:
        simulator, began = server.simulator, server.simulator.clock.now()
        subscribe_and_create(server.base_url, HOOK)
        simulator.advance(1000)
        (delivery,) = simulator.deliveries
        first = delivery.attempts[0].at
        assert [(attempt.at - first).total_seconds() for attempt in delivery.attempts] == [0, 10, 30, 70]
        assert delivery.state == "failed"
        assert (simulator.clock.now() - began).total_seconds() == 1000


def test_a_receiver_that_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which, without what its URL keeps secret."""
    monkeypatch.setattr("contentgroove_mock.simulator.control.base._DELIVERY_TIMEOUT", 0.05)

    async def hang(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    client = httpx.AsyncClient(transport=httpx.MockTransport(hang))
    with serve(Simulator(clock=ManualClock(), webhook_client=client)) as server:
        subscribe_and_create(server.base_url, f"{HOOK}?token=s3cret")
        with pytest.raises(TimeoutError, match=r"^1 webhooks? .* to http://127\.0\.0\.1") as caught:
            server.simulator.advance(60)
    assert "s3cret" not in str(caught.value)


async def test_redelivery_sends_again(driver: Driver, receiver: Receiver) -> None:
    """A webhook can be sent again in any state; an unknown id is an error that names it."""
    await driver.subscribe(HOOK)
    await driver.finished()
    await driver.simulator.wait_until_idle()
    driver.simulator.redeliver(driver.simulator.deliveries[0].id)
    await driver.simulator.wait_until_idle()
    assert receiver.bodies[0] == receiver.bodies[1]
    with pytest.raises(LookupError, match="no-such-id"):
        driver.simulator.redeliver("no-such-id")


async def test_deleted_subscription_gets_no_retry(driver: Driver, receiver: Receiver) -> None:
    """A subscription that is deleted between two attempts receives nothing more."""
    receiver.statuses = [500]
    subscription = await driver.subscribe(HOOK)
    await driver.finished()
    await driver.simulator.wait_until_idle()
    await driver.api.delete(f"/webhook_subscriptions/{subscription['id']}")
    driver.simulator.advance(1000)
    await driver.simulator.wait_until_idle()
    assert len(receiver.bodies) == 1


async def test_lost_webhook_is_never_sent(driver: Driver, receiver: Receiver) -> None:
    """The next webhook can be lost; the one after it is delivered."""
    driver.simulator.drop_next_webhook()
    await driver.subscribe(HOOK)
    await driver.finished(name="lost")
    await driver.finished(name="delivered")
    driver.simulator.advance(1000)
    await driver.simulator.wait_until_idle()
    assert receiver.medias == ["delivered"]
    assert [delivery.state for delivery in driver.simulator.deliveries] == ["lost", "delivered"]


async def test_webhook_faults_duplicate_delay_and_reorder(driver: Driver, receiver: Receiver) -> None:
    """A webhook can be delivered twice, late, or after the next one."""
    await driver.subscribe(HOOK)
    driver.simulator.add_fault(Fault(kind="duplicate", operation="webhook"))
    await driver.finished(name="twice")
    await driver.simulator.wait_until_idle()
    assert receiver.medias == ["twice", "twice"]
    driver.simulator.add_fault(Fault(kind="late", operation="webhook", seconds=50))
    await driver.finished(name="late")
    driver.simulator.advance(49)
    await driver.simulator.wait_until_idle()
    assert len(receiver.medias) == 2
    driver.simulator.advance(1)
    await driver.simulator.wait_until_idle()
    assert receiver.medias[2:] == ["late"]
    driver.simulator.add_fault(Fault(kind="out_of_order", operation="webhook"))
    await driver.finished(name="first")
    await driver.finished(name="second")
    await driver.simulator.wait_until_idle()
    assert receiver.medias[3:] == ["second", "first"]


@pytest.mark.parametrize("url", ["http://example.com/hook", "https://192.0.2.1/hook", "http://localhost.example/hook"])
async def test_webhooks_stay_on_this_machine(contract: Contract, receiver: Receiver, url: str) -> None:
    """A URL on another machine receives nothing unless that is allowed, and the delivery has the reason."""
    for allowed in (False, True):
        client = httpx.AsyncClient(transport=httpx.MockTransport(receiver.respond))
        simulator = Simulator(clock=ManualClock(), webhook_client=client, allow_remote_webhooks=allowed)
        driver = Driver(simulator, contract)
        await driver.subscribe(url)
        await driver.finished()
        await simulator.wait_until_idle()
        assert len(receiver.bodies) == allowed
        (delivery,) = simulator.deliveries
        assert delivery.state == ("delivered" if allowed else "refused")
        assert allowed or "allow_remote_webhooks" in (delivery.attempts[0].error or "")
        await driver.aclose()
        await simulator.aclose()
        await client.aclose()


@pytest.mark.parametrize("url", ["http://localhost:1/a", "http://127.8.8.8/a", "http://[::1]/a"])
async def test_loopback_has_several_names(driver: Driver, receiver: Receiver, url: str) -> None:
    """Every loopback address counts as this machine."""
    await driver.subscribe(url)
    await driver.finished()
    await driver.simulator.wait_until_idle()
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(
    "attributes",
    [
        {"url": "hook"},
        {"url": ""},
        {},
        {"url": HOOK, "subscribed_events": "*"},
        {"url": HOOK, "subscribed_events": [1]},
        {"url": HOOK, "subscribed_events": None},
    ],
)
async def test_wrong_subscription_is_rejected(driver: Driver, attributes: dict[str, object]) -> None:
    """A subscription needs an absolute URL and, if it has events, a list of names."""
    assert (await driver.post("/webhook_subscriptions", **attributes)).status_code == 422
    assert await driver.data("/webhook_subscriptions") == []


async def test_subscription_without_events_receives_nothing(driver: Driver, receiver: Receiver) -> None:
    """The contract allows an empty list of events: such a subscription is stored and receives nothing."""
    subscription = await driver.subscribe(HOOK, subscribed_events=[])
    assert subscription["attributes"]["subscribed_events"] == []
    await driver.finished()
    await driver.simulator.wait_until_idle()
    assert receiver.bodies == []


async def test_new_subscription_is_as_documented(driver: Driver) -> None:
    """A subscription without events receives all of them, belongs to a user, and cannot be changed."""
    subscription = await driver.subscribe(HOOK)
    assert subscription["attributes"]["subscribed_events"] == ["*"]
    assert subscription["attributes"]["active"] is True
    assert subscription["relationships"]["user"]["data"]["type"] == "users"
    path = f"/webhook_subscriptions/{subscription['id']}"
    assert await driver.data(path) == subscription
    assert (await driver.put(path, url=HOOK)).status_code == 405
    assert (await driver.api.delete(path)).status_code == 204
    assert (await driver.api.delete(path)).status_code == 404
