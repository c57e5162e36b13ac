"""The tables of an inbox, their versions, and the statements from each version to the next.

The first use of a database without tables creates them, if its role may. All later changes are made only by `migrate`,
so that a new release neither blocks a large inbox when it starts nor needs the right to change tables.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .inbox import InboxError
from .sql_database import INSUFFICIENT_PRIVILEGE, Schema

if TYPE_CHECKING:
    from .sql_database import Database, StatementRunner

logger = logging.getLogger("contentgroove")

COUNTING = "(the triggers that count)"
"""Stands for the statements of a database after which it counts the events in each state."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE contentgroove_numbers (name TEXT PRIMARY KEY, value {float} NOT NULL)",
        """CREATE TABLE contentgroove_events (
            position {serial},
            key {text} NOT NULL UNIQUE,
            body {bytes} NOT NULL,
            state TEXT NOT NULL,
            due {float} NOT NULL,
            claims INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            handled TEXT NOT NULL,
            error TEXT NOT NULL,
            recorded_at {float} NOT NULL,
            changed_at {float} NOT NULL
        )""",
        """CREATE INDEX contentgroove_events_open ON contentgroove_events (position)
            WHERE state IN ('pending', 'claimed')""",
        "CREATE INDEX contentgroove_events_changed ON contentgroove_events (state, changed_at)",
    ),
    (
        "ALTER TABLE contentgroove_events ADD COLUMN trace TEXT",
        # Claims: the first due event, without a search through those that others have claimed or that are not due.
        """CREATE INDEX contentgroove_events_due ON contentgroove_events (due, position)
            WHERE state IN ('pending', 'claimed')""",
        # Lists of one state, and the oldest pending event.
        "CREATE INDEX contentgroove_events_state ON contentgroove_events (state, position)",
        # Pruning.
        "CREATE INDEX contentgroove_events_done ON contentgroove_events (changed_at) WHERE state = 'done'",
        "DROP INDEX contentgroove_events_open",
        "DROP INDEX contentgroove_events_changed",
        # Counting a million rows takes long, so the database counts when any program changes a row. Each
        # connection of PostgreSQL has one of 16 rows, so that they seldom wait for each other.
        """CREATE TABLE contentgroove_counts (
            shard INTEGER PRIMARY KEY,
            pending {int} NOT NULL,
            claimed {int} NOT NULL,
            done {int} NOT NULL,
            dead {int} NOT NULL
        )""",
        """INSERT INTO contentgroove_counts
            SELECT 0,
                count(CASE WHEN state = 'pending' THEN 1 END), count(CASE WHEN state = 'claimed' THEN 1 END),
                count(CASE WHEN state = 'done' THEN 1 END), count(CASE WHEN state = 'dead' THEN 1 END)
            FROM contentgroove_events""",
        COUNTING,
    ),
)
"""The statements from each schema version to the next; a database of version n has executed the first n entries."""

INBOX = Schema(
    holds="The inbox",
    numbers="contentgroove_numbers",
    tables="contentgroove_events, contentgroove_numbers and contentgroove_counts",
    migrations=MIGRATIONS,
    command="contentgroove webhooks migrate --inbox {option}",
)

COUNTED = 2
"""The first version that counts the events in each state and stores the context of a trace."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of an inbox's tables.

    Attributes:
        from_version: The version of the tables before it; 0 if there were none.
        to_version: The version after it.
        statements: The SQL, in one transaction; empty if the tables have this release's version already.
        executed: Whether it was executed; False after a dry run.
    """

    from_version: int
    to_version: int
    statements: tuple[str, ...]
    executed: bool

    @property
    def script(self) -> str:
        """The statements as a script for `psql` or `sqlite3`."""
        return "".join(f"{statement};\n" for statement in self.statements)


def open_tables(database: Database[Any]) -> int:
    """Return the version of a database's tables, and create them if there are none.

    Raises:
        InboxError: The tables cannot be created, or are those of a newer release.
    """
    version = read_version(database)
    if version == 0:
        version = _create(database)
    if version < database.schema.latest:
        logger.warning(
            "%s in %s: the tables have version %d, and this release has version %d. They work, but get slow with many "
            "rows. Run: %s",
            database.schema.holds,
            database.name,
            version,
            database.schema.latest,
            _command(database),
        )
    return version


def read_version(database: Database[Any]) -> int:
    """Return the version of a database's tables; 0 if there are none.

    Raises:
        InboxError: The database failed, or its tables are those of a newer release.
    """
    with database.statements(write=False) as run:
        return _read_version(database, run)


def migrate(database: Database[Any], *, dry_run: bool) -> Migration:
    """Bring the tables of a database to this release's version; a dry run only returns the SQL.

    Raises:
        InboxError: The database failed, or its tables are those of a newer release. Nothing was changed.
    """
    if dry_run:
        version = read_version(database)
        return Migration(version, database.schema.latest, _script(database, version), executed=False)
    return _migrate(database)


def _command(database: Database[Any]) -> str:
    return database.schema.command.replace("{option}", database.option)


def _create(database: Database[Any]) -> int:
    try:
        return _migrate(database).to_version
    except InboxError as error:
        if getattr(error.__cause__, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise InboxError(
            f"{database.schema.holds} in {database.name}: there are no tables, and this role may not create them. With "
            f"a role that may, run once: {_command(database)}. Then grant this one SELECT, INSERT, UPDATE and DELETE "
            f"on {database.schema.tables}."
        ) from error


def _migrate(database: Database[Any]) -> Migration:
    with database.statements() as run:
        for statement in database.dialect.before_migration:
            run(statement)
        # Another process may have migrated them while this one waited for the lock.
        version = _read_version(database, run)
        for statement in _steps(database, version):
            run(statement)
    return Migration(version, database.schema.latest, _script(database, version), executed=True)


def _script(database: Database[Any], version: int) -> tuple[str, ...]:
    steps = _steps(database, version)
    return (database.dialect.begin, *database.dialect.before_migration, *steps, "COMMIT") if steps else ()


def _steps(database: Database[Any], version: int) -> tuple[str, ...]:
    schema = database.schema
    if version == schema.latest:
        return ()
    steps: list[str] = []
    for statements in schema.migrations[version:]:
        for statement in statements:
            steps += database.dialect.counting if statement == COUNTING else (database.spell(statement),)
    return (
        *steps,
        f"DELETE FROM {schema.numbers} WHERE name = 'schema_version'",  # noqa: S608 - a constant
        f"INSERT INTO {schema.numbers} (name, value) VALUES ('schema_version', {schema.latest})",  # noqa: S608 - as above
    )


def _read_version(database: Database[Any], run: StatementRunner) -> int:
    schema = database.schema
    if run(database.dialect.find_table.replace("{table}", schema.numbers)).fetchone() is None:
        return 0
    row = run(f"SELECT value FROM {schema.numbers} WHERE name = 'schema_version'").fetchone()  # noqa: S608 - a constant
    version = 0 if row is None else int(row[0])
    if version > schema.latest:
        raise InboxError(
            f"The tables of {database.name} have schema version {version}, but this release supports at most "
            f"{schema.latest}: they were created by a newer release. Update contentgroove."
        )
    return version


def read_number(run: StatementRunner, name: str) -> float:
    """Return a stored number; 0 if there is none."""
    row = run("SELECT value FROM contentgroove_numbers WHERE name = ?", name).fetchone()
    return 0.0 if row is None else float(row[0])


def store_number(run: StatementRunner, name: str, value: float) -> None:
    """Store a number."""
    run(
        "INSERT INTO contentgroove_numbers (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value,
    )
