"""The generated client decodes every response that the contract documents, served by Prism, sync and async."""

from __future__ import annotations

import datetime as dt
import importlib
import re
from typing import TYPE_CHECKING, Any

import contentgroove_api.models
import httpx
import msgspec
import pytest
from contentgroove_api import Client

from tests.prism.conftest import KEY, NO_CERTIFICATES, SECONDS
from tests.prism.documented import ATTRIBUTES, DOCUMENT, ID, RESPONSES, Documented, Json

if TYPE_CHECKING:
    from contentgroove_api.types import Response
    from contentgroove_mock.prism import Prism

pytestmark = [pytest.mark.anyio, pytest.mark.process]


def endpoint(documented: Documented) -> Any:  # a generated module
    """Return the module of an operation."""
    name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), documented.operation)
    return importlib.import_module(f"contentgroove_api.api.{documented.group}.{name}")


def arguments(documented: Documented) -> tuple[list[str], Json]:
    """Return the arguments of the operation's functions, except the client."""
    named: Json = {}
    if documented.request_schema is not None:
        model = getattr(contentgroove_api.models, documented.request_schema["title"])
        named["body"] = msgspec.convert({"data": {"attributes": ATTRIBUTES[documented.operation]}}, type=model)
    return ([ID] if "{id}" in documented.path else []), named


def client_for(
    prism: Prism,
    documented: Documented,
    sync: httpx.Client | None = None,
    asynchronous: httpx.AsyncClient | None = None,
) -> Client:
    """Return a client that requests this response."""
    return Client(
        prism.base_url,
        token=KEY,
        headers={"Prefer": f"code={documented.status}"},
        timeout=SECONDS,
        http_client=sync,
        async_http_client=asynchronous,
    )


def plain(value: Any) -> Any:
    """Return a struct as the JSON value that it was decoded from, except for times."""
    return msgspec.to_builtins(value, builtin_types=(dt.datetime,))


def timed(value: Any) -> Any:
    """Parse the times in a JSON value."""
    if isinstance(value, dict):
        return {name: timed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [timed(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
        return dt.datetime.fromisoformat(value)
    return value


def check(response: Response[Any], documented: Documented) -> None:
    """The response is the documented one, and was decoded into the contract's model without loss."""
    assert response.status_code == documented.status
    if documented.schema is None:
        assert (response.content, response.parsed) == (b"", None)
        return
    schema = DOCUMENT["components"]["schemas"][documented.schema["$ref"].rpartition("/")[2]]
    assert type(response.parsed).__name__ == schema["title"]
    assert plain(response.parsed) == timed(documented.example)


@pytest.mark.parametrize("documented", RESPONSES, ids=str)
async def test_every_documented_response(prism: Prism, http: httpx.Client, documented: Documented) -> None:
    """Each operation's sync and async function decodes each documented response."""
    positional, named = arguments(documented)
    client = client_for(prism, documented, sync=http)
    check(endpoint(documented).sync_detailed(*positional, client=client, **named), documented)
    async with httpx.AsyncClient(verify=NO_CERTIFICATES, trust_env=False) as asynchronous:
        client = client_for(prism, documented, asynchronous=asynchronous)
        check(await endpoint(documented).asyncio_detailed(*positional, client=client, **named), documented)
