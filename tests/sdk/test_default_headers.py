"""Headers that an application adds to all calls."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import APIError, AsyncContentGroove, ConfigurationError, ContentGroove
from contentgroove.types import Secret

from .conftest import BASE, KEY, media_json, one
from .servers import http_response, says, server
from .test_uploads import MP4, Api, Store

if TYPE_CHECKING:
    from .conftest import Maker

TOKEN = "canary-gateway-token"


@pytest.mark.usefixtures("way")
def test_each_call_has_them(make: Maker) -> None:
    """Once each, and the client's own of the same name is not sent; a single call's headers replace them."""
    headers = {"X-Gateway-Token": Secret(TOKEN), "user-agent": "studio/1", "X-Tenant": "seven"}
    with server(says(http_response())) as (base_url, received):
        client = make(base_url=base_url, default_headers=headers)
        client.medias.get("m-1")
        client.with_options(timeout=5).medias.get("m-1")
        client.request("POST", "/medias/m-1", body={}, headers={"x-tenant": "eight"})
    for request, tenant in zip(received, ["X-Tenant: seven", "X-Tenant: seven", "x-tenant: eight"], strict=True):
        text = request.decode()
        assert f"\r\nX-Gateway-Token: {TOKEN}\r\n" in text
        assert f"\r\nAuthorization: Bearer {KEY}\r\n" in text
        assert [line for line in text.split("\r\n") if line.lower().startswith("user-agent")] == [
            "user-agent: studio/1"
        ]
        assert [line for line in text.split("\r\n") if line.lower().startswith("x-tenant")] == [tenant]


def test_the_store_does_not_get_them(make: Maker) -> None:
    """A presigned URL refuses what was not signed."""
    store = Store()
    make(Api(), store=store, default_headers={"X-Gateway-Token": TOKEN, "User-Agent": "studio/1"}).medias.upload(MP4)
    sent = store.requests[0].headers
    assert "x-gateway-token" not in sent
    assert sent.get("user-agent") != "studio/1"


def test_an_own_clients_headers_are_replaced(make: Maker) -> None:
    """What is passed to this client is closer to it than what its HTTP client has."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return one(media_json())

    client = make(handler, default_headers={"X-Tenant": "seven", "User-Agent": "studio/1"})
    make.opened[0].headers.update({"x-tenant": "six", "User-Agent": "another/1"})
    client.medias.get("m-1")
    assert seen[0].headers.get_list("x-tenant") == ["seven"]
    assert seen[0].headers.get_list("user-agent") == ["studio/1"]


@pytest.mark.parametrize("kind", [ContentGroove, AsyncContentGroove])
@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X-A": "canary\r\nX-B: 1"}, "'X-A'.*line breaks"),
        ({"X-A": "canary\0"}, "'X-A'"),
        ({"X-A": "canary "}, "'X-A'"),
        ({"X-A": "canäry"}, "'X-A'"),
        ({"X-A": b"canary"}, "'X-A' must be a string, not bytes"),
        ({"X-A": None}, "'X-A' must be a string, not NoneType"),
        ({"X-A: canary": "x"}, "without a colon"),
        ({"": "canary"}, "a name has characters"),
        ({b"X-A": "canary"}, "a name must be a string, not bytes"),
        ({"X-A": "canary", "x-a": "canary"}, "'x-a' is there twice"),
        ({"authorization": "Bearer canary"}, "'authorization' itself; pass api_key="),
        ({"X-API-KEY": "canary"}, "itself"),
        ({"Host": "canary.test"}, "itself"),
        ({"Content-Length": "9"}, "itself"),
        ({"Transfer-Encoding": "chunked"}, "itself"),
        ("X-A: canary", "must be a mapping"),
        ([("X-A", "canary")], "must be a mapping"),
    ],
)
def test_headers_that_cannot_be_sent(kind: Any, headers: Any, words: str) -> None:
    """They are refused when the client is created, without a value in the message."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        kind(KEY, BASE, default_headers=headers)
    assert "canary" not in str(caught.value)


def test_their_values_are_not_shown(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the client, nor by the log, nor by an error with a response that echoes them."""
    caplog.set_level(logging.DEBUG)

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"errors": [{"detail": f"bad {request.headers['X-Gateway-Token']}"}]})

    client: Any = make(handler, default_headers={"X-Gateway-Token": TOKEN})
    with pytest.raises(APIError) as caught:
        client.medias.get("m-1")
    target = make.opened[-1]
    shown = f"{target!r} {vars(target)!r} {target._session.settings!r} {target._session.settings.default_headers!r}"
    assert TOKEN not in f"{shown} {caught.value} {caught.value.body} {caplog.text}"


def test_the_contract_monitor_sees_them(make: Maker) -> None:
    """A header that the API's document does not name is not a violation, and a credential is not passed on."""
    violations: list[Any] = []
    client = make(
        lambda _request: one(media_json()),
        default_headers={"X-Gateway-Token": TOKEN},
        on_contract_violation=violations.extend,
    )
    client.medias.get("m-1")
    assert TOKEN not in repr(violations)
