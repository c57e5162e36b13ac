"""Transactions in an SQL database: what SQLite and PostgreSQL share below the tables of an inbox."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeAlias

from .inbox import InboxError
from .sql_connections import C, ConnectionPool, Cursor, NoConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

INSUFFICIENT_PRIVILEGE = "42501"
"""PostgreSQL's state of a statement that the role may not run."""

StatementRunner: TypeAlias = "Callable[..., Cursor]"
"""Runs a statement with the values of its parameters."""


class BusyError(InboxError):
    """Another process or thread kept the database locked."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The differences between the databases in SQL."""

    begin: str  # starts a transaction that writes
    placeholder: str  # marks a parameter
    lock: str  # locks a selected row until the transaction ends
    skip: str  # skips rows that others have locked
    by_index: str  # after a table's name: chooses the index `{index}`, where the planner has no statistics
    types: dict[str, str]  # column types: `serial`, `bytes`, `float`, `int`, and `text`, which sorts by code points
    find_table: str  # selects a row if there is the table `{table}`
    before_migration: tuple[str, ...]  # statements that keep other processes from migrating at the same time
    counting: tuple[str, ...]  # statements that create the triggers which count events


@dataclass(slots=True)
class Schema:
    """The tables that a use of a database has, in all their versions.

    Attributes:
        holds: What they hold, in the plural or with its article.
        numbers: The table with the row `schema_version`, which the first migration creates.
        tables: The tables that a role must be able to use.
        migrations: The statements from each version to the next.
        command: How to migrate them; `{option}` is that of the database.
    """

    holds: str
    numbers: str
    tables: str
    migrations: tuple[tuple[str, ...], ...]
    command: str

    @property
    def latest(self) -> int:
        """The version of this release."""
        return len(self.migrations)


class Database(ABC, Generic[C]):
    """A database, with the connections of this process.

    Attributes:
        schema: Its tables.
        name: Its name in messages.
        option: The value of `--inbox` for the command line, without secrets.
        dialect: How its SQL differs.
        timeout: The maximum number of seconds to wait for a connection or for a lock.
    """

    def __init__(
        self,
        *,
        schema: Schema,
        name: str,
        option: str,
        dialect: Dialect,
        driver_error: type[Exception],
        timeout: float,
        pool: ConnectionPool[C],
    ) -> None:
        self.schema = schema
        self.name = name
        self.option = option
        self.dialect = dialect
        self.timeout = timeout
        self._driver_error = driver_error
        self._pool = pool
        self._spelled: dict[str, str] = {}

    @abstractmethod
    def is_in_transaction(self, connection: C) -> bool:
        """Whether a transaction was started and has not ended."""

    @abstractmethod
    def _connect(self, seconds: float) -> C:
        """Open a connection in autocommit mode, and start no transaction; wait for at most `seconds`."""

    @abstractmethod
    def _begin(self, connection: C, seconds: float, *, write: bool) -> None:
        """Start a transaction; wait for at most `seconds` for its lock, if it needs one."""

    @abstractmethod
    def _is_broken(self, connection: C) -> bool:
        """Whether an idle connection can no longer be used, but a new one may work."""

    @abstractmethod
    def _is_busy(self, error: Exception) -> bool:
        """Whether the driver's exception means that another transaction kept a lock for too long."""

    def _discard(self, connection: C) -> None:
        """Close a connection; an open transaction is rolled back, whatever state it is in."""
        connection.close()

    def close(self) -> None:
        """Close the idle connections. New ones are opened if the database is used again."""
        for connection in self._pool.take_idle():
            connection.close()

    @contextmanager
    def statements(self, *, write: bool = True, seconds: float | None = None) -> Generator[StatementRunner]:
        """Run statements in one transaction.

        Args:
            write: Whether it may write; one that only reads does not wait for those that write.
            seconds: How long to wait for a lock, if not for `timeout`.

        Raises:
            InboxError: The database failed; its transaction was rolled back. `BusyError` if it stayed locked.
        """
        try:
            with self.transaction(write=write, seconds=seconds) as connection:
                yield partial(self.run, connection)
        except self._driver_error as error:
            kind = BusyError if self._is_busy(error) else InboxError
            raise kind(
                f"{self.schema.holds} in {self.name} failed: {type(error).__name__}: {error}{self._rights(error)}"
            ) from error

    @contextmanager
    def transaction(self, *, write: bool = True, seconds: float | None = None, spare: int = 0) -> Generator[C]:
        """Lend a connection in a transaction, which is committed at the end, and rolled back after an exception.

        `spare` connections are left to others. The driver's exceptions are raised unchanged.
        """
        process = os.getpid()
        connection = self._open(self.timeout if seconds is None else seconds, write=write, spare=spare)
        try:
            yield connection
            if os.getpid() == process:
                connection.execute("COMMIT")
        except BaseException:
            if os.getpid() == process:
                self._discard(connection)
                self._pool.forget()
            raise
        if os.getpid() != process:
            raise InboxError(
                "This process was forked inside a transaction of its parent, which alone can commit it: end the child "
                "with os._exit() before the handler returns."
            )
        self._pool.give_back(connection)

    def run(self, connection: C, statement: str, *values: object) -> Cursor:
        """Run a statement, written once for all databases: with `?` for parameters and types such as `{float}`."""
        spelled = self._spelled.get(statement)
        if spelled is None:
            spelled = self.spell(statement)
            if values:
                spelled = spelled.replace("?", self.dialect.placeholder)
            self._spelled[statement] = spelled
        return connection.execute(spelled, values) if values else connection.execute(spelled)

    def spell(self, statement: str) -> str:
        """Return a statement with the database's names of the column types."""
        for name, column_type in self.dialect.types.items():
            statement = statement.replace(f"{{{name}}}", column_type)
        return statement

    def _rights(self, error: Exception) -> str:
        """Return which rights are needed, as a further sentence, if the role lacks one."""
        if getattr(error, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            return ""
        return (
            f". The role needs SELECT, INSERT, UPDATE and DELETE on {self.schema.tables}; to change or create tables, "
            "their owner or a role that may create them."
        )

    def _open(self, seconds: float, *, write: bool, spare: int) -> C:
        try:
            idle = self._pool.borrow(self.timeout, spare=spare)
        except NoConnectionError:
            raise InboxError(
                f"{self.schema.holds} in {self.name} failed: all connections stayed in use for {self.timeout:g} s. "
                "Let fewer threads use it, make handlers with transaction=True faster, or raise max_connections=."
            ) from None
        try:
            if idle is not None and self._try_begin(idle, seconds, write=write):
                return idle
            started = time.monotonic()
            connection = self._connect(seconds)
            try:
                self._begin(connection, max(0.0, seconds - (time.monotonic() - started)), write=write)
            except BaseException:
                self._discard(connection)
                raise
        except BaseException:
            self._pool.forget()
            raise
        return connection

    def _try_begin(self, idle: C, seconds: float, *, write: bool) -> bool:
        """Start a transaction in an idle connection; False if it broke meanwhile, so that a new one may work."""
        try:
            if not self._is_broken(idle):
                self._begin(idle, seconds, write=write)
                return True
        except BaseException as error:
            broken = isinstance(error, self._driver_error) and self._is_broken(idle)
            self._discard(idle)
            if not broken:
                raise
        else:
            self._discard(idle)
        # A restart of the server breaks all idle connections: they are not tried one after the other.
        for other in self._pool.take_idle():
            self._discard(other)
        return False
