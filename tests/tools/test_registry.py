from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import ConfigurationError, InvalidInputError
from contentgroove._core.secret import Secret
from contentgroove.tools import Access, Tool, ToolError, ToolRegistry, open_tools
from contentgroove.tools.operation_tools import contract_operations
from contentgroove.tools.results import Success

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json
    from contentgroove.tools.registry import ProgressCallback

pytestmark = pytest.mark.anyio

SEVENTEEN = {
    "clips.getApiV1Clips",
    "clips.postApiV1Clips",
    "clips.getApiV1ClipsId",
    "clips.putApiV1ClipsId",
    "clips.deleteApiV1ClipsId",
    "directUploads.getApiV1DirectUploads",
    "medias.getApiV1Medias",
    "medias.postApiV1Medias",
    "medias.getApiV1MediasId",
    "medias.putApiV1MediasId",
    "medias.deleteApiV1MediasId",
    "webhookSubscriptions.getApiV1WebhookSubscriptions",
    "webhookSubscriptions.postApiV1WebhookSubscriptions",
    "webhookSubscriptions.getApiV1WebhookSubscriptionsId",
    "webhookSubscriptions.deleteApiV1WebhookSubscriptionsId",
    "openapi.previewSpec",
    "openapi.addSource",
}
LATER = {operation.name for operation in contract_operations()} - SEVENTEEN
"""Those of operations that the API got later; their names are the same rule's."""
FURTHER = {"upload_media", "wait_for_media", "create_clip", "list_media_clips", "get_transcript"}


def no_client() -> Any:
    """Fail if a client is requested."""
    raise ConfigurationError("There is no API key.")


def tool(name: str, result: Any = None, **options: Any) -> Tool:
    """Create a tool that returns a result, or raises it."""

    async def run(_arguments: Json, _report: ProgressCallback) -> Success:
        if isinstance(result, Exception):
            raise result
        return Success(result)

    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    return Tool(name=name, title=name, description="", input_schema=schema, run=run, **options)


def listed(tools: ToolRegistry) -> set[str]:
    """Return the canonical names of the listed tools."""
    return {tool.name for tool in tools.list_tools()}


def test_all_tools_are_there() -> None:
    """The 17 of the integration page, and those that take several calls; no client is needed to list them."""
    tools = open_tools(no_client)
    assert listed(tools) == SEVENTEEN | FURTHER | LATER
    assert {tools.public_name(tool) for tool in tools.list_tools()} == {
        name.replace(".", "_") for name in SEVENTEEN | FURTHER | LATER
    }
    dotted = open_tools(no_client, dotted=True)
    assert {dotted.public_name(tool) for tool in dotted.list_tools()} == SEVENTEEN | FURTHER | LATER


def test_annotations() -> None:
    """GETs read, but the one that prepares an upload; PUT and DELETE destroy, and twice is as good as once."""
    marks = {
        tool.name: (tool.is_read_only, tool.is_destructive, tool.is_idempotent)
        for tool in open_tools(no_client).list_tools()
    }
    reading, destroying, adding = (True, False, True), (False, True, True), (False, False, False)
    assert {name for name in marks if marks[name] == destroying} == {
        name for name in SEVENTEEN | LATER if re.search(r"\.(?:put|delete)", name)
    }
    added = {name for name in SEVENTEEN | LATER if ".post" in name} | {"directUploads.getApiV1DirectUploads"}
    assert {name for name in marks if marks[name] == adding} == added | {
        "openapi.addSource",
        "upload_media",
        "create_clip",
    }
    assert {name for name in marks if marks[name] == reading} == {
        name for name in SEVENTEEN | LATER if ".get" in name
    } - added | {"openapi.previewSpec", "wait_for_media", "list_media_clips", "get_transcript"}


@pytest.mark.parametrize("name", ["medias.getApiV1Medias", "medias_getApiV1Medias", "getMedias"])
@pytest.mark.parametrize("dotted", [True, False])
def test_names_of_calls(name: str, dotted: bool) -> None:  # noqa: FBT001 - a case
    """The dotted name, the published name and the operation's id are the same tool."""
    found = open_tools(no_client, dotted=dotted).find(name)
    assert found is not None
    assert found.name == "medias.getApiV1Medias"


async def test_results() -> None:
    """Success and failure have their envelopes; only the name of an undocumented error is shown."""
    error = ToolError("not_found", "gone", status=404, details={"a": 1}, retryable=True)
    tools = ToolRegistry([tool("good", {"x": 1}), tool("bad", error), tool("broken", ValueError("s3cret"))])
    assert await tools.call("good", {"a": 1}) == {"ok": True, "data": {"x": 1}, "http": None}
    assert await tools.call("good") == {"ok": True, "data": {"x": 1}, "http": None}
    assert await tools.call("bad") == {
        "ok": False,
        "error": {"code": "not_found", "message": "gone", "status": 404, "details": {"a": 1}, "retryable": True},
    }
    broken = await tools.call("broken")
    assert broken["error"]["code"] == "internal_error"
    assert "ValueError" in broken["error"]["message"]
    assert "s3cret" not in str(broken)


