"""`contentgroove webhooks`, run as a person or a script does: processes, pipes, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from contentgroove.cli.webhooks_listen import SILENCE
from contentgroove.webhooks import MemoryInbox, SQLiteInbox, WebhookReceiver

from tests.cli.conftest import DEADLINE, CommandLine, Reader
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove_mock import Server

    from tests.webhooks.conftest import Store

TOKEN = "canary-token-1234567890"
KEY = "media.processing_finished:medias:m-1:2025-10-15T13:51:02.559000+00:00"
DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A simulator that is quick; each key has an account of its own."""
    from contentgroove_mock import Simulator, serve

    from tests.cli.conftest import QUICK

    with serve(Simulator(policy=QUICK)) as served:
        yield served


@pytest.fixture
def cli(server: Server, tmp_path: Path) -> CommandLine:
    """The command line, in an empty folder."""
    return CommandLine(server, tmp_path)


def check(name: str, document: Any) -> None:
    """Check a JSON document against what the documentation says of it."""
    _, _, section = DOCUMENT.read_text(encoding="utf-8").partition(f"### {name}\n")
    schema = json.loads(section.partition("```json\n")[2].partition("```")[0])
    jsonschema_rs.validator_for({**schema, "additionalProperties": False}, validate_formats=True).validate(document)


@dataclass
class Listener:
    """`listen` in a process.

    Attributes:
        url: Where it listens.
        process: The process.
        out: What it prints.
        err: Its standard error.
    """

    url: str
    process: subprocess.Popen[str]
    out: Reader
    err: Reader

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@pytest.fixture
def listen(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Listener]]:
    """Start `listen` at a port that is free, with a token."""
    from contextlib import ExitStack

    monkeypatch.setenv("CONTENTGROOVE_WEBHOOK_TOKEN", TOKEN)
    with ExitStack() as stack:

        def start(*arguments: str, output: int = subprocess.PIPE) -> Listener:
            process = stack.enter_context(cli.started("webhooks", "listen", *arguments, output=output))
            assert process.stderr is not None
            err = Reader(process.stderr.fileno())
            url = err.wait_for(r"http://127\.0\.0\.1:\d+/").partition("http://")[2].split(" ")[0]
            return Listener(f"http://{url}", process, Reader(process.stdout.fileno() if process.stdout else -1), err)

        yield start


def saved(cli: CommandLine, event: Any = None) -> str:
    """Save a body; gives the file's name."""
    (cli.folder / "body.json").write_bytes(body(event or finished("m-1")))
    return "body.json"


def inbox_with(cli: CommandLine, *medias: str) -> SQLiteInbox:
    """Make an inbox `events.db` that holds events."""
    inbox = SQLiteInbox(cli.folder / "events.db")
    for media in medias:
        WebhookReceiver(inbox).receive(body(finished(media)))
    return inbox


def test_subscriptions_live_and_die(cli: CommandLine) -> None:
    """Subscribed with a token that is shown once, listed without it, shown, deleted."""
    made = cli("webhooks", "subscribe", "https://example.com/hook", "--event", "media.processing_finished", "--json")
    check("Subscribed", made.document)
    id_, token = made.document["id"], made.document["token"]
    assert made.document["url"] == f"https://example.com/hook?token={token}"
    assert made.document["subscribed_events"] == ["media.processing_finished"]

    listed = cli("webhooks", "list")
    assert listed.out == f"{id_}\tactive\tmedia.processing_finished\thttps://example.com/hook?token=[redacted]\n"
    check("Subscription", cli("webhooks", "list", "--json").lines[0])
    shown = cli("webhooks", "show", id_)
    assert f"id\t{id_}\n" in shown.out
    assert token not in shown.out
    check("Subscription", cli("webhooks", "show", id_, "--json").document)

    assert cli("webhooks", "delete", id_).code == 2, "nobody is there to be asked"
    assert cli("webhooks", "delete", id_, "--yes", "--json").lines == [{"id": id_, "deleted": True}]
    assert cli("webhooks", "show", id_).code == 4
    assert cli("webhooks", "list").out == ""


def test_each_subscription_has_a_token_of_its_own(cli: CommandLine) -> None:
    """For people it stands in a line of its own; `create` makes none."""
    tokens = set[str]()
    for _ in range(2):
        fields = dict(line.split("\t") for line in cli("webhooks", "subscribe", "https://a.test/").out.splitlines())
        assert fields["url"] == "https://a.test/?token=[redacted]"
        tokens.add(fields["token"])
    assert len(tokens) == 2
    assert "token" not in cli("webhooks", "create", "https://a.test/").out


