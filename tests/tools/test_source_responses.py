"""What results say of the responses to calls of added sources: their bodies, and what their headers mean."""

from __future__ import annotations

import codecs
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.tools.responses import body_data

from tests.tools.servers import LocalServer, Response, serve
from tests.tools.test_source_calls import added, spec
from tests.tools.test_sources import opened

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.anyio


@pytest.fixture
def first() -> Generator[LocalServer]:
    """Run the server of a document."""
    with serve(secure=False) as served:
        yield served


async def test_facts_of_the_response(first: LocalServer) -> None:
    """Links, location, etag and delay are beside the body, also of failures; there is nothing if there are none."""
    tools = opened()
    await added(tools, spec(["https://x.example"]), baseUrl=str(first.origin))
    headers = {
        "Link": '</items?page=2>; rel="next"; title="a \\"b\\", c", <https://x.example/>; rel=first',
        "Location": "/items/3",
        "ETag": 'W/"x"',
        "Retry-After": "120",
    }
    facts = {
        "links": [
            {"url": "/items?page=2", "rel": "next", "title": 'a "b", c'},
            {"url": "https://x.example/", "rel": "first"},
        ],
        "location": "/items/3",
        "etag": 'W/"x"',
        "retry_after": 120.0,
    }
    first.responses["/general"] = Response(201, headers, b"x")
    assert await tools.call("t.general") == {"ok": True, "data": "x", "http": {"status": 201, **facts}}
    first.responses["/general"] = Response(503, headers, b"x")
    error = (await tools.call("t.general"))["error"]
    assert (error["status"], error["details"]) == (503, {"body": "x", **facts})
    first.responses["/general"] = Response(200, {}, b"x")
    assert (await tools.call("t.general"))["http"] == {"status": 200}


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("x-gzip", gzip.compress(b'{"a"', mtime=0) + gzip.compress(b": 1}")),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("Deflate", zlib.compress(b'{"a": 1}', wbits=-15)),
        ("gzip, deflate", zlib.compress(gzip.compress(b'{"a": 1}', mtime=0))),
        ("identity", b'{"a": 1}'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_compressed_responses(first: LocalServer, coding: str, content: bytes) -> None:
    """They are what they were before."""
    tools = opened()
    await added(tools, spec(["https://x.example"]), baseUrl=str(first.origin))
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    first.responses["/general"] = Response(200, headers, content)
    assert (await tools.call("t.general"))["data"] == {"a": 1}


@pytest.mark.parametrize(
    ("content_type", "content", "data"),
    [
        ("", b' {"a": [1]}', {"a": [1]}),
        ("", b"[1]", [1]),
        ("", b"{a}", "{a}"),
        ("", b"12", "12"),
        ("", b"\xff\x00", {"contentType": "", "base64": "/wA="}),
        ("application/json", codecs.BOM_UTF8 + b'{"a": 1}', {"a": 1}),
        ("text/plain", codecs.BOM_UTF8 + b"a", "a"),
        ("application/json; charset=iso-8859-1", '{"a": "ü"}'.encode(), {"a": "ü"}),
        ("application/json; charset=iso-8859-1", '{"a": "ü"}'.encode("latin-1"), {"a": "ü"}),
        ("application/problem+json; charset=utf-16", '{"a": "ü"}'.encode("utf-16"), {"a": "ü"}),
        ("application/json; charset=none", b'{"a": 1}', {"a": 1}),
        ("application/json", b'{"a": "\xff', '{"a": "\ufffd'),
        # Codecs that only Python has: decoding 5 MiB of punycode takes an hour.
        ("text/plain; charset=punycode", b"maana-pta", {"contentType": "text/plain", "base64": "bWFhbmEtcHRh"}),
        ("text/plain; charset=unicode_escape", b"a", {"contentType": "text/plain", "base64": "YQ=="}),
    ],
)
def test_bodies_of_responses(content_type: str, content: bytes, data: Any) -> None:
    """They are JSON, text or base64, whatever their type says that is not so."""
    assert body_data(content, {"content-type": content_type} if content_type else {}) == data


async def test_statuses_of_responses_that_cannot_be_read(first: LocalServer) -> None:
    """A caller must know whether the operation was performed."""
    tools = opened()
    await added(tools, spec(["https://x.example"]), baseUrl=str(first.origin))
    for headers, content in (({"Content-Encoding": "gzip"}, b"no gzip"), ({}, bytes(5 * 1024 * 1024 + 1))):
        first.responses["/general"] = Response(201, headers, content)
        error = (await tools.call("t.general"))["error"]
        assert (error["code"], error["status"], error["retryable"]) == ("unexpected_answer", 201, False)
