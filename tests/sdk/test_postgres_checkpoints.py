"""Checkpoints in a real PostgreSQL server: claims, their ends, what is kept, and what happens without the server."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from contentgroove import (
    AsyncContentGroove,
    CheckpointError,
    CheckpointInUseError,
    ConfigurationError,
    InvalidInputError,
    OutcomeUnknownError,
    UploadItem,
)
from contentgroove._core.checkpoints import Checkpoint, Fingerprint, encode_checkpoint
from contentgroove._core.secret import Secret
from contentgroove._io import checkpoint_table
from contentgroove.checkpoints import PostgresCheckpoints
from msgspec import structs
from psycopg.sql import SQL, Identifier

from tests.webhooks.postgres_server import postgres_server

from .conftest import BASE
from .test_uploads import Api, Store, video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Maker

pytestmark = pytest.mark.process

PASSWORD = "canary-password-7"
NEVER = 3_600.0
SENT = Checkpoint(
    base_url=BASE, file=Fingerprint("film.mp4", 1, None), name=None, description=None, state="sent", upload_id="u"
)
CREATING = structs.replace(SENT, state="creating")
CREATED = structs.replace(CREATING, state="created", media_id="m-1")
FOUND = structs.replace(CREATING, state="created", media_id="m-2")


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str]:
    with postgres_server() as found:
        yield found


@pytest.fixture
def job(conninfo: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., PostgresCheckpoints]]:
    """Open the test's job, as often as it has machines."""
    opened: list[PostgresCheckpoints] = []

    def open_job(**options: Any) -> PostgresCheckpoints:
        settings: dict[str, Any] = {"job": request.node.name, "recheck": 0.01, **options}
        checkpoints = PostgresCheckpoints(conninfo, **settings)
        opened.append(checkpoints)
        return checkpoints

    yield open_job
    for checkpoints in opened:
        checkpoints.close()


def expire(conninfo: str, key: str) -> None:
    """Let a claim end, as if its lease had passed."""
    with psycopg.connect(conninfo) as connection:
        connection.execute(
            "UPDATE contentgroove_checkpoints SET expires_at = now() - interval '1 s' WHERE key = %s", [key]
        )


def test_an_upload_continues_on_another_machine(make: Maker, tmp_path: Path, job: Any) -> None:
    """What the first has sent, the second does not send again; both see the result."""
    api, store = Api(403), Store()
    client = make(api, store=store)
    film = video(tmp_path)
    (first,) = client.medias.upload_many([UploadItem(film, key="k")], checkpoints=job())
    assert first.error is not None
    (kept,) = job().results()
    assert (kept.key, kept.state, kept.media_id, kept.error, kept.holder) == ("k", "sent", None, str(first.error), None)
    (second,) = client.medias.upload_many([UploadItem(film, key="k")], checkpoints=job())
    assert second.media is not None
    assert (len(store.bodies), len(api.posts)) == (1, 2)
    (kept,) = job().results()
    assert (kept.state, kept.media_id, kept.error) == ("created", second.media.id, None)
    (third,) = client.medias.upload_many([UploadItem(film, key="k")], checkpoints=job())
    assert third.media is not None
    assert (third.media.id, len(api.posts)) == (second.media.id, 2)


def test_the_second_is_told_who_holds_it(make: Maker, tmp_path: Path, job: Any) -> None:
    """With its process, its host and since when; nothing is sent."""
    api = Api()
    with job().store("film").lock():
        with pytest.raises(CheckpointInUseError) as caught:
            make(api).medias.upload(video(tmp_path), checkpoint=job().store("film"))
        (kept,) = job().results()
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    assert caught.value.holder is not None
    assert re.fullmatch(rf"{re.escape(holder)} since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", caught.value.holder)
    assert caught.value.holder in caught.value.message
    assert (kept.state, kept.holder) == ("new", holder)
    assert api.prepared == 0
    assert make(api, store=Store()).medias.upload(video(tmp_path), checkpoint=job().store("film")).id


