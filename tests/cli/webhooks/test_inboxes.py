"""`contentgroove webhooks events|replay|prune`, wrong usage of all commands, and `medias wait --inbox`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from contentgroove._io.sync_io import SyncIO
from contentgroove.webhooks import PostgresInbox, WebhookReceiver, migrations
from contentgroove_mock import Policy, Simulator, serve

from tests.cli.conftest import CommandLine
from tests.cli.schemas import check
from tests.cli.webhooks.folder import KEY, app, inbox_with, saved
from tests.webhooks.payloads import body, finished
from tests.webhooks.postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_saved_body_is_recorded_in_an_inbox(cli: CommandLine) -> None:
    """A missing inbox is created; the second time is a duplicate."""
    for duplicate in (False, True):
        ran = cli("webhooks", "replay", saved(cli), "--inbox", "events.db", "--json")
        check("Arrived", ran.lines[0])
        assert (ran.code, ran.lines[0]["duplicate"], "has this event already" in ran.err) == (0, duplicate, duplicate)
    with inbox_with(cli) as inbox:
        assert [event.key for event in inbox.events()] == [KEY]


@pytest.mark.parametrize("name", ["m-1", KEY])
def test_an_event_is_handled_again(cli: CommandLine, name: str) -> None:
    """Named by its key, or by its media."""
    with inbox_with(cli, "m-1", "m-10") as inbox:
        waiting = cli("webhooks", "replay", name, "--inbox", "events.db")
        assert (waiting.code, "already waiting to be handled" in waiting.err) == (10, True)
        for state in ("done", "dead"):
            claim = inbox.claim_key(KEY, 60)
            assert claim is not None
            if state == "done":
                inbox.done(claim)
            else:
                inbox.release(claim, delay=None, error="ValueError: no", handled=frozenset())
            (replayed,) = cli("webhooks", "replay", name, "--inbox", "events.db", "--json").lines
            check("Replayed", replayed)
            assert replayed["key"] == KEY
            assert [event.state for event in inbox.events()] == ["pending", "pending"]


def test_the_status_of_an_inbox_is_a_health_probe(cli: CommandLine) -> None:
    """Its exit code is 1 if an event is overdue or no worker was seen; the reason and the advice are printed."""
    with inbox_with(cli, "m-1", "m-2") as inbox:
        ran = cli("webhooks", "status", "--inbox", "events.db", "--json")
        check("Status", ran.document)
        assert (ran.code, ran.document["healthy"], ran.document["pending"]) == (0, True, 2)
        assert ran.document["worker_seen_at"] is None
        overdue = cli("webhooks", "status", "--inbox", "events.db", "--overdue", "0")
        assert (overdue.code, "due for more than 0 s" in overdue.err, "webhooks work" in overdue.err) == (1, True, True)
        assert "overdue\tyes\n" in overdue.out
        unseen = cli("webhooks", "status", "--inbox", "events.db", "--worker-within", "60")
        assert (unseen.code, "No worker was seen" in unseen.err) == (1, True)
        inbox.beat(0)
        assert cli("webhooks", "status", "--inbox", "events.db", "--worker-within", "60").code == 0
        inbox.beat(120)
        paused = cli("webhooks", "status", "--inbox", "events.db", "--json")
        check("Status", paused.document)
        assert (paused.code, paused.document["paused_seconds"]) == (1, 120)


def test_events_that_were_done_long_ago_are_forgotten(cli: CommandLine) -> None:
    """All others stay."""
    with inbox_with(cli, "m-1", "m-2") as inbox:
        claim = inbox.claim(60)
        assert claim is not None
        inbox.done(claim)
        assert cli("webhooks", "prune", "--inbox", "events.db").out == "forgotten\t0\n"
        pruned = cli("webhooks", "prune", "--inbox", "events.db", "--days", "0", "--json").document
        check("Pruned", pruned)
        assert pruned == {"forgotten": 1}
        assert [event.key.split(":")[2] for event in inbox.events()] == ["m-2"]


def test_an_older_inbox_is_migrated(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SQL is printed, and only printed with --dry-run; then nothing is left to do."""
    with monkeypatch.context() as patched:
        patched.setattr(migrations.INBOX, "migrations", migrations.MIGRATIONS[:1])
        inbox_with(cli, "m-1").close()
    planned = cli("webhooks", "migrate", "--inbox", "events.db", "--dry-run", "--json").document
    check("Migrated", planned)
    assert (planned["from"], planned["to"], planned["executed"]) == (1, 2, False)
    script = cli("webhooks", "migrate", "--inbox", "events.db", "--dry-run")
    assert (script.code, script.err) == (0, "")
    assert script.out.startswith("BEGIN IMMEDIATE;\n")
    assert script.out.endswith("COMMIT;\n")
    assert script.out.count("CREATE TRIGGER") == 3
    migrated = cli("webhooks", "migrate", "--inbox", "events.db")
    assert (migrated.code, migrated.out) == (0, script.out)
    assert "had version 1 and have version 2 now" in migrated.err
    again = cli("webhooks", "migrate", "--inbox", "events.db")
    assert (again.code, again.out, again.err) == (0, "", "The tables have version 2 already.\n")
    document = cli("webhooks", "migrate", "--inbox", "events.db", "--json").document
    check("Migrated", document)
    assert document == {"from": 2, "to": 2, "statements": [], "executed": True}
    assert len(cli("webhooks", "events", "--inbox", "events.db").out.splitlines()) == 1


