"""Responses that differ from the contract: tools return what can be read, and name what cannot be."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from contentgroove import AsyncContentGroove
from contentgroove.tools import Access, open_tools

from tests.sdk.conftest import clip_json, many, media_json, one

pytestmark = pytest.mark.anyio

CLIPS = [clip_json("c-1", start_time="early", text="Late."), clip_json("c-2", text=["x"]), {}, clip_json("c-3")]


def respond(request: httpx.Request) -> httpx.Response:
    if "clips" in request.url.path:
        return many(CLIPS, next=None)
    return one(media_json(is_processing=False, name=5, source_url=[]))


async def call(name: str, arguments: dict[str, Any]) -> Any:
    transport = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    async with transport, AsyncContentGroove("k", http_client=transport) as client:
        tools = open_tools(lambda: client, secret=lambda: "k", access=Access())
        result = await tools.call(name, arguments, lambda *_: _nothing())
    assert result["ok"] is True, result
    return result["data"]


async def _nothing() -> None: ...


async def test_a_media_is_returned() -> None:
    """The odd attributes are left out, and named."""
    media = await call("wait_for_media", {"id": "m-1"})
    assert (media["id"], media["missing"]) == ("m-1", ["name", "source_url"])
    assert "name" not in media


async def test_clips_are_returned() -> None:
    """Those without a readable time are the last, and a transcript contains the texts that can be read."""
    clips = await call("list_media_clips", {"media_id": "m-1"})
    assert [(clip["id"], clip.get("missing")) for clip in clips] == [
        ("c-2", ["text"]),
        ("c-3", None),
        ("c-1", ["start_time"]),
    ]
    transcript = await call("get_transcript", {"media_id": "m-1"})
    assert transcript["text"] == "Late."
    assert transcript["clips"] == [{"start_time": None, "end_time": 2.0, "text": "Late."}]
