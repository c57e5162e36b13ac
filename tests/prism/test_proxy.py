"""Prism checks a service against the contract."""

from __future__ import annotations

import pytest
from contentgroove_mock import Prism
from contentgroove_mock.contract.asgi import violations_in

from tests.prism.conftest import KEY, Proxied, client_of
from tests.prism.documented import CONTRACT, Json
from tests.prism.upstream import Canned

pytestmark = pytest.mark.process


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
