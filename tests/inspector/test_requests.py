"""The live log: each request with both messages, and its violations at the fields that break the contract."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import contentgroove_mock
import httpx
import pytest
from contentgroove_mock import Fault, ManualClock, Simulator, serve
from contentgroove_mock.contract import Checker
from contentgroove_mock.inspector.exchanges import MAX_BODY, MAX_EXCHANGES, ExchangeLog, RecordedApp
from contentgroove_mock.inspector.views import NOTHING

from tests.simulator.driver import KEY, Driver

if TYPE_CHECKING:
    from tests.inspector.reader import Reader

pytestmark = pytest.mark.anyio


async def test_a_request_is_shown_with_both_bodies(driver: Driver, reader: Reader) -> None:
    """And with its operation, status and time."""
    await driver.media(name="A film")
    text = await reader.text("requests")
    assert "POST /api/v1/medias ✓ 200" in text
    assert "createMedia 0 2026-01-01 00:00:00.000" in text
    shown = await reader.text("requests/1")
    request, _, response = shown.partition("Response")
    assert '"name": "A film"' in request
    assert '"is_processing": null' in response
    assert await reader.marks(1) == []


@pytest.mark.parametrize(
    ("method", "path", "content", "marked", "rule"),
    [
        ("POST", "/medias", {"json": {"data": {"attributes": {"name": 5}}}}, '"name": 5', "type:"),
        ("POST", "/medias", {"json": {"data": {"mood": 1, "attributes": {}}}}, '"mood": 1,', "undeclared-field:"),
        ("POST", "/medias", {"json": {}}, "{}", "/data: missing-field:"),
        ("GET", "/medias?page[size]=x", {}, "x", "parameter-value:"),
        ("GET", "/films", {}, "GET /api/v1/films", "unknown-path:"),
        ("PATCH", "/medias", {}, "PATCH /api/v1/medias", "unknown-method:"),
        ("GET", "/medias", {"headers": {"X-Api-Key": "two"}}, "[redacted]", "several-credentials:"),
    ],
)
async def test_violations_are_marked_at_the_field(
    driver: Driver, reader: Reader, method: str, path: str, content: dict[str, Any], marked: str, rule: str
) -> None:
    """The mark is on the member, parameter, header or line, with the rule in words beside it."""
    transport = httpx.ASGITransport(app=driver.simulator)
    headers = {"Authorization": f"Bearer {KEY}", **content.pop("headers", {})}
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        await client.request(method, f"http://simulator.example/api/v1{path}", **content)
    assert marked in await reader.marks(1)
    assert f"violates {rule}" in await reader.text("requests/1")
    assert "1 violation" in await reader.text("violations") or "violations of" in await reader.text("violations")


async def test_requests_are_found_by_text_and_by_violations(driver: Driver, reader: Reader) -> None:
    """Each word of the text must fit: method, path, operation or status."""
    await driver.media()
    await driver.api.get("/medias")
    await driver.api.get("/films")
    assert (await reader.text("requests", text="get 200")).count("/api/v1/") == 1
    assert (await reader.text("requests", text="createmedia")).count("/api/v1/") == 1
    assert (await reader.text("requests", violations="on")).count("/api/v1/") == 1
    assert await reader.text("requests", text="PUT") == "None of the last 3 requests fits the filter."


async def test_credentials_are_in_no_part_of_the_page(driver: Driver, reader: Reader) -> None:
    """Not the key, wherever it was, nor what signs an upload's URL, nor a receiver's token."""
    _, url = await driver.prepare()
    await driver.bare.put(url, content=b"no film")
    await driver.subscribe("http://127.0.0.1/hook?token=canary-token")
    await driver.api.get("/medias?api_key=canary-key-in-the-query")
    signature = url.rpartition("X-Amz-Signature=")[2]
    pages = [(await reader.client.get("/_mock/")).text]
    pages += [await reader.html(f"requests/{number}") for number in range(1, 5)]
    for secret in (KEY, signature, "canary-token", "canary-key-in-the-query"):
        assert [page for page in pages if secret in page] == []


async def test_of_a_file_only_the_size_is_kept(driver: Driver, reader: Reader) -> None:
    """It is shown where its media is."""
    await driver.upload(b"x" * 5000)
    text = await reader.text("requests/2")
    assert "PUT /_uploads/" in text
    assert "5,000 bytes, which are not kept." in text


async def test_a_request_is_shown_while_it_waits(driver: Driver, reader: Reader) -> None:
    """A slow response hides nothing."""
    driver.simulator.add_fault(Fault(kind="latency", operation="getMedias", seconds=5))
    waiting = asyncio.ensure_future(driver.api.get("/medias"))
    await anyio.wait_all_tasks_blocked()
    assert "GET /api/v1/medias i in progress" in await reader.text("requests")
    driver.simulator.clock.advance(5)
    await waiting
    assert f"GET /api/v1/medias ✓ 200 {NOTHING} getMedias 5000" in await reader.text("requests")


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (Fault(kind="reset", operation="getMedias"), "✕ no response"),
        (Fault(kind="truncate", operation="getMedias", after_bytes=9), "✕ 200, cut off"),
        (Fault(kind="status", operation="getMedias", status=503), "✕ 503"),
    ],
)
def test_what_faults_do_is_shown(fault: Fault, shown: str) -> None:
    """A response that never came is none; the request is checked all along."""
    simulator = Simulator(clock=ManualClock(), control=True)
    simulator.add_fault(fault)
    with serve(simulator) as server, httpx.Client(trust_env=False) as client:
        with contextlib.suppress(httpx.TransportError):
            client.get(f"{server.base_url}/medias?nonsense=1", headers={"Authorization": f"Bearer {KEY}"})
        html = client.get(f"{server.origin}/_mock/inspector/requests?violations=on").text
    assert shown in " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_a_response_that_was_cut_off_is_not_checked(driver: Driver) -> None:
    """No client has received it; its request is checked."""
    log = ExchangeLog(Checker(), lambda: None)

    async def cut_off(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})

    app = RecordedApp(cut_off, log, driver.simulator.clock, "/_mock")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app, raise_app_exceptions=False)) as client:
        with pytest.raises(AssertionError):
            await client.get("http://a.example/api/v1/medias", headers={"Authorization": "Bearer x"})
    (exchange,) = log.newest_first()
    assert (exchange.status, exchange.is_complete, exchange.violations) == (299, False, [])
    assert log.covered({}).covered_count == 0


async def test_head_has_no_body(driver: Driver, reader: Reader) -> None:
    """A server sends none, whatever an application gives it."""
    await driver.api.head("/medias")
    text = await reader.text("requests/1")
    assert "No body." in text.partition("Response")[2]
    assert "Request 1 ! 405" in text


async def test_the_log_is_bounded(driver: Driver, reader: Reader) -> None:
    """The oldest requests go first, and long bodies are cut."""
    await driver.media(description="x" * 100_000)
    (exchange,) = driver_log(driver).newest_first()
    assert len(exchange.request_body.content) == len(exchange.response_body.content) == MAX_BODY
    assert exchange.violations == []
    assert f"Only the first {MAX_BODY:,} of " in await reader.text("requests/1")
    for _ in range(MAX_EXCHANGES):
        await driver.bare.get("http://simulator.example/elsewhere")
    assert len(driver_log(driver)) == MAX_EXCHANGES
    assert await reader.text("requests/1") == "There is no request 1 any more."
    assert f"the newest first: 100 of the last {MAX_EXCHANGES}" in await reader.text("requests")


async def test_the_page_does_not_log_itself(reader: Reader) -> None:
    """Neither the page nor the control interface."""
    await reader.client.get("/_mock/")
    await reader.client.get("/_mock/deliveries")
    assert await reader.text("requests") == "There was no request yet."


async def test_coverage_counts_what_was_seen(driver: Driver, reader: Reader) -> None:
    """Statuses of operations, and delivered webhooks."""
    await driver.subscribe("http://127.0.0.1/hook")
    media = await driver.media()
    driver.simulator.finish_media(media["id"])
    await driver.simulator.wait_until_idle()
    await driver.api.get("/medias/unknown")
    text = await reader.text("coverage")
    assert "createMedia ✓ 200: 1 · 400 not seen" in text
    assert "✓ 404: 1" in text
    assert "media.processing_finished ✓ delivered: 1" in text
    document = json.loads(Path(contentgroove_mock.__file__).with_name("contract.json").read_text("utf-8"))
    operations = [member for item in document["paths"].values() for member in item.values() if "responses" in member]
    # And the one webhook.
    total = sum(len(operation["responses"]) for operation in operations) + 1
    assert f"4 of {total} documented responses and webhooks were seen" in text


async def test_without_control_nothing_is_logged() -> None:
    """A simulator in a test pays nothing for a page that it does not have."""
    simulator = Simulator(clock=ManualClock())
    transport = httpx.ASGITransport(app=simulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in ("/_mock", "/_mock/", "/_mock/events", "/_mock/static/htmx.min.js", "/_mock/inspector/medias"):
            assert (await client.get(path)).status_code == 404
    await simulator.aclose()


def driver_log(driver: Driver) -> ExchangeLog:
    """Return the log of a driver's simulator."""
    inspector = driver.simulator._inspector
    assert inspector is not None
    return inspector.log
