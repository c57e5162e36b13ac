"""Outages: they do not use up an event's attempts; the worker pauses, says so, and tries one event."""

from __future__ import annotations

import errno
import logging
import socket
import sqlite3
import threading
import urllib.error
from email.message import Message
from typing import TYPE_CHECKING, Any, Final

import httpx
import psycopg
import pytest
from contentgroove import APIConnectionError, AuthenticationError, InvalidInputError, NotFoundError, RateLimitError
from contentgroove.webhooks import Backoff, HandlerError, InboxError, MemoryInbox, WebhookReceiver
from contentgroove.webhooks.outages import MAX_FREE_CLAIMS, Circuit, is_outage

from tests.webhooks.payloads import received

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox, MediaProcessingFinished, ReceiverStatus

    from tests.webhooks.conftest import Clock

EVENT: Final = "media.processing_finished"
LONG = 10.0
MEDIAS = tuple(f"m-{number}" for number in range(1, 9))


def raised(function: Callable[[], object]) -> BaseException:
    """Return what a function raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - of any kind
        function()
    return caught.value


def of_sqlite(code: int) -> sqlite3.OperationalError:
    """Write an error of SQLite."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = code
    return error


def caused(error: BaseException, cause: BaseException) -> BaseException:
    """Chain two exceptions."""
    error.__cause__ = cause
    return error


def named(name: str, module: str, **attributes: Any) -> Exception:
    """Write an exception of a library that is not installed."""
    error: Exception = type(name, (Exception,), {"__module__": module})("away")
    for attribute, value in attributes.items():
        setattr(error, attribute, value)
    return error


def of_the_api(kind: type[Any], status: int, **attributes: float) -> Exception:
    """Write an error of the API."""
    error: Exception = kind("no", status_code=status)
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


class OfTheApplicationError(Exception):
    """Raised if the application's own store cannot be reached."""


REQUEST = httpx.Request("GET", "http://127.0.0.1/")

OUTAGES = {
    "refused": ConnectionRefusedError(),
    "timeout": TimeoutError(),
    "name": socket.gaierror(-2, "Name or service not known"),
    "unreachable": OSError(errno.ENETUNREACH, "no route"),
    "disk": OSError(errno.ENOSPC, "full"),
    "httpx": httpx.ConnectError("no"),
    "httpx timeout": httpx.ReadTimeout("no"),
    "httpx 503": httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(503)),
    "urllib": urllib.error.URLError(ConnectionRefusedError()),
    "urllib 502": urllib.error.HTTPError("http://a.test/", 502, "Bad Gateway", Message(), None),
    "psycopg": psycopg.OperationalError("server closed the connection unexpectedly"),
    "psycopg shutdown": psycopg.errors.AdminShutdown(),
    "psycopg interface": psycopg.InterfaceError("the connection is closed"),
    "sqlite locked": of_sqlite(sqlite3.SQLITE_BUSY),
    "sqlite disk": of_sqlite(sqlite3.SQLITE_IOERR_WRITE),
    "django": caused(named("OperationalError", "django.db.utils"), psycopg.OperationalError("gone")),
    "django alone": named("InterfaceError", "django.db.utils"),
    "sqlalchemy": named("OperationalError", "sqlalchemy.exc", connection_invalidated=True, code="e3q8"),
    "pymysql": named("OperationalError", "pymysql.err"),
    "redis": named("ConnectionError", "redis.exceptions"),
    "requests": named("ConnectionError", "requests.exceptions", response=None),
    "kombu": named("OperationalError", "kombu.exceptions"),
    "api connection": APIConnectionError("no"),
    "inbox": InboxError("no"),
    "wrapped": caused(ValueError("order 5 was not saved"), ConnectionResetError()),
    "group": ExceptionGroup("both", [ConnectionResetError(), TimeoutError()]),
}

OTHERS = {
    "value": ValueError("no"),
    "file": FileNotFoundError(errno.ENOENT, "no"),
    "exit": SystemExit(1),
    "httpx 404": httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(404)),
    "httpx 500": httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(500)),
    "urllib 404": urllib.error.HTTPError("http://a.test/", 404, "Not Found", Message(), None),
    "no table": raised(lambda: sqlite3.connect(":memory:").execute("SELECT * FROM missing")),
    "django no table": caused(
        named("OperationalError", "django.db.utils"),
        raised(lambda: sqlite3.connect(":memory:").execute("SELECT * FROM missing")),
    ),
    "constraint": psycopg.errors.UniqueViolation(),
    "deadlock": psycopg.errors.DeadlockDetected(),
    "statement timeout": psycopg.errors.QueryCanceled(),
    "context": ValueError("raised while an outage was handled, but for another reason"),
    "group": ExceptionGroup("both", [ConnectionResetError(), ValueError()]),
}
OTHERS["context"].__context__ = ConnectionResetError()


@pytest.mark.parametrize("name", list(OUTAGES))
def test_outages_are_known(name: str) -> None:
    """By type, by the names of classes of libraries, by status code and by their cause."""
    assert is_outage(OUTAGES[name])


@pytest.mark.parametrize("name", list(OTHERS))
def test_other_failures_are_no_outages(name: str) -> None:
    """Such as those of a statement, although a driver gives them the same class."""
    assert not is_outage(OTHERS[name])


