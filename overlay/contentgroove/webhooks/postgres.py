"""The inbox in PostgreSQL (extra `postgres`)."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove._core.secret import conceal
from contentgroove._core.tracebacks import drop_frames
from contentgroove._extras import needs
from contentgroove.errors import ConfigurationError, InvalidInputError

from .migrations import INBOX, migrate
from .sql import SqlInbox
from .sql_connections import ConnectionPool
from .sql_database import Database, Dialect, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from contentgroove._core.secret import Secret

    from .migrations import Migration

    PsycopgConnection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

MIGRATION_LOCK = 7_236_804_412_021
"""The key of the advisory lock: any number that other programs are unlikely to use."""

MAX_CONNECTIONS = 10
POOL_TIMEOUT = 30.0
IDLE_TIMEOUT = 300.0
STATEMENT_TIMEOUT = 30.0

NETWORK_LIMITS = {"connect_timeout": 10, "tcp_user_timeout": 30_000}
"""Defaults of the conninfo for a network that loses all packets: seconds to connect, milliseconds for a response."""

SHARDS = 16

DIALECT = Dialect(
    begin="BEGIN",
    placeholder="%s",
    lock="FOR UPDATE",
    skip="FOR UPDATE SKIP LOCKED",
    by_index="",
    types={
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "bytes": "BYTEA",
        "float": "DOUBLE PRECISION",
        "int": "BIGINT",
        "text": 'TEXT COLLATE "C"',
    },
    find_table="SELECT oid FROM pg_class WHERE relname = '{table}' AND pg_table_is_visible(oid)",
    before_migration=(
        # Indexes of many events take longer than other statements. All wait for a migration that waits for a lock,
        # so it rather fails.
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL lock_timeout = '10s'",
        f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})",
    ),
    counting=(
        f"INSERT INTO contentgroove_counts SELECT shard, 0, 0, 0, 0 FROM generate_series(1, {SHARDS - 1}) AS shard",  # noqa: S608 - a number
        # Each transaction updates these rows: room for new versions in their page, without new entries in the index.
        "ALTER TABLE contentgroove_counts SET (fillfactor = 10)",
        # By default a fifth of the rows must have changed before the space of deleted ones is reused.
        "ALTER TABLE contentgroove_events SET (autovacuum_vacuum_scale_factor = 0.01)",
        f"""CREATE FUNCTION contentgroove_count_events() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                change record;
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    SELECT count(*) FILTER (WHERE state = 'pending') AS pending,
                        count(*) FILTER (WHERE state = 'claimed') AS claimed,
                        count(*) FILTER (WHERE state = 'done') AS done,
                        count(*) FILTER (WHERE state = 'dead') AS dead
                        INTO change FROM rows_after;
                ELSIF TG_OP = 'DELETE' THEN
                    SELECT -count(*) FILTER (WHERE state = 'pending') AS pending,
                        -count(*) FILTER (WHERE state = 'claimed') AS claimed,
                        -count(*) FILTER (WHERE state = 'done') AS done,
                        -count(*) FILTER (WHERE state = 'dead') AS dead
                        INTO change FROM rows_before;
                ELSE
                    SELECT sum(number) FILTER (WHERE state = 'pending') AS pending,
                        sum(number) FILTER (WHERE state = 'claimed') AS claimed,
                        sum(number) FILTER (WHERE state = 'done') AS done,
                        sum(number) FILTER (WHERE state = 'dead') AS dead
                        INTO change FROM (
                            SELECT state, 1 AS number FROM rows_after
                            UNION ALL
                            SELECT state, -1 FROM rows_before
                        ) AS changes;
                END IF;
                UPDATE contentgroove_counts SET
                    pending = pending + coalesce(change.pending, 0),
                    claimed = claimed + coalesce(change.claimed, 0),
                    done = done + coalesce(change.done, 0),
                    dead = dead + coalesce(change.dead, 0)
                    WHERE shard = pg_backend_pid() % {SHARDS} AND (
                        coalesce(change.pending, 0), coalesce(change.claimed, 0), coalesce(change.done, 0),
                        coalesce(change.dead, 0)
                    ) <> (0, 0, 0, 0);
                RETURN NULL;
            END
            $$""",  # noqa: S608 - as above
        """CREATE TRIGGER contentgroove_events_inserted AFTER INSERT ON contentgroove_events
            REFERENCING NEW TABLE AS rows_after
            FOR EACH STATEMENT EXECUTE FUNCTION contentgroove_count_events()""",
        """CREATE TRIGGER contentgroove_events_updated AFTER UPDATE ON contentgroove_events
            REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after
            FOR EACH STATEMENT EXECUTE FUNCTION contentgroove_count_events()""",
        """CREATE TRIGGER contentgroove_events_deleted AFTER DELETE ON contentgroove_events
            REFERENCING OLD TABLE AS rows_before
            FOR EACH STATEMENT EXECUTE FUNCTION contentgroove_count_events()""",
    ),
)


class PostgresDatabase(Database["PsycopgConnection"]):
    """A PostgreSQL database. No state of a session is used, so that a pooler may change it with each transaction.

    `user` is the class of the public interface whose arguments these are, for messages.
    """

    def __init__(
        self,
        conninfo: Secret,
        max_connections: int = 1,
        pool_timeout: float = POOL_TIMEOUT,
        idle_timeout: float = IDLE_TIMEOUT,
        statement_timeout: float = STATEMENT_TIMEOUT,
        *,
        schema: Schema = INBOX,
        user: str = "PostgresInbox",
    ) -> None:
        with needs(user, "postgres"):
            import psycopg
        if max_connections < 1 or min(pool_timeout, idle_timeout, statement_timeout) <= 0:
            raise InvalidInputError(
                f"max_connections, pool_timeout, idle_timeout and statement_timeout of {user} must be greater than 0."
            )
        if not _can_be_parsed(conninfo):
            raise ConfigurationError(
                f"The conninfo of {user} cannot be parsed: write it as postgresql://user@host/name or as "
                "`host=… dbname=…`."
            )
        self._conninfo = conninfo
        self._open_connection = psycopg.connect
        self._busy_error = psycopg.errors.LockNotAvailable
        self._connection_errors = (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.errors.IdleInTransactionSessionTimeout,
        )
        # These are OperationalErrors, too, but a working server sends them.
        self._statement_errors = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
        # In one message with BEGIN, and for this transaction only: a pooler may give the next one another session.
        limit = f"SET LOCAL statement_timeout = {max(1, round(statement_timeout * 1000))}"
        self._begin_writing = f"BEGIN ISOLATION LEVEL READ COMMITTED; {limit}".encode()
        self._begin_reading = f"BEGIN READ ONLY; {limit}".encode()
        super().__init__(
            schema=schema,
            name="PostgreSQL",
            option="postgresql://…",
            dialect=DIALECT,
            driver_error=psycopg.Error,
            timeout=pool_timeout,
            pool=ConnectionPool(limit=max_connections, idle_timeout=idle_timeout),
        )

    def is_in_transaction(self, connection: PsycopgConnection) -> bool:
        """Whether a transaction was started and has not ended."""
        from psycopg.pq import TransactionStatus

        return connection.info.transaction_status != TransactionStatus.IDLE

    def _connect(self, seconds: float) -> PsycopgConnection:
        del seconds  # the conninfo has the limit
        # The driver's prepared statements belong to a session.
        outer = sys.exception()
        try:
            return self._open_connection(_with_limits(self._conninfo), autocommit=True, prepare_threshold=None)
        except BaseException as error:
            # The driver's functions have the parameters in variables.
            drop_frames(error, outer)
            raise

    def _begin(self, connection: PsycopgConnection, seconds: float, *, write: bool) -> None:
        del seconds  # the transaction has a limit for each statement, and its start waits for no lock
        connection.execute(self._begin_writing if write else self._begin_reading)

    def _is_broken(self, connection: PsycopgConnection) -> bool:
        return connection.closed

    def is_unreachable(self, error: BaseException | None) -> bool:
        """Whether the driver's exception means that there was no connection, or that the server ended it."""
        return isinstance(error, self._connection_errors) and not isinstance(error, self._statement_errors)

    def _is_busy(self, error: Exception) -> bool:
        return isinstance(error, self._busy_error)


