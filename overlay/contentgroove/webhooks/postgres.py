"""The inbox in PostgreSQL (extra `postgres`)."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove._core.secret import conceal
from contentgroove._core.tracebacks import drop_frames
from contentgroove._extras import needs
from contentgroove.errors import ConfigurationError

from .sql import Dialect, SqlInbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from contentgroove._core.secret import Secret

    PsycopgConnection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

MIGRATION_LOCK = 7_236_804_412_021
"""The key of the advisory lock: any number that other programs are unlikely to use."""


class PostgresInbox(SqlInbox["PsycopgConnection"]):
    """Keeps events in a PostgreSQL database, for any number of threads, processes and machines.

    A handler registered with `transaction=True` gets a `psycopg.Connection` in a transaction. It must not commit or
    roll back, and can use `connection.transaction()` for savepoints. The machines' clocks must agree within much less
    than the receiver's lease.

    Args:
        conninfo: The connection string for libpq; `""` uses the environment variables `PG…`.
        clock: Returns the time in seconds since 1970.

    Raises:
        ConfigurationError: psycopg or libpq is missing or cannot be loaded, or the conninfo cannot be parsed.
        InboxError: The database cannot be reached, or its tables were created by a newer release.
    """

    def __init__(self, conninfo: str | Secret, *, clock: Callable[[], float] = time.time) -> None:
        conninfo = conceal(conninfo)
        with needs("PostgresInbox", "postgres"):
            import psycopg
        if not _can_be_parsed(conninfo):
            raise ConfigurationError(
                "The conninfo of PostgresInbox cannot be parsed: write it as postgresql://user@host/name or as "
                "`host=… dbname=…`."
            )
        self._conninfo = conninfo
        self._open = psycopg.connect
        super().__init__(
            Dialect(
                name="PostgreSQL",
                driver_error=psycopg.Error,
                begin="BEGIN ISOLATION LEVEL READ COMMITTED",
                begin_reading="BEGIN READ ONLY",
                placeholder="%s",
                lock="FOR UPDATE",
                skip="FOR UPDATE SKIP LOCKED",
                types={
                    "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                    "bytes": "BYTEA",
                    "float": "DOUBLE PRECISION",
                    "text": 'TEXT COLLATE "C"',
                },
                before_migration=(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})",),
            ),
            clock,
        )

    def __repr__(self) -> str:
        # The connection parameters can contain a password.
        return "PostgresInbox(…)"

    def _connect(self) -> PsycopgConnection:
        outer = sys.exception()
        try:
            return self._open(self._conninfo.reveal(), autocommit=True)
        except BaseException as error:
            # The driver's functions have the parameters in variables.
            drop_frames(error, outer)
            raise

    def _is_in_transaction(self, connection: PsycopgConnection) -> bool:
        from psycopg.pq import TransactionStatus

        return connection.info.transaction_status != TransactionStatus.IDLE


def _can_be_parsed(conninfo: Secret) -> bool:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(conninfo.reveal())
    except ProgrammingError:
        # Its message quotes the invalid part, which may be the password.
        return False
    return True
