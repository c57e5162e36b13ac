"""The app under gunicorn, with worker processes, PostgreSQL and the simulator; every exchange is checked.

DATABASE_URL names a PostgreSQL database whose role may create another one: the tests use one of their own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import httpx
import psycopg
import pytest
from contentgroove.webhooks import PostgresInbox
from contentgroove_mock import Fault, ManualClock
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from psycopg import sql
from psycopg.conninfo import make_conninfo

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from contentgroove import ContentGroove
    from contentgroove.webhooks import WebhookReceiver
    from contentgroove_mock import Simulator

TOKEN = "canary-token"
LONG = 40.0
FILMS = 6


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """A database of these tests alone, with the app's tables; its connection string, which the app has as well."""
    server = os.environ.get("DATABASE_URL")
    assert server, "set DATABASE_URL to a PostgreSQL database whose role may create another one"
    name = f"films_{uuid.uuid4().hex}"
    own = make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection, pytest.MonkeyPatch.context() as environment:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        environment.setenv("DJANGO_SETTINGS_MODULE", "cinema.settings")
        environment.setenv("DATABASE_URL", own)
        environment.setenv("WEBHOOK_TOKEN", TOKEN)
        # Seconds after which a killed worker's film is handled again.
        environment.setenv("WEBHOOK_LEASE", "2")
        try:
            django.setup()
            call_command("migrate", verbosity=0)
            yield own
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def opened(database: str) -> Iterator[WebhookReceiver]:
    """The app's receiver in this process."""
    from django.db import connections
    from films.receiving import get_receiver

    del database
    inbox = get_receiver().inbox
    assert isinstance(inbox, PostgresInbox)
    yield get_receiver()
    inbox.close()
    connections.close_all()


@pytest.fixture
def receiver(opened: WebhookReceiver, database: str) -> WebhookReceiver:
    """The app's receiver, with empty tables."""
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE film, clip, news")
        connection.execute("DELETE FROM contentgroove_events")
    return opened


@pytest.fixture(scope="session")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app under gunicorn; its URL."""
    del database
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # the README's command
            [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}", "--workers=2", "cinema.wsgi"],
            cwd=Path(__file__).parent,
            stdout=output,
            stderr=output,
            pass_fds=[listening.fileno()],
        )
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait(LONG)
    assert TOKEN not in log.read_text(encoding="utf-8")


@pytest.fixture
def subscribed(contentgroove_client: ContentGroove, server: str, receiver: WebhookReceiver) -> ContentGroove:
    """A client of a service that sends its webhooks to the app."""
    del receiver
    contentgroove_client.webhook_subscriptions.create(url=f"{server}/contentgroove?token={TOKEN}")
    return contentgroove_client


def process_film(simulator: Simulator, client: ContentGroove, name: str = "Film") -> str:
    """Let the service process a film, and send its webhook; returns the media's id."""
    media = client.medias.create(source_url="https://films.example/film.mp4", name=name)
    simulator.finish_media(media.id)
    return media.id


def films(server: str) -> list[dict[str, Any]]:
    """Return what the page lists."""
    response = httpx.get(f"{server}/")
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["films"]
    return found


def expected(client: ContentGroove, media_id: str, name: str) -> dict[str, Any]:
    """Return how the page shows a film that was handled once, from what the service says of it."""
    clips = sorted(client.clips.list(filter={"media_id_eq": media_id}), key=lambda clip: (clip.start_time, clip.id))
    assert len(clips) > 1
    return {
        "id": media_id,
        "name": name,
        "clips": [{"name": clip.name, "start": clip.start_time, "end": clip.end_time} for clip in clips],
        "news": [f"{name} is ready, with {len(clips)} clips."],
    }


