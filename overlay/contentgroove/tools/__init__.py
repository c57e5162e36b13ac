"""The API, and any other that an OpenAPI document describes, as tools for models (extra `mcp`).

This package knows no protocol; `contentgroove.mcp` serves its tools over the Model Context Protocol. Any other host of
tools is served like this::

    async with AsyncContentGroove() as client:
        tools = open_tools(lambda: client)
        for tool in tools.listed():
            ...  # tools.published(tool), tool.description, tool.input_schema
        result = await tools.call("medias.getApiV1Medias", {"page": {"size": 5}})
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._extras import import_needs

with import_needs(__name__, "mcp"):
    # Imported only when a YAML document is read, which is late to learn that it is missing.
    import yamlcore  # noqa: F401

    from contentgroove._openapi.documents import Json

    from .addresses import Origin, origin_of
    from .api import api_tools
    from .errors import ErrorCode, SpecError, ToolError
    from .medias import MediaTools
    from .network import NetworkPolicy
    from .registry import Access, ProgressCallback, Tool, ToolFunction, ToolRegistry
    from .results import Success
    from .sources import SpecSources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contentgroove import AsyncContentGroove

__all__ = [
    "Access",
    "ErrorCode",
    "Json",
    "NetworkPolicy",
    "Origin",
    "ProgressCallback",
    "SpecError",
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
    secret: Callable[[], str | None] = lambda: None,
) -> ToolRegistry:
    """Put all tools together.

    Args:
        client: Gives the client of the API; called when a tool needs it, and each time.
        access: What callers may do; without it, nothing destructive.
        policy: Where documents may be fetched from and added sources called; without it, public https only.
        upload_root: The folder that files may be uploaded from, None for none.
        inbox: The SQLite file of a webhook inbox to look for transcriptions in, None for none.
        dotted: Whether published names keep their dots, which several hosts reject.
        secret: Gives the API key, which is taken out of every result.

    Raises:
        InvalidInputError: `access` names a tool that does not exist, or allows and forbids the same.
    """
    sources = SpecSources(policy or NetworkPolicy())
    built_in = [*api_tools(client), *sources.tools(), *MediaTools(client, upload_root, inbox).tools()]
    registry = ToolRegistry(built_in, access=access, dotted=dotted, secret=secret)
    sources.attach_registry(registry)
    return registry
