"""What a user sets while a simulator runs: keys, limits, speed, latency, faults, webhooks; over HTTP as in Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_type_hints

import anyio
import httpx
import pytest
from contentgroove_mock import Fault, ManualClock, Policy, Simulator
from contentgroove_mock.simulator.core.accounts import Quota
from contentgroove_mock.simulator.core.policies import PolicyChanges

from tests.simulator.driver import KEY, Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

CONTROL = "http://127.0.0.1:8080/_mock"
HOOK = "http://127.0.0.1/hook"
FILM = {"source_url": "https://films.example/a.mp4"}


class Receiver:
    """Keeps the names of the medias in the webhooks that it receives."""

    def __init__(self) -> None:
        self.medias: list[str] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Respond to one webhook."""
        self.medias.append(json.loads(request.content)["payload"]["data"]["attributes"]["name"])
        return httpx.Response(200)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def driver(contract: Contract, receiver: Receiver) -> AsyncGenerator[Driver]:
    client = httpx.AsyncClient(transport=httpx.MockTransport(receiver.respond))
    simulator = Simulator(clock=ManualClock(), seed=1, control=True, webhook_client=client)
    driver = Driver(simulator, contract)
    yield driver
    await driver.aclose()
    await simulator.aclose()
    await client.aclose()


async def call(driver: Driver, method: str, path: str, body: object = None) -> Any:
    """Call the control interface and return what it returns."""
    response = await driver.bare.request(method, f"{CONTROL}{path}", json=body)
    assert response.is_success, response.text
    return response.json() if response.content else None


async def status(driver: Driver, key: str) -> int:
    """Return the status that a key gets."""
    return (await driver.api.get("/medias", headers={"Authorization": f"Bearer {key}"})).status_code


async def finish(driver: Driver, *names: str) -> list[str]:
    """Finish medias with these names, and return their ids."""
    ids = [(await driver.finished(name=name))["id"] for name in names]
    await driver.simulator.wait_until_idle()
    return ids


async def test_any_key_works_until_it_is_removed(driver: Driver) -> None:
    """A removed key gets 401, others go on, and a key that is added again works."""
    assert await status(driver, "a-key") == 200
    await call(driver, "POST", "/api_keys/remove", {"key": "a-key"})
    assert (await status(driver, "a-key"), await status(driver, "another")) == (401, 200)
    await call(driver, "POST", "/api_keys", {"key": "a-key"})
    assert await status(driver, "a-key") == 200


async def test_given_keys_are_the_only_ones(driver: Driver) -> None:
    """Keys are set, added and removed while the simulator runs."""
    await call(driver, "PUT", "/api_keys", {"keys": ["first"]})
    assert (await status(driver, "first"), await status(driver, "second")) == (200, 401)
    driver.simulator.add_api_key("second")
    driver.simulator.remove_api_key("first")
    assert (await status(driver, "first"), await status(driver, "second")) == (401, 200)
    driver.simulator.set_api_keys(None)
    assert (await status(driver, "first"), await status(driver, "third")) == (200, 200)


async def test_accounts_have_names_and_counters_and_no_keys(driver: Driver) -> None:
    """An account is found by id, name or key; what is shown of it contains no key."""
    added = await call(driver, "POST", "/api_keys", {"key": KEY, "name": "billing"})
    media = await driver.finished()
    clip = {"media_id": media["id"], "name": "Mine", "start_time": 0, "end_time": 1}
    assert (await driver.post("/clips", **clip)).status_code == 200
    shown = await call(driver, "GET", "/accounts/billing")
    assert (shown["name"], shown["medias"], shown["medias_made"], shown["clips_made"]) == ("billing", 1, 1, 1)
    assert shown["clips"] == len(media["relationships"]["clips"]["data"]) + 1
    assert shown["window_requests"] == 3
    simulator = driver.simulator
    assert simulator.account(KEY) == simulator.account(added["id"]) == simulator.account("billing")
    assert KEY not in json.dumps(await call(driver, "GET", "/accounts"))
    assert KEY not in repr(simulator.accounts)
    with pytest.raises(LookupError, match="billing") as caught:
        simulator.account("no-such-canary")
    assert "no-such-canary" not in str(caught.value)