def test_more_classes_can_be_outages(process: Any, clock: Clock) -> None:
    """Those of the application."""
    receiver = received(MemoryInbox(clock=clock), "m-1", outage_errors=(OfTheApplicationError,))

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        raise OfTheApplicationError

    with pytest.raises(HandlerError):
        process(receiver)
    assert [event.attempts for event in receiver.inbox.events()] == [0]
    assert not is_outage(OfTheApplicationError())


def test_what_is_not_a_class_of_exceptions_is_refused() -> None:
    """When the receiver is created."""
    wrong: Any
    for wrong in (("OperationalError",), (ValueError("no"),), (int,)):
        with pytest.raises(InvalidInputError, match="outage_errors"):
            WebhookReceiver(MemoryInbox(), outage_errors=wrong)


@pytest.mark.parametrize("outage", ["refused", "psycopg", "inbox"])
def test_an_outage_kills_no_event(inbox: Inbox, clock: Clock, process: Any, outage: str) -> None:
    """Although an event may be attempted only once: after the outage, all are handled."""
    receiver = received(inbox, *MEDIAS, backoff=Backoff(first=1, attempts=1))
    away, calls = True, list[str]()

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.media.id)
        assert event.attempt == 1
        if away:
            raise OUTAGES[outage]

    for expected in (3, 4, 5, 6):
        with pytest.raises(HandlerError):
            process(receiver)
        assert len(calls) == expected, "after three in a row, one at a time"
    assert {event.state for event in inbox.events()} == {"pending"}
    assert inbox.events()[-1].error.startswith(type(OUTAGES[outage]).__name__)
    away = False
    clock.now += 3_600
    assert process(receiver) == len(MEDIAS)
    assert [event.state for event in inbox.events()] == ["done"] * len(MEDIAS)


def test_a_failure_that_always_looks_like_an_outage_ends(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The event is dead after many claims, so that nothing is repeated without end."""
    inbox = MemoryInbox(clock=clock)
    receiver = received(inbox, "m-1", backoff=Backoff(attempts=3))
    calls = 0

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        nonlocal calls
        calls += 1
        raise TimeoutError

    caplog.set_level(logging.CRITICAL, "contentgroove")
    while inbox.next_due() is not None and calls < 2 * MAX_FREE_CLAIMS:
        with pytest.raises(HandlerError):
            receiver.process_pending()
        clock.now += 3_600
    assert calls == MAX_FREE_CLAIMS + 3
    assert [event.state for event in inbox.events()] == ["dead"]


def test_pauses_grow_and_end() -> None:
    """They double from the first delay of the back-off; any other result closes the circuit."""
    circuit = Circuit(Backoff(first=2))
    pauses: list[float] = []
    for _ in range(12):
        circuit.failed(ConnectionError("away"))
        pauses.append(circuit.pause)
    assert pauses == [0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert circuit.is_open
    assert circuit.reason == "ConnectionError: away"
    circuit.passed()
    assert (circuit.is_open, circuit.pause, circuit.reason) == (False, 0, "")


def test_the_service_may_ask_for_a_pause(process: Any) -> None:
    """A rate limit opens the circuit at once, for as long as the service says."""
    receiver = received(MemoryInbox(), *MEDIAS)
    calls: list[str] = []

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.media.id)
        raise of_the_api(RateLimitError, 429, retry_after=600.0)

    with pytest.raises(HandlerError):
        process(receiver)
    assert calls == ["m-1"]
    due = receiver.inbox.next_due()
    assert due == 0, "the other events"
    first = receiver.inbox.events()[-1]
    assert first.due - first.changed_at == 600


def test_errors_of_the_api_are_outages_if_every_event_would_fail() -> None:
    """Without a valid key, none can be handled; one that is missing concerns its event."""
    assert is_outage(of_the_api(AuthenticationError, 401))
    assert not is_outage(of_the_api(NotFoundError, 404))


def test_a_worker_pauses_and_tries_one_event(caplog: pytest.LogCaptureFixture) -> None:
    """It says so in the log, the status and the metrics; afterwards all events are handled."""
    inbox = MemoryInbox()
    seen: list[ReceiverStatus] = []
    receiver = received(inbox, *MEDIAS, backoff=Backoff(first=0.02), on_metrics=seen.append)
    paused, done = threading.Event(), threading.Event()
    calls: list[str] = []

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.media.id)
        if len(calls) < 6:
            raise ConnectionResetError
        if len(calls) == 6:
            status = receiver.status()
            assert status.paused > 0
            assert not receiver.healthy
            assert status.last_error == "ConnectionResetError: "
            paused.set()
        if len(calls) == 5 + len(MEDIAS):
            done.set()

    receiver.start_worker(poll_interval=0.01)
    assert done.wait(LONG)
    assert paused.is_set()
    assert receiver.stop_worker(LONG)
    assert [event.state for event in inbox.events()] == ["done"] * len(MEDIAS)
    assert "webhooks pause. The last: ConnectionResetError" in caplog.text
    assert any(status.paused for status in seen)
    assert (receiver.status().paused, receiver.healthy) == (0, True)


def test_a_paused_worker_stops_at_once() -> None:
    """Its pause may take minutes."""
    paused = threading.Event()

    def note(status: ReceiverStatus) -> None:
        if status.paused:
            paused.set()

    receiver = received(MemoryInbox(), *MEDIAS, backoff=Backoff(first=300), on_metrics=note)

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        raise ConnectionResetError

    receiver.start_worker(poll_interval=3_600)
    assert paused.wait(LONG)
    assert receiver.stop_worker(LONG)
