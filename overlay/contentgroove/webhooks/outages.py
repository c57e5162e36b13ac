"""Outages: failures for which no event is to blame, and the circuit that lets a worker pause while they last."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contentgroove.errors import (
    APIConnectionError,
    AuthenticationError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

from .failures import describe_error, leaves
from .inbox import InboxError

if TYPE_CHECKING:
    from .inbox import Backoff

THRESHOLD = 3
"""Consecutive outages after which the worker pauses."""

LONGEST_PAUSE = 300.0
"""Seconds."""

LONGEST_RETRY_AFTER = 3600.0
"""Seconds: a pause that the service asks for may be longer than one that the worker chooses."""

MAX_FREE_CLAIMS = 1_000
"""Claims of an event after which outages count as its attempts: at the longest pause, after more than three days."""

OWN_ERRORS = (
    APIConnectionError,
    ServerError,
    RateLimitError,
    # Until the key or the quota changes, every event fails with these.
    AuthenticationError,
    QuotaExceededError,
    InboxError,
)

SYSTEM_ERRORS = frozenset(
    {
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOSPC,
    }
)
"""Of `OSError`, in addition to its subclasses for connections and timeouts."""

NAMES = frozenset(
    {
        # The names that PEP 249 gives to "not necessarily under the control of the programmer"; Django, SQLAlchemy,
        # peewee and kombu use them as well.
        "OperationalError",
        "InterfaceError",
        # redis, requests, amqp, elasticsearch.
        "ConnectionError",
        "ConnectTimeout",
        "ReadTimeout",
        "ConnectionTimeout",
        # httpx, httpcore, urllib3, aiohttp, botocore, pymongo, asyncpg, psycopg_pool.
        "TransportError",
        "NetworkError",
        "TimeoutException",
        "NewConnectionError",
        "MaxRetryError",
        "ProtocolError",
        "ClientConnectionError",
        "EndpointConnectionError",
        "ConnectionFailure",
        "PostgresConnectionError",
        "ConnectionDoesNotExistError",
        "CannotConnectNowError",
        "TooManyConnectionsError",
        "PoolTimeout",
        "gaierror",
        "URLError",
    }
)
"""Names of classes, wherever they are defined, so that nothing needs to be imported."""

SQLSTATE_CLASSES = ("08", "53", "57P", "58")
"""Connection, resources, shutdown, system: other states are about a statement, such as a deadlock."""

SQLITE_CODES = frozenset({5, 6, 7, 10, 13, 14})
"""SQLITE_BUSY, LOCKED, NOMEM, IOERR, FULL and CANTOPEN: others, such as a missing table, are about a statement."""

PRIMARY_CODE = 0xFF
"""The bits of an SQLite error code that are its primary code; the other bits extend it."""

HTTP_STATUS_CODES = range(100, 600)

STATUS_CODES = frozenset({429, 502, 503, 504})
"""Of the response in an HTTP library's exception."""

MAX_CAUSES = 10


@dataclass(slots=True)
class Circuit:
    """Opens after consecutive outages: the worker pauses, then tries one event, and goes on if there is no outage.

    Attributes:
        backoff: Its first delay is the first pause; pauses double up to its longest delay, or `LONGEST_PAUSE`.
        reason: The last outage; empty if the circuit is closed and there was none.
        pause: Seconds to wait before the next event is tried; 0 if the circuit is closed.
    """

    backoff: Backoff
    reason: str = ""
    pause: float = 0.0
    _outages: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the worker must pause."""
        return self._outages >= THRESHOLD

    def failed(self, error: BaseException) -> None:
        """Count an outage; one for which the service names a pause opens the circuit at once."""
        asked = max(
            (part.retry_after or 0.0 for part in leaves(error) if isinstance(part, RateLimitError)), default=0.0
        )
        self._outages = max(self._outages + 1, THRESHOLD if asked else 0)
        self.reason = describe_error(error)
        if self.is_open:
            self.pause = max(self._delay(self._outages - THRESHOLD), min(asked, LONGEST_RETRY_AFTER))

    def delay(self, claims: int) -> float | None:
        """Seconds until an event that met an outage is due again; None if that counts as one of its attempts."""
        if claims > MAX_FREE_CLAIMS:
            return None
        return max(self.pause, self._delay(claims - 1))

    def passed(self) -> None:
        """Close: an event was handled, or has failed for a reason of its own."""
        self._outages = 0
        self.reason, self.pause = "", 0.0

    def _delay(self, doublings: int) -> float:
        # 2.0 ** 1024 overflows, so the exponent is limited.
        return min(LONGEST_PAUSE, self.backoff.longest, self.backoff.first * 2.0 ** min(doublings, 64))


def is_outage(error: BaseException, further: tuple[type[BaseException], ...] = ()) -> bool:
    """Whether a failure looks like an outage of something that handlers need: a database, a network, a service.

    Exceptions are known by the names of their classes. Of a group, all must be outages; the cause of an exception
    (`raise … from …`) counts like itself.

    Args:
        error: What the handler raised.
        further: More classes of exceptions that are outages.
    """
    try:
        if isinstance(error, further):
            return True
        return all(_is_outage(part, further) for part in leaves(error))
    except BaseException:  # noqa: BLE001 - an exception's attributes may raise anything, and its failure must be recorded
        return False


def _is_outage(error: BaseException, further: tuple[type[BaseException], ...]) -> bool:
    cause: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if cause is None:
            return False
        if isinstance(cause, (*further, *OWN_ERRORS)):
            return True
        looks = _looks_like_outage(cause)
        if looks is not None:
            return looks
        cause = cause.__cause__
    return False


def _looks_like_outage(error: BaseException) -> bool | None:
    """Whether it is an outage; None if only its cause can tell."""
    if isinstance(error, OSError) and _is_system_outage(error):
        return True
    status = _attribute(_attribute(error, "response"), "status_code") or _attribute(error, "code")
    if isinstance(status, int) and status in HTTP_STATUS_CODES:
        return status in STATUS_CODES
    kinds = {kind.__name__ for kind in type(error).__mro__ if kind.__module__ != "builtins"}
    if not kinds & NAMES:
        return None
    return _is_outage_of_a_driver(error)


def _is_outage_of_a_driver(error: BaseException) -> bool:
    if type(error).__module__ == "sqlite3":
        code = _attribute(error, "sqlite_errorcode")
        return isinstance(code, int) and code & PRIMARY_CODE in SQLITE_CODES
    state = _attribute(error, "sqlstate") or _attribute(error, "pgcode")
    if isinstance(state, str):
        return state.startswith(SQLSTATE_CLASSES)
    # A database library raises its exception in the driver's stead, which knows best.
    looks = None if error.__cause__ is None else _looks_like_outage(error.__cause__)
    return True if looks is None else looks


def _is_system_outage(error: OSError) -> bool:
    return isinstance(error, ConnectionError | TimeoutError) or error.errno in SYSTEM_ERRORS


def _attribute(value: object, name: str) -> object:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a property of another library's exception may raise
        return None
