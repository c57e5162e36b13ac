"""Tools of operations, and those of ContentGroove's own 15, which use the SDK with its key, retries and errors."""

from __future__ import annotations

import time
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from .operations import Operation
from .registry import Tool
from .requests import build_request, structured_query
from .responses import http_facts
from .results import Success

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove import AsyncContentGroove
    from contentgroove._openapi.documents import Json

    from .registry import ProgressCallback, ToolFunction

# Although it is a GET, each call creates a new upload.
_MINTING = frozenset({"directUploads.getApiV1DirectUploads"})

MAX_DESCRIPTION = 2000
"""Characters; a model reads the descriptions of all tools, and pays for them."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_DESTRUCTIVE = frozenset({"PUT", "PATCH", "DELETE"})
_IDEMPOTENT = frozenset({"PUT", "DELETE"})


def contract_operations() -> list[Operation]:
    """Read the operations that were compiled from the API's contract."""
    content = files("contentgroove.tools").joinpath("operations.json").read_bytes()
    return msgspec.json.decode(content, type=list[Operation])


def api_tools(client: Callable[[], AsyncContentGroove]) -> list[Tool]:
    """Create the tools of the API's operations.

    Args:
        client: Returns the client, which is created when it is first needed.
    """
    return [operation_tool(operation, _caller(operation, client)) for operation in contract_operations()]


def operation_tool(
    operation: Operation,
    run: ToolFunction,
    *,
    namespace: str | None = None,
    about: str = "",
    is_listed: bool = True,
) -> Tool:
    """Create the tool of an operation.

    Args:
        operation: The operation.
        run: Calls it.
        namespace: The source that it belongs to; None if it is built in.
        about: The end of the description.
        is_listed: Whether lists of tools contain it.
    """
    prefix = "" if namespace is None else f"{namespace}."
    reading = operation.method in _READING and operation.name not in _MINTING
    description = operation.description
    if len(description) > MAX_DESCRIPTION:
        description = f"{description[:MAX_DESCRIPTION]}…"
    lines = (operation.title, description, f"{operation.method} {operation.path}{about}")
    return Tool(
        name=f"{prefix}{operation.name}",
        title=operation.title,
        description="\n\n".join(line for line in lines if line),
        input_schema=operation.input_schema,
        run=run,
        operation_id=f"{prefix}{operation.operation_id}" if operation.operation_id else "",
        is_read_only=reading,
        is_destructive=operation.method in _DESTRUCTIVE,
        is_idempotent=reading or operation.method in _IDEMPOTENT,
        source=namespace,
        is_listed=is_listed,
    )


def _caller(operation: Operation, client: Callable[[], AsyncContentGroove]) -> ToolFunction:
    async def run(arguments: Json, _report: ProgressCallback) -> Success:
        call = build_request(operation, arguments)
        response = await client().request(
            call.method, call.path, query=structured_query(operation, arguments), body=arguments.get("body")
        )
        return Success(response.parse(), http_facts(response.status_code, response.headers, time.time()))

    return run
