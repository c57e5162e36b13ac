"""`on_contract_violation`: the service checked against the contract at run time, sync and async alike."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove, ContentGrooveError, Media
from contentgroove.errors import ContractViolationError

from tests.contract.exchanges import example
from tests.shown import shown_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from contentgroove.errors import ContractViolation

    Get = Callable[..., Awaitable[Media]]

pytestmark = pytest.mark.anyio


def drifted(request: httpx.Request) -> httpx.Response:
    """Respond with a media that has a new field, whose value is a link with a credential."""
    del request
    body = example("/medias/{id}")
    body["data"]["attributes"]["mood"] = "https://store.example/f?X-Amz-Signature=canary"
    return httpx.Response(200, json=body)


@pytest.fixture(params=["sync", "async"])
def get(request: pytest.FixtureRequest) -> Get:
    """Get one media with a sync or an async client with some options."""

    async def getting(
        respond: Callable[[httpx.Request], httpx.Response] = drifted, times: int = 1, **options: Any
    ) -> Media:
        transport = httpx.MockTransport(respond)
        if request.param == "sync":
            with (
                httpx.Client(transport=transport) as http,
                ContentGroove("canary-key", http_client=http, **options) as one,
            ):
                return [one.medias.get("some-id") for _ in range(times)][-1]
        async with (
            httpx.AsyncClient(transport=transport) as async_http,
            AsyncContentGroove("canary-key", http_client=async_http, **options) as other,
        ):
            return [await other.medias.get("some-id") for _ in range(times)][-1]

    return getting


def led_away(request: httpx.Request) -> httpx.Response:
    """Respond with a link to another host than the one that was called."""
    del request
    body = example("/medias/{id}")
    body["links"]["self"] = "https://simulator.example/api/v1/medias/some-id"
    return httpx.Response(200, json=body)


async def test_links_lead_to_the_host_that_was_called(get: Get) -> None:
    """Whichever base URL the client has: links to it are right, and so are those to the document's servers."""
    with pytest.raises(ContractViolationError) as caught:
        await get(led_away, on_contract_violation="raise")
    assert [violation.rule for violation in caught.value.violations] == ["link-origin"]
    await get(led_away, on_contract_violation="raise", base_url="https://simulator.example/api/v1")


async def test_nothing_is_checked_by_default(get: Get, caplog: pytest.LogCaptureFixture) -> None:
    """By default a new field breaks nothing and is not logged."""
    caplog.set_level(logging.WARNING)
    assert (await get()).extra["mood"]
    assert caplog.records == []


async def test_it_is_logged(get: Get, caplog: pytest.LogCaptureFixture) -> None:
    """A warning names operation, location and rule, but no credential; the call succeeds."""
    assert (await get(on_contract_violation="log")).name
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("contentgroove", "WARNING")
    message = record.getMessage()
    assert message.startswith(
        "contract violation: getMediaById: response.body#/data/attributes/mood: undeclared-field: "
    )
    assert "canary" not in message


async def test_a_function_is_called(get: Get) -> None:
    """It receives all violations of an exchange at once."""
    reported: list[Sequence[ContractViolation]] = []
    await get(on_contract_violation=reported.append)
    ((violation,),) = reported
    assert (violation.operation, violation.rule) == ("getMediaById", "undeclared-field")
    assert violation.location == "response.body#/data/attributes/mood"
    assert "canary" not in violation.actual


async def test_valid_exchanges_are_not_reported(get: Get) -> None:
    """No violation, no call; however the key is sent, and whatever the API's base URL is."""
    reported: list[Sequence[ContractViolation]] = []

    def right(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, json=example("/medias/{id}"))

    for auth in ("bearer", "header", "query"):
        await get(right, on_contract_violation=reported.append, auth=auth, base_url="https://other.example/elsewhere")
    assert reported == []


async def test_it_is_raised(get: Get) -> None:
    """For tests: an error of this library that lists the violations."""
    with pytest.raises(
        ContractViolationError, match=r"violates the contract \(1 violation\):\n  getMediaById: .*mood"
    ) as caught:
        await get(on_contract_violation="raise")
    assert isinstance(caught.value, ContentGrooveError)
    assert [violation.rule for violation in caught.value.violations] == ["undeclared-field"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_contract_violation": "shout"}, "off, log, raise or a function, not 'shout'"),
        ({"on_contract_violation": None}, "off, log, raise or a function, not None"),
    ],
)
async def test_wrong_options_are_refused(get: Get, options: dict[str, Any], message: str) -> None:
    """At construction, before anything is sent."""
    with pytest.raises(ConfigurationError, match=message):
        await get(**options)


@pytest.mark.process
def test_a_missing_checker_is_explained_and_an_unused_one_not_loaded() -> None:
    """Without jsonschema-rs the option states what to install; a client without the option does not need it."""
    code = """
import sys
sys.modules["jsonschema_rs"] = None
from contentgroove import ConfigurationError, ContentGroove
ContentGroove("any-key").close()
assert not [name for name in sys.modules if name.startswith("contentgroove_mock")]
try:
    ContentGroove("any-key", on_contract_violation="log")
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-W", "error", "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stdout.strip() == "on_contract_violation needs jsonschema_rs: pip install 'contentgroove[contract]'", (
        done.stderr
    )


@pytest.mark.parametrize("auth", ["bearer", "header", "query"])
async def test_an_echoed_key_is_not_reported(get: Get, auth: str) -> None:
    """A violation shows the actual value, without the key that the service echoes in it."""

    def echo(request: httpx.Request) -> httpx.Response:
        body = example("/medias/{id}")
        body["data"]["attributes"]["mood"] = f"{request.url.query!r} {list(request.headers.items())}"[-100:]
        body["data"]["attributes"]["canary"] = "canary-key"
        return httpx.Response(200, json=body)

    reported: list[ContractViolation] = []
    await get(echo, on_contract_violation=reported.extend, auth=auth)
    assert "canary-key" not in repr(reported)
    assert {violation.rule for violation in reported} == {"undeclared-field"}
    with pytest.raises(ContractViolationError) as caught:
        await get(echo, on_contract_violation="raise", auth=auth)
    assert "canary-key" not in shown_by(caught.value)


async def test_a_signature_in_an_unknown_parameter_is_not_reported(get: Get, caplog: pytest.LogCaptureFixture) -> None:
    """Its name says nothing about its value."""
    del get
    http = httpx.Client(transport=httpx.MockTransport(drifted))
    with http, ContentGroove("canary-key", http_client=http, on_contract_violation="log") as client:
        client.request("GET", "/medias/some-id", query={"zz": "canary-signature"})
    assert "unknown-parameter" in caplog.text
    assert "canary" not in caplog.text
