"""The low-level client by itself: requests, answers, and the traps of stock generated code."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import contentgroove_api.api
import contentgroove_api.models
import httpx
import msgspec
import pytest
from contentgroove_api import Client
from contentgroove_api.api.medias import create_media, delete_media_by_id, get_media_by_id, get_medias
from contentgroove_api.models import (
    CreateMediaRequest,
    CreateMediaRequestAttributes,
    CreateMediaRequestData,
    MediaDocument,
    NotFoundErrors,
)
from contentgroove_api.types import UnexpectedBody, encode_query
from contentgroove_mock import Simulator, serve

KEY = "generated-key-123"


def endpoints() -> list[str]:
    """Name all endpoint modules."""
    found: list[str] = []
    for group in pkgutil.iter_modules(contentgroove_api.api.__path__):
        package = importlib.import_module(f"contentgroove_api.api.{group.name}")
        found += [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    return found


def test_every_operation_has_a_module() -> None:
    """The 15 operations are all there, in four groups."""
    names = endpoints()
    assert len(names) == 15
    for name in names:
        module: Any = importlib.import_module(name)
        assert callable(module.build_request)


def test_every_model_can_be_decoded() -> None:
    """Each struct's types resolve: a model that names a missing one fails on its first use only."""
    for name in contentgroove_api.models.__all__:
        kind: Any = getattr(contentgroove_api.models, name)
        msgspec.json.Decoder(kind)


def test_a_journey_with_the_plain_client() -> None:
    """The low-level client works without the SDK."""
    with serve(Simulator()) as server, Client(server.base_url, token=KEY) as client:
        body = CreateMediaRequest(
            data=CreateMediaRequestData(attributes=CreateMediaRequestAttributes(source_url="https://e.com/a.mp4"))
        )
        created = create_media.sync(client=client, body=body)
        assert isinstance(created, MediaDocument)
        assert created.data.attributes.is_processing is None
        answer = get_media_by_id.sync_detailed(created.data.id, client=client)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        missing = get_media_by_id.sync("missing", client=client)
        assert isinstance(missing, NotFoundErrors)
        assert missing.errors[0].title == "Not Found"


@pytest.mark.anyio
async def test_the_plain_client_async() -> None:
    """The low-level client has async functions, too."""
    with serve(Simulator()) as server:
        async with Client(server.base_url, token=KEY) as client:
            found = await get_medias.asyncio(client=client, page={"size": 1})
    assert found is not None


def test_traps_of_stock_code() -> None:
    """No key in a repr, finite timeouts, odd statuses and bodies survived, ids that lead elsewhere refused."""
    seen: list[httpx.Request] = []
    answers = iter([httpx.Response(520), httpx.Response(200, content=b"<html>")])

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return next(answers)

    with httpx.Client(transport=httpx.MockTransport(handler)) as http_client:
        client = Client("https://api.test/v1", token=KEY, http_client=http_client)
        assert KEY not in repr(client)
        assert get_media_by_id.sync_detailed("a", client=client).parsed is None
        with pytest.raises(UnexpectedBody, match="status 200"):
            get_media_by_id.sync("a", client=client)
        for bad in ("", ".", ".."):
            with pytest.raises(ValueError, match="another endpoint"):
                delete_media_by_id.sync_detailed(bad, client=client)
    assert len(seen) == 2
    assert None not in seen[0].extensions["timeout"].values()


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ([("page", {"number": 1, "size": 5})], "page[number]=1&page[size]=5"),
        ([("filter", {"a_in": ["x", "y&z"]})], "filter[a_in][]=x&filter[a_in][]=y%26z"),
        ([("flag", True), ("none", None), ("number", 1.5)], "flag=true&number=1.5"),
        ([("list", ["a", "b"])], "list=a&list=b"),
    ],
)
def test_queries(parameters: list[tuple[str, object]], query: str) -> None:
    """Objects go out as `deepObject`, lists as repeated values."""
    assert encode_query(parameters) == query
