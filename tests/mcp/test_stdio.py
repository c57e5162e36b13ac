from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from contentgroove_mock import Simulator, sample_video
from mcp import MCPError
from mcp.shared.subscriptions import ToolsListChanged

from tests.mcp.conftest import ERAS, KEY, TOOLS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mcp.conftest import Session, Start

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS), pytest.mark.process]

NOWHERE = "00000000-0000-4000-8000-000000000000"
SPEC = """
openapi: 3.0.3
info: {title: Little, version: "1"}
servers: [{url: https://little.example.com}]
paths:
  /things: {get: {operationId: getThings, responses: {"200": {description: ok}}}}
"""


def attributes(**values: Any) -> dict[str, Any]:
    """Make the arguments of a call with a body."""
    return {"body": {"data": {"attributes": values}}}


async def test_each_of_the_seventeen(start: Start, era: str) -> None:
    """Each tool is called over the wire and succeeds, and fails, in both eras."""
    called: set[str] = set()
    async with start("--allow-destructive", era=era) as session:

        async def good(name: str, arguments: dict[str, Any] | None = None) -> Any:
            called.add(name)
            return await session.good(name, arguments)

        made = await good("medias.postApiV1Medias", attributes(source_url="https://example.com/a.mp4", name="A"))
        media = {"id": made["data"]["id"]}
        listed = await good("medias.getApiV1Medias", {"filter": {"name_eq": "A"}, "page": {"size": 1}})
        assert [item["id"] for item in listed["data"]] == [media["id"]]
        await good("medias.putApiV1MediasId", media | attributes(name="B"))
        updated = await good("medias.getApiV1MediasId", media)
        assert updated["data"]["attributes"]["name"] == "B"
        made = await good("clips.postApiV1Clips", attributes(media_id=media["id"], name="c", start_time=0, end_time=1))
        clip = {"id": made["data"]["id"]}
        await good("clips.putApiV1ClipsId", clip | attributes(name="d"))
        assert (await good("clips.getApiV1ClipsId", clip))["data"]["attributes"]["name"] == "d"
        assert clip["id"] in str(await good("clips.getApiV1Clips"))
        assert await good("clips.deleteApiV1ClipsId", clip) is None
        assert await good("medias.deleteApiV1MediasId", media) is None
        assert "upload_url" in (await good("directUploads.getApiV1DirectUploads"))["data"]["attributes"]
        made = await good(
            "webhookSubscriptions.postApiV1WebhookSubscriptions", attributes(url="https://hooks.example.com/")
        )
        hook = {"id": made["data"]["id"]}
        assert len((await good("webhookSubscriptions.getApiV1WebhookSubscriptions"))["data"]) == 1
        await good("webhookSubscriptions.getApiV1WebhookSubscriptionsId", hook)
        assert await good("webhookSubscriptions.deleteApiV1WebhookSubscriptionsId", hook) is None
        assert (await good("openapi.previewSpec", {"spec": SPEC}))["operationCount"] == 1
        assert (await good("openapi.addSource", {"spec": SPEC})) == {"sourceId": "little", "toolCount": 1}
        assert len(called) == 17
        for name in sorted(called):
            await fail(session, name)


async def fail(session: Session, name: str) -> None:
    """Call a tool with what does not exist, or with what it does not take."""
    if name.startswith("openapi."):
        assert await session.bad(name, {"spec": "nonsense"}) == "invalid_spec"
    elif name.endswith("Id"):
        body = attributes(name="x") if ".put" in name else {}
        assert await session.bad(name, {"id": NOWHERE} | body) == "not_found"
        assert await session.bad(name, body) == "invalid_input"
    else:
        assert await session.bad(name, {"nonsense": 1}) == "invalid_input"