async def test_an_account_is_renamed_and_its_key_rejected(driver: Driver) -> None:
    """A page that knows no keys can reject one by the account."""
    for key, name in (("a", "first"), ("b", "second")):
        driver.simulator.add_api_key(key, name=name)
    await call(driver, "PATCH", "/accounts/first", {"name": "new", "key_accepted": False})
    assert (await status(driver, "a"), await status(driver, "b")) == (401, 200)
    assert [account.name for account in driver.simulator.accounts] == ["new", "second"]
    assert driver.simulator.change_account("new", key_accepted=True).key_accepted
    assert await status(driver, "a") == 200
    with pytest.raises(ValueError, match="second"):
        driver.simulator.change_account("new", name="second")
    for wrong in ("", " ", "a b", "a-key "):
        for refuse in (driver.simulator.add_api_key, driver.simulator.remove_api_key):
            with pytest.raises(ValueError, match="empty, nor contain spaces"):
                refuse(wrong)


async def test_limits_of_one_account(driver: Driver) -> None:
    """A quota and a limit of requests can be those of one account; the others keep theirs."""
    driver.simulator.add_api_key(KEY, name="small")
    await call(driver, "PUT", "/quota", {"medias": 1, "account": "small"})
    await driver.media()
    assert (await driver.post("/medias", **FILM)).status_code == 402
    other = {"Authorization": "Bearer other"}
    body = {"data": {"attributes": FILM}}
    assert [(await driver.api.post("/medias", json=body, headers=other)).status_code for _ in range(2)] == [200, 200]
    await call(driver, "PUT", "/rate_limit", {"requests": 1, "window_seconds": 30, "account": "small"})
    response = await driver.api.get("/medias")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")
    assert await status(driver, "other") == 200
    limits = await call(driver, "GET", "/limits")
    account = driver.simulator.account("small")
    unlimited = dict.fromkeys(Quota.__struct_fields__)
    assert limits["quotas"] == {account.id: unlimited | {"medias": 1}}
    assert account.rate_limit.requests == 1
    await call(driver, "DELETE", "/limits")
    assert (await driver.post("/medias", **FILM)).status_code == 200
    with pytest.raises(LookupError, match="no account"):
        driver.simulator.set_quota(medias=1, account="nothing")


async def test_counters_are_reset(driver: Driver) -> None:
    """A used quota and a full window are free again, of one account or of all."""
    driver.simulator.set_quota(medias=1)
    driver.simulator.set_rate_limit(2)
    await driver.media()
    assert (await driver.post("/medias", **FILM)).status_code == 402
    assert (await driver.api.get("/medias")).status_code == 429
    driver.simulator.add_api_key("other")
    driver.simulator.reset_counters("other")
    assert (await driver.api.get("/medias")).status_code == 429
    await call(driver, "DELETE", "/counters", {"account": KEY})
    await driver.media()
    await call(driver, "DELETE", "/counters")
    await driver.media()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/quota", {"medias": -1}),
        ("/rate_limit", {"requests": -1}),
        ("/rate_limit", {"requests": 1, "window_seconds": 0}),
        ("/policy", {"processing_seconds": -1}),
        ("/policy", {"page_size": 0}),
        ("/policy", {"procesing_seconds": 1}),
        ("/latency", {"seconds": -0.1}),
    ],
)
async def test_impossible_numbers_are_refused(driver: Driver, path: str, body: dict[str, Any]) -> None:
    """The message says which, and nothing changes."""
    before = driver.simulator.snapshot()
    response = await driver.bare.put(f"{CONTROL}{path}", json=body)
    assert response.status_code == 400
    assert next(iter(body)) in response.text or "latency" in response.text or "quota" in response.text
    assert driver.simulator.snapshot() == before


async def test_speed_of_processing_is_changed(driver: Driver) -> None:
    """What is created afterwards is processed at the new speed; None means until it is ended."""
    await call(driver, "PATCH", "/policy", {"queue_seconds": 10, "processing_seconds": 30})
    slow = await driver.media()
    await call(driver, "PATCH", "/policy", {"processing_seconds": None})
    endless = await driver.media()

    async def states() -> list[bool | None]:
        medias = [await driver.data(f"/medias/{media['id']}") for media in (slow, endless)]
        return [media["attributes"]["is_processing"] for media in medias]

    assert await states() == [None, None]
    driver.simulator.advance(39)
    assert await states() == [True, True]
    driver.simulator.advance(1)
    assert await states() == [False, True]
    driver.simulator.advance(50 * 365 * 86_400)
    assert await states() == [False, True]
    driver.simulator.finish_media(endless["id"])
    assert await states() == [False, False]
    assert driver.simulator.policy == Policy(queue_seconds=10, processing_seconds=None)
    driver.simulator.policy = Policy(page_size=1)
    assert (await call(driver, "GET", "/policy"))["page_size"] == 1


