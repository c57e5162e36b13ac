"""The table of checkpoints in PostgreSQL, its statements, and what happens while the database cannot be reached.

A claim has a number: a process that takes a checkpoint increases it, and all its writes name it. So a process that was
suspended until another one took over can no longer write. All times are those of the database.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from contentgroove.webhooks.inbox import InboxError
from contentgroove.webhooks.sql_database import Schema

from .file_locks import describe_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks.postgres import PostgresDatabase
    from contentgroove.webhooks.sql_database import StatementRunner

T = TypeVar("T")

Row: TypeAlias = tuple[str, bytes | None, str | None, str | None]
"""A checkpoint's key, content, the error that ended its last upload, and who holds it."""

PAUSES = (0.1, 0.3, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0)
"""Seconds between the attempts while the database cannot be reached, such as during its restart."""

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

MAX_IDLE = 5.0
"""Seconds after which the server ends a transaction whose process sends nothing, because it was suspended in it: others
wait for its rows."""

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

_REPLACE = "UPDATE contentgroove_checkpoints SET content = ? WHERE job = ? AND key = ? AND content = ?"

_RELEASE = f"""UPDATE contentgroove_checkpoints
    SET expires_at = NULL, error = CASE WHEN ? THEN error ELSE ? END {_OWN}"""  # noqa: S608 - as above

_HOLDER = """SELECT holder, to_char(claimed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
    FROM contentgroove_checkpoints WHERE job = ? AND key = ? AND expires_at IS NOT NULL"""

_PAGE = """SELECT key, content, error, CASE WHEN expires_at >= clock_timestamp() THEN holder END
    FROM contentgroove_checkpoints WHERE job = ? AND key > ? ORDER BY key LIMIT ?"""

_DELETE = """DELETE FROM contentgroove_checkpoints
    WHERE job = ? AND (?::text IS NULL OR key = ?) AND (expires_at IS NULL OR expires_at < clock_timestamp())"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write a checkpoint, until another claim of it has a higher number."""

    key: str
    number: int


class CheckpointTable:
    """The checkpoints of one job; while the database cannot be reached, each call waits for about 30 s.

    The methods raise InboxError if the database fails. A statement runs twice if the response to its commit is lost.
    """

    def __init__(self, database: PostgresDatabase, job: str, lease: float, sleep: Callable[[float], object]) -> None:
        self._database = database
        self._job = job
        self._lease = lease
        self._sleep = sleep

    def claim(self, key: str) -> tuple[Claim, bytes | None] | None:
        """Claim a checkpoint and return its content; None if another process has claimed it."""
        # If it runs twice, the second finds the claim of the first by the token.
        token = secrets.token_hex(8)

        def run_claim(run: StatementRunner) -> tuple[int, bytes | None] | None:
            row: tuple[int, bytes | None] | None = run(
                _CLAIM, self._job, key, token, describe_process(), self._lease, self._lease
            ).fetchone()
            return row

        row = self._transact(run_claim)
        return None if row is None else (Claim(key, row[0]), row[1])

    def holder(self, key: str) -> str | None:
        """Return who has claimed a checkpoint, and since when; None if it is free."""

        def select(run: StatementRunner) -> tuple[str, str] | None:
            row: tuple[str, str] | None = run(_HOLDER, self._job, key).fetchone()
            return row

        row = self._transact(select)
        return None if row is None else f"{row[0]} since {row[1]}"

    def renew(self, claim: Claim) -> bool:
        """Extend a claim; False if it was lost."""
        return self._transact(lambda run: run(_RENEW, self._lease, *self._own(claim)).rowcount) > 0

    def write(self, claim: Claim, content: bytes) -> bool:
        """Replace a checkpoint's content and extend the claim; False if it was lost."""
        return self._transact(lambda run: run(_WRITE, content, self._lease, *self._own(claim)).rowcount) > 0

    def replace(self, key: str, earlier: bytes, content: bytes) -> bool:
        """Replace a checkpoint's content without a claim, if it is still the earlier one."""
        return self._transact(lambda run: run(_REPLACE, content, self._job, key, earlier).rowcount) > 0

    def release(self, claim: Claim, error: str | None, *, keep_error: bool) -> None:
        """End a claim, and store the error that ended its upload, or None; with `keep_error` the earlier one stays."""
        self._transact(lambda run: run(_RELEASE, keep_error, error, *self._own(claim)))

    def page(self, after: str, size: int) -> list[Row]:
        """Return the checkpoints whose keys follow a key."""
        return self._transact(lambda run: list(run(_PAGE, self._job, after, size).fetchall()))

    def delete(self, key: str | None) -> int:
        """Delete a checkpoint, or all, unless they are claimed; return how many."""
        return self._transact(lambda run: run(_DELETE, self._job, key, key).rowcount)

    def _own(self, claim: Claim) -> tuple[str, str, int]:
        return self._job, claim.key, claim.number

    def _transact(self, statements: Callable[[StatementRunner], T]) -> T:
        pauses = iter(PAUSES)
        while True:
            try:
                with self._database.statements() as run:
                    run(f"SET LOCAL idle_in_transaction_session_timeout = {round(MAX_IDLE * 1000)}")
                    return statements(run)
            except InboxError as error:
                pause = next(pauses, None)
                if pause is None or not self._database.is_unreachable(error.__cause__):
                    raise
                self._sleep(pause)
