"""Checkpoints in PostgreSQL, which several machines share (extra `postgres`).

Each step of an upload is written before it is done, and only by the process whose claim is the latest. So one that was
suspended until another took over does nothing more.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from contentgroove._core.checkpoints import parse_checkpoint, printable_name
from contentgroove._core.inputs import invalid_input
from contentgroove._core.io import CheckpointWriteError
from contentgroove._core.secret import conceal
from contentgroove._core.tracebacks import with_safe_repr
from contentgroove.errors import CheckpointError, ContentGrooveError, InvalidInputError
from contentgroove.webhooks.inbox import InboxError
from contentgroove.webhooks.migrations import migrate, open_tables
from contentgroove.webhooks.postgres import PostgresDatabase

from .checkpoint_folders import require_path
from .checkpoint_store import in_use_error
from .checkpoint_table import SCHEMA, CheckpointTable, Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType

    from contentgroove._core.checkpoints import Checkpoint, State
    from contentgroove._core.secret import Secret
    from contentgroove.webhooks.migrations import Migration

    from .batches import UploadItem

logger = logging.getLogger("contentgroove")

LEASE = 60.0
RECHECK = 2.0
MAX_CONNECTIONS = 4
MAX_KEY = 1_000
"""Characters: an entry of an index has at most 2,704 bytes."""

PAGE = 1_000
"""Results that are read at once."""


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


@with_safe_repr
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
        self._database = PostgresDatabase(conninfo, max_connections, schema=SCHEMA, user="PostgresCheckpoints")
        self._table = CheckpointTable(self._database, self.job, lease, sleep)
        self._lease = lease
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
        return PostgresCheckpointStore(self._table, _check_text(upload, "key"), self._lease)

    def results(self) -> Iterator[JobResult]:
        """Yield what is known of each file of the job, by key: its media's id, its last error, or who uploads it.

        Raises:
            CheckpointError: The database cannot be read.
        """
        after = ""
        while True:
            with self._errors("Nothing was changed."):
                rows = self._table.page(after, PAGE)
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

    def forget(self, key: str | None = None) -> int:
        """Delete the job's checkpoints, or the one with a key, unless they are claimed; return how many. Medias stay.

        The next call with this job uploads the files again.

        Raises:
            CheckpointError: The database failed.
        """
        with self._errors("Nothing was changed."):
            return self._table.delete(key)

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

    @contextlib.contextmanager
    def _errors(self, consequence: str) -> Generator[None]:
        try:
            yield
        except InboxError as error:
            raise CheckpointError(f"{error.message} {consequence}", checkpoint=self.job) from error


@with_safe_repr
class PostgresCheckpointStore:
    """Reads and writes the checkpoint of one upload in a database; `PostgresCheckpoints.store` returns one.

    Attributes:
        path: Its key, for messages.
        shared: True.
    """

    shared = True

    def __init__(self, table: CheckpointTable, key: str, lease: float) -> None:
        self.path = key
        self._table = table
        self._lease = lease
        self._claim = Claim(key, 0)
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
        # An upload that is interrupted keeps its earlier error.
        interrupted = True
        try:
            yield
            interrupted = False
        except ContentGrooveError as raised:
            error, interrupted = raised.message, False
            raise
        finally:
            released.set()
            self._release(error, keep_error=interrupted)

    def read(self) -> bytes | None:
        """Return the content as it was claimed or last written, None if there is none yet."""
        return self._content

    def write(self, content: bytes) -> OSError | None:
        """Replace the content if the claim is still this process's; else keep it and return an error.

        One exception: the process that sent the creation may name the media even if another one has taken over since,
        as long as that one has written nothing. It could only find the same media, or none.
        """
        proof = parse_checkpoint(content, self.path).media_id is not None
        try:
            written = self._table.write(self._claim, content)
            if not written and proof and self._content is not None:
                written = self._table.replace(self.path, self._content, content)
            if written:
                self._content = content
                return None
            holder = self._table.holder(self.path)
        except InboxError as error:
            return CheckpointWriteError(error.message.rstrip("."), "Make sure that the database can be reached")
        return CheckpointWriteError(
            f"this process did not renew its claim for {self._lease:g} s, and another one has taken it over "
            f"({holder or 'it has ended since'})",
            "Let that one finish",
            taken_over=True,
        )

    def _take(self) -> None:
        try:
            claimed = self._table.claim(self.path)
            if claimed is None:
                raise in_use_error(self.path, self._table.holder(self.path))
        except InboxError as error:
            raise CheckpointError(f"{error.message} Nothing was sent.", checkpoint=self.path) from error
        self._claim, self._content = claimed

    def _renew(self, released: threading.Event) -> None:
        while not released.wait(self._lease / 3):
            # The next attempt, or the next write, finds out whether it is still this process's.
            with contextlib.suppress(InboxError):
                if not self._table.renew(self._claim):
                    return

    def _release(self, error: str | None, *, keep_error: bool) -> None:
        try:
            self._table.release(self._claim, error, keep_error=keep_error)
        except InboxError as problem:
            logger.warning("The claim of %s ends only with its lease of %g s: %s", self.path, self._lease, problem)


def _check_text(text: str, name: str) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_KEY or "\0" in text:
        raise InvalidInputError(
            f"{name} must be a text of 1 to {MAX_KEY:,} characters without NUL. Pass a shorter one. Nothing was sent."
        )
    return printable_name(text) or text
