"""An MCP server over standard input and output.

It uses the low-level server of the official SDK, which accepts JSON Schemas unchanged and tools that are added later.
Clients of both kinds are served: those that start with `initialize`, and those of the stateless protocol of
2026-07-28, which are notified of new tools by `subscriptions/listen`.
"""

from __future__ import annotations

import functools
import json
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from contentgroove._core.settings import API_KEY_VARIABLE
from contentgroove._io.client_options import read_variable
from contentgroove._version import __version__
from contentgroove.tools import MAX_TOOLS, SpecSources, open_tools

from .configured_sources import add_sources

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mcp.server.context import ServerRequestContext

    from contentgroove import AsyncContentGroove
    from contentgroove.tools import Access, NetworkPolicy, Tool, ToolRegistry

    from .configured_sources import ConfiguredSource

    Context = ServerRequestContext[Any, Any]

INSTRUCTIONS = (
    "ContentGroove turns long videos into clips. Upload a file with upload_media, or create a media from a URL with "
    "medias_postApiV1Medias; wait_for_media until it is processed; then list_media_clips and get_transcript. Results "
    "are {ok, data, http} or {ok: false, error: {code, message}}. openapi_addSource adds tools of other APIs."
)

MAX_RETRY_SECONDS = 20.0
"""Seconds that a call is retried for: hosts give up after 60, and then the error is lost."""

CANONICAL_NAME = "com.contentgroove/canonicalName"
OPERATION_ID = "com.contentgroove/operationId"
"""Keys of a tool's `_meta`."""


async def serve(
    *,
    access: Access,
    policy: NetworkPolicy,
    upload_root: Path | None = None,
    inbox: Path | None = None,
    dotted: bool = False,
    max_tools: int = MAX_TOOLS,
    sources: Sequence[ConfiguredSource] = (),
) -> None:
    """Serve until standard input ends; the arguments are those of `contentgroove.tools.open_tools`.

    Args:
        access: See there.
        policy: See there.
        upload_root: See there.
        inbox: See there.
        dotted: See there.
        max_tools: See there.
        sources: Sources that are added first; what cannot be a tool is reported on standard error.

    Raises:
        ConfigurationError: A source was rejected.
        InvalidInputError: `access` names a tool that does not exist, or is read-only and allows destructive tools.
    """
    async with AsyncExitStack() as stack:

        @functools.cache
        def client() -> AsyncContentGroove:
            # Created on first use, so that the tools can be listed without a key.
            from contentgroove import AsyncContentGroove, RetryPolicy

            policy = RetryPolicy(max_retry_after=MAX_RETRY_SECONDS, deadline=MAX_RETRY_SECONDS)
            created = AsyncContentGroove(retry_policy=policy)
            stack.push_async_callback(created.aclose)
            return created

        spec_sources = SpecSources(policy, upload_root, max_tools)
        tools = open_tools(
            client,
            access=access,
            upload_root=upload_root,
            inbox=inbox,
            dotted=dotted,
            sources=spec_sources,
            secret=lambda: read_variable(API_KEY_VARIABLE),
        )
        for line in await add_sources(spec_sources, sources):
            sys.stderr.write(f"left out: {line}\n")
        server = make_server(tools)
        options = server.create_initialization_options(NotificationOptions(tools_changed=True))
        # Only the protocol may write to standard output; other output goes to standard error while the server runs.
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, options)


def make_server(tools: ToolRegistry) -> Server[Any]:
    """Create a server for tools; it can run on any transport."""
    bus = InMemorySubscriptionBus()

    async def list_tools(_context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_tool_declaration(tools, tool) for tool in tools.list_tools()])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        if tools.find(params.name) is None:
            raise MCPError(types.INVALID_PARAMS, tools.unknown(params.name))

        async def report(done: float, total: float | None, message: str) -> None:
            await context.session.report_progress(done, total, message)

        before = len(tools.list_tools())
        result = await tools.call(params.name, params.arguments, report)
        if len(tools.list_tools()) != before:
            await bus.publish(ToolsListChanged())
            if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
                await context.session.send_tool_list_changed()
        text = types.TextContent(type="text", text=json.dumps(result, ensure_ascii=False))
        return types.CallToolResult(content=[text], structured_content=result, is_error=not result["ok"])

    return Server(
        "contentgroove",
        version=__version__,
        title="ContentGroove",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=ListenHandler(bus),
    )


def _tool_declaration(tools: ToolRegistry, tool: Tool) -> types.Tool:
    names = {CANONICAL_NAME: tool.name}
    if tool.operation_id:
        names[OPERATION_ID] = tool.operation_id
    return types.Tool(
        name=tools.public_name(tool),
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.is_read_only,
            destructive_hint=tool.is_destructive,
            idempotent_hint=tool.is_idempotent,
            open_world_hint=True,
        ),
        _meta=names,
    )
