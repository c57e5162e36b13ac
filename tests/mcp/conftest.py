"""The server as a process, and clients that talk to it over its standard input and output."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from contentgroove_mock import Policy, Simulator, serve
from mcp import Client, StdioServerParameters, stdio_client

from tests.sdk_calls import SDK_METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from mcp_types import CallToolResult

KEY = "canary-key-77d1c0a9"
TOOLS = len(SDK_METHODS) + 7
"""One for each operation, and those that upload, wait, search and change sources."""
ERAS = ["legacy", "2026-07-28"]
"""The handshake protocol, and the stateless one."""


@dataclass
class Session:
    """A client with the server, everything that it received, and where the server's errors go."""

    client: Client
    errors: Path
    received: list[Any] = field(default_factory=list)
    list_changed: anyio.Event = field(default_factory=anyio.Event)

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> CallToolResult:
        """Call a tool; checks that the text is a copy of the structured result."""
        result = await self.client.call_tool(name, arguments or {}, **options)
        self.received.append(result)
        (content,) = result.content
        assert content.type == "text"
        assert json.loads(content.text) == result.structured_content
        assert result.structured_content is not None
        assert result.is_error is not result.structured_content["ok"]
        return result

    async def good(self, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> Any:
        """Call a tool that succeeds; return its data."""
        result = await self.call(name, arguments, **options)
        assert result.structured_content is not None
        assert result.structured_content["ok"] is True, result.structured_content
        return result.structured_content["data"]

    async def bad(self, name: str, arguments: dict[str, Any] | None = None) -> str:
        """Call a tool that fails; return the error's code."""
        result = await self.call(name, arguments)
        assert result.structured_content is not None
        assert result.structured_content["ok"] is False, result.structured_content
        code: str = result.structured_content["error"]["code"]
        return code


Start = Callable[..., AbstractAsyncContextManager[Session]]


@pytest.fixture
def simulator() -> Generator[tuple[Simulator, str]]:
    """Serve a fast simulator that accepts only the canary key; return it and its base URL."""
    simulator = Simulator(api_keys=[KEY], policy=Policy(queue_seconds=0, processing_seconds=0, clip_seconds=0))
    with serve(simulator) as server:
        yield simulator, server.base_url


@pytest.fixture
def start(simulator: tuple[Simulator, str], tmp_path: Path) -> Start:
    """Give a function that starts the server with options, and a client of an era with it."""
    _, base_url = simulator

    @asynccontextmanager
    async def started(*options: str, era: str = "legacy") -> AsyncGenerator[Session]:
        environment = {"CONTENTGROOVE_API_KEY": KEY, "CONTENTGROOVE_BASE_URL": base_url, "PYTHONWARNINGS": "error"}
        arguments = ["-m", "contentgroove.mcp", *options]
        parameters = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
        errors = tmp_path / "stderr"

        async def on_message(message: Any) -> None:
            session.received.append(message)
            if "ToolListChanged" in type(message).__name__:
                session.list_changed.set()

        with errors.open("w", encoding="utf-8") as log:
            client = Client(stdio_client(parameters, errlog=log), mode=era, message_handler=on_message)
            session = Session(client, errors)
            async with client:
                yield session

    return started
