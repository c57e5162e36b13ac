"""Prism serves every operation of the contract with its examples, and checks a service against the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove.webhooks import MediaProcessingFinished, parse_event
from contentgroove_mock import Prism
from contentgroove_mock.contract.asgi import violations_in

from tests.prism.conftest import KEY, SECONDS, Proxied, client_of
from tests.prism.documented import ATTRIBUTES, CALLS, CONTRACT, ID, RESPONSES, Documented
from tests.prism.upstream import Canned, Upstream

if TYPE_CHECKING:
    import httpx

    from tests.prism.documented import Json

pytestmark = pytest.mark.process


@pytest.mark.parametrize("documented", RESPONSES, ids=str)
def test_every_documented_response(http: httpx.Client, documented: Documented) -> None:
    """Each operation returns each status that the contract documents for it, with the contract's example."""
    body = {"data": {"attributes": ATTRIBUTES[documented.operation]}} if documented.request_schema else None
    response = http.request(
        documented.method,
        documented.path.replace("{id}", ID),
        json=body,
        headers={"Prefer": f"code={documented.status}"},
    )
    assert response.status_code == documented.status
    if documented.schema is None:
        assert response.content == b""
    else:
        assert response.json() == documented.example


def test_the_responses_cover_the_service() -> None:
    """All operations are called here; each has a success and a 401, a 429 and a 500."""
    statuses: dict[str, set[int]] = {}
    for documented in RESPONSES:
        statuses.setdefault(documented.operation, set()).add(documented.status)
    assert set(statuses) == set(CALLS)
    assert all({401, 429, 500} < found for found in statuses.values())


@pytest.mark.parametrize("attributes", [{}, {"upload_id": "a", "source_url": "https://example.com/a.mp4"}])
def test_requests_that_violate_the_contract_are_rejected(http: httpx.Client, attributes: Json) -> None:
    """A media from neither or from both sources gets a 422, which shows that Prism applies the schemas."""
    assert http.post("/medias", json={"data": {"attributes": attributes}}).status_code == 422


def test_a_request_without_a_key_is_rejected(http: httpx.Client) -> None:
    """Without a key the status is 401."""
    del http.headers["Authorization"]
    assert http.get("/medias").status_code == 401


def test_a_webhook_is_delivered(http: httpx.Client) -> None:
    """The contract's callback is one that tools can follow: Prism sends the event, and the SDK reads it."""
    with Upstream(Canned(200, {}, b"")) as receiver:
        body = {"data": {"attributes": {"url": f"{receiver.origin}/hook"}}}
        assert http.post("/webhook_subscriptions", json=body).status_code == 200
        received = receiver.received.get(timeout=SECONDS)
    assert (received.method, received.target) == ("POST", "/hook")
    event = parse_event(received.content)
    assert isinstance(event, MediaProcessingFinished)
    assert event.media.id == ID


def test_a_response_that_violates_the_contract_is_reported(proxied: Proxied) -> None:
    """A list without its data becomes a 500 that names the violation."""
    response = proxied.exchange(
        Canned(200, {"Content-Type": "application/json"}, b'{"links": {}}'), "GET", f"/medias?api_key={KEY}"
    )
    assert response.status_code == 500
    assert "data" in response.headers["sl-violations"]


def test_the_log_shows_no_key(proxied: Proxied) -> None:
    """The log is complete once Prism has ended; while it runs, lines may come after their response."""
    with Prism.proxy(CONTRACT, proxied.upstream.base_url) as prism, client_of(prism) as http:
        http.get(f"/medias?api_key={KEY}")
    assert "api_key=[redacted]" in prism.log
    assert KEY not in prism.log


def test_violations_are_read_from_its_responses(proxied: Proxied) -> None:
    """Locations as the contract checker names them; a warning, or a broken service, is not a violation."""

    def violations(canned: Canned, method: str, path: str, body: Json | None = None) -> list[tuple[str, str]]:
        response = proxied.exchange(canned, method, path, body)
        return list(violations_in(dict(response.headers.raw), response.content))

    right, wrong = [
        Canned(200, {"Content-Type": "application/json"}, content) for content in (b"{}", b'{"links": {}, "data": [3]}')
    ]
    found = violations(wrong, "GET", "/medias")
    assert ("response.body#/data/0", "Response body property data.0 must be object") in found
    assert {location for location, _ in found} == {"response.body#/data/0", "response.body#/links"}
    assert violations(Canned(200, {"Content-Type": "text/html"}, b"{}"), "GET", "/medias")[0][0] == "response"
    assert [location for location, _ in violations(right, "GET", "/medias?page[number]=x")] == [
        "request.query.page[number]"
    ]
    assert violations(right, "POST", "/medias", {}) == [
        ("request.body#", "Request body must have required property 'data'")
    ]
    assert [location for location, _ in violations(right, "PATCH", "/medias/m-1")] == ["request"]
    assert violations(Canned(418, {"Content-Type": "application/json"}, b"{}"), "GET", "/medias") == []
    assert violations(Canned(200, {"Content-Type": "application/json"}, b"{"), "GET", "/medias") == []


@pytest.mark.parametrize(
    "upstream",
    ["", "api.example.com", "ftp://127.0.0.1/", "http://api.example.com/api/v1", "https://user:word@api.example.com/"],
)
def test_upstreams_that_would_leak_or_cannot_work(upstream: str) -> None:
    """Only https, or http to this machine, and no password in the message."""
    with pytest.raises(ValueError, match=r"base URL|https") as caught:
        Prism.proxy(CONTRACT, upstream)
    assert "word" not in str(caught.value)
