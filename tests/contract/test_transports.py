"""The same checks wherever an exchange passes: httpx's transports, ASGI applications, real sockets."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove
from contentgroove_mock import Fault, ManualClock, Simulator, serve
from contentgroove_mock.contract import (
    AsyncCheckedTransport,
    CheckedApp,
    CheckedTransport,
    Checker,
    ContractViolationError,
)

from tests.contract.exchanges import KEY, ORIGIN, example

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Violation
    from starlette.types import Receive, Scope, Send

MEDIA = f"{ORIGIN}/api/v1/medias/some-id"


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


def renamed(request: httpx.Request) -> httpx.Response:
    """Respond with a media whose name has another key."""
    del request
    body = example("/medias/{id}")
    body["data"]["attributes"]["title"] = body["data"]["attributes"].pop("name")
    return httpx.Response(200, json=body)


def line_of(mark: str) -> int:
    """Find the one line that ends with a mark."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.endswith(f"  # {mark}")]
    return number


class Kept(list[tuple[str, int, list[str]]]):
    """Keeps what is reported for each exchange."""

    def __call__(self, request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]) -> None:
        """Keep one exchange."""
        self.append((request.target, response.status, [violation.rule for violation in violations]))


def test_a_violation_fails_the_call_that_made_it(checker: Checker) -> None:
    """The error names the violation, and the test and line that called."""
    transport = CheckedTransport(httpx.MockTransport(renamed), checker)
    with httpx.Client(transport=transport) as client, pytest.raises(ContractViolationError) as caught:
        client.get(MEDIA, headers=KEY)  # the call that fails
    message = str(caught.value)
    assert message.startswith(
        "The exchange violates the contract (2 violations):\n  getMediaById: response.body#/data/attributes/"
    )
    here = f"{__file__.rpartition('/')[2]}::{test_a_violation_fails_the_call_that_made_it.__name__}"
    assert all(violation.call is not None and here in violation.call for violation in caught.value.violations)
    assert f"test_transports.py:{line_of('the call that fails')}\n" in message


def test_many_violations_are_shortened(checker: Checker) -> None:
    """An entirely different body does not fill the screen."""
    transport = CheckedTransport(httpx.MockTransport(lambda _: httpx.Response(200, json=example("/clips"))), checker)
    with httpx.Client(transport=transport) as client, pytest.raises(ContractViolationError) as caught:
        client.get(f"{ORIGIN}/api/v1/medias", headers=KEY)
    count = len(caught.value.violations)
    assert count > 10
    assert str(caught.value).endswith(f"… and {count - 10} more")


@pytest.mark.anyio
async def test_async_calls_are_checked_alike(checker: Checker) -> None:
    """The async transport finds the same, and names the same line."""
    transport = AsyncCheckedTransport(httpx.MockTransport(renamed), checker)
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(ContractViolationError, match=r'"name" is required') as caught:
            await client.get(MEDIA, headers=KEY)
    assert "test_transports.py:" in str(caught.value)


def test_the_sdk_is_checked_through_its_http_client(checker: Checker) -> None:
    """Calls of an application through the SDK pass, over a real socket."""
    kept = Kept()
    simulator = Simulator(clock=ManualClock())
    transport = CheckedTransport(httpx.HTTPTransport(), checker, kept)
    with (
        serve(simulator) as server,
        httpx.Client(transport=transport) as http_client,
        ContentGroove("any-key", server.base_url, http_client=http_client) as client,
    ):
        media = client.medias.create(source_url="https://films.example/one.mp4")
        simulator.finish_media(media.id)
        clips = list(client.clips.list(filter={"media_id_eq": media.id}, page_size=1))
        client.medias.delete(media.id)
    assert len(clips) > 1
    assert [status for _, status, _ in kept] == [200, *[200] * len(clips), 204]
    assert [rules for _, _, rules in kept if rules] == []


@pytest.mark.anyio
async def test_a_violation_goes_through_the_sdk(checker: Checker) -> None:
    """It reaches the test unchanged, after one attempt: it is not a broken connection that is retried."""
    calls: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return renamed(request)

    transport = CheckedTransport(httpx.MockTransport(respond), checker)
    with (
        httpx.Client(transport=transport) as http_client,
        ContentGroove("any-key", http_client=http_client) as client,
        pytest.raises(ContractViolationError, match=r'"name" is required'),
    ):
        client.medias.get("some-id")
    async with (
        httpx.AsyncClient(transport=AsyncCheckedTransport(httpx.MockTransport(respond), checker)) as async_http_client,
        AsyncContentGroove("any-key", http_client=async_http_client) as async_client,
    ):
        with pytest.raises(ContractViolationError, match=r'"name" is required'):
            await async_client.medias.get("some-id")
    assert len(calls) == 2


