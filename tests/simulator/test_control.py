"""The control interface over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest
from contentgroove_mock import Fault, ManualClock, Simulator
from contentgroove_mock.simulator.core.faults import Kind
from contentgroove_mock.simulator.web.callers import is_same_origin
from contentgroove_mock.simulator.web.control import list_routes
from starlette.requests import Request

from tests.simulator.driver import BASE_URL, KEY, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.simulator.driver import Contract

pytestmark = pytest.mark.anyio

CONTROL = "http://127.0.0.1:8080/_mock"

OWN_ORIGIN = "http://127.0.0.1:8080"
JSON = {"Content-Type": "application/json"}
FORMS: list[tuple[str, bytes, dict[str, str]]] = [
    ("/advance", b'{"seconds": 1}', JSON),
    ("/advance", b"seconds=1", {"Content-Type": "application/x-www-form-urlencoded"}),
    ("/advance", b"seconds=1", {"Content-Type": "multipart/form-data; boundary=x"}),
]
FOREIGN: list[dict[str, str]] = [
    {"Origin": "http://127.0.0.1:9090"},
    {"Origin": "http://localhost:8080"},
    {"Origin": "https://127.0.0.1:8080"},
    {"Origin": f"{OWN_ORIGIN}.page.example"},
    {"Origin": OWN_ORIGIN, "Sec-Fetch-Site": "cross-site"},
    {"Origin": OWN_ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://page.example:8080", "Host": "page.example:8080", "Sec-Fetch-Site": "same-origin"},
]
"""The headers that a browser adds for the pages of others: another port, name or scheme, and DNS rebinding."""

OPERATION_OF_KIND: dict[Kind, str] = {
    "latency": "getMedias",
    "status": "*",
    "reset": "createMedia",
    "truncate": "getClips",
    "stall": "upload",
    "expired": "upload",
    "lost": "webhook",
    "late": "webhook",
    "out_of_order": "webhook",
    "duplicate": "webhook",
}


@pytest.fixture
async def driver(contract: Contract) -> AsyncGenerator[Driver]:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    simulator = Simulator(clock=ManualClock(), seed=1, control=True, webhook_client=client)
    driver = Driver(simulator, contract)
    yield driver
    await driver.aclose()
    await simulator.aclose()
    await client.aclose()


async def control(driver: Driver, method: str, path: str, body: object = None) -> httpx.Response:
    """Call the control interface."""
    return await driver.bare.request(method, f"{CONTROL}{path}", json=body)


async def test_time_moves_and_webhooks_are_sent_before_the_response(driver: Driver) -> None:
    """Advancing processes a media and delivers its webhook before the response is sent."""
    await driver.subscribe("http://127.0.0.1/hook")
    media = await driver.media()
    assert (await control(driver, "POST", "/advance", {"seconds": 60})).status_code == 204
    (delivery,) = (await control(driver, "GET", "/deliveries")).json()
    assert (delivery["state"], delivery["payload"]["data"]["id"]) == ("delivered", media["id"])
    assert (await control(driver, "POST", f"/deliveries/{delivery['id']}/redeliver")).status_code == 204
    (again,) = (await control(driver, "GET", "/deliveries")).json()
    assert again["state"] == "delivered"


async def test_medias_finish_and_fail_on_demand(driver: Driver) -> None:
    """Medias finish and fail on demand."""
    ended: list[tuple[bool, bool]] = []
    for end in ("finish", "fail"):
        media = await driver.media()
        assert (await control(driver, "POST", f"/medias/{media['id']}/{end}")).status_code == 204
        attributes = (await driver.data(f"/medias/{media['id']}"))["attributes"]
        ended.append((attributes["is_processing"], attributes["has_fetch_error"]))
    assert ended == [(False, False), (False, True)]


async def test_faults_and_limits_are_set(driver: Driver) -> None:
    """Faults, quota and rate limit are set and removed."""
    assert (await control(driver, "POST", "/faults", {"kind": "status", "count": 2})).status_code == 200
    assert (await driver.api.get("/medias")).status_code == 503
    assert (await control(driver, "DELETE", "/faults")).status_code == 204
    assert (await control(driver, "PUT", "/quota", {"medias": 0})).status_code == 204
    assert (await driver.post("/medias", source_url="https://a.example/a.mp4")).status_code == 402
    assert (await control(driver, "PUT", "/rate_limit", {"requests": 1})).status_code == 204
    assert (await driver.api.get("/medias")).status_code == 429
    assert (await control(driver, "PUT", "/rate_limit", {"requests": None})).status_code == 204
    assert (await driver.api.get("/medias")).status_code == 200


async def test_next_webhook_is_dropped(driver: Driver) -> None:
    """The next webhook is lost."""
    await driver.subscribe("http://127.0.0.1/hook")
    assert (await control(driver, "POST", "/webhooks/drop_next")).status_code == 204
    await driver.media()
    await control(driver, "POST", "/advance", {"seconds": 60})
    assert [item["state"] for item in (await control(driver, "GET", "/deliveries")).json()] == ["lost"]


async def test_faults_that_happened_are_counted(driver: Driver) -> None:
    """Faults that have happened are counted by kind and operation."""
    await control(driver, "POST", "/faults", {"kind": "status", "operation": "getMedias", "count": 2})
    await driver.api.get("/medias")
    await driver.api.get("/medias")
    counted = (await control(driver, "GET", "/faults/happened")).json()
    assert counted == [{"kind": "status", "operation": "getMedias", "count": 2}]


async def test_requests_are_listed_and_removed(driver: Driver) -> None:
    """The request log is readable, contains no credentials, and can be emptied."""
    await driver.api.get("/medias")
    (record,) = (await control(driver, "GET", "/requests")).json()
    assert (record["operation"], record["status"]) == ("getMedias", 200)
    assert record["headers"]["authorization"] == "REDACTED"
    assert (await control(driver, "DELETE", "/requests")).status_code == 204
    assert (await control(driver, "GET", "/requests")).json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/advance", {"seconds": -1}, 400),
        ("POST", "/advance", {"seconds": "one"}, 400),
        ("POST", "/advance", {}, 400),
        ("POST", "/faults", {"kind": "explode"}, 400),
        ("POST", "/faults", {"kind": "lost", "operation": "getMedias"}, 400),
        ("PUT", "/quota", {"films": 1}, 400),
        ("POST", "/medias/unknown/finish", None, 404),
        ("POST", "/deliveries/unknown/redeliver", None, 404),
        ("GET", "/advance", None, 405),
        ("POST", "/unknown", None, 404),
    ],
)
async def test_wrong_control_call_is_rejected(driver: Driver, method: str, path: str, body: Any, status: int) -> None:
    """A wrong control call changes nothing and is an error with a reason."""
    response = await control(driver, method, path, body)
    assert response.status_code == status
    assert response.json()["errors"]


@pytest.mark.parametrize(
    ("path", "content", "headers"),
    [
        ("/advance", b'{"seconds": 1}', {"Content-Type": "text/plain"}),
        ("/advance", b'{"seconds": 1}', {"Content-Type": "application/json", "Origin": "https://page.example"}),
        ("/advance", b'{"seconds": 1}', {}),
        ("/advance", b"seconds=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("/webhooks/drop_next", b"", {"Origin": "null"}),
        *((path, body, headers | others) for path, body, headers in FORMS for others in FOREIGN),
    ],
)
async def test_web_pages_cannot_control(driver: Driver, path: str, content: bytes, headers: dict[str, str]) -> None:
    """Requests of a web page are rejected and change nothing."""
    before = driver.simulator.clock.now()
    response = await driver.bare.post(f"{CONTROL}{path}", content=content, headers=headers)
    assert response.status_code == 400
    assert driver.simulator.clock.now() == before


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://page.example/_mock", {}),
        *((CONTROL, {"Host": host}) for host in ("page.example/x", "page.example:99999", "x@page.example", "[::1")),
        (CONTROL, {"Host": "page.example:8080"}),
        (CONTROL, {"Host": "127.0.0.1.page.example"}),
        (CONTROL, {"Origin": "https://page.example"}),
        *((CONTROL, headers) for headers in FOREIGN),
    ],
)
async def test_web_pages_cannot_read(driver: Driver, url: str, headers: dict[str, str]) -> None:
    """Neither does a page whose own name leads to this machine, which a browser takes for the same origin."""
    for path in ("/requests", "/deliveries", "/faults"):
        response = await driver.bare.get(f"{url}{path}", headers=headers)
        assert response.status_code == 400
        assert "control interface" in response.text


@pytest.mark.parametrize(
    "proof",
    [{"Origin": OWN_ORIGIN}, {"Origin": OWN_ORIGIN, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
async def test_own_page_can_read_and_control(driver: Driver, proof: dict[str, str]) -> None:
    """A page of the simulator itself sends its own origin; a person who types the address sends none."""
    before = driver.simulator.clock.now()
    assert (await driver.bare.get(f"{CONTROL}/requests", headers=proof)).status_code == 200
    response = await driver.bare.post(f"{CONTROL}/advance", content=b'{"seconds": 1}', headers=JSON | proof)
    assert response.status_code == 204
    assert (driver.simulator.clock.now() - before).total_seconds() == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("host", "127.0.0.1:8080"), ("origin", OWN_ORIGIN)], True),
        ([("host", "LOCALHOST:8080"), ("origin", "http://localhost:8080")], True),
        ([("host", "127.0.0.1:8080"), ("sec-fetch-site", "same-origin")], True),
        ([("host", "127.0.0.1:8080")], False),
        ([("host", "127.0.0.1:8080"), ("sec-fetch-site", "none")], False),
        ([("host", "127.0.0.1:8080"), ("origin", OWN_ORIGIN), ("sec-fetch-site", "cross-site")], False),
        ([("host", "127.0.0.1:8080"), ("origin", OWN_ORIGIN), ("origin", "http://page.example")], False),
        ([("host", "127.0.0.1:8080"), ("host", "page.example"), ("origin", OWN_ORIGIN)], False),
        ([("host", "page.example"), ("origin", "http://page.example")], False),
        ([("host", "page.example"), ("sec-fetch-site", "same-origin")], False),
        ([("host", "[::1"), ("origin", "http://[::1")], False),
        ([("origin", OWN_ORIGIN)], False),
    ],
)
def test_what_proves_the_own_page(headers: list[tuple[str, str]], *, expected: bool) -> None:
    """Its origin is the request's own, at a name of this machine; a program proves nothing."""
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b"", "headers": pairs}
    assert is_same_origin(Request(scope | {"server": ("127.0.0.1", 8080)})) is expected


