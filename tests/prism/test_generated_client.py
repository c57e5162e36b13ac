"""The generated client reads every answer that the contract documents, served by Prism, sync and async."""

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
from tests.prism.documented import ANSWERS, ATTRIBUTES, DOCUMENT, ID, Answer, Json

if TYPE_CHECKING:
    from contentgroove_api.types import Response
    from contentgroove_mock.prism import Prism

pytestmark = [pytest.mark.anyio, pytest.mark.process]


def endpoint(answer: Answer) -> Any:  # a generated module
    """Give the module of an operation."""
    name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), answer.operation)
    return importlib.import_module(f"contentgroove_api.api.{answer.group}.{name}")


def arguments(answer: Answer) -> tuple[list[str], Json]:
    """Give what the operation's functions take, beside the client."""
    named: Json = {}
    if answer.request_schema is not None:
        model = getattr(contentgroove_api.models, answer.request_schema["title"])
        named["body"] = msgspec.convert({"data": {"attributes": ATTRIBUTES[answer.operation]}}, type=model)
    return ([ID] if "{id}" in answer.path else []), named


def client_for(
    prism: Prism, answer: Answer, sync: httpx.Client | None = None, asynchronous: httpx.AsyncClient | None = None
) -> Client:
    """Give a client that asks for this answer."""
    return Client(
        prism.base_url,
        token=KEY,
        headers={"Prefer": f"code={answer.status}"},
        timeout=SECONDS,
        http_client=sync,
        async_http_client=asynchronous,
    )


def plain(value: Any) -> Any:
    """Write a struct as the JSON value it came from, times as they are."""
    return msgspec.to_builtins(value, builtin_types=(dt.datetime,))


def timed(value: Any) -> Any:
    """Read the times in a JSON value."""
    if isinstance(value, dict):
        return {name: timed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [timed(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
        return dt.datetime.fromisoformat(value)
    return value


def check(response: Response[Any], answer: Answer) -> None:
    """The answer is the documented one, and was decoded into the contract's model without a loss."""
    assert response.status_code == answer.status
    if answer.schema is None:
        assert (response.content, response.parsed) == (b"", None)
        return
    schema = DOCUMENT["components"]["schemas"][answer.schema["$ref"].rpartition("/")[2]]
    assert type(response.parsed).__name__ == schema["title"]
    assert plain(response.parsed) == timed(answer.example)


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
async def test_every_documented_answer(prism: Prism, http: httpx.Client, answer: Answer) -> None:
    """Each operation's sync and async function decodes each documented answer."""
    places, named = arguments(answer)
    client = client_for(prism, answer, sync=http)
    check(endpoint(answer).sync_detailed(*places, client=client, **named), answer)
    async with httpx.AsyncClient(verify=NO_CERTIFICATES, trust_env=False) as asynchronous:
        client = client_for(prism, answer, asynchronous=asynchronous)
        check(await endpoint(answer).asyncio_detailed(*places, client=client, **named), answer)