def test_one_claim_at_a_time(job: Any) -> None:
    """Of many threads that claim a key at once, one has it; another job's key is another."""
    machines = [job() for _ in range(8)]
    start, claimed, done = threading.Barrier(8), threading.Semaphore(0), threading.Event()
    found: list[str] = []

    def claim(checkpoints: PostgresCheckpoints) -> None:
        start.wait(30)
        try:
            with checkpoints.store("film").lock():
                found.append("claimed")
                claimed.release()
                done.wait(30)
        except CheckpointInUseError:
            found.append("refused")
            claimed.release()

    threads = [threading.Thread(target=claim, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert claimed.acquire(timeout=30)
    with job(job="another").store("film").lock():
        done.set()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == ["claimed"] + ["refused"] * 7


def test_a_claim_that_was_lost_cannot_be_written(conninfo: str, job: Any) -> None:
    """The error names the successor, whose content stays, also when the first one ends."""
    first, second = job().store("lost"), job().store("lost")
    with first.lock():
        assert first.write(encode_checkpoint(CREATING)) is None
        expire(conninfo, "lost")
        with second.lock():
            assert second.read() == encode_checkpoint(CREATING)
            problem = first.write(encode_checkpoint(SENT))
            assert f"(process {os.getpid()} on " in str(problem)
            assert getattr(problem, "taken_over", False)
            assert second.write(encode_checkpoint(CREATED)) is None
    (kept,) = job().results()
    assert (kept.state, kept.media_id, kept.holder) == ("created", "m-1", None)


def test_a_proof_is_kept_from_a_claim_that_was_lost(conninfo: str, job: Any) -> None:
    """The media of the only creation is known, so the upload is no longer in doubt; unless the successor wrote."""
    for key, later in (("silent", None), ("wrote", FOUND)):
        first, second = job().store(key), job().store(key)
        with first.lock():
            first.write(encode_checkpoint(CREATING))
            expire(conninfo, key)
            with second.lock():
                if later is not None:
                    second.write(encode_checkpoint(later))
                assert (first.write(encode_checkpoint(CREATED)) is None) is (later is None)
    assert [kept.media_id for kept in job().results()] == ["m-1", "m-2"]


def test_a_process_that_is_suspended_in_a_transaction(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends its transaction, so that others do not wait; once it wakes up, it runs its statements again."""
    monkeypatch.setattr(checkpoint_table, "MAX_IDLE", 0.2)
    first, second = job(), job()
    with first.store("film").lock():
        pass
    inside, wake_up = threading.Event(), threading.Event()
    found: list[int] = []

    def suspended(run: Any) -> None:
        locked = run("UPDATE contentgroove_checkpoints SET error = 'x' WHERE job = ?", first.job)
        inside.set()
        assert wake_up.wait(30)
        run("SELECT 1")
        found.append(locked.rowcount)

    thread = threading.Thread(target=first._table._transact, args=(suspended,))
    thread.start()
    assert inside.wait(30)
    with second.store("film").lock():
        (kept,) = second.results()
        assert (kept.error, kept.holder is None) == (None, False)
    wake_up.set()
    thread.join(30)
    assert found == [1]


def test_a_claim_is_renewed(conninfo: str, job: Any) -> None:
    """As long as its process lives, no other takes it over, however short the lease."""
    first, second = job(lease=0.3).store("renewed"), job(lease=0.3).store("renewed")
    with psycopg.connect(conninfo, autocommit=True) as connection, first.lock():
        seen: set[Any] = set()
        while len(seen) < 4:
            (row,) = connection.execute(
                "SELECT expires_at, expires_at >= clock_timestamp() FROM contentgroove_checkpoints "
                "WHERE key = 'renewed'"
            ).fetchall()
            assert row[1]
            seen.add(row[0])
        with pytest.raises(CheckpointInUseError), second.lock():
            raise AssertionError("two machines hold one claim")
    with second.lock():
        pass


def test_an_interrupted_upload_releases_its_claim(tmp_path: Path, job: Any) -> None:
    """A cancelled task, in whatever step, even while it claims; its last error stays."""
    film = video(tmp_path)
    checkpoints = job()
    with pytest.raises(InvalidInputError), checkpoints.store("film").lock():
        raise InvalidInputError("an earlier error")

    async def main() -> None:
        for steps in range(12):
            async with AsyncContentGroove("key", "http://127.0.0.1:9/api/v1", max_retries=0) as client:
                task = asyncio.create_task(client.medias.upload(film, checkpoint=checkpoints.store("film")))
                for _ in range(steps):
                    await asyncio.wait([task], timeout=0.002)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            (kept,) = checkpoints.results()
            assert kept.holder is None
            with job().store("film").lock():
                pass

    asyncio.run(main())


def test_connections_that_break(conninfo: str, make: Maker, tmp_path: Path, job: Any) -> None:
    """The server may end them at any time; the upload continues with new ones."""
    checkpoints = job(sleep=lambda _seconds: None)
    broken = []

    def break_connections(*_: object) -> None:
        with psycopg.connect(conninfo) as connection:
            broken.append(
                connection.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                ).fetchone()
            )

    client = make(Api(), store=Store(), on_request=break_connections)
    (result,) = client.medias.upload_many([video(tmp_path)], checkpoints=checkpoints)
    assert result.media is not None
    assert len(broken) >= 3
    (kept,) = checkpoints.results()
    assert kept.media_id == result.media.id


def test_a_server_that_is_gone(make: Maker, tmp_path: Path, job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After about half a minute the upload ends, with an error that says what follows, and without a password."""
    pauses: list[float] = []
    checkpoints = job(sleep=pauses.append)
    database = checkpoints._database
    api = Api()
    client = make(api, store=Store())

    def disconnect(_sent: int, _total: int) -> None:
        if _sent:
            monkeypatch.setattr(database, "_conninfo", Secret(f"host=127.0.0.1 port=9 password={PASSWORD}"))
            for connection in database._pool.take_idle():
                connection.close()

    with pytest.raises(
        CheckpointError, match=r"film cannot be written.*No media was created|no media was created"
    ) as caught:
        client.medias.upload(video(tmp_path), checkpoint=checkpoints.store("film"), progress=disconnect)
    assert PASSWORD not in str(caught.value)
    assert "Make sure that the database can be reached" in str(caught.value)
    assert sum(pauses) >= 30
    assert api.posts == []
    with pytest.raises(CheckpointError, match="Nothing was sent"):
        client.medias.upload(video(tmp_path), checkpoint=checkpoints.store("other"))
    with pytest.raises(CheckpointError):
        list(checkpoints.results())


def test_an_upload_in_doubt_is_settled(make: Maker, tmp_path: Path, job: Any) -> None:
    """`resolve` takes the store that the error names; the error is kept until then."""
    film, api = video(tmp_path), Api(httpx.ReadError)
    client, checkpoints = make(api, store=Store()), job()
    with pytest.raises(OutcomeUnknownError, match=r"resolve\(checkpoints\.store\('film'\), media_id=…\)") as caught:
        client.medias.upload(film, checkpoint=checkpoints.store("film"))
    assert caught.value.checkpoint == "film"
    (kept,) = checkpoints.results()
    assert (kept.state, kept.error) == ("creating", str(caught.value))
    with pytest.raises(OutcomeUnknownError):
        client.medias.upload(film, checkpoint=job().store("film"))
    assert len(api.posts) == 1
    client.medias.resolve(job().store("film"), media_id=None)
    assert client.medias.upload(film, checkpoint=job().store("film")).id
    assert len(api.posts) == 2


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 1_001, 3])
def test_names_that_no_database_keeps(job: Any, text: Any) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(InvalidInputError, match="1 to 1,000 characters"):
        job().store(UploadItem("film.mp4", key=text))
    with pytest.raises(InvalidInputError, match="1 to 1,000 characters"):
        job(job=text)


@pytest.mark.parametrize("key", ["ü" * 1_000, "a'; DROP TABLE x", "%s {float} ?", "a\\b", "film-\udcff.mp4", " "])
def test_other_texts_are_keys(job: Any, key: str) -> None:
    """Each is its own."""
    checkpoints = job()
    with checkpoints.store(key).lock(), checkpoints.store(key[1:] + ".").lock():
        assert len(list(checkpoints.results())) == 2


def test_memory_has_no_default_key(job: Any) -> None:
    """Data in memory is lost with its machine."""
    with pytest.raises(InvalidInputError, match="all files must be paths"):
        job().store(UploadItem(b"bytes"))


@pytest.mark.parametrize("options", [{"lease": 0}, {"lease": float("nan")}, {"recheck": -1}, {"max_connections": 0}])
def test_invalid_options(job: Any, options: dict[str, Any]) -> None:
    """They are refused at once."""
    with pytest.raises(InvalidInputError, match=r"PostgresCheckpoints must be"):
        job(**options)


def test_results_in_pages(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, by key, however many; forgotten ones are gone, unless they are claimed."""
    from contentgroove._io import postgres_checkpoints

    monkeypatch.setattr(postgres_checkpoints, "PAGE", 3)
    checkpoints = job()
    keys = [f"{number:02}" for number in range(9)]
    for key in keys:
        with checkpoints.store(key).lock():
            pass
    assert [kept.key for kept in checkpoints.results()] == keys
    assert checkpoints.forget("03") == 1
    with checkpoints.store("00").lock():
        assert checkpoints.forget() == 7
    assert [kept.key for kept in checkpoints.results()] == ["00"]


def test_no_secret_is_shown(conninfo: str) -> None:
    """Neither by a repr nor by an error of the connection or the conninfo."""
    secret = f"{conninfo} password={PASSWORD}"
    with PostgresCheckpoints(secret, job="j") as checkpoints:
        assert repr(checkpoints) == "PostgresCheckpoints(…, job='j')"
        assert PASSWORD not in repr(checkpoints.store("k")) + repr(vars(checkpoints.store("k")))
    for wrong in (f"host=127.0.0.1 port=9 password={PASSWORD}", f"postgresql://u:{PASSWORD}@[bad"):
        with pytest.raises((CheckpointError, ConfigurationError)) as caught:
            PostgresCheckpoints(wrong, job="j")
        error: BaseException | None = caught.value
        while error is not None:
            assert PASSWORD not in str(error)
            error = error.__cause__


def test_the_tables_beside_an_inbox(conninfo: str) -> None:
    """Both may be in one database, in either order; a dry run only prints, and a newer release's are refused."""
    from contentgroove.webhooks import PostgresInbox

    for name, first_inbox in (("one", True), ("two", False)):
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        own = conninfo.replace("dbname=postgres", f"dbname={name}")
        if first_inbox:
            PostgresInbox(own).close()
        planned = PostgresCheckpoints.migrate(own, dry_run=True)
        assert (planned.from_version, planned.to_version, planned.executed) == (0, 1, False)
        assert "CREATE TABLE contentgroove_checkpoints" in planned.script
        assert PostgresCheckpoints.migrate(own).statements == planned.statements
        assert PostgresCheckpoints.migrate(own).statements == ()
        PostgresCheckpoints(own, job="j").close()
        PostgresInbox(own).close()
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute("UPDATE contentgroove_checkpoint_numbers SET value = 99")
        with pytest.raises(CheckpointError, match="created by a newer release"):
            PostgresCheckpoints(own, job="j")


def test_a_role_that_may_not_create_tables(conninfo: str) -> None:
    """It is told what another role must run, and then works with the rights that are named."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE DATABASE three")
        connection.execute("CREATE ROLE reader LOGIN")
    owner = conninfo.replace("dbname=postgres", "dbname=three")
    limited = owner.replace("user=postgres", "user=reader")
    with pytest.raises(CheckpointError, match=r"run once: PostgresCheckpoints\.migrate") as caught:
        PostgresCheckpoints(limited, job="j")
    PostgresCheckpoints.migrate(owner)
    found = re.search(r"grant this one SELECT, INSERT, UPDATE and DELETE on (.*)\. ", caught.value.message)
    assert found is not None
    tables = found[1]
    with psycopg.connect(owner, autocommit=True) as connection:
        for table in tables.split(" and "):
            grant = SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO reader").format(Identifier(table))
            connection.execute(grant)
    with PostgresCheckpoints(limited, job="j") as checkpoints, checkpoints.store("k").lock():
        assert [kept.key for kept in checkpoints.results()] == ["k"]
    with PostgresCheckpoints(limited, job="j") as checkpoints:
        assert checkpoints.forget() == 1
