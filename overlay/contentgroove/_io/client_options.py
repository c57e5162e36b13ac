"""The arguments of both clients, checked: a wrong one is a `ConfigurationError`."""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from random import SystemRandom
from typing import TYPE_CHECKING, Generic, Literal, Self, TypeVar, overload

from msgspec import structs

from contentgroove._core.calls import Session
from contentgroove._core.pacing import Ceiling, Pacer
from contentgroove._core.retries import RetryPolicy
from contentgroove._core.secret import Secret
from contentgroove.errors import ConfigurationError

from .hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from contentgroove._core.io import IO, Clock, Timeouts
    from contentgroove._core.settings import Settings
    from contentgroove.errors import RequestInfo

    from .contract_monitor import ContractMonitor, OnContractViolation
    from .hooks import ResponseInfo

C = TypeVar("C")
T = TypeVar("T")

DEFAULT_TIMEOUT = 30.0
"""Seconds for each of connecting, sending and receiving."""

MIN_RATE_LIMIT = 0.001
"""Calls per second: one in about 17 minutes; less is rather a mistake than a wish."""


class lazy(Generic[C, T]):  # noqa: N801 - used like `property`
    """An attribute that is created on first use.

    Python 3.11's own `cached_property` takes a lock, which another thread may hold when a process is forked: the child
    would wait for it without end.
    """

    def __init__(self, create: Callable[[C], T]) -> None:
        self._create = create
        self._name = create.__name__
        self.__doc__ = create.__doc__

    @overload
    def __get__(self, instance: None, owner: type[C]) -> Self: ...
    @overload
    def __get__(self, instance: C, owner: type[C]) -> T: ...
    def __get__(self, instance: C | None, owner: type[C]) -> Self | T:
        if instance is None:
            return self
        created: T = vars(instance).setdefault(self._name, self._create(instance))
        return created


def without_lazy(instance: object) -> dict[str, object]:
    """Return the attributes of an object, except those that are created on first use."""
    kind = type(instance)
    return {name: value for name, value in vars(instance).items() if not isinstance(getattr(kind, name, None), lazy)}


def read_variable(name: str) -> Secret | None:
    """Read an environment variable; None if it is not set or empty."""
    return Secret(os.environ[name]) if os.environ.get(name) else None


def check_timeout(value: float | httpx.Timeout) -> Timeouts:
    """Return a client's limits, all of them finite."""
    timeout: object = value
    if isinstance(timeout, (int, float)) and not isinstance(timeout, bool) and 0 < timeout < math.inf:
        return dict.fromkeys(("connect", "read", "write", "pool"), float(timeout))
    import httpx

    if not isinstance(timeout, httpx.Timeout):
        raise ConfigurationError(f"timeout must be a number of seconds above 0 or an httpx.Timeout, not {value!r}.")
    timeouts = {name: seconds for name, seconds in timeout.as_dict().items() if seconds is not None}
    if len(timeouts) < len(timeout.as_dict()):
        raise ConfigurationError("timeout must be finite: a call without a limit may hang.")
    return timeouts


def check_policy(policy: RetryPolicy | None, max_retries: int | None) -> RetryPolicy:
    """Return the retry policy, with another number of retries if one is passed."""
    policy = policy or RetryPolicy()
    if max_retries is None:
        return policy
    retries: object = max_retries
    if not isinstance(retries, int) or isinstance(retries, bool) or retries < 0:
        raise ConfigurationError(f"max_retries must be a whole number from 0, not {max_retries!r}.")
    return policy.with_retries(retries)


def check_rate_limit(value: float | None) -> float | None:
    """Return the ceiling of a client's calls per second."""
    rate: object = value
    if rate is None:
        return None
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not MIN_RATE_LIMIT <= rate < math.inf:
        raise ConfigurationError(
            f"rate_limit must be a number of calls per second from {MIN_RATE_LIMIT}, or None for no limit, "
            f"not {value!r}."
        )
    return float(rate)


def check_clients(kind: Literal["Client", "AsyncClient"], **clients: object) -> None:
    """Check that the application's own HTTP clients are of a kind."""
    for name, client in clients.items():
        if client is None:
            continue
        import httpx

        if not isinstance(client, getattr(httpx, kind)):
            raise ConfigurationError(f"{name} must be an httpx.{kind}, not {type(client).__name__}.")


def create_hooks(
    on_request: Callable[[RequestInfo], object] | None,
    on_response: Callable[[ResponseInfo], object] | None,
    *,
    awaited: bool = False,
) -> Hooks:
    """Create a client's hooks; `awaited` if it awaits async ones."""
    hooks: tuple[tuple[str, object], ...] = (("on_request", on_request), ("on_response", on_response))
    for name, hook in hooks:
        if hook is None:
            continue
        if not callable(hook):
            raise ConfigurationError(f"{name} must be callable, not {type(hook).__name__}.")
        import inspect

        if inspect.iscoroutinefunction(hook) and not awaited:
            raise ConfigurationError(f"{name} is async, which needs an AsyncContentGroove.")
    return Hooks(on_request, on_response)


def create_session(
    io: IO,
    settings: Settings,
    *,
    timeout: float | httpx.Timeout,
    policy: RetryPolicy,
    clock: Clock | None,
    random: Callable[[], float] | None,
    rate_limit: float | None,
) -> Session:
    """Create what the calls of a new client share; by default with the machine's clock and random numbers."""
    # The system's numbers are different in each process, whatever forks it and whatever seed the application sets.
    jitter = random or SystemRandom().random
    timeouts, rate, lock = check_timeout(timeout), check_rate_limit(rate_limit), threading.Lock()
    ceiling = None if rate is None else Ceiling(rate, lock)
    pacer = Pacer(lock, rate)
    _paced[io] = (pacer, ceiling)
    return Session(io, settings, timeouts, policy, pacer, clock or time, jitter, ceiling)


_paced: weakref.WeakKeyDictionary[IO, tuple[Pacer, Ceiling | None]] = weakref.WeakKeyDictionary()
"""What paces the calls of all existing clients."""


def _enter_child() -> None:
    for pacer, ceiling in list(_paced.values()):
        lock = threading.Lock()
        pacer.enter_child(lock)
        if ceiling is not None:
            ceiling.enter_child(lock)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_enter_child)


def replace_options(session: Session, timeout: float | httpx.Timeout | None, max_retries: int | None) -> Session:
    """Return the session with other limits; what is None stays. Connections, cool-down and ceiling are shared."""
    return structs.replace(
        session,
        policy=check_policy(session.policy, max_retries),
        timeouts=session.timeouts if timeout is None else check_timeout(timeout),
    )


def create_monitor(mode: OnContractViolation, settings: Settings) -> ContractMonitor | None:
    """Create the contract monitor; None, and nothing is imported, if that is off."""
    if mode == "off":
        return None
    from .contract_monitor import ContractMonitor

    return ContractMonitor(mode, settings)
