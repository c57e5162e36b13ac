"""Live updates: an event for each section that shows something else, and none for anything else."""

from __future__ import annotations

import threading
from contextlib import aclosing

import anyio
import pytest
from contentgroove_mock.inspector.events import Changes, parse_digests, write_digests

pytestmark = pytest.mark.anyio


async def test_events_name_what_differs_from_the_page() -> None:
    """A page that is up to date gets none."""
    changes = Changes()
    shown = {"medias": "1", "requests": "1"}
    async with aclosing(changes.stream(lambda: shown, {"medias": "0", "requests": "1"}, 0)) as stream:
        assert await anext(stream) == ": connected\n\n"
        assert await anext(stream) == "event: medias\ndata: 1\n\n"
        shown["requests"] = "2"
        changes.notify()
        assert await anext(stream) == "event: requests\ndata: 2\n\n"


async def test_without_a_change_nothing_is_read() -> None:
    """The state is read when something may have changed, once however often it did, and not again."""
    changes = Changes()
    reads: list[int] = []

    def digests() -> dict[str, str]:
        reads.append(1)
        return {"medias": str(len(reads) // 3)}

    async def read() -> None:
        stream = changes.stream(digests, {"medias": "0"}, 0)
        while True:
            events.append(await anext(stream))

    events: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        assert len(reads) == 1
        changes.notify()
        changes.notify()
        await anyio.wait_all_tasks_blocked()
        assert (len(reads), events) == (2, [": connected\n\n"])
        changes.notify()
        await anyio.wait_all_tasks_blocked()
        assert (len(reads), events[1:]) == (3, ["event: medias\ndata: 1\n\n"])
        tasks.cancel_scope.cancel()


async def test_changes_come_from_any_thread() -> None:
    """Methods of a simulator may be called from any."""
    changes = Changes()
    shown = {"medias": "1"}
    async with aclosing(changes.stream(lambda: shown, shown.copy(), 0)) as stream:
        await anext(stream)
        shown["medias"] = "2"
        thread = threading.Thread(target=changes.notify)
        thread.start()
        assert await anext(stream) == "event: medias\ndata: 2\n\n"
        thread.join()


async def test_closed_pages_are_forgotten() -> None:
    """Nothing is done for them any more."""
    changes = Changes()
    async with aclosing(changes.stream(dict, {}, 0)) as stream:
        await anext(stream)
        assert changes.watcher_count == 1
    assert changes.watcher_count == 0
    changes.notify()


def test_digests_are_a_value_of_a_query() -> None:
    """As written, so read; anything else is skipped."""
    digests = {"medias": "12ab", "requests": "0f"}
    assert parse_digests(write_digests(digests)) == digests
    assert parse_digests("medias.requests-.-1.<x>-1.clips-2") == {"clips": "2"}
