"""This API, and any other that an OpenAPI document describes, as tools for models (extra `mcp`).

This package is independent of protocols; `contentgroove.mcp` serves its tools over the Model Context Protocol. Other
hosts of tools are served like this::

    async with AsyncContentGroove() as client:
        tools = open_tools(lambda: client)
        for tool in tools.list_tools():
            ...  # tools.public_name(tool), tool.description, tool.input_schema
        result = await tools.call("medias.getApiV1Medias", {"page": {"size": 5}})
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._extras import import_needs
from contentgroove._openapi.documents import Json, yaml_loader

with import_needs(__name__, "mcp"):
    # The first YAML document may come late; a missing reader is reported now.
    yaml_loader()
    from .media_tools import MediaTools
    from .network import NetworkPolicy, Origin, origin_of
    from .operation_tools import api_tools
    from .registry import Access, ProgressCallback, Tool, ToolFunction, ToolRegistry
    from .results import ErrorCode, SpecError, Success, ToolError
    from .sources import MAX_TOOLS, SpecSources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contentgroove import AsyncContentGroove
    from contentgroove._core.secret import Secret

__all__ = [
    "MAX_TOOLS",
    "Access",
    "ErrorCode",
    "Json",
    "NetworkPolicy",
    "Origin",
    "ProgressCallback",
    "SpecError",
    "SpecSources",
    "Success",
    "Tool",
    "ToolError",
    "ToolFunction",
    "ToolRegistry",
    "open_tools",
    "origin_of",
]


def open_tools(
    client: Callable[[], AsyncContentGroove],
    *,
    access: Access | None = None,
    policy: NetworkPolicy | None = None,
    upload_root: Path | None = None,
    inbox: Path | None = None,
    dotted: bool = False,
    max_tools: int = MAX_TOOLS,
    sources: SpecSources | None = None,
    secret: Callable[[], str | Secret | None] = lambda: None,
) -> ToolRegistry:
    """Create a registry of all tools.

    Args:
        client: Returns the client of the API; called each time a tool needs it.
        access: What callers may do; nothing destructive by default.
        policy: Which addresses documents may be fetched from and added sources called at; public https by default.
        upload_root: The folder that files may be uploaded from; None if there are no uploads.
        inbox: The SQLite file of a webhook inbox that is searched for transcriptions; None if there is none.
        dotted: Whether public names keep their dots, which several hosts reject.
        max_tools: How many tools of an added source are listed; a source with more gets a search for them.
        sources: Previews documents and adds them; created from the other arguments by default.
        secret: Returns the API key, which is redacted in every result.

    Raises:
        InvalidInputError: `access` names a tool that does not exist, or is read-only and allows destructive tools.
    """
    sources = sources or SpecSources(policy or NetworkPolicy(), upload_root, max_tools)
    built_in = [*api_tools(client), *sources.tools(), *MediaTools(client, upload_root, inbox).tools()]
    registry = ToolRegistry(built_in, access=access, dotted=dotted, secret=secret)
    sources.attach_registry(registry)
    return registry
