"""Between events: the application's connections are renewed around each handler, Django's by themselves."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove.webhooks import HandlerError, MemoryInbox

from tests.webhooks.payloads import received

if TYPE_CHECKING:
    from contentgroove.webhooks import MediaProcessingFinished

EVENT: Final = "media.processing_finished"


@pytest.mark.parametrize("is_async", [False, True])
def test_the_hook_runs_around_each_handler_in_its_thread(process: Any, *, is_async: bool) -> None:
    """Before and after it, also if it fails."""
    calls: list[tuple[str, int]] = []
    receiver = received(
        MemoryInbox(), "m-1", "m-2", between_events=lambda: calls.append(("hook", threading.get_ident()))
    )

    def note(event: MediaProcessingFinished) -> None:
        calls.append((event.media.id, threading.get_ident()))
        if event.media.id == "m-1":
            raise LookupError("no")

    async def anote(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        note(event)

    receiver.on(EVENT)(anote if is_async else note)
    with pytest.raises(HandlerError):
        process(receiver)
    assert [name for name, _ in calls] == ["hook", "m-1", "hook", "hook", "m-2", "hook"]
    for part in (calls[:3], calls[3:]):
        assert len({thread for _, thread in part}) == 1


def test_a_hook_that_fails_before_a_handler_is_its_failure(process: Any) -> None:
    """The handler is not called without a connection."""

    def hook() -> None:
        raise LookupError("no connection")

    calls: list[Any] = []
    receiver = received(MemoryInbox(), "m-1", between_events=hook)
    receiver.on(EVENT)(calls.append)
    with pytest.raises(HandlerError, match="no connection"):
        process(receiver)
    assert calls == []


def test_a_hook_that_fails_after_a_handler_is_logged(process: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The handler has succeeded."""
    calls: list[str] = []

    def hook() -> None:
        if calls:
            raise LookupError("not closed")

    receiver = received(MemoryInbox(), "m-1", between_events=hook)
    receiver.on(EVENT)(lambda event: calls.append(event.media.id))
    assert process(receiver) == 1
    assert "failed after a handler: LookupError: not closed" in caplog.text


PROGRAM = """
import asyncio, contextlib, sys
import django
from asgiref.sync import sync_to_async
from django.conf import settings

conninfo, max_age = sys.argv[1:]
host = conninfo.split("host=")[1].split()[0]
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": host,
    "CONN_MAX_AGE": {"zero": 0, "none": None}[max_age],
}})
django.setup()
from django.db import connection
from contentgroove.webhooks import Backoff, HandlerError, MemoryInbox, WebhookReceiver
import psycopg


def query(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pids.append(cursor.fetchone()[0])
    names.append(name)

def handle(event):
    query(event.event)
    # As a database that restarts, or a firewall that drops idle connections.
    with psycopg.connect(conninfo, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = %s", [pids[-1]])

async def handle_async(event):
    await sync_to_async(handle)(event)

for handler in (handle, handle_async):
    for in_a_loop in (False, True):
        inbox = MemoryInbox()
        receiver = WebhookReceiver(inbox, backoff=Backoff(first=0, longest=0, attempts=2))
        names, pids = [], []
        receiver.on("*")(handler)
        for number in range(4):
            receiver.receive(b'{"event": "e%d"}' % number)
        for _ in range(20):
            with contextlib.suppress(HandlerError):
                if in_a_loop:
                    asyncio.run(receiver.aprocess_pending())
                else:
                    receiver.process_pending()
        assert sorted(names) == ["e0", "e1", "e2", "e3"], names
        assert {event.state for event in inbox.events()} == {"done"}, inbox.events()
        assert len(set(pids)) == 4, pids
"""


@pytest.mark.process
@pytest.mark.parametrize("max_age", ["zero", "none"])
def test_djangos_dropped_connections_are_replaced(postgres: str, max_age: str) -> None:
    """After each event the server ends the connection, and no event is dead: all are handled, with new ones.

    By sync and async handlers, in a thread and in a loop, whether connections are kept or not.
    """
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PROGRAM), postgres, max_age],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