def test_a_url_that_would_give_the_token_away_is_not_subscribed(cli: CommandLine) -> None:
    """Over plain http to another machine, or twice."""
    assert cli("webhooks", "subscribe", "http://example.com/hook").code == 2
    assert cli("webhooks", "subscribe", "https://example.com/hook?token=mine").code == 2
    assert cli("webhooks", "list").out == ""


def test_from_the_service_to_the_handler(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """What the service delivers is printed, recorded, and handled by another command."""
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
    """New or again; what is forged is refused, said on standard error and not printed."""
    listener, file = listen(), saved(cli)
    assert cli("webhooks", "replay", file, "--to", listener.url).out == f"{KEY}\t200\n"
    check("Posted", cli("webhooks", "replay", file, "--to", listener.url, "--json").lines[0])
    forged = cli.child("webhooks", "replay", file, "--to", f"{listener.url}?token=wrong")
    assert (forged.code, "answered 401" in forged.err) == (10, True)
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


def test_listen_ends_when_nobody_reads_what_it_prints(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """As in `listen | head -1`; the event was recorded and answered all the same."""
    ours, theirs = os.pipe()
    listener = listen("--inbox", "events.db", output=theirs)
    os.close(theirs)
    os.close(ours)
    assert cli("webhooks", "replay", saved(cli), "--to", listener.url).code == 0
    assert listener.process.wait(DEADLINE) == 141
    assert "Traceback" not in listener.err.rest()
    with inbox_with(cli) as inbox:
        assert [event.key for event in inbox.events()] == [KEY]


def test_a_slow_sender_holds_up_nobody(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """Neither other deliveries, nor the end."""
    import socket

    listener = listen()
    with socket.create_connection(("127.0.0.1", int(listener.url.split(":")[2].strip("/")))) as slow:
        slow.sendall(f"POST /?token={TOKEN} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert cli("webhooks", "replay", saved(cli), "--to", listener.url).code == 0
        began = time.monotonic()
        assert listener.stop() == 0
        assert time.monotonic() - began < SILENCE / 2


def test_a_port_that_is_taken_is_told(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """In one line, without a traceback."""
    port = listen().url.split(":")[2].strip("/")
    ran = cli("webhooks", "listen", "--port", port)
    assert (ran.code, f"Port {port} of 127.0.0.1 cannot be listened at: it is in use." in ran.err) == (1, True)


def test_without_a_token_listen_warns(cli: CommandLine) -> None:
    """Anybody could send anything; a token can come from a file, too."""
    (cli.folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    for arguments, warns in ((), True), (("--token-file", "token"), False):
        with cli.started("webhooks", "listen", *arguments) as process:
            assert process.stderr is not None
            assert ("warning: Without" in Reader(process.stderr.fileno()).wait_for("Listening")) is warns


def test_a_saved_body_is_recorded_in_an_inbox(cli: CommandLine) -> None:
    """Which is made if it is not there; the second time is a duplicate."""
    for duplicate in (False, True):
        ran = cli("webhooks", "replay", saved(cli), "--inbox", "events.db", "--json")
        check("Arrived", ran.lines[0])
        assert (ran.code, ran.lines[0]["duplicate"], "has this event already" in ran.err) == (0, duplicate, duplicate)
    with inbox_with(cli) as inbox:
        assert [event.key for event in inbox.events()] == [KEY]


@pytest.mark.parametrize("name", ["m-1", KEY])
def test_an_event_is_handled_once_more(cli: CommandLine, name: str) -> None:
    """Named by its key, or by its media."""
    with inbox_with(cli, "m-1", "m-10") as inbox:
        waiting = cli("webhooks", "replay", name, "--inbox", "events.db")
        assert (waiting.code, "waits to be handled already" in waiting.err) == (10, True)
        for state in ("done", "dead"):
            claim = inbox.claim(60)
            assert claim is not None
            if state == "done":
                inbox.done(claim)
            else:
                inbox.release(claim, delay=None, error="ValueError: no", handled=frozenset())
            (replayed,) = cli("webhooks", "replay", name, "--inbox", "events.db", "--json").lines
            check("Replayed", replayed)
            assert replayed["key"] == KEY
            assert [event.state for event in inbox.events()] == ["pending", "pending"]


def test_what_was_done_long_ago_is_forgotten(cli: CommandLine) -> None:
    """And nothing else is."""
    with inbox_with(cli, "m-1", "m-2") as inbox:
        claim = inbox.claim(60)
        assert claim is not None
        inbox.done(claim)
        assert cli("webhooks", "prune", "--inbox", "events.db").out == "forgotten\t0\n"
        pruned = cli("webhooks", "prune", "--inbox", "events.db", "--days", "0", "--json").document
        check("Pruned", pruned)
        assert pruned == {"forgotten": 1}
        assert [event.key.split(":")[2] for event in inbox.events()] == ["m-2"]


def test_an_inbox_can_be_in_postgresql(cli: CommandLine, make_store: Callable[[str], Store]) -> None:
    """Named by its URL."""
    store = make_store("postgres")
    host = store.place.partition("host=")[2].split(" ")[0]
    url = f"postgresql://postgres@/postgres?host={host}&options=-c%20search_path%3Devents"
    assert cli("webhooks", "replay", saved(cli), "--inbox", url).code == 0
    app(cli)
    worked = cli.child("webhooks", "work", "--app", "shop:make", "--inbox", url, "--once")
    assert (worked.code, worked.out) == (0, "handled m-1 1\n")
    with store.open() as inbox:
        assert [event.state for event in inbox.events()] == ["done"]


def test_events_are_listed_with_their_errors(cli: CommandLine) -> None:
    """What others wrote is shown harmless, and what cannot be read is listed all the same."""
    with inbox_with(cli, "m-1") as inbox:
        inbox.record("odd\x1bkey", b"no webhook")
        for error in ("ValueError: \x1b[2J", ""):
            claim = inbox.claim(60)
            assert claim is not None
            if error:
                inbox.release(claim, delay=None, error=error, handled=frozenset({"h"}))
    lines = cli("webhooks", "events", "--inbox", "events.db").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["claimed", "dead"]
    assert lines[1].endswith(f"\tm-1\t{KEY}\tValueError: \\x1b[2J")
    odd, dead = cli("webhooks", "events", "--inbox", "events.db", "--json").lines
    check("Event", odd)
    check("Event", dead)
    assert (odd["event"], odd["body"], dead["error"], dead["handled"]) == (None, None, "ValueError: \x1b[2J", ["h"])
    assert cli("webhooks", "events", "--inbox", "events.db", "--state", "done").out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("replay", "body.json"), 2, "--to URL or --inbox FILE"),
        (("replay", "body.json", "--to", "http://127.0.0.1:9/", "--inbox", "e.db"), 2, "--to URL or --inbox FILE"),
        (("replay", "missing.json", "--to", "http://127.0.0.1:9/"), 12, "missing.json cannot be read"),
        (("replay", "other.json", "--to", "http://127.0.0.1:9/"), 12, "other.json holds no webhook"),
        (("replay", "body.json", "--to", "http://example.com/"), 2, "use https"),
        (("replay", "body.json", "--to", "ftp://127.0.0.1/"), 2, "no http or https URL"),
        (("replay", "body.json", "--to", "http://[oops/"), 2, "cannot be read"),
        (("replay", "body.json", "--to", "http://127.0.0.1:1/"), 7, "could not be reached"),
        (("replay", "m-1", "--inbox", "missing.db"), 2, "There is no inbox missing.db"),
        (("replay", "m-2", "--inbox", "events.db"), 4, "no event of this key or media id"),
        (("events", "--inbox", "missing.db"), 2, "There is no inbox missing.db"),
        (("events", "--inbox", "other.json"), 1, "not a database"),
        (("events", "--inbox", "postgresql://me:secret@host/name"), 2, "PGPASSWORD"),
        (("events", "--inbox", "postgresql://host/name?password=secret"), 2, "PGPASSWORD"),
        (("listen", "--token-file", "missing"), 2, "The token file missing cannot be read"),
        (("listen", "--token-file", "empty"), 2, "The token file empty is empty"),
        (("work",), 2, "--app"),
        (("work", "--app", "shop"), 2, "write MODULE:NAME"),
        (("work", "--app", "nothing_of_this_name:receiver"), 2, "No module named"),
        (("work", "--app", "shop:missing"), 2, "has no attribute 'missing'"),
        (("work", "--app", "shop:make"), 2, "pass --inbox FILE"),
        (("work", "--app", "shop:number", "--inbox", "events.db"), 2, "is no WebhookReceiver, but int"),
        (("work", "--app", "shop:wrong", "--inbox", "events.db"), 2, "gave no WebhookReceiver, but str"),
        (("work", "--app", "shop:receiver", "--inbox", "events.db"), 2, "keeps its events in"),
        (("work", "--app", "broken:receiver"), 2, "ZeroDivisionError"),
    ],
)
def test_mistakes_are_told(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """By a code of their kind and in two lines at most; nothing is made."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for module in ("shop", "broken"):
        # Taken out again afterwards.
        monkeypatch.setitem(sys.modules, module, sys)
        del sys.modules[module]
    inbox_with(cli, "m-1").close()
    saved(cli)
    app(cli)
    (cli.folder / "other.json").write_text('{"not": "an event", "but": "long enough to look like a database"}\n' * 20)
    (cli.folder / "empty").touch()
    (cli.folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    before = sorted(path.name for path in cli.folder.iterdir())
    ran = cli("webhooks", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in cli.folder.iterdir() if path.name != "__pycache__") == before


def app(cli: CommandLine) -> None:
    """Write the module `shop`, whose handler waits for a line in the pipe `gate` if there is one."""
    (cli.folder / "shop.py").write_text(
        textwrap.dedent("""
            from pathlib import Path
            from contentgroove.webhooks import MemoryInbox, WebhookReceiver

            def make(inbox):
                receiver = WebhookReceiver(inbox)

                @receiver.on("*")
                def handle(event):
                    gate = Path("gate")
                    if gate.exists():
                        print("begun", event.media.id, flush=True)
                        word = gate.read_text()
                        if word == "fail":
                            raise LookupError("asked to")
                    print("handled", event.media.id, event.attempt, flush=True)

                return receiver

            receiver = make(MemoryInbox())
            number = 5
            wrong = lambda inbox: "receiver"
        """),
        encoding="utf-8",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("once", [(), ("--once",)])
def test_a_stop_finishes_the_event_in_hand(cli: CommandLine, number: int, once: tuple[str, ...]) -> None:
    """And leaves the next one to the next worker."""
    app(cli)
    os.mkfifo(cli.folder / "gate")
    with (
        inbox_with(cli, "m-1", "m-2") as inbox,
        cli.started("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", *once) as process,
    ):
        assert process.stdout is not None
        out = Reader(process.stdout.fileno())
        out.wait_for("begun m-1\n")
        process.send_signal(number)
        (cli.folder / "gate").write_text("go on", encoding="utf-8")
        assert process.wait(DEADLINE) == 0
        assert out.rest() == "begun m-1\nhandled m-1 1\n"
        assert [(event.key.split(":")[2], event.state) for event in inbox.events()] == [
            ("m-2", "pending"),
            ("m-1", "done"),
        ]


@pytest.mark.parametrize("once", [(), ("--once",)])
def test_a_second_interrupt_gives_the_event_back(cli: CommandLine, once: tuple[str, ...]) -> None:
    """Whoever cannot wait presses Ctrl-C twice; another worker begins at once."""
    app(cli)
    os.mkfifo(cli.folder / "gate")
    with (
        inbox_with(cli, "m-1") as inbox,
        cli.started("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", *once) as process,
    ):
        assert process.stdout is not None
        Reader(process.stdout.fileno()).wait_for("begun m-1\n")
        assert process.stderr is not None
        errors = Reader(process.stderr.fileno())
        process.send_signal(signal.SIGTERM)
        errors.wait_for("Stopping")
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 130
        assert "Traceback" not in errors.rest()
        assert [event.state for event in inbox.events()] == ["pending"]
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
    """Not only when it would have looked again."""
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


def test_a_handler_that_fails_is_told_and_repeated(cli: CommandLine) -> None:
    """With its traceback, because it is the app's own; the event stays."""
    app(cli)
    os.mkfifo(cli.folder / "gate")
    with (
        inbox_with(cli, "m-1") as inbox,
        cli.started("webhooks", "work", "--app", "shop:make", "--inbox", "events.db", "--once") as process,
    ):
        (cli.folder / "gate").write_text("fail", encoding="utf-8")
        assert process.wait(DEADLINE) == 1
        assert process.stderr is not None
        errors = process.stderr.read()
        assert "LookupError: asked to" in errors
        assert "shop.py" in errors
        assert "error: 1 handler failed" in errors
        assert [(event.state, event.error) for event in inbox.events()] == [("pending", "LookupError: asked to")]


def test_an_app_brings_its_own_inbox(cli: CommandLine) -> None:
    """`--inbox` may be left out, or name the same file."""
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


def test_a_stop_can_be_asked_for_between_events() -> None:
    """By whoever runs the handlers in a loop of their own."""
    receiver = WebhookReceiver(MemoryInbox())
    handled: list[str] = []
    receiver.on("*", name="h")(lambda event: handled.append(event.media.id))
    for media in ("m-1", "m-2"):
        receiver.receive(body(finished(media)))
    assert receiver.process_pending(should_stop=lambda: bool(handled)) == 1
    assert handled == ["m-1"]