async def test_listing(start: Start, era: str) -> None:
    """Names without dots, the dotted ones in addition, closed schemas, annotations; nothing destructive works."""
    async with start(era=era) as session:
        tools = {tool.name: tool for tool in (await session.client.list_tools()).tools}
        assert len(tools) == TOOLS
        assert not [name for name in tools if "." in name]
        declared = tools["medias_putApiV1MediasId"]
        assert declared.meta == {
            "com.contentgroove/canonicalName": "medias.putApiV1MediasId",
            "com.contentgroove/operationId": "updateMediaById",
        }
        assert declared.input_schema["additionalProperties"] is False
        assert declared.input_schema["required"] == ["id", "body"]
        marks = declared.annotations
        assert marks is not None
        assert (marks.read_only_hint, marks.destructive_hint, marks.idempotent_hint, marks.open_world_hint) == (
            False,
            True,
            True,
            True,
        )
        for name in ("medias_getApiV1Medias", "medias.getApiV1Medias", "getMedias"):
            assert await session.good(name) is not None
        with pytest.raises(MCPError, match="Did you mean getMedias"):
            await session.client.call_tool("getMediaz", {})
        assert await session.bad("deleteMediaById", {"id": NOWHERE}) == "not_allowed"
        assert await session.bad("updateMediaById", {"id": NOWHERE, **attributes(name="x")}) == "not_allowed"


async def test_switches(start: Start, era: str) -> None:
    """A choice of tools, under their dotted names, that read only."""
    options = ("--dotted-names", "--read-only", "--tools", "getMedias,clips.postApiV1Clips")
    async with start(*options, era=era) as session:
        assert [tool.name for tool in (await session.client.list_tools()).tools] == ["medias.getApiV1Medias"]


async def test_clients_learn_of_new_tools(start: Start, era: str) -> None:
    """By a notification of the handshake protocol, by the stream that a client of the stateless one opened."""
    async with start(era=era) as session:
        if era == "legacy":
            capabilities = session.client.server_capabilities
            assert capabilities.tools is not None
            assert capabilities.tools.list_changed is True
            await session.good("openapi_addSource", {"spec": SPEC})
            with anyio.fail_after(10):
                await session.list_changed.wait()
        else:
            async with session.client.listen(tools_list_changed=True) as events:
                await session.good("openapi_addSource", {"spec": SPEC})
                with anyio.fail_after(10):
                    assert await anext(aiter(events)) == ToolsListChanged()
        names = {tool.name for tool in (await session.client.list_tools(cache_mode="bypass")).tools}
        assert "little_things_getThings" in names
        assert await session.bad("openapi_addSource", {"spec": SPEC}) == "source_exists"


async def test_uploads_report_their_progress(start: Start, era: str, tmp_path: Path) -> None:
    """A file is uploaded and waited for, progress arrives on the way, and the presigned URL does not."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "film.mp4").write_bytes(sample_video().read_bytes())
    reports: list[tuple[float, float | None, str | None]] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        reports.append((done, total, message))

    async with start("--upload-root", str(tmp_path / "root"), era=era) as session:
        arguments = {"path": "film.mp4", "wait": True}
        media = await session.good("upload_media", arguments, progress_callback=on_progress)
        assert media["is_processing"] is False
        assert "100 % sent" in [message for *_, message in reports]
        assert "X-Amz" not in str(session.received)
        clips = await session.good("list_media_clips", {"media_id": media["id"]})
        transcript = await session.good("get_transcript", {"media_id": media["id"]})
        assert transcript["partial"] is True
        assert clips[0]["text"] in transcript["text"]
        assert await session.bad("upload_media", {"path": "../stderr"}) == "invalid_input"


async def test_the_key_is_never_visible(start: Start, era: str, simulator: tuple[Simulator, str]) -> None:
    """Neither in what clients receive nor in what the server writes to its standard error."""
    service, base_url = simulator
    async with start("--allow-destructive", "--allow-origin", base_url, era=era) as session:
        session.received.append(await session.client.list_tools())
        await session.good("getMedias")
        await session.good("getUploadUrl")
        await session.bad("getMediaById", {"id": NOWHERE})
        assert await session.bad("openapi.previewSpec", {"spec": f"{base_url}/medias"}) == "unauthorized"
        service.set_rate_limit(0)
        assert await session.bad("getMedias") == "rate_limited"
        received = "".join(repr(each) for each in session.received)
        assert received
        assert KEY not in received
    assert KEY not in session.errors.read_text(encoding="utf-8")
    fetched = [request for request in service.requests if request.status == 401]
    assert fetched
    assert all("authorization" not in request.headers for request in fetched)
