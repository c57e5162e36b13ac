"""`Behaviour` follows a run wherever it passes, overlapping exchanges included; the corpus has its single rules."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from anyio.lowlevel import checkpoint
from contentgroove import ContentGroove
from contentgroove_mock import ManualClock, Simulator
from contentgroove_mock.contract import (
    AsyncCheckedTransport,
    Behaviour,
    CheckedApp,
    CheckedTransport,
    Checker,
    ContractViolationError,
)
from contentgroove_mock.contract.filters import Filters
from contentgroove_mock.simulator.core.service import Service

from tests.contract.exchanges import KEY, ORIGIN, example, request, response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Violation
    from contentgroove_mock.contract.matchers import Kind
    from contentgroove_mock.contract.values import Tree

pytestmark = pytest.mark.anyio

API = "http://simulator.example/api/v1"
LIST_QUERIES = (
    "",
    "page[size]=2",
    "page[size]=2&page[number]=2",
    "sort=name",
    "sort=-created_at&page[size]=3",
    "filter[name_cont]=a&sort=-name",
    "filter[id_in][]=a&filter[id_in][]=b",
    "filter[created_at_gt]=2020-01-01&filter[name_not_eq]=b",
    "filter[is_processing_null]=true",
)


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


class Found(list[str]):
    """Keeps the violations of a run."""

    def __call__(self, request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]) -> None:
        """Keep those of one exchange."""
        del response
        self.extend(f"{request.method} {request.target}: {violation}" for violation in violations)


async def run_at_random(checker: Checker, seed: int, steps: int = 100) -> Found:
    """Make random requests to a simulator, several at the same time, and return what was found."""
    chance, found = random.Random(seed), Found()  # noqa: S311 - a reproducible run
    simulator = Simulator(clock=ManualClock())
    app = CheckedApp(simulator, checker, found, behaviour=Behaviour(checker))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=KEY) as client:
        ids: list[str] = []

        async def step() -> None:
            kind = chance.choice(["create", "update", "update", "show", "delete", "list", "list", "list"])
            name = chance.choice(["a", "b", "ab", "Ba"])
            target = f"{API}/medias/{chance.choice(ids)}" if ids else f"{API}/medias/none"
            await checkpoint()
            if kind == "create":
                attributes = {"source_url": "https://films.example/one.mp4", "name": name}
                made = await client.post(f"{API}/medias", json={"data": {"attributes": attributes}})
                ids.append(made.json()["data"]["id"])
            elif kind == "update":
                await client.put(target, json={"data": {"attributes": {chance.choice(["name", "description"]): name}}})
            elif kind == "list":
                await client.get(f"{API}/medias?{chance.choice(LIST_QUERIES)}")
            else:
                await client.request("GET" if kind == "show" else "DELETE", target)

        for _ in range(steps // 4):
            await asyncio.gather(*(step() for _ in range(4)))
            simulator.advance(chance.choice([0, 1, 20]))
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_a_right_service_is_not_refused(checker: Checker, seed: int) -> None:
    """Requests at the same time, in any order: the simulator does what the rules demand."""
    assert await run_at_random(checker, seed) == []


def no_deletion(self: Service, call: Any) -> None:
    """Delete nothing."""


def no_update(self: Service, call: Any) -> Any:
    """Change nothing, and claim the opposite."""
    changed = self._get(self.state.medias, call)
    sent = httpx.Response(200, content=call.content).json()["data"]["attributes"]
    changed["data"]["attributes"].update(sent)
    return changed


@pytest.mark.parametrize(
    ("operation", "replacement", "rule"),
    [("deleteMediaById", no_deletion, "deleted"), ("updateMediaById", no_update, "updated-value")],
)
async def test_a_wrong_service_is_found(
    checker: Checker, monkeypatch: pytest.MonkeyPatch, operation: str, replacement: Any, rule: str
) -> None:
    """A service that confirms what it does not do."""
    handle = Service.handle

    def replaced(self: Service, name: str, call: Any) -> Any:
        return replacement(self, call) if name == operation else handle(self, name, call)

    monkeypatch.setattr(Service, "handle", replaced)
    found = await run_at_random(checker, 1)
    assert {rule} == {line.partition(f": {rule}: ")[1].strip(": ") for line in found} - {""}
    assert found


@pytest.mark.parametrize("events", [[], ["media.deleted"]])
async def test_the_simulator_tolerates_what_the_checker_reports(checker: Checker, events: list[str]) -> None:
    """Where the document is silent, the ledger decides what the simulator does; a test still learns of the mistake."""
    found = Found()
    app = CheckedApp(Simulator(clock=ManualClock()), checker, found)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), headers=KEY) as client:
        attributes = {"url": "https://example.com/hook", "subscribed_events": events}
        made = await client.post(f"{API}/webhook_subscriptions", json={"data": {"attributes": attributes}})
    assert made.status_code == 200
    assert [": subscribed-event: " in line for line in found] == [True, True]


def deleted_and_listed(http: httpx.Request) -> httpx.Response:
    """Respond to a deletion, and to a list with the same media."""
    return httpx.Response(204) if http.method == "DELETE" else httpx.Response(200, json=example("/medias"))


ID = example("/medias")["data"][0]["id"]


def test_transports_follow_runs(checker: Checker) -> None:
    """Clients of one service share a run; without `behaviour`, exchanges are checked one by one."""
    behaviour = Behaviour(checker)
    for chosen in (None, behaviour):
        transport = CheckedTransport(httpx.MockTransport(deleted_and_listed), checker, behaviour=chosen)
        with httpx.Client(transport=transport, headers=KEY) as client:
            client.delete(f"{ORIGIN}/api/v1/medias/{ID}")
            if chosen is None:
                client.get(f"{ORIGIN}/api/v1/medias")
    with (
        httpx.Client(
            transport=CheckedTransport(httpx.MockTransport(deleted_and_listed), checker, behaviour=behaviour)
        ) as other,
        ContentGroove("canary-key", http_client=other) as sdk,
        pytest.raises(ContractViolationError) as caught,
    ):
        list(sdk.medias.list())
    (violation,) = caught.value.violations
    assert (violation.rule, violation.location) == ("deleted", "response.body#/data/0/id")
    assert "(assumed: deleted-is-gone, delete-again-404, media-deletes-clips)" in str(violation)


async def test_a_list_that_was_requested_before_is_right(checker: Checker) -> None:
    """What is sent before a deletion has its response may show the media, whenever the response comes."""
    listed, found = asyncio.Event(), Found()

    async def respond(http: httpx.Request) -> httpx.Response:
        if http.method == "GET" and not listed.is_set():
            await listed.wait()
        return deleted_and_listed(http)

    transport = AsyncCheckedTransport(httpx.MockTransport(respond), checker, found, behaviour=Behaviour(checker))
    async with httpx.AsyncClient(transport=transport, headers=KEY) as client:
        early = asyncio.create_task(client.get(f"{ORIGIN}/api/v1/medias"))
        await checkpoint()
        await client.delete(f"{ORIGIN}/api/v1/medias/{ID}")
        listed.set()
        await early
        assert found == []
        await client.get(f"{ORIGIN}/api/v1/medias")
    assert [": deleted: " in line for line in found] == [True]


def test_other_documents_have_no_runs() -> None:
    """Behaviour is about JSON:API; it finds nothing for APIs that do not say that they follow it."""
    document = {"openapi": "3.0.0", "paths": {"/things/{id}": {"delete": {"responses": {"204": {}}}, "get": {}}}}
    behaviour = Behaviour(Checker(document))
    assert behaviour.check(request("DELETE", "/things/1"), response(204)) == []
    assert behaviour.check(request("GET", "/things/1"), response(200, {"data": {"id": "1"}})) == []
    assert behaviour.check(request("GET", "/elsewhere"), response(200, {})) == []


KINDS: dict[str, Kind] = {"name": "text", "rank": "number", "active": "boolean", "created_at": "time", "text": "text"}
ITEM = {"name": "Chimp", "rank": 3, "active": True, "created_at": "2025-10-15T13:51:02Z", "text": None}


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("name_eq", "Chimp", True),
        ("name_eq", "chimp", False),
        ("name_eq", " Chimp", None),
        ("name_not_eq", "Chimp", False),
        ("name_lt", "D", None),
        ("name_cont", "him", True),
        ("name_cont", "HIM", None),
        ("name_cont", "moon", False),
        ("name_not_cont", "him", False),
        ("name_not_cont", "HIM", None),
        ("name_start", "Ch", True),
        ("name_not_end", "mp", False),
        ("name_matches", "Ch_m%", True),
        ("name_matches", "Ch_m", False),
        ("name_cont_any", ["moon", "him"], True),
        ("name_cont_all", ["moon", "him"], False),
        ("rank_in", ["1", "3"], True),
        ("rank_not_in", ["1", "3"], False),
        ("rank_gteq", "3.0", True),
        ("rank_gt", "3", False),
        ("rank_eq", "first", None),
        ("rank_cont", "3", None),
        ("created_at_lt", "2025-10-16", True),
        ("created_at_eq", "2025-10-15T15:51:02+02:00", True),
        ("active_eq", "true", True),
        ("active_true", "1", True),
        ("active_true", "0", False),
        ("active_false", "1", False),
        ("text_null", "true", True),
        ("text_not_null", "true", False),
        ("text_present", "true", False),
        ("text_blank", "true", True),
        ("text_eq", "x", False),
        ("text_not_eq", "x", None),
        ("name_eq", "", None),
        ("name_or_text_eq", "Chimp", True),
        ("name_and_text_eq", "Chimp", False),
        ("name_or_text_eq", "Moon", False),
        ("colour_eq", "red", None),
    ],
)
def test_what_is_known_of_filters(key: str, values: Tree, expected: bool | None) -> None:  # noqa: FBT001
    """Where databases differ, it is not known whether an item satisfies a filter."""
    assert Filters("filter", KINDS).satisfies(key, values, ITEM) is expected
