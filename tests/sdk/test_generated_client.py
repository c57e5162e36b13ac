"""The low-level client by itself: requests, responses, and the defects of stock generated code."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_type_hints

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
from contentgroove_api.types import UnexpectedBody, check_levels, encode_query, protect_stack
from contentgroove_mock import Simulator, serve
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk_calls import SDK_METHODS

KEY = "generated-key-123"


def endpoints() -> list[str]:
    """List the names of all endpoint modules."""
    found: list[str] = []
    for group in pkgutil.iter_modules(contentgroove_api.api.__path__):
        package = importlib.import_module(f"contentgroove_api.api.{group.name}")
        found += [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    return found


def test_every_operation_has_a_module() -> None:
    """All operations have one, below the group of their tag."""
    names = endpoints()
    assert {name.rpartition(".")[2] for name in names} == {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower() for operation in SDK_METHODS
    }
    for name in names:
        module: Any = importlib.import_module(name)
        assert callable(module.build_request)


def test_the_types_of_every_model_exist() -> None:
    """A missing one would be noticed on first use only; filters are only sent, so no decoder needs to take them."""
    for name in contentgroove_api.models.__all__:
        kind: Any = getattr(contentgroove_api.models, name)
        if isinstance(kind, type) and not issubclass(kind, msgspec.Struct):
            assert get_type_hints(kind)
        else:
            msgspec.json.Decoder(kind)


def test_a_journey_with_the_plain_client() -> None:
    """The low-level client works without the SDK."""
    with serve(Simulator()) as server, Client(server.base_url, token=KEY) as client:
        body = CreateMediaRequest(
            data=CreateMediaRequestData(attributes=CreateMediaRequestAttributes(source_url="https://e.com/a.mp4"))
        )
        created = create_media.sync_detailed(client=client, body=body).parsed
        assert isinstance(created, MediaDocument)
        assert created.data.attributes.is_processing is None
        response = get_media_by_id.sync_detailed(created.data.id, client=client)
        assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
        missing = get_media_by_id.sync_detailed("missing", client=client).parsed
        assert isinstance(missing, NotFoundErrors)
        assert missing.errors[0].title == "Not Found"


@pytest.mark.anyio
async def test_the_plain_client_async() -> None:
    """The low-level client also has async functions."""
    with serve(Simulator()) as server:
        async with Client(server.base_url, token=KEY) as client:
            found = (await get_medias.asyncio_detailed(client=client, page={"size": 1})).parsed
    assert found is not None


def test_defects_of_stock_code() -> None:
    """The repr hides the key, timeouts are finite, unknown statuses are accepted, bad bodies and ids are errors."""
    seen: list[httpx.Request] = []
    responses = iter([httpx.Response(520), httpx.Response(200, content=b"<html>")])

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return next(responses)

    with httpx.Client(transport=httpx.MockTransport(handler)) as http_client:
        client = Client("https://api.test/v1", token=KEY, http_client=http_client)
        assert KEY not in repr(client)
        assert get_media_by_id.sync_detailed("a", client=client).parsed is None
        with pytest.raises(UnexpectedBody, match="status 200"):
            get_media_by_id.sync_detailed("a", client=client)
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
    """Objects are sent as `deepObject`, lists as repeated values."""
    assert encode_query(parameters) == query


def levels(value: Any) -> int:
    """Count the levels of a JSON value."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, (dict, list)) + max(map(levels, members), default=0)


MARKS = st.text('[]{}"\\,:a\n', max_size=12)


@given(st.recursive(MARKS, lambda inner: st.lists(inner) | st.dictionaries(MARKS, inner), max_leaves=30), st.booleans())
def test_levels_are_counted_outside_of_strings(value: Any, objects: bool) -> None:  # noqa: FBT001 - a drawn value
    """Brackets, quotes and backslashes in strings and names do not count; 100 levels are accepted, 101 are not."""
    for _ in range(100 - levels(value)):
        value = {'"[{\\': value, "}]": "]"} if objects else ["[[\\", value, '"}']
    check_levels(msgspec.json.encode(value))
    with pytest.raises(msgspec.DecodeError, match="more than 100 levels"):
        check_levels(msgspec.json.encode([value]))


DEEP = """
import sys, threading
from contentgroove import APIError, ContentGroove, InvalidInputError, Media, ResponseDecodeError, WebhookPayloadError
from contentgroove.webhooks import parse_event
from contentgroove_api.types import UnexpectedBody, decode_body
from contentgroove_api.models.media_document import MediaDocument
import httpx

deep = b"[" * 5000 + b"]" * 5000
media = b'{"data": {"id": "m", "type": "medias", "attributes": {"x": ' + deep + b"}}}"

holders = [[1]]  # all are kept, because the end of a nest of lists needs the stack, too
for _ in range(5000):
    holders.append([holders[-1]])
wrong = holders[-1]

def respond(request):
    status = int(request.url.path.rpartition("/")[2][-3:])
    return httpx.Response(status, content=media if status == 200 else b'{"errors": ' + deep + b"}")

def assert_raises(call, *errors):
    try:
        call()
    except errors:
        return
    raise AssertionError(call)

def use():
    own = httpx.Client(transport=httpx.MockTransport(respond))
    with own, ContentGroove("k", http_client=own) as client:
        assert_raises(lambda: client.medias.get("m-200"), ResponseDecodeError)
        assert_raises(lambda: client.medias.get("m-400"), APIError)
        assert_raises(client.request("GET", "/medias/m-200").parse, ResponseDecodeError)
        for arguments in ({"query": {"name": wrong}}, {"query": {"filter": {"name_eq": wrong}}}, {"body": wrong}):
            assert_raises(lambda: client.request("POST", "/medias/m-200", **arguments), InvalidInputError)
        assert_raises(lambda: client.medias.list(filter={"name_eq": wrong}, sort=wrong), InvalidInputError)
        assert_raises(lambda: client.medias.list(limit=wrong), InvalidInputError)
    for values in ({"name": wrong}, {"extra": {"name": wrong}}, {"unknown": wrong}, {"clip_ids": [wrong]}):
        assert_raises(lambda: Media.from_dict({"id": "m", **values}), InvalidInputError)
    assert_raises(lambda: parse_event(b'{"event": "x", "payload": ' + deep + b"}"), WebhookPayloadError)
    assert_raises(lambda: parse_event(b'{"event": "x", "skipped": ' + deep + b"}"), WebhookPayloadError)
    assert_raises(lambda: decode_body(200, media, MediaDocument), UnexpectedBody)
    print("done")

use()  # imports need a larger stack, so they are done first
threading.stack_size(192 * 1024)
thread = threading.Thread(target=use)
thread.start()
thread.join()
"""


@pytest.mark.process
def test_deep_responses_in_a_thread_with_a_small_stack() -> None:
    """Ten kilobytes of brackets raise the documented error, and the process survives."""
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", DEEP], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "done\ndone\n"), ran.stderr


def test_levels_are_counted_wherever_the_stack_may_be_small() -> None:
    """A thread does not tell how large its stack is, whatever `threading.stack_size` says by then."""
    deep = b'{"data": ' + b"[" * 200 + b"0," * 10_000 + b"0" + b"]" * 200 + b"}"
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(protect_stack, deep).exception()
    assert isinstance(error, msgspec.DecodeError)
