"""`contentgroove webhooks work`: handlers in their own process, which ends gracefully."""

from __future__ import annotations

import signal
import textwrap
from typing import TYPE_CHECKING

import pytest
from contentgroove.webhooks import WebhookReceiver

from tests.cli.conftest import DEADLINE, Reader
from tests.cli.webhooks.folder import app, inbox_with
from tests.platforms import PIPES, SIGNALS, make_named_pipe
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

pytestmark = [PIPES, SIGNALS, pytest.mark.process]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("once", [(), ("--once",)])
def test_a_stop_finishes_the_current_event(cli: CommandLine, number: int, once: tuple[str, ...]) -> None:
    """The next event is left to the next worker."""
    app(cli)
    make_named_pipe(cli.folder / "gate")
    with (
        inbox_with(cli, "m-1", "m-2") as inbox,
        cli.started("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", *once) as process,
    ):
        assert process.stdout is not None
        out = Reader(process.stdout.fileno())
        out.wait_for("started m-1\n")
        process.send_signal(number)
        (cli.folder / "gate").write_text("go on", encoding="utf-8")
        assert process.wait(DEADLINE) == 0
        assert out.rest() == "started m-1\nhandled m-1 1\n"
        assert [(event.key.split(":")[2], event.state) for event in inbox.events()] == [
            ("m-2", "pending"),
            ("m-1", "done"),
        ]


@pytest.mark.parametrize("once", [(), ("--once",)])
def test_a_second_interrupt_releases_the_event(cli: CommandLine, once: tuple[str, ...]) -> None:
    """Another worker can claim it at once."""
    app(cli)
    make_named_pipe(cli.folder / "gate")
    with (
        inbox_with(cli, "m-1") as inbox,
        cli.started("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", *once) as process,
    ):
        assert process.stdout is not None
        Reader(process.stdout.fileno()).wait_for("started m-1\n")
        assert process.stderr is not None
        errors = Reader(process.stderr.fileno())
        process.send_signal(signal.SIGTERM)
        errors.wait_for("Stopping")
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
        assert "Traceback" not in errors.rest()
        assert [event.state for event in inbox.events()] == ["pending"]
        assert inbox.claim(60) is not None


@pytest.mark.parametrize("once", [(), ("--once",)])
def test_an_event_that_takes_too_long_is_handed_back(cli: CommandLine, once: tuple[str, ...]) -> None:
    """After the grace, although its handler waits in a system call; no attempt is counted, and nothing failed."""
    app(cli)
    make_named_pipe(cli.folder / "gate")
    (cli.folder / "brief.py").write_text(
        "import shop\n"
        "def make(inbox):\n"
        "    receiver = shop.make(inbox)\n"
        "    receiver._grace = 0.05\n"
        "    return receiver\n",
        encoding="utf-8",
    )
    with (
        inbox_with(cli, "m-1") as inbox,
        cli.started("webhooks", "work", "--app", "brief:make", "--inbox", "events.db", *once) as process,
    ):
        assert process.stdout is not None
        Reader(process.stdout.fileno()).wait_for("started m-1\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
        assert process.stderr is not None
        assert "handed back" in process.stderr.read()
        assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]
        assert inbox.claim(60) is not None


def test_a_worker_handles_what_arrives_later(cli: CommandLine) -> None:
    """Recorded by another process, until it is stopped."""
    app(cli)
    with (
        inbox_with(cli) as inbox,
        cli.started(
            "webhooks", "work", "--app", "shop:make", "--inbox", "events.db", "--poll-interval", "0.01"
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        Reader(process.stderr.fileno()).wait_for("Working")
        out = Reader(process.stdout.fileno())
        for media in ("m-1", "m-2"):
            WebhookReceiver(inbox).receive(body(finished(media)))
            out.wait_for(f"handled {media} 1\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_an_idle_worker_stops_at_once(cli: CommandLine) -> None:
    """Not only at its next poll."""
    app(cli)
    (cli.folder / "idle.py").write_text(
        textwrap.dedent("""
            import shop
            from contentgroove.webhooks import MemoryInbox

            class Inbox(MemoryInbox):
                def next_due(self):
                    print("idle", flush=True)

            receiver = shop.make(Inbox())
        """),
        encoding="utf-8",
    )
    with cli.started("webhooks", "work", "--app", "idle:receiver", "--poll-interval", "3600") as process:
        assert process.stdout is not None
        Reader(process.stdout.fileno()).wait_for("idle")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0


def test_a_failed_handler_is_reported_and_retried(cli: CommandLine) -> None:
    """With the traceback of the app's code; the event stays."""
    app(cli)
    make_named_pipe(cli.folder / "gate")
    with (
        inbox_with(cli, "m-1") as inbox,
        cli.started("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", "--once") as process,
    ):
        (cli.folder / "gate").write_text("fail", encoding="utf-8")
        assert process.wait(DEADLINE) == 1
        assert process.stderr is not None
        errors = process.stderr.read()
        assert "LookupError: told to fail" in errors
        assert "shop.py" in errors
        assert "error: 1 handler failed" in errors
        assert [(event.state, event.error.partition("\n")[0]) for event in inbox.events()] == [
            ("pending", "LookupError: told to fail")
        ]


def test_an_app_has_its_own_inbox(cli: CommandLine) -> None:
    """`--inbox` can be omitted, or name the same file."""
    inbox_with(cli, "m-1").close()
    app(cli)
    (cli.folder / "own.py").write_text(
        "import shop\nfrom contentgroove.webhooks import SQLiteInbox\nreceiver = shop.make(SQLiteInbox('events.db'))\n",
        encoding="utf-8",
    )
    first = cli.child("webhooks", "work", "--app", "own:receiver", "--inbox", "events.db", "--once")
    assert (first.code, first.out) == (0, "handled m-1 1\n")
    second = cli.child("webhooks", "work", "--app", "own:receiver", "--once")
    assert (second.code, second.out, second.err) == (0, "", "0 events handled.\n")
