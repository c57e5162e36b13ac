"""The file store: uploads that it accepts, and those that it rejects as S3 does."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from contentgroove_mock import ManualClock, Policy, Simulator

from tests.simulator.driver import KEY, ORIGIN, Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

pytestmark = pytest.mark.anyio

CONTENT = b"some bytes"


def code(response: httpx.Response) -> str:
    """Read the error code out of S3's XML."""
    assert response.headers["content-type"].startswith("application/xml")
    return response.text.partition("<Code>")[2].partition("</Code>")[0]


async def test_prepared_upload_is_as_documented(driver: Driver) -> None:
    """The URL is on the simulator's own origin, expires in 7 days and is signed; each call returns another."""
    response = await driver.api.get("/direct_uploads")
    data = response.json()["data"]
    assert data["type"] == "direct_upload_blobs"
    url = urlsplit(str(data["attributes"]["upload_url"]))
    assert f"{url.scheme}://{url.netloc}" == ORIGIN
    query = parse_qs(url.query, strict_parsing=True)
    assert set(query) == {f"X-Amz-{name}" for name in ("Algorithm", "Date", "Expires", "SignedHeaders", "Signature")}
    assert query["X-Amz-Expires"] == ["604800"]
    assert (await driver.prepare())[1] != data["attributes"]["upload_url"]


@pytest.mark.parametrize(
    ("headers", "more", "status", "expected"),
    [
        ({"Authorization": f"Bearer {KEY}"}, "", 400, "InvalidArgument"),
        ({"X-API-KEY": KEY}, "", 400, "InvalidArgument"),
        ({}, f"&api_key={KEY}", 400, "InvalidArgument"),
        ({"x-amz-acl": "public-read"}, "", 403, "AccessDenied"),
        ({}, "&more=1", 403, "SignatureDoesNotMatch"),
        ({"Host": "elsewhere.example"}, "", 403, "SignatureDoesNotMatch"),
        ({"Content-Length": "5368709121"}, "", 400, "EntityTooLarge"),
        ({"Content-Length": ""}, "", 411, "MissingContentLength"),
        ({"Content-Length": "ten"}, "", 400, "BadRequest"),
        ({"Content-Length": "11"}, "", 400, "IncompleteBody"),
        ({"Content-Length": "9"}, "", 400, "IncompleteBody"),
    ],
)
async def test_store_rejects_what_s3_rejects(
    driver: Driver, headers: dict[str, str], more: str, status: int, expected: str
) -> None:
    """Each error has S3's status and code, contains no secret, and the upload can still be used."""
    upload_id, url = await driver.prepare()
    response = await driver.bare.put(url + more, content=CONTENT, headers=headers)
    assert (response.status_code, code(response)) == (status, expected)
    assert response.headers["connection"] == "close"
    assert KEY not in response.text
    assert (await driver.post("/medias", upload_id=upload_id)).status_code == 422
    assert (await driver.bare.put(url, content=CONTENT)).status_code == 200


async def test_chunked_body_is_not_implemented(driver: Driver) -> None:
    """A body without a length is rejected as S3 does."""

    async def chunks() -> AsyncIterator[bytes]:
        yield CONTENT

    _, url = await driver.prepare()
    response = await driver.bare.put(url, content=chunks())
    assert (response.status_code, code(response)) == (501, "NotImplemented")


@pytest.mark.parametrize("part", ["/_uploads/", "X-Amz-Expires=60", "X-Amz-Date=2026", "X-Amz-Signature="])
async def test_tampered_url_does_not_match(driver: Driver, part: str) -> None:
    """After any change in the URL, its signature no longer matches."""
    _, url = await driver.prepare()
    position = url.index(part) + len(part)
    forged = url[:position] + ("0" if url[position] != "0" else "1") + url[position + 1 :]
    response = await driver.bare.put(forged, content=CONTENT)
    assert (response.status_code, code(response)) == (403, "SignatureDoesNotMatch")


async def test_unsigned_url_is_denied(driver: Driver) -> None:
    """Without a signature the store denies access."""
    _, url = await driver.prepare()
    response = await driver.bare.put(url.partition("?")[0], content=CONTENT)
    assert (response.status_code, code(response)) == (403, "AccessDenied")


async def test_url_expires_on_the_clock(contract: Contract) -> None:
    """The URL is valid until it expires and no longer."""
    driver = Driver(Simulator(clock=ManualClock(), policy=Policy(upload_seconds=60)), contract)
    _, late = await driver.prepare()
    _, early = await driver.prepare()
    driver.simulator.advance(59.9)
    assert (await driver.bare.put(early, content=CONTENT)).status_code == 200
    driver.simulator.advance(0.1)
    response = await driver.bare.put(late, content=CONTENT)
    assert (response.status_code, code(response)) == (403, "AccessDenied")
    assert "expired" in response.text
    await driver.aclose()