async def test_own_page_can_send_forms(driver: Driver) -> None:
    """Their texts become numbers, flags and null; without the proof of a browser a form is refused."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    own = form | {"Origin": OWN_ORIGIN}
    for path, content in (("/quota", b"medias=0"), ("/rate_limit", b"requests=null&window_seconds=1.5")):
        assert (await driver.bare.put(f"{CONTROL}{path}", content=content, headers=form)).status_code == 400
        response = await driver.bare.put(f"{CONTROL}{path}", content=content, headers=own)
        assert response.status_code == 204, response.text
    limits = driver.simulator.limits
    assert (limits.quota.medias, limits.rate_limit.requests, limits.rate_limit.window_seconds) == (0, None, 1.5)
    response = await driver.bare.post(f"{CONTROL}/reset", content=b"keep_settings=true", headers=own)
    assert (response.status_code, driver.simulator.limits) == (204, limits)
    response = await driver.bare.put(f"{CONTROL}/quota", content=b"medias=many", headers=own)
    assert (response.status_code, "medias" in response.text) == (400, True)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_may_state_its_charset(driver: Driver, content_type: str) -> None:
    """Many programs do."""
    headers = {"Content-Type": content_type}
    response = await driver.bare.post(f"{CONTROL}/advance", content=b'{"seconds": 1}', headers=headers)
    assert response.status_code == 204


async def test_an_unknown_route_lists_those_that_are_there(driver: Driver) -> None:
    """The sentence names each of them, and a wrong method has the right ones in Allow."""
    for path in ("/unknown", "/unknown/", "/medias/a/b"):
        response = await driver.bare.get(f"{CONTROL}{path}")
        assert response.status_code == 404
        detail = response.json()["errors"][0]["detail"]
        assert detail.startswith(f"There is no GET /_mock{path}. Below /_mock there are: ")
        assert all(f"{route.method} {route.path}" in detail for route in list_routes(Simulator))
    response = await driver.bare.post(f"{CONTROL}/faults/happened")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    response = await driver.bare.put(f"{CONTROL}/faults")
    assert (response.status_code, response.headers["Allow"]) == (405, "DELETE, GET, POST")


async def test_an_unknown_id_is_named(driver: Driver) -> None:
    """The 404 says of what there is none."""
    response = await driver.bare.post(f"{CONTROL}/medias/nothing/finish")
    assert response.json()["errors"][0]["detail"] == "The simulator has no media 'nothing'; it has 0 of them"


async def test_the_interface_that_is_off_says_how_to_turn_it_on(contract: Contract) -> None:
    """It says so only below its own path."""
    driver = Driver(Simulator(clock=ManualClock()), contract)
    assert "--control" in (await driver.bare.get(f"{CONTROL}/requests")).text
    assert "--control" not in (await driver.bare.get("http://127.0.0.1:8080/_mocks")).text
    await driver.aclose()


def test_every_public_method_has_a_route() -> None:
    """What can be done in Python can be done over HTTP, but for what only makes sense inside of the process."""
    routed = {route.name for route in list_routes(Simulator)}
    public = {name for name in dir(Simulator) if not name.startswith("_")}
    assert public - routed == {"aclose", "start", "wait_until_idle", "webhook_sender"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "mock.localhost"])
async def test_this_machine_has_several_names(driver: Driver, host: str) -> None:
    """All of them may read."""
    assert (await driver.bare.get(f"{CONTROL}/faults", headers={"Host": host})).status_code == 200


async def test_a_body_is_limited(driver: Driver) -> None:
    """A huge one is not read to its end."""
    pieces = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal pieces
        for pieces in range(1000):  # noqa: B007 - counted
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    response = await driver.bare.post(f"{CONTROL}/advance", content=endless(), headers=headers)
    assert response.status_code == 400
    assert "larger than" in response.text


@pytest.mark.parametrize(("kind", "operation"), OPERATION_OF_KIND.items())
async def test_every_kind_of_fault_can_be_set(driver: Driver, kind: Kind, operation: str) -> None:
    """Each kind of fault can be set over HTTP with all its arguments."""
    body = {"kind": kind, "operation": operation, "count": 3, "seconds": 7, "after_bytes": 5, "after_commit": True}
    assert (await control(driver, "POST", "/faults", body)).status_code == 200
    expected = Fault(kind=kind, operation=operation, count=3, seconds=7, after_bytes=5, after_commit=True)
    (waiting,) = driver.simulator.faults
    assert (waiting.fault, waiting.remaining) == (expected, 3)


async def test_a_receiver_that_hangs(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response of the control interface says it, too."""

    def hang(*_: object) -> None:
        raise TimeoutError("1 webhook could not be delivered.")

    monkeypatch.setattr(driver.simulator, "_catch_up", hang)
    response = await control(driver, "POST", "/advance", {"seconds": 1})
    assert (response.status_code, response.json()["errors"][0]["detail"]) == (503, "1 webhook could not be delivered.")


async def test_the_arguments_of_a_response(driver: Driver) -> None:
    """They can be set over HTTP, too."""
    media = await driver.media()
    body = {
        "kind": "status",
        "operation": "getMediaById",
        "id": media["id"],
        "body": "busy",
        "content_type": "text/plain",
    }
    assert (await control(driver, "POST", "/faults", body)).status_code == 200
    # Without the contract's checks: the body is none of the service's.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(driver.simulator), headers={"X-API-KEY": KEY}) as client:
        assert (await client.get(f"{BASE_URL}/medias/{media['id']}")).text == "busy"


def test_no_kind_of_fault_is_missing() -> None:
    """The table above contains all kinds."""
    assert set(OPERATION_OF_KIND) == set(get_args(Kind))