async def test_arguments_are_checked_first() -> None:
    """A tool with wrong arguments is not called."""
    tools = ToolRegistry([tool("broken", AssertionError("called"))])
    wrong: list[Any] = [{"a": "x"}, {"b": 1}, [], "a", 3]
    for arguments in wrong:
        result = await tools.call("broken", arguments)
        assert result["error"]["code"] == "invalid_input", arguments


async def test_unknown_tools() -> None:
    """The error names similar tools."""
    result = await open_tools(no_client).call("medias_getApiV1Media")
    assert result["error"]["code"] == "unknown_tool"
    assert "medias_getApiV1Medias" in result["error"]["message"]


async def test_without_a_key() -> None:
    """Tools that need a client say what is missing; those that do not still work."""
    tools = open_tools(no_client)
    assert (await tools.call("getMedias"))["error"] == {
        "code": "configuration",
        "message": "There is no API key.",
        "retryable": False,
    }
    assert (await tools.call("openapi_previewSpec", {"spec": "{}"}))["error"]["code"] == "invalid_spec"


async def test_destructive_tools_need_permission() -> None:
    """They are listed, and fail until the server is started with permission for them."""
    tools = [tool("kill", "done", is_destructive=True)]
    refused = await ToolRegistry(tools).call("kill")
    assert refused["error"]["code"] == "not_allowed"
    assert "--allow-destructive" in refused["error"]["message"]
    assert (await ToolRegistry(tools, access=Access(allow_destructive=True)).call("kill"))["ok"] is True


async def test_read_only_access() -> None:
    """Only what reads exists: the rest is neither listed nor called."""
    tools = ToolRegistry([tool("read", 1, is_read_only=True), tool("write", 2)], access=Access(read_only=True))
    assert listed(tools) == {"read"}
    assert (await tools.call("write"))["error"]["code"] == "unknown_tool"
    with pytest.raises(InvalidInputError, match="choose one"):
        ToolRegistry([], access=Access(read_only=True, allow_destructive=True))


async def test_a_choice_of_tools() -> None:
    """Any of a tool's names chooses it; a name of none is an error that lists them."""
    chosen = frozenset({"getMedias", "clips_getApiV1Clips", "openapi.addSource"})
    tools = open_tools(no_client, access=Access(only=chosen))
    assert listed(tools) == {"medias.getApiV1Medias", "clips.getApiV1Clips", "openapi.addSource"}
    assert (await tools.call("getMediaById", {"id": "x"}))["error"]["code"] == "unknown_tool"
    with pytest.raises(InvalidInputError, match=r"no tool 'getMediaz'.*medias_getApiV1Medias"):
        open_tools(no_client, access=Access(only=frozenset({"getMediaz"})))
    with pytest.raises(InvalidInputError, match=r"'upload_medai'\. Did you mean upload_media\?"):
        open_tools(no_client, access=Access(only=frozenset({"upload_medai"})))


def test_adding_is_all_or_nothing() -> None:
    """One name that is taken keeps all of them out; an operation's id never hides another tool."""
    tools = ToolRegistry([tool("a.b", 1, operation_id="id")])
    for taken in ("a.b", "a_b", "id"):
        with pytest.raises(ToolError, match="already"):
            tools.add([tool("new"), tool(taken)])
    assert listed(tools) == {"a.b"}
    tools.add([tool("c.d", operation_id="a.b"), tool("c.e", operation_id="id")])
    for name in ("a.b", "id"):
        found = tools.find(name)
        assert found is not None
        assert found.name == "a.b"


async def test_the_key_is_taken_out_of_results() -> None:
    """Wherever a server echoes it: in values, names, errors."""
    key = "canary-key-0f5c1e7d"
    echo = {"a": [f"Bearer {key}"], key: {"b": key}, "n": 1, "t": True, "z": None}
    tools = ToolRegistry(
        [tool("good", echo), tool("bad", ToolError("http_error", key, details=[key]))], secret=lambda: key
    )
    assert (await tools.call("good"))["data"] == {
        "a": ["Bearer [redacted]"],
        "[redacted]": {"b": "[redacted]"},
        "n": 1,
        "t": True,
        "z": None,
    }
    assert key not in str(await tools.call("bad"))


async def test_an_escaped_key_is_taken_out_of_results() -> None:
    """Servers escape what they echo, and `Secret` is accepted for the key."""
    key = "canary/key+0f5c1e7d"
    echo = ["canary%2Fkey%2B0f5c1e7d", r"canary\/key\u002b0f5c1e7d", "CANARY/KEY+0F5C1E7D"]
    tools = ToolRegistry([tool("good", {"a": echo})], secret=lambda: Secret(key))
    assert (await tools.call("good"))["data"] == {"a": ["[redacted]"] * 3}
