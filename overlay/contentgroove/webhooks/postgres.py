"""The inbox in PostgreSQL (extra `postgres`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove._extras import needs
from contentgroove.errors import ConfigurationError

from .sql import Dialect, SqlInbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

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

    def __init__(self, conninfo: str, *, clock: Callable[[], float] = time.time) -> None:
        with needs("PostgresInbox", "postgres"):
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        try:
            conninfo_to_dict(conninfo)
        except psycopg.ProgrammingError:
            # The driver's message quotes the invalid part, which may be the password.
            raise ConfigurationError(
                "The conninfo of PostgresInbox cannot be parsed: write it as postgresql://user@host/name or as "
                "`host=… dbname=…`."
            ) from None
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
        return self._open(self._conninfo, autocommit=True)

    def _is_in_transaction(self, connection: PsycopgConnection) -> bool:
        from psycopg.pq import TransactionStatus

        return connection.info.transaction_status != TransactionStatus.IDLE