@pytest.mark.anyio
async def test_an_application_is_checked_in_process(checker: Checker) -> None:
    """The ASGI wrapper sees each exchange completely, including bodies that arrive in parts."""
    kept = Kept()
    app = CheckedApp(Simulator(clock=ManualClock()), checker, kept)
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http_client,
        AsyncContentGroove("any-key", "http://127.0.0.1/api/v1", http_client=http_client) as client,
    ):
        media = await client.medias.create(source_url="https://films.example/one.mp4", name="Été")
        await client.medias.update(media.id, name="Other")
    assert kept == [("/api/v1/medias", 200, []), (f"/api/v1/medias/{media.id}", 200, [])]


@pytest.mark.anyio
async def test_an_application_that_breaks_the_contract_is_found(checker: Checker) -> None:
    """A response in parts is joined before it is checked; other paths are passed on."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        headers = [(b"Content-Type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in (b'{"da', b'ta": 3'):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"}"})
        del scope

    kept = Kept()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(CheckedApp(app, checker, kept))) as client:
        await client.post(f"{ORIGIN}/api/v1/medias?x=%20", content=iter_parts(), headers=KEY)
        await client.get(f"{ORIGIN}/elsewhere")
    ((target, status, rules),) = kept
    assert (target, status) == ("/api/v1/medias?x=%20", 200)
    assert rules == ["unknown-parameter", "media-type", "missing-field", "type"]


@pytest.mark.anyio
async def test_requests_without_a_response(checker: Checker) -> None:
    """A request is checked although its response is cut, or not there yet, once; not one that its client has cut."""
    kept, unanswered = Kept(), list[tuple[str, list[str]]]()
    respond = anyio.Event()

    def keep(request: CheckedRequest, violations: Sequence[Violation]) -> None:
        unanswered.append((request.target, [violation.rule for violation in violations]))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            if scope["path"].endswith("/clips"):
                raise ConnectionResetError
        if scope["path"].endswith("/cut"):
            raise ConnectionResetError
        await respond.wait()
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body"})

    checked = CheckedApp(app, checker, kept, keep)

    async def get(path: str, **options: Any) -> None:
        with contextlib.suppress(ConnectionResetError):
            await client.request("POST", f"{ORIGIN}/api/v1/{path}", headers=KEY, **options)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(checked)) as client, anyio.create_task_group() as tasks:
        await get("medias/cut?x=1")
        await get("clips?x=1", content=iter_parts())
        assert unanswered == [("/api/v1/medias/cut?x=1", ["unknown-method"])]
        tasks.start_soon(get, "films?x=1")
        await anyio.wait_all_tasks_blocked()
        for _ in range(2):
            checked.check_unanswered()
        assert unanswered[1:] == [("/api/v1/films?x=1", ["unknown-path"])]
        respond.set()
    assert unanswered[2:] == []
    assert kept == [("/api/v1/films?x=1", 299, [])]


async def iter_parts() -> AsyncIterator[bytes]:
    """Yield a body in two parts."""
    yield b'{"data": {"attributes": {"source_url"'
    yield b': "https://films.example/one.mp4"}}}'


def test_a_server_in_a_thread_knows_who_called(checker: Checker) -> None:
    """The line that waits for the response is named, although another thread finds the violation."""
    found: list[Violation] = []
    ready = threading.Event()

    def keep(request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]) -> None:
        del request, response
        found.extend(violations)
        ready.set()

    simulator = Simulator(clock=ManualClock())
    with serve(simulator, app=CheckedApp(simulator, checker, keep)) as server, httpx.Client(headers=KEY) as client:
        response = client.get(f"{server.base_url}/medias?limit=3")  # the call from another thread
        assert ready.wait(10)
    assert response.status_code == 200
    (violation,) = found
    assert violation.call is not None
    assert violation.call.endswith(f"test_transports.py:{line_of('the call from another thread')}")


def test_statuses_of_faults_are_let_pass(checker: Checker) -> None:
    """A 503 from a fault is not a violation; the retry after it is a normal exchange."""
    kept = Kept()
    simulator = Simulator(clock=ManualClock())
    simulator.add_fault(Fault(kind="status", status=503, retry_after="0"))
    with (
        serve(simulator) as server,
        httpx.Client(transport=CheckedTransport(httpx.HTTPTransport(), checker, kept)) as http_client,
        ContentGroove("any-key", server.base_url, http_client=http_client) as client,
    ):
        assert list(client.medias.list()) == []
    assert [(status, rules) for _, status, rules in kept] == [(503, []), (200, [])]
