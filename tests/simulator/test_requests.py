"""Authentication, and requests that cannot be understood."""

from __future__ import annotations

import httpx
import pytest
from contentgroove_mock import ManualClock, Simulator

from tests.simulator.driver import BASE_URL, KEY, ORIGIN, Contract, Driver

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": f"Bearer {KEY}"}, ""),
        ({"authorization": f"bearer {KEY}"}, ""),
        ({"Authorization": KEY}, ""),
        ({"X-API-KEY": KEY}, ""),
        ({}, f"?api_key={KEY}"),
    ],
)
async def test_each_way_to_authenticate_leads_to_the_same_account(
    driver: Driver, headers: dict[str, str], query: str
) -> None:
    """The three documented ways to send the key, and that of a client in use, lead to one account."""
    made = await driver.media()
    response = await driver.bare.get(f"{BASE_URL}/medias{query}", headers=headers)
    assert [item["id"] for item in response.json()["data"]] == [made["id"]]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer "}, {"Authorization": f"Basic {KEY}"}, {"X-API-KEY": " "}],
)
async def test_no_key_is_unauthorized(driver: Driver, headers: dict[str, str]) -> None:
    """Without a key, or with a key sent in an undocumented way, the response is a 401 in its own form."""
    response = await driver.bare.get(f"{BASE_URL}/medias", headers=headers)
    assert response.status_code == 401
    assert response.json() == {"errors": [{"message": "You need to sign in or sign up before continuing."}]}


async def test_only_listed_keys_are_accepted(contract: Contract) -> None:
    """A simulator with a list of keys rejects others."""
    simulator = Simulator(clock=ManualClock(), api_keys=["right"])
    for key, status in (("right", 200), ("wrong", 401)):
        driver = Driver(simulator, contract, key)
        assert (await driver.api.get("/clips")).status_code == status
        await driver.aclose()


async def test_accounts_see_only_their_own(driver: Driver, simulator: Simulator, contract: Contract) -> None:
    """A key does not find what another key created."""
    media = await driver.finished()
    clip = (await driver.data("/clips"))[0]
    subscription = await driver.subscribe()
    upload_id = await driver.upload()
    other = Driver(simulator, contract, "another key")
    for path in ("medias", "clips", "webhook_subscriptions"):
        assert await other.data(f"/{path}") == []
    for path in (
        f"/medias/{media['id']}",
        f"/clips/{clip['id']}",
        f"/webhook_subscriptions/{subscription['id']}",
    ):
        assert (await other.api.get(path)).status_code == 404
        assert (await other.api.delete(path)).status_code == 404
        assert (await driver.api.get(path)).status_code == 200
    assert (await other.post("/medias", upload_id=upload_id)).status_code == 422
    await other.aclose()


@pytest.mark.parametrize("content", [b"", b"{", b'{"data": NaN}', b'{"a": "\xff"}', b"[" * 100_000])
async def test_body_that_is_not_json_is_a_bad_request(driver: Driver, content: bytes) -> None:
    """A body that cannot be parsed is a 400, as documented."""
    response = await driver.api.post("/medias", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


@pytest.mark.parametrize("content_type", [None, "text/plain"])
async def test_body_needs_its_content_type(driver: Driver, content_type: str | None) -> None:
    """Without a JSON Content-Type the response is a 400, as documented."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    content = b'{"data": {"attributes": {"source_url": "https://films.example/a.mp4"}}}'
    response = await driver.api.post("/medias", content=content, headers=headers)
    assert response.status_code == 400
    assert "Content-Type" in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize("body", [None, [], "text", {}, {"data": []}, {"data": {"attributes": 1}}])
async def test_body_of_another_form_is_a_bad_request(driver: Driver, body: object) -> None:
    """JSON without data.attributes is a 400."""
    assert (await driver.api.post("/clips", json=body)).status_code == 400


async def test_body_is_bounded(driver: Driver) -> None:
    """A body above 1 MiB is rejected."""
    response = await driver.post("/medias", name="x" * 1024 * 1024, source_url="https://films.example/a.mp4")
    assert response.status_code == 400
    assert await driver.data("/medias") == []


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/medias/", "/api/v1/users", "/api/v1/medias/a/b", "/", "/_mock/advance"]
)
async def test_unknown_path_is_not_found_as_json(contract: Contract, path: str) -> None:
    """An unknown path is a 404 in the documented form, and the control interface is off by default."""
    driver = Driver(Simulator(clock=ManualClock()), contract)
    response = await driver.bare.post(ORIGIN + path)
    assert response.status_code == 404
    contract.check_component("not_found_error_response_object", response.json())
    await driver.aclose()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/medias/1", "DELETE, GET, PUT"),
        ("DELETE", "/medias", "GET, POST"),
        ("PUT", "/webhook_subscriptions/1", "DELETE, GET"),
        ("HEAD", "/direct_uploads", "GET"),
    ],
)
async def test_wrong_method_is_rejected(driver: Driver, method: str, path: str, allowed: str) -> None:
    """A wrong method is a 405 that lists the allowed ones."""
    response = await driver.api.request(method, path)
    assert response.status_code == 405
    assert ", ".join(sorted(response.headers["Allow"].split(", "))) == allowed


async def test_requests_are_logged_without_credentials(driver: Driver, simulator: Simulator) -> None:
    """The log contains requests and statuses, but no key and no signature."""
    await driver.upload()
    await driver.bare.get(f"{BASE_URL}/medias?api_key={KEY}&sort=name", headers={"X-API-KEY": KEY, "Cookie": KEY})
    prepare, upload, listing = simulator.requests
    assert (prepare.operation, upload.operation, listing.operation) == ("getUploadUrl", "upload", "getMedias")
    assert (upload.method, upload.status, listing.status) == ("PUT", 200, 200)
    assert listing.query == [("api_key", "REDACTED"), ("sort", "name")]
    assert prepare.headers["authorization"] == "REDACTED"
    assert "authorization" not in upload.headers
    log = repr(simulator.requests)
    assert KEY not in log
    assert {value for name, value in upload.query if name.startswith("X-Amz-")} == {"REDACTED"}
    simulator.clear_requests()
    assert simulator.requests == []


async def test_an_internal_error_is_a_json_response(
    driver: Driver, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An internal error is a 500 in JSON, and is also raised for the server."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("contentgroove_mock.simulator.core.service.accounts.count_request", broken)
    transport = httpx.ASGITransport(app=simulator, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, headers={"X-API-KEY": KEY}) as client:
        response = await client.get(f"{BASE_URL}/medias")
    assert response.status_code == 500
    driver.contract.check_response(response)
