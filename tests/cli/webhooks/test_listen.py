"""`contentgroove webhooks listen`, run as a person or a script does: processes, pipes, signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest
from contentgroove.cli.webhook_server import IDLE_TIMEOUT

from tests.cli.conftest import DEADLINE, Reader
from tests.cli.schemas import check
from tests.cli.webhooks.conftest import TOKEN
from tests.cli.webhooks.folder import KEY, app, inbox_with, saved
from tests.platforms import PIPES, SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import CommandLine
    from tests.cli.webhooks.conftest import Listener

pytestmark = [PIPES, SIGNALS, pytest.mark.process]


def test_from_the_service_to_the_handler(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """A delivery is printed, recorded, and handled by another command."""
    listener = listen("--inbox", "events.db", "--json")
    assert cli("webhooks", "create", f"{listener.url}?token={TOKEN}").code == 0
    media_id = cli.media("Film")
    line = json.loads(listener.out.wait_for("\n"))
    check("Arrived", line)
    assert (line["event"], line["media_id"], line["duplicate"]) == ("media.processing_finished", media_id, False)
    assert line["body"]["payload"]["data"]["attributes"]["name"] == "Film"
    assert listener.stop() == 0
    assert [line.split(" ")[0] for line in listener.err.rest().splitlines()] == ["Listening", "Stopping"]

    (event,) = cli("webhooks", "events", "--inbox", "events.db", "--json").lines
    check("Event", event)
    assert (event["key"], event["state"], event["attempts"]) == (line["key"], "pending", 0)
    app(cli)
    worked = cli.child("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", "--once")
    assert (worked.code, worked.out, worked.err) == (0, f"handled {media_id} 1\n", "1 event handled.\n")
    (event,) = cli("webhooks", "events", "--inbox", "events.db", "--state", "done", "--json").lines
    check("Event", event)


def test_listen_prints_a_line_for_each_delivery(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """New or again; a forged delivery is rejected, reported on standard error and not printed."""
    listener, file = listen(), saved(cli)
    assert cli("webhooks", "replay", file, "--to", listener.url).out == f"{KEY}\t200\n"
    check("Posted", cli("webhooks", "replay", file, "--to", listener.url, "--json").lines[0])
    forged = cli.child("webhooks", "replay", file, "--to", f"{listener.url}?token=wrong")
    assert (forged.code, "returned 401" in forged.err) == (10, True)
    listener.err.wait_for("A webhook was refused: The token")
    unknown = saved(cli, {"event": "clip.exported", "payload": {"data": {"name": "\x1b[2Jboo"}}})
    cli("webhooks", "replay", unknown, "--to", listener.url)
    printed = listener.out.wait_for(r"clip\.exported.*\n")
    assert printed.splitlines()[:2] == [
        f"media.processing_finished\t{state}\tm-1\t1 clip\tChimp Into Space" for state in ("new", "again")
    ]
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == 3
    assert listener.stop(signal.SIGTERM) == 0
    assert TOKEN not in listener.out.text + listener.err.rest()


def test_listen_ends_when_its_output_is_closed(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """As in `listen | head -1`; the event was recorded and the response was sent."""
    ours, theirs = os.pipe()
    listener = listen("--inbox", "events.db", output=theirs)
    os.close(theirs)
    os.close(ours)
    assert cli("webhooks", "replay", saved(cli), "--to", listener.url).code == 0
    assert listener.process.wait(DEADLINE) == 141
    assert "Traceback" not in listener.err.rest()
    with inbox_with(cli) as inbox:
        assert [event.key for event in inbox.events()] == [KEY]


def test_a_slow_sender_delays_nothing(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """Not other deliveries, and not the exit."""
    listener = listen()
    with socket.create_connection(("127.0.0.1", listener.port)) as slow:
        slow.sendall(f"POST /?token={TOKEN} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert cli("webhooks", "replay", saved(cli), "--to", listener.url).code == 0
        start = time.monotonic()
        assert listener.stop() == 0
        assert time.monotonic() - start < IDLE_TIMEOUT / 2


def test_the_port_is_printed_even_with_quiet(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """The selected port is on standard error, with -q nothing else."""
    listener = listen("-q", "--port", "0")
    assert cli("webhooks", "replay", saved(cli), "--to", listener.url).code == 0
    assert listener.stop() == 0
    assert listener.err.rest() == f"Listening at {listener.url} (Ctrl-C stops)\n"


def test_a_port_that_is_in_use(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """It is named, with the reason."""
    port = listen().port
    ran = cli("webhooks", "listen", "--port", f"{port}")
    assert (ran.code, f"Cannot listen on 127.0.0.1:{port}: it is in use." in ran.err) == (1, True)


def test_without_a_token_listen_warns(cli: CommandLine) -> None:
    """Any sender would be trusted; a token can also come from a file."""
    (cli.folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    for arguments, warns in ((), True), (("--token-file", "token"), False):
        with cli.started("webhooks", "listen", *arguments) as process:
            assert process.stderr is not None
            assert ("warning: Without" in Reader(process.stderr.fileno()).wait_for("Listening")) is warns
