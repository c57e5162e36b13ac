"""Checkpoints in PostgreSQL, which several machines share (extra `postgres`).

A claim has a number: a process that takes a checkpoint increases it, and all its writes name it. So a process that was
suspended until another one took over can no longer write, and nothing is done that was not written before. All times
are those of the database.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec import Struct

from contentgroove._core.checkpoints import parse_checkpoint, printable_name
from contentgroove._core.inputs import invalid_input
from contentgroove._core.io import CheckpointWriteError
from contentgroove._core.secret import conceal
from contentgroove.errors import CheckpointError, ContentGrooveError, InvalidInputError
from contentgroove.webhooks.inbox import InboxError
from contentgroove.webhooks.migrations import migrate, open_tables
from contentgroove.webhooks.postgres import PostgresDatabase
from contentgroove.webhooks.sql_database import Schema

from .checkpoint_folders import require_path
from .checkpoint_store import in_use_error
from .file_locks import describe_process

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

    from contentgroove._core.checkpoints import Checkpoint, State
    from contentgroove._core.secret import Secret
    from contentgroove.webhooks.migrations import Migration
    from contentgroove.webhooks.sql_database import StatementRunner

    from .batches import UploadItem

T = TypeVar("T")

logger = logging.getLogger("contentgroove")

LEASE = 60.0
RECHECK = 2.0
MAX_CONNECTIONS = 4
MAX_KEY = 1_000
"""Characters: an entry of an index has at most 2,704 bytes."""

PAUSES = (0.1, 0.3, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0)
"""Seconds between the attempts while the database cannot be reached, such as during its restart."""

PAGE = 1_000
"""Results that are read at once."""

SCHEMA = Schema(
    holds="The checkpoints",
    numbers="contentgroove_checkpoint_numbers",
    tables="contentgroove_checkpoints and contentgroove_checkpoint_numbers",
    migrations=(
        (
            "CREATE TABLE contentgroove_checkpoint_numbers (name TEXT PRIMARY KEY, value {float} NOT NULL)",
            """CREATE TABLE contentgroove_checkpoints (
                job {text} NOT NULL,
                key {text} NOT NULL,
                claim {int} NOT NULL,
                token TEXT NOT NULL,
                holder TEXT NOT NULL,
                claimed_at TIMESTAMPTZ NOT NULL,
                expires_at TIMESTAMPTZ,
                content {bytes},
                error TEXT,
                PRIMARY KEY (job, key)
            )""",
        ),
    ),
    command="PostgresCheckpoints.migrate(conninfo)",
)

_EXPIRY = "clock_timestamp() + make_interval(secs => ?)"

_CLAIM = f"""INSERT INTO contentgroove_checkpoints AS own (job, key, claim, token, holder, claimed_at, expires_at)
    VALUES (?, ?, 1, ?, ?, clock_timestamp(), {_EXPIRY})
    ON CONFLICT (job, key) DO UPDATE SET claim = own.claim + 1, token = excluded.token, holder = excluded.holder,
        claimed_at = clock_timestamp(), expires_at = {_EXPIRY}
        WHERE own.expires_at IS NULL OR own.expires_at < clock_timestamp() OR own.token = excluded.token
    RETURNING claim, content"""  # noqa: S608 - a constant

_OWN = "WHERE job = ? AND key = ? AND claim = ? AND expires_at IS NOT NULL"

_RENEW = f"UPDATE contentgroove_checkpoints SET expires_at = {_EXPIRY} {_OWN}"  # noqa: S608 - a constant

_WRITE = f"UPDATE contentgroove_checkpoints SET content = ?, expires_at = {_EXPIRY} {_OWN}"  # noqa: S608 - as above

_PROVE = "UPDATE contentgroove_checkpoints SET content = ? WHERE job = ? AND key = ? AND content = ?"

_RELEASE = f"UPDATE contentgroove_checkpoints SET expires_at = NULL, error = {{error}} {_OWN}"  # noqa: S608 - as above

_HOLDER = """SELECT holder, to_char(claimed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
    FROM contentgroove_checkpoints WHERE job = ? AND key = ? AND expires_at IS NOT NULL"""

_RESULTS = """SELECT key, content, error, CASE WHEN expires_at >= clock_timestamp() THEN holder END
    FROM contentgroove_checkpoints WHERE job = ? AND key > ? ORDER BY key LIMIT ?"""


_FORGET = """DELETE FROM contentgroove_checkpoints
    WHERE job = ? AND (?::text IS NULL OR key = ?) AND (expires_at IS NULL OR expires_at < clock_timestamp())"""


class JobResult(Struct, frozen=True, kw_only=True):
    """What is known of one file of a job.

    Attributes:
        key: Its key, or its path as it was passed.
        state: How far its upload is: `new` (nothing was sent), `prepared`, `sent` (the store has the file), `creating`
            (the creation may have been sent), `created` or `finished` (its media exists).
        media_id: Its media, once it is created.
        error: The message of the error that ended its last upload; None if that succeeded or has not ended.
        holder: The process that uploads it, and its host; None if there is none.
    """

    key: str
    state: State
    media_id: str | None
    error: str | None
    holder: str | None


class PostgresCheckpoints:
    """The checkpoints of a job in a PostgreSQL database, for any number of machines, processes and threads.

    A file is claimed by one process at a time, which renews its claim while it uploads. When that process dies, the
    claim ends with its lease, and another call continues from the file's checkpoint: what was sent is not sent again.
    A process that was suspended for longer than its lease can no longer write, and sends no creation after that.

    If it is unknown whether a media was created before a process died, no other process creates it: the upload's
    marker finds it (`identify="description"`), or the outcome is unknown, as on one machine.

    The tables are created if they do not exist and the role may create them. Its methods block, like those of the
    stores; the async client calls stores in threads.

    Args:
        conninfo: The connection string for libpq; `""` uses the environment variables `PG…`.
        job: The name of the job: the checkpoints of other jobs in the database are not seen.
        lease: Seconds after which others take over a file whose process does not renew its claim.
        recheck: Seconds after which `upload_many` tries a file again that another process holds.
        max_connections: The maximum number of open connections.
        sleep: Waits between attempts while the database cannot be reached, for about 30 s in total.

    Attributes:
        job: The name of the job.
        recheck: Seconds after which `upload_many` tries a file again that another process holds.

    Raises:
        ConfigurationError: psycopg or libpq is missing or cannot be loaded, or the conninfo cannot be parsed.
        InvalidInputError: The job's name is empty, or a number is not greater than 0.
        CheckpointError: The database cannot be reached, its tables were created by a newer release, or it has none and
            they cannot be created.
    """

    recheck: float | None

    def __init__(
        self,
        conninfo: str | Secret,
        *,
        job: str,
        lease: float = LEASE,
        recheck: float = RECHECK,
        max_connections: int = MAX_CONNECTIONS,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        # Rebound, so that no traceback with local variables shows it.
        conninfo = conceal(conninfo)
        # NaN fails this comparison, too.
        if not (lease > 0 and recheck > 0):
            raise invalid_input("lease and recheck of PostgresCheckpoints must be numbers of seconds greater than 0.")
        self.job = _check_text(job, "job")
        self.recheck = recheck
        self._lease = lease
        self._sleep = sleep
        self._database = PostgresDatabase(conninfo, max_connections, schema=SCHEMA, user="PostgresCheckpoints")
        with self._errors("Nothing was sent."):
            open_tables(self._database)

    @classmethod
    def migrate(cls, conninfo: str | Secret, *, dry_run: bool = False) -> Migration:
        """Bring the tables to this release's version, or create them.

        Args:
            conninfo: The connection string for libpq, with a role that owns the tables or may create them.
            dry_run: Only return the SQL.

        Raises:
            ConfigurationError: psycopg or libpq is missing or cannot be loaded, or the conninfo cannot be parsed.
            CheckpointError: The database failed, or its tables were created by a newer release. Nothing was changed.
        """
        conninfo = conceal(conninfo)
        database = PostgresDatabase(conninfo, schema=SCHEMA, user="PostgresCheckpoints")
        try:
            return migrate(database, dry_run=dry_run)
        except InboxError as error:
            raise CheckpointError(f"{error.message} Nothing was changed.", checkpoint="PostgreSQL") from error
        finally:
            database.close()

    def store(self, upload: UploadItem | str) -> PostgresCheckpointStore:
        """Return the store of an item's checkpoint, or of the one with a key.

        An item without a key is identified by its path, as it is written: use the same one on all machines.

        Raises:
            InvalidInputError: The item's file is not a path, or the key is empty, longer than 1,000 characters, or
                contains NUL.
        """
        if not isinstance(upload, str):
            upload = upload.key if upload.key is not None else require_path(upload, "checkpoints")
        return PostgresCheckpointStore(self, _check_text(upload, "key"))

    def results(self) -> Iterator[JobResult]:
        """Yield what is known of each file of the job, by key: its media's id, its last error, or who uploads it.

        Raises:
            CheckpointError: The database cannot be read.
        """
        after = ""
        while True:
            with self._errors("Nothing was changed."):
                rows = self.transact(partial(self._read_page, after))
            for key, content, error, holder in rows:
                found: Checkpoint | None = None if content is None else parse_checkpoint(content, key)
                yield JobResult(
                    key=key,
                    state="new" if found is None else found.state,
                    media_id=None if found is None else found.media_id,
                    error=error,
                    holder=holder,
                )
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _read_page(self, after: str, run: StatementRunner) -> list[tuple[str, bytes | None, str | None, str | None]]:
        return list(run(_RESULTS, self.job, after, PAGE).fetchall())

    def forget(self, key: str | None = None) -> int:
        """Delete the job's checkpoints, or the one with a key, unless they are claimed; return how many. Medias stay.

        The next call with this job uploads the files again.

        Raises:
            CheckpointError: The database failed.
        """

        def delete(run: StatementRunner) -> int:
            return run(_FORGET, self.job, key, key).rowcount

        with self._errors("Nothing was changed."):
            return self.transact(delete)

    def transact(self, statements: Callable[[StatementRunner], T]) -> T:
        """Run statements in a transaction; wait while the database cannot be reached.

        They may run twice if the response to their commit is lost.

        Raises:
            InboxError: The database failed, or could not be reached for about 30 s.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                with self._database.statements() as run:
                    return statements(run)
            except InboxError as error:
                pause = next(pauses, None)
                if pause is None or not self._database.is_unreachable(error.__cause__):
                    raise
                self._sleep(pause)

    def close(self) -> None:
        """Close the idle connections. New ones are opened if it is used again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # The conninfo can contain a password.
        return f"PostgresCheckpoints(…, job={self.job!r})"

    @property
    def lease(self) -> float:
        """Seconds of a claim."""
        return self._lease

    @contextlib.contextmanager
    def _errors(self, consequence: str) -> Generator[None]:
        try:
            yield
        except InboxError as error:
            raise CheckpointError(f"{error.message} {consequence}", checkpoint=self.job) from error


class PostgresCheckpointStore:
    """Reads and writes the checkpoint of one upload in a database.

    Attributes:
        path: Its key and job, for messages.
        shared: True.
    """

    shared = True

    def __init__(self, checkpoints: PostgresCheckpoints, key: str) -> None:
        self.path = key
        self._checkpoints = checkpoints
        self._row = (checkpoints.job, key)
        self._claim = 0
        self._content: bytes | None = None

    def __repr__(self) -> str:
        return f"checkpoints.store({self.path!r})"

    @contextlib.contextmanager
    def lock(self) -> Generator[None, None, None]:
        """Claim the checkpoint, renew the claim, and release it; an error that ends the upload is stored.

        Raises:
            CheckpointInUseError: Another process, or thread, has claimed it.
            CheckpointError: The database failed.
        """
        self._take()
        released = threading.Event()
        threading.Thread(target=self._renew, args=(released,), name="contentgroove-claim", daemon=True).start()
        error: str | None = None
        ended = False
        try:
            yield
            ended = True
        except ContentGrooveError as raised:
            error = raised.message
            raise
        finally:
            released.set()
            self._release(error, ended=ended)

    def read(self) -> bytes | None:
        """Return the content as it was claimed or last written, None if there is none yet."""
        return self._content

    def write(self, content: bytes) -> OSError | None:
        """Replace the content if the claim is still this process's; else keep it and return an error.

        One exception: the process that sent the creation may name the media even if another one has taken over since,
        as long as that one has written nothing. It could only find the same media, or none.
        """
        earlier = self._content
        proof = parse_checkpoint(content, self.path).media_id is not None

        def update(run: StatementRunner) -> int:
            done = run(_WRITE, content, self._checkpoints.lease, *self._row, self._claim).rowcount
            # What was written already counts as well: the statement may be repeated.
            return done or (proof and run(_PROVE, content, *self._row, earlier).rowcount)

        try:
            if self._checkpoints.transact(update):
                self._content = content
                return None
            holder = self._holder()
        except InboxError as error:
            return CheckpointWriteError(error.message.rstrip("."), "Make sure that the database can be reached")
        return CheckpointWriteError(
            f"this process did not renew its claim for {self._checkpoints.lease:g} s, and another one has taken it "
            f"over ({holder or 'it has ended since'})",
            "Let that one finish",
            taken_over=True,
        )

    def _take(self) -> None:
        # If the response to the statement is lost, its repetition finds its own claim by the token.
        token = secrets.token_hex(8)
        lease = self._checkpoints.lease

        def claim(run: StatementRunner) -> tuple[int, bytes | None] | None:
            row: tuple[int, bytes | None] | None = run(
                _CLAIM, *self._row, token, describe_process(), lease, lease
            ).fetchone()
            return row

        try:
            claimed = self._checkpoints.transact(claim)
            if claimed is None:
                raise in_use_error(self.path, self._holder())
        except InboxError as error:
            raise CheckpointError(f"{error.message} Nothing was sent.", checkpoint=self.path) from error
        self._claim, self._content = claimed

    def _holder(self) -> str | None:
        def select(run: StatementRunner) -> tuple[str, str] | None:
            row: tuple[str, str] | None = run(_HOLDER, *self._row).fetchone()
            return row

        found = self._checkpoints.transact(select)
        return None if found is None else f"{found[0]} since {found[1]}"

    def _renew(self, released: threading.Event) -> None:
        process = os.getpid()
        while not released.wait(self._checkpoints.lease / 3):
            if os.getpid() != process:
                return

            def renew(run: StatementRunner) -> int:
                return run(_RENEW, self._checkpoints.lease, *self._row, self._claim).rowcount

            # The next attempt, or the next write, finds out whether it is still this process's.
            with contextlib.suppress(InboxError):
                if not self._checkpoints.transact(renew):
                    return

    def _release(self, error: str | None, *, ended: bool) -> None:
        # An interrupted upload keeps its earlier error.
        own = (*self._row, self._claim)

        def release(run: StatementRunner) -> None:
            if ended or error is not None:
                run(_RELEASE.format(error="?"), error, *own)
            else:
                run(_RELEASE.format(error="error"), *own)

        try:
            self._checkpoints.transact(release)
        except InboxError as problem:
            logger.warning(
                "The claim of %s ends only with its lease of %g s: %s", self.path, self._checkpoints.lease, problem
            )


def _check_text(text: str, name: str) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_KEY or "\0" in text:
        raise InvalidInputError(
            f"{name} must be a text of 1 to {MAX_KEY:,} characters without NUL. Pass a shorter one. Nothing was sent."
        )
    return printable_name(text) or text
