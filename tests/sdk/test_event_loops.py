"""What an async client needs of the event loop that it runs in."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest
from anyio import to_thread
from contentgroove import AsyncContentGroove, ConfigurationError
from contentgroove_mock import Simulator, serve

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from typing import Any


def test_two_loops_at_once() -> None:
    """Connections belong to the loop that opened them; another one can neither use nor close them, and says so."""
    at = Simulator()
    used, leave = threading.Event(), threading.Event()

    async def first(client: AsyncContentGroove) -> None:
        async with client:
            assert [media async for media in client.medias.list()] == []
            used.set()
            await to_thread.run_sync(leave.wait, 30)
            assert [media async for media in client.medias.list()] == []

    with serve(at) as server, ThreadPoolExecutor() as threads:
        client = AsyncContentGroove("key", server.base_url)
        running = threads.submit(asyncio.run, first(client))
        assert used.wait(30)
        try:
            for call in (client.direct_uploads.prepare, client.aclose):
                with pytest.raises(ConfigurationError, match="another event loop"):
                    asyncio.run(call())
        finally:
            leave.set()
        running.result(30)
        with pytest.raises(ConfigurationError, match="closed"):
            asyncio.run(client.direct_uploads.prepare())
        asyncio.run(client.aclose())


def test_a_batch_says_that_it_needs_asyncio(tmp_path: Path) -> None:
    """Another async library has no tasks that outlive the one that iterates."""
    results = AsyncContentGroove("key").medias.upload_many([tmp_path / "film.mp4"])
    step = cast("Coroutine[Any, Any, object]", anext(results))
    with pytest.raises(ConfigurationError, match="needs asyncio"):
        # As a loop that is not asyncio's would.
        step.send(None)
