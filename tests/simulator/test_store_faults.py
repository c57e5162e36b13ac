"""Error responses of the file store on request: those of S3, Google and Azure, by their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest
from contentgroove_mock import Fault, ManualClock, Simulator, sample_video
from contentgroove_mock.simulator.core.store_errors import StoreKind, known_codes

from tests.simulator.driver import Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.simulator.driver import Contract

pytestmark = pytest.mark.anyio

FILM = sample_video().read_bytes()


@pytest.fixture
async def driver(contract: Contract) -> AsyncGenerator[Driver]:
    driver = Driver(Simulator(clock=ManualClock(), seed=1, control=True), contract)
    yield driver
    await driver.aclose()


async def put(driver: Driver, **fault: Any) -> httpx.Response:
    """Add a fault over the control interface, then PUT a file."""
    body = {"kind": "status", "operation": "upload", **fault}
    added = await driver.bare.request("POST", "http://127.0.0.1/_mock/faults", json=body)
    assert added.status_code == 200, added.text
    _, url = await driver.prepare()
    return await driver.bare.put(url, content=FILM)


@pytest.mark.parametrize(
    ("store", "code", "status"),
    [
        ("s3", "RequestTimeout", 400),
        ("s3", "IncompleteBody", 400),
        ("s3", "InternalError", 500),
        ("s3", "SlowDown", 503),
        ("s3", "ServiceUnavailable", 503),
        ("s3", "OperationAborted", 409),
        ("s3", "PreconditionFailed", 412),
        ("s3", "RequestTimeTooSkewed", 403),
        ("s3", "BadDigest", 400),
        ("google", "ExpiredToken", 400),
        ("google", "RequestTimeout", 408),
        ("azure", "ServerBusy", 503),
        ("azure", "OperationTimedOut", 500),
        ("azure", "MissingRequiredHeader", 400),
    ],
)
async def test_store_responds_with_a_code(driver: Driver, store: str, code: str, status: int) -> None:
    """Each code has its own status and the store's XML, and nothing is stored."""
    response = await put(driver, code=code, store=store)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/xml"
    assert f"<Code>{code}</Code><Message>" in response.text
    assert response.headers.get("x-ms-error-code") == (code if store == "azure" else None)
    _, url = await driver.prepare()
    assert (await driver.bare.put(url, content=FILM)).status_code == 200


@pytest.mark.parametrize(("store", "code"), [("google", "SlowDown"), ("azure", "ServerBusy"), ("s3", "SlowDown")])
async def test_only_s3_has_the_ids_of_s3(driver: Driver, store: str, code: str) -> None:
    """The errors of other stores have no header and no element of Amazon's."""
    response = await put(driver, code=code, store=store)
    assert ("x-amz-request-id" in response.headers) == ("<RequestId>" in response.text) == (store == "s3")


async def test_google_responds_with_json(driver: Driver) -> None:
    """Its JSON API has a list of errors with reasons, and the delay is in the header."""
    response = await put(driver, code="rateLimitExceeded", store="google", retry_after="2.5")
    assert (response.status_code, response.headers["retry-after"]) == (429, "2.5")
    assert response.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"


async def test_azure_says_that_a_signature_expired(driver: Driver) -> None:
    """In an element of its own."""
    response = await put(driver, code="AuthenticationFailed", store="azure")
    assert "<AuthenticationErrorDetail>Signature not valid in the specified time frame" in response.text


async def test_every_known_code_can_be_requested(driver: Driver) -> None:
    """All codes of all stores are valid faults, each with an error status or a redirect."""
    for store in get_args(StoreKind):
        for code in known_codes(store):
            response = await put(driver, code=code, store=store)
            assert code in response.text
            assert 300 <= response.status_code < 600


async def test_redirect_leads_to_the_same_upload(driver: Driver) -> None:
    """S3's 307 has a `Location` on another host, which is signed for that host and takes the file."""
    response = await put(driver, code="TemporaryRedirect")
    location = httpx.URL(response.headers["location"])
    assert response.status_code == 307
    assert location.host == "localhost"
    assert f"<Endpoint>{location.netloc.decode()}</Endpoint>" in response.text
    assert (await driver.bare.put(location, content=FILM)).status_code == 200
    elsewhere = await put(driver, code="TemporaryRedirect", location="https://b.example/1")
    assert elsewhere.headers["location"] == "https://b.example/1"


async def test_moved_bucket_has_no_location(driver: Driver) -> None:
    """S3's 301 names the endpoint in its body only."""
    response = await put(driver, code="PermanentRedirect", location="https://b.example/1")
    assert (response.status_code, response.headers.get("location")) == (301, None)
    assert "<Endpoint>b.example</Endpoint>" in response.text


async def test_delay_is_sent_without_a_code(driver: Driver) -> None:
    """A fault by status has the header, too."""
    response = await put(driver, status=503, retry_after="9")
    assert (response.status_code, response.headers["retry-after"]) == (503, "9")


async def test_code_after_commit(driver: Driver) -> None:
    """The file is stored although the store reports an error: a media can be created of it."""
    driver.simulator.add_fault(Fault(kind="status", operation="upload", code="InternalError", after_commit=True))
    upload_id, url = await driver.prepare()
    assert (await driver.bare.put(url, content=FILM)).status_code == 500
    assert (await driver.post("/medias", upload_id=upload_id)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"code": "Unknown"}, "code must be one of AccessDenied"),
        ({"code": "ServerBusy"}, "for the store s3"),
        ({"code": "SlowDown", "store": "minio"}, "store must be one of s3, google, azure"),
        ({"code": "SlowDown", "operation": "getMedias"}, "code needs the kind status and the operation upload"),
        ({"code": "SlowDown", "kind": "expired"}, "code needs the kind status and the operation upload"),
        ({"code": "TemporaryRedirect", "status": 503}, "has its own status"),
        ({"code": "SlowDown", "location": "https://b.example/"}, "of a code that redirects"),
        ({"location": "https://b.example/"}, "location needs a code"),
        ({"code": "TemporaryRedirect", "location": "ftp://b.example/"}, "http or https URL"),
        ({"code": "TemporaryRedirect", "location": "https://b.example/\r\nX: y"}, "http or https URL"),
        ({"retry_after": "1\r\nX: y"}, "retry_after must be the text of a header"),
        ({"status": 307}, "status must be from 400 to 599"),
    ],
)
async def test_impossible_store_fault_is_rejected(driver: Driver, wrong: dict[str, Any], reason: str) -> None:
    """A fault that no store could show is an error when it is made, in Python and over HTTP."""
    fault: dict[str, Any] = {"kind": "status", "operation": "upload", **wrong}
    with pytest.raises(ValueError, match=reason):
        Fault(**fault)
    response = await driver.bare.request("POST", "http://127.0.0.1/_mock/faults", json=fault)
    assert response.status_code == 400


async def test_other_statuses_with_a_code(driver: Driver) -> None:
    """A store may send a code with another status than its usual one."""
    assert (await put(driver, code="SlowDown", status=429)).status_code == 429