def wait_until(condition: Callable[[], bool], log: Path) -> None:
    """Wait until something is so that other processes do."""
    pause = threading.Event()
    for _ in range(int(LONG / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise TimeoutError(log.read_text(encoding="utf-8"))


@contextlib.contextmanager
def worker(name: str, log: Path) -> Generator[subprocess.Popen[bytes]]:
    """Run `manage.py work`, whose connections have a name in the database."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "work"],
            cwd=Path(__file__).parent,
            env={**os.environ, "PGAPPNAME": name},
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(LONG)


def test_two_workers_of_which_one_is_killed(
    contentgroove_simulator: Simulator,
    subscribed: ContentGroove,
    server: str,
    database: str,
    receiver: WebhookReceiver,
    tmp_path: Path,
) -> None:
    """Both are stopped in the middle of a film, by a lock; one is killed there, and each film is handled once."""
    log = tmp_path / "log"
    log.touch()

    def waiting() -> set[str]:
        # Another connection: within one transaction this view does not change.
        with psycopg.connect(database) as other:
            rows = other.execute(
                "SELECT application_name FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            return {row[0] for row in rows}

    with worker("first", log) as first, worker("second", log) as second:
        with psycopg.connect(database) as connection:
            # Film and news are written before the clips, which this keeps from being written.
            connection.execute("LOCK TABLE clip IN EXCLUSIVE MODE")
            names = {
                process_film(contentgroove_simulator, subscribed, f"Film {number}"): f"Film {number}"
                for number in range(FILMS)
            }
            wait_until(lambda: waiting() == {"first", "second"}, log)
            first.kill()
            first.wait(LONG)
            assert films(server) == []
        wait_until(lambda: receiver.status().done == FILMS, log)
        second.send_signal(signal.SIGTERM)
        # It has nothing in hand, so it may end by itself before the signal ends it.
        assert second.wait(LONG) in {0, -signal.SIGTERM}
    assert films(server) == [expected(subscribed, media_id, names[media_id]) for media_id in sorted(names)]
    # That of the killed worker; without it, nothing was shown.
    assert max(event.attempts for event in receiver.inbox.events()) == 2
    assert TOKEN not in log.read_text(encoding="utf-8")


def test_a_webhook_that_comes_twice_is_handled_once(
    contentgroove_simulator: Simulator, subscribed: ContentGroove, server: str, receiver: WebhookReceiver
) -> None:
    """The service delivers at least once."""
    contentgroove_simulator.add_fault(Fault(kind="duplicate", operation="webhook"))
    media_id = process_film(contentgroove_simulator, subscribed)
    assert [delivery.state for delivery in contentgroove_simulator.deliveries] == ["delivered"] * 2
    assert receiver.process_pending() == 1
    assert films(server) == [expected(subscribed, media_id, "Film")]


def test_a_lost_webhook_is_found(
    contentgroove_simulator: Simulator, subscribed: ContentGroove, server: str, receiver: WebhookReceiver
) -> None:
    """Once, and not if it is older than --since; a film whose webhook came is not found."""
    now = dt.datetime.now(dt.UTC)
    assert isinstance(contentgroove_simulator.clock, ManualClock)
    contentgroove_simulator.clock.set_time(now)
    contentgroove_simulator.add_fault(Fault(kind="lost", operation="webhook"))
    lost = process_film(contentgroove_simulator, subscribed, "Lost")
    came = process_film(contentgroove_simulator, subscribed, "Came")
    assert receiver.process_pending() == 1
    assert reconcile(f"--since={now.date() + dt.timedelta(days=2)}") == "0 lost webhooks found.\n"
    assert reconcile() == "1 lost webhook found.\n"
    assert reconcile(f"--since={now.date()}") == "0 lost webhooks found.\n"
    assert receiver.process_pending() == 1
    assert films(server) == [
        expected(subscribed, media_id, name) for media_id, name in sorted([(lost, "Lost"), (came, "Came")])
    ]


def reconcile(*arguments: str) -> str:
    """Run `manage.py reconcile` in this process; returns what it prints."""
    output = io.StringIO()
    call_command("reconcile", *arguments, stdout=output)
    return output.getvalue()


def test_a_call_that_fails_is_one_line(
    contentgroove_simulator: Simulator, subscribed: ContentGroove, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run of cron tries it again."""
    del subscribed
    contentgroove_simulator.set_api_keys(["another-key"])
    with pytest.raises(CommandError, match="401"):
        reconcile()
    with pytest.raises(CommandError, match="'yesterday' is not a date such as 2026-11-30"):
        reconcile("--since=yesterday")
    monkeypatch.delenv("CONTENTGROOVE_API_KEY")
    with pytest.raises(CommandError, match="There is no API key"):
        reconcile()


@pytest.mark.parametrize("query", ["", "?token=", "?token=canary-toke", "?token=canary-token2"])
def test_a_webhook_without_the_token_is_refused(server: str, receiver: WebhookReceiver, query: str) -> None:
    """It is not recorded, and the response does not say what the token is."""
    body = b'{"event": "media.processing_finished", "data": {"id": "1", "type": "media"}}'
    response = httpx.post(f"{server}/contentgroove{query}", content=body)
    assert response.status_code == 401
    assert TOKEN not in response.text
    assert list(receiver.inbox.events()) == []
    assert receiver.status().pending == 0


def test_what_is_not_a_webhook_is_refused(server: str, receiver: WebhookReceiver) -> None:
    """A browser, and a body that is not JSON, which is kept for a later release."""
    assert httpx.get(f"{server}/contentgroove?token={TOKEN}").status_code == 405
    response = httpx.post(f"{server}/contentgroove?token={TOKEN}", content=b"film")
    assert response.status_code == 400
    assert [event.state for event in receiver.inbox.events()] == ["dead"]


def test_a_webhook_is_sent_again_if_the_database_is_away_at_the_first(
    opened: WebhookReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The process has no receiver yet; the log has one line, without the password."""
    from django.conf import settings
    from django.test import RequestFactory
    from films import receiving, views

    monkeypatch.setattr(settings, "DATABASE_URL", "postgresql://user:canary@127.0.0.1:1/films")
    monkeypatch.setattr(views, "get_receiver", receiving.get_receiver.__wrapped__)
    request: Any = RequestFactory().post(f"/contentgroove?token={TOKEN}", b"{}", content_type="application/json")
    assert views.contentgroove(request).status_code == 503
    assert "A webhook was not recorded: The inbox in PostgreSQL failed" in caplog.text
    assert "Traceback" not in caplog.text
    assert "canary" not in caplog.text
    assert receiving.get_receiver() is opened


def test_the_migrations_are_those_of_the_models(database: str) -> None:
    """Django would write no further one."""
    del database
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DATABASE_URL": ""}, "Error: DATABASE_URL is not set. Set it, such as to postgresql://USER@HOST/NAME."),
        ({"DATABASE_URL": "postgresql://user:secret@127.0.0.1:1/films"}, "Error: connection failed:"),
    ],
)
def test_what_is_missing_is_named(database: str, environment: dict[str, str], message: str) -> None:
    """Without a traceback, and without the password."""
    del database
    done = subprocess.run(
        [sys.executable, "manage.py", "work"],
        cwd=Path(__file__).parent,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=LONG,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_connection_string_is_a_url_or_words(database: str) -> None:
    """As psycopg takes it; a wrong one is not repeated, because it may contain the password."""
    from cinema.settings import connection

    del database
    expected = {"NAME": "films", "USER": "me", "PASSWORD": "secret", "HOST": "db.example", "PORT": "5433"}
    url = connection("postgresql://me:secret@db.example:5433/films?sslmode=require")
    words = connection("host=db.example port=5433 dbname=films user=me password=secret sslmode=require")
    assert url == words == {"ENGINE": "django.db.backends.postgresql", **expected, "OPTIONS": {"sslmode": "require"}}
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not a PostgreSQL URL") as error:
        connection("films secret")
    assert "secret" not in str(error.value)