class PostgresInbox(SqlInbox["PsycopgConnection"]):
    """Keeps events in a PostgreSQL database, for any number of threads, processes and machines.

    A handler registered with `transaction=True` gets a `psycopg.Connection` in a transaction. It must not commit or
    roll back, and can use `connection.transaction()` for savepoints. The machines' clocks must agree within much less
    than the receiver's lease.

    A database without tables gets them, if the role may create them. All later changes of the tables, and the first
    for a role that may not, are made by `migrate` or by `contentgroove webhooks migrate`. Each call is one transaction
    and relies on nothing of its session, so PgBouncer may pool transactions.

    Args:
        conninfo: The connection string for libpq; `""` uses the environment variables `PG…`. `connect_timeout` and
            `tcp_user_timeout` have defaults of 10 s and 30 s.
        max_connections: The maximum number of open connections. Handlers with `transaction=True` use all but one.
        pool_timeout: Seconds to wait while all of them are in use.
        idle_timeout: Seconds after which an unused connection is closed.
        statement_timeout: Seconds after which the server cancels a statement, also one of a handler with
            `transaction=True`, which can change that with `SET LOCAL statement_timeout`.
        clock: Returns the time in seconds since 1970.

    Raises:
        ConfigurationError: psycopg or libpq is missing or cannot be loaded, or the conninfo cannot be parsed.
        InvalidInputError: A limit is not greater than 0.
        InboxError: The database cannot be reached, its tables were created by a newer release, or it has none and they
            cannot be created.
    """

    def __init__(
        self,
        conninfo: str | Secret,
        *,
        max_connections: int = MAX_CONNECTIONS,
        pool_timeout: float = POOL_TIMEOUT,
        idle_timeout: float = IDLE_TIMEOUT,
        statement_timeout: float = STATEMENT_TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        conninfo = conceal(conninfo)
        super().__init__(
            PostgresDatabase(conninfo, max_connections, pool_timeout, idle_timeout, statement_timeout), clock
        )

    @classmethod
    def migrate(cls, conninfo: str | Secret, *, dry_run: bool = False) -> Migration:
        """Bring the tables to this release's version, or create them; other processes may use them meanwhile, and wait.

        Args:
            conninfo: The connection string for libpq, with a role that owns the tables or may create them.
            dry_run: Only return the SQL.

        Raises:
            ConfigurationError: psycopg or libpq is missing or cannot be loaded, or the conninfo cannot be parsed.
            InboxError: The database failed, for example because others kept the tables locked for 10 s, or its tables
                were created by a newer release. Nothing was changed.
        """
        conninfo = conceal(conninfo)
        database = PostgresDatabase(conninfo)
        try:
            return migrate(database, dry_run=dry_run)
        finally:
            database.close()

    def __repr__(self) -> str:
        # The connection parameters can contain a password.
        return "PostgresInbox(…)"


def _can_be_parsed(conninfo: Secret) -> bool:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(conninfo.reveal())
    except ProgrammingError:
        # Its message quotes the invalid part, which may be the password.
        return False
    return True


def _with_limits(conninfo: Secret) -> str:
    """Return the conninfo with the limits for the network that the application has not set."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    given = set(conninfo_to_dict(conninfo.reveal()))
    if "PGCONNECT_TIMEOUT" in os.environ:
        given |= {"connect_timeout"}
    limits: dict[str, Any] = {name: value for name, value in NETWORK_LIMITS.items() if name not in given}
    return make_conninfo(conninfo.reveal(), **limits)