@pytest.mark.process
def test_an_inbox_can_be_in_postgresql(cli: CommandLine) -> None:
    """Named by its URL."""
    with postgres_server() as conninfo:
        host = conninfo.partition("host=")[2].split(" ")[0]
        url = f"postgresql://postgres@/postgres?host={host}"
        assert "CREATE FUNCTION" in cli("webhooks", "migrate", "--inbox", url).out
        assert cli("webhooks", "migrate", "--inbox", url).out == ""
        assert cli("webhooks", "replay", saved(cli), "--inbox", url).code == 0
        app(cli)
        worked = cli.child("webhooks", "work", "--app", "shop:make", "--inbox", url, "--once")
        assert (worked.code, worked.out) == (0, "handled m-1 1\n")
        with PostgresInbox(conninfo) as inbox:
            assert [event.state for event in inbox.events()] == ["done"]


def test_events_are_listed_with_their_errors(cli: CommandLine) -> None:
    """Foreign text is harmless, and an event that cannot be decoded is still listed."""
    with inbox_with(cli, "m-1") as inbox:
        inbox.record("odd\x1bkey", b"not a webhook")
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
        (("replay", "missing.json", "--to", "http://127.0.0.1:9/"), 12, "Cannot read missing.json"),
        (("replay", "other.json", "--to", "http://127.0.0.1:9/"), 12, "other.json is not a webhook"),
        (("replay", "body.json", "--to", "http://example.com/"), 2, "use https"),
        (("replay", "body.json", "--to", "ftp://127.0.0.1/"), 2, "not an http or https URL"),
        (("replay", "body.json", "--to", "http://[oops/"), 2, "not valid"),
        (("replay", "body.json", "--to", "http://127.0.0.1:1/"), 7, "Cannot reach"),
        (("replay", "m-1", "--inbox", "missing.db"), 2, "There is no inbox missing.db"),
        (("replay", "m-2", "--inbox", "events.db"), 4, "no event with this key or media id"),
        (("events", "--inbox", "missing.db"), 2, "There is no inbox missing.db"),
        (("events", "--inbox", "other.json"), 1, "not a database"),
        (("migrate", "--inbox", "missing.db"), 2, "There is no inbox missing.db"),
        (("migrate", "--inbox", "other.json"), 1, "not a database"),
        (("migrate", "--inbox", "postgresql://me:secret@host/name"), 2, "PGPASSWORD"),
        (("events", "--inbox", "postgresql://me:secret@host/name"), 2, "PGPASSWORD"),
        (("events", "--inbox", "postgresql://host/name?password=secret"), 2, "PGPASSWORD"),
        (("listen", "--token-file", "missing"), 2, "Cannot read the token file missing"),
        (("listen", "--token-file", "empty"), 2, "The token file empty is empty"),
        (("work",), 2, "--app"),
        (("work", "--app", "shop"), 2, "write MODULE:NAME"),
        (("work", "--app", "nothing_of_this_name:receiver"), 2, "No module named"),
        (("work", "--app", "shop:missing"), 2, "has no attribute 'missing'"),
        (("work", "--app", "shop:make"), 2, "pass --inbox FILE"),
        (("work", "--app", "shop:number", "--inbox", "events.db"), 2, "must be a WebhookReceiver, not int"),
        (("work", "--app", "shop:wrong", "--inbox", "events.db"), 2, "must return a WebhookReceiver, not str"),
        (("work", "--app", "shop:receiver", "--inbox", "events.db"), 2, "keeps its events in"),
        (("work", "--app", "broken:receiver"), 2, "ZeroDivisionError"),
    ],
)
def test_wrong_usage(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Each mistake has the code of its kind and two lines at most; nothing is created."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for module in ("shop", "broken"):
        # Taken out again afterwards.
        monkeypatch.setitem(sys.modules, module, sys)
        del sys.modules[module]
    inbox_with(cli, "m-1").close()
    saved(cli)
    app(cli)
    (cli.folder / "other.json").write_text(
        '{"not": "an event", "but": "long enough to look like a database"}\n' * 20, encoding="utf-8"
    )
    (cli.folder / "empty").touch()
    (cli.folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    before = sorted(path.name for path in cli.folder.iterdir())
    ran = cli("webhooks", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in cli.folder.iterdir() if path.name != "__pycache__") == before


@pytest.fixture
def waiting_cli(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line with a simulator whose medias are finished by the test."""
    with serve(Simulator(policy=Policy(processing_seconds=86_400))) as server:
        yield CommandLine(server, tmp_path)


def test_a_webhook_ends_a_wait(waiting_cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inbox is checked each half second, the API is polled only at the start and after the event."""
    simulator, slept = waiting_cli.server.simulator, list[float]()
    with waiting_cli.client() as client:
        media = client.medias.create(source_url="https://films.example/a.mp4", name="Film")

    async def sleep(_io: SyncIO, seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 20:
            simulator.finish_media(media.id)
            with inbox_with(waiting_cli) as inbox:
                WebhookReceiver(inbox).receive(body(finished(media.id)))

    monkeypatch.setattr(SyncIO, "sleep", sleep)
    inbox_with(waiting_cli).close()
    ran = waiting_cli("medias", "wait", media.id, "--inbox", "events.db")
    assert ran == (0, f"{media.id}\tfinished\tFilm\n", "")
    assert slept == [0.5] * 20
    assert [request.method for request in simulator.requests] == ["POST", "GET", "GET"]


def test_a_missing_inbox(waiting_cli: CommandLine) -> None:
    """It is wrong usage, and nothing is sent; an empty inbox is accepted."""
    ran = waiting_cli("medias", "wait", "some-id", "--inbox", "events.db")
    assert (ran.code, ran.out, waiting_cli.server.simulator.requests) == (2, "", [])
    assert "There is no inbox events.db" in ran.err
    inbox_with(waiting_cli).close()
    assert waiting_cli("medias", "wait", "some-id", "--inbox", "events.db").code == 4