def test_changes_of_a_policy_have_its_numbers() -> None:
    """Each can be changed by itself, with its own type."""
    expected = get_type_hints(Policy)
    assert set(get_type_hints(PolicyChanges)) == set(expected) == set(Policy.__struct_fields__)
    changed = Policy().changed(unreachable_hosts=["down.example"])
    assert changed.unreachable_hosts == frozenset({"down.example"})
    with pytest.raises(ValueError, match="has no sped"):
        Policy().changed(sped=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(ValueError, match="None means"):
        Policy(processing_seconds=float("inf"))
    with pytest.raises(ValueError, match="page_size has the wrong type"):
        Policy(page_size="many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_a_media_is_held_in_processing(driver: Driver) -> None:
    """It stays there for as long as the clock goes, until it is failed."""
    media = await driver.media()
    await call(driver, "POST", f"/medias/{media['id']}/hold")
    driver.simulator.advance(1_000_000)
    assert (await call(driver, "GET", f"/medias/{media['id']}"))["stage"] == "processing"
    assert driver.simulator._next_change() is None
    driver.simulator.fail_media(media["id"])
    assert driver.simulator.media(media["id"]).stage == "failed"
    with pytest.raises(ValueError, match="failed already"):
        driver.simulator.hold_media(media["id"])


async def test_every_record_is_read(driver: Driver) -> None:
    """Lists and single records are those of the API, of all accounts; what is read is a copy."""
    subscription = await driver.subscribe(HOOK)
    media = await driver.finished(name="Film")
    simulator = driver.simulator
    assert [item["id"] for item in await call(driver, "GET", "/medias")] == [media["id"]]
    (read,) = simulator.medias
    read.name = "changed"
    assert simulator.media(media["id"]).name == "Film"
    clips = await driver.data("/clips")
    assert {clip.id for clip in simulator.clips} == {clip["id"] for clip in clips}
    assert (await call(driver, "GET", f"/clips/{clips[0]['id']}"))["media_id"] == media["id"]
    assert (await call(driver, "GET", "/webhook_subscriptions"))[0]["url"] == HOOK
    assert simulator.webhook_subscription(subscription["id"]).id == subscription["id"]
    (delivery,) = simulator.deliveries
    assert (await call(driver, "GET", f"/deliveries/{delivery.id}"))["event"] == "media.processing_finished"
    assert (await call(driver, "GET", "/clock"))["now"].startswith("2026-01-01T00:00:00")
    with pytest.raises(LookupError, match="no media 'nothing'"):
        simulator.media("nothing")


async def test_faults_are_listed_and_removed(driver: Driver) -> None:
    """One fault is removed by its id while the others stay, and what happened is counted."""
    simulator = driver.simulator
    kept = simulator.add_fault(Fault(kind="status", operation="getMedias", count=2))
    removed = await call(driver, "POST", "/faults", {"kind": "status", "operation": "getClips"})
    assert [item["id"] for item in await call(driver, "GET", "/faults")] == [kept.id, removed["id"]]
    await call(driver, "DELETE", f"/faults/{removed['id']}")
    assert (await driver.api.get("/clips")).status_code == 200
    assert (await driver.api.get("/medias")).status_code == 503
    assert (simulator.fault(kept.id).remaining, simulator.faults_happened()) == (1, {("status", "getMedias"): 1})
    assert (await driver.api.get("/medias")).status_code == 503
    assert simulator.faults == []
    with pytest.raises(LookupError, match="waiting fault"):
        simulator.remove_fault(kept.id)


async def test_latency_delays_api_and_file_store_by_the_clock(driver: Driver) -> None:
    """Nothing is sent before the clock has moved that far; the control interface does not wait."""
    media = await driver.finished()
    _, url = await driver.prepare()
    await call(driver, "PUT", "/latency", {"seconds": 5})
    assert driver.simulator.latency == 5
    origin = "http://simulator.example"
    requests = [
        ("GET", f"{origin}/api/v1/medias", b""),
        ("PUT", url, b"x"),
        ("GET", f"{origin}/_files/{media['id']}", b""),
        ("GET", f"{origin}/_files/{media['id']}/still.jpg", b""),
    ]
    for method, address, content in requests:
        done = anyio.Event()

        async def send(method: str, address: str, content: bytes, done: anyio.Event) -> None:
            client = driver.api if "/api/" in address else driver.bare
            await client.request(method, address, content=content)
            done.set()

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send, method, address, content, done)
                clock = driver.simulator.clock
                assert isinstance(clock, ManualClock)
                while not clock._sleepers:
                    await anyio.lowlevel.checkpoint()
                clock.advance(4.9)
                assert (await call(driver, "GET", "/latency"))["seconds"] == 5
                assert not done.is_set()
                clock.advance(0.1)
                await done.wait()
    driver.simulator.latency = 0
    assert (await driver.api.get("/medias")).status_code == 200


async def test_several_webhooks_are_lost_and_doubled(driver: Driver, receiver: Receiver) -> None:
    """As many as requested, then all are sent once."""
    await driver.subscribe(HOOK)
    await call(driver, "POST", "/webhooks/drop_next", {"count": 2})
    await call(driver, "POST", "/webhooks/double_next")
    await finish(driver, "lost", "lost too", "doubled", "once")
    assert receiver.medias == ["doubled", "doubled", "once"]


async def test_webhooks_are_reordered(driver: Driver, receiver: Receiver) -> None:
    """Three are held until the third, and sent last first; the fourth is as usual."""
    await driver.subscribe(HOOK)
    await call(driver, "POST", "/webhooks/reorder_next", {"count": 3})
    await finish(driver, "a", "b")
    assert receiver.medias == []
    assert (await call(driver, "GET", "/webhooks"))["coming"] == 1
    await finish(driver, "c", "d")
    assert receiver.medias == ["c", "b", "a", "d"]
    with pytest.raises(ValueError, match="at least 2"):
        driver.simulator.reorder_next_webhooks(1)


async def test_held_webhooks_are_sent_if_the_last_does_not_come(driver: Driver, receiver: Receiver) -> None:
    """Resuming sends what waits for others, and ends the waiting."""
    await driver.subscribe(HOOK)
    driver.simulator.reorder_next_webhooks(5)
    await finish(driver, "a", "b")
    await call(driver, "POST", "/webhooks/resume")
    await driver.simulator.wait_until_idle()
    await finish(driver, "c")
    assert receiver.medias == ["a", "b", "c"]
    assert driver.simulator.webhook_hold.coming == 0


@pytest.mark.parametrize(
    ("order", "expected"),
    [("as_due", "abc"), ("reversed", "cba"), ([1, 2], "bca"), ([2], "cab"), ([2, 2, 0], "cab")],
)
async def test_webhooks_are_paused_and_resumed_in_an_order(
    driver: Driver, receiver: Receiver, order: str | list[int], expected: str
) -> None:
    """While they are paused none is sent, however far the clock goes."""
    await driver.subscribe(HOOK)
    await call(driver, "POST", "/webhooks/pause")
    await finish(driver, "a", "b", "c")
    driver.simulator.advance(1000)
    await driver.simulator.wait_until_idle()
    assert receiver.medias == []
    assert (await call(driver, "GET", "/webhooks"))["paused"] is True
    # Else the sender would look for what is due without a pause.
    assert driver.simulator._next_change() is None
    ids = [delivery.id for delivery in driver.simulator.deliveries]
    chosen = order if isinstance(order, str) else [ids[index] for index in order]
    await call(driver, "POST", "/webhooks/resume", {"order": chosen})
    await driver.simulator.wait_until_idle()
    assert receiver.medias == list(expected)


async def test_an_order_that_is_impossible_changes_nothing(driver: Driver, receiver: Receiver) -> None:
    """An unknown id, one that was delivered, and another word are errors."""
    await driver.subscribe(HOOK)
    await finish(driver, "before")
    (sent,) = driver.simulator.deliveries
    driver.simulator.pause_webhooks()
    await finish(driver, "after")
    with pytest.raises(LookupError, match="'nothing'"):
        driver.simulator.resume_webhooks(["nothing"])
    with pytest.raises(ValueError, match="does not wait"):
        driver.simulator.resume_webhooks([sent.id])
    with pytest.raises(ValueError, match="as_due, reversed"):
        driver.simulator.resume_webhooks("random")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await driver.simulator.wait_until_idle()
    assert receiver.medias == ["before"]


async def test_a_subscription_deleted_meanwhile_gets_nothing(driver: Driver, receiver: Receiver) -> None:
    """What is held for it is not sent at the end of the pause."""
    subscription = await driver.subscribe(HOOK)
    driver.simulator.reorder_next_webhooks(2)
    await finish(driver, "a")
    await driver.api.delete(f"/webhook_subscriptions/{subscription['id']}")
    driver.simulator.resume_webhooks()
    await driver.simulator.wait_until_idle()
    assert receiver.medias == []


async def test_all_webhooks_of_a_media_are_sent_again(driver: Driver, receiver: Receiver) -> None:
    """Those about other medias are not."""
    await driver.subscribe(HOOK)
    await driver.subscribe(HOOK)
    first, _ = await finish(driver, "first", "second")
    receiver.medias.clear()
    await call(driver, "POST", f"/medias/{first}/redeliver")
    await driver.simulator.wait_until_idle()
    assert receiver.medias == ["first", "first"]
    with pytest.raises(LookupError, match="no webhook about a media 'nothing'"):
        driver.simulator.redeliver_media("nothing")
