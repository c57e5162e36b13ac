"""Options that both kinds of clients take, checked."""

from __future__ import annotations

import math
import random as chance
from typing import TYPE_CHECKING, Literal

from msgspec import structs

from contentgroove._core.calls import Session
from contentgroove._core.retries import Cooldown, RetryPolicy
from contentgroove.errors import ConfigurationError

from .http import Hooks, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from contentgroove._core.io import IO, Clock, Timeouts
    from contentgroove._core.settings import Settings
    from contentgroove.errors import RequestInfo

    from .contract import ContractMonitor, OnContractViolation
    from .http import ResponseInfo

DEFAULT_TIMEOUT = 30.0
"""Seconds for each of connecting, sending and receiving."""


def check_timeout(value: float | httpx.Timeout) -> Timeouts:
    """Give a client's limits, all of them finite.

    Raises:
        ConfigurationError: They are not.
    """
    given: object = value
    if isinstance(given, (int, float)) and not isinstance(given, bool) and 0 < given < math.inf:
        return dict.fromkeys(("connect", "read", "write", "pool"), float(given))
    import httpx

    if not isinstance(given, httpx.Timeout):
        raise ConfigurationError(f"timeout must be a number of seconds above 0 or an httpx.Timeout, not {value!r}.")
    timeouts = {name: seconds for name, seconds in given.as_dict().items() if seconds is not None}
    if len(timeouts) < len(given.as_dict()):
        raise ConfigurationError("timeout must be finite: a call that may wait for ever hangs some day.")
    return timeouts


def check_policy(policy: RetryPolicy | None, max_retries: int | None) -> RetryPolicy:
    """Give a retry policy, with another number of retries if one is given.

    Raises:
        ConfigurationError: The number is none.
    """
    chosen = RetryPolicy() if policy is None else policy
    if max_retries is None:
        return chosen
    given: object = max_retries
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise ConfigurationError(f"max_retries must be a whole number from 0, not {max_retries!r}.")
    return chosen.with_retries(given)


def check_clients(kind: Literal["Client", "AsyncClient"], **clients: object) -> None:
    """Refuse an application's own HTTP clients that are not of the kind that is needed.

    Raises:
        ConfigurationError: One is not; the message names the argument.
    """
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
    """Make a client's hooks; `awaited` if async ones are.

    Raises:
        ConfigurationError: One cannot be called, or is async and nobody would await it.
    """
    for name, hook in (("on_request", on_request), ("on_response", on_response)):
        given: object = hook
        if given is None:
            continue
        if not callable(given):
            raise ConfigurationError(f"{name} must be callable, not {type(given).__name__}.")
        import inspect

        if inspect.iscoroutinefunction(given) and not awaited:
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
) -> Session:
    """Create what the calls of a new client share; by default with the machine's clock and random numbers.

    Raises:
        ConfigurationError: The timeout is not usable.
    """
    return Session(
        io, settings, check_timeout(timeout), policy, Cooldown(), clock or SystemClock(), random or chance.random
    )


def replace_options(session: Session, timeout: float | httpx.Timeout | None, max_retries: int | None) -> Session:
    """Return the session with other limits; what is None stays. Connections and cool-down are shared.

    Raises:
        ConfigurationError: A value is wrong.
    """
    return structs.replace(
        session,
        policy=check_policy(session.policy, max_retries),
        timeouts=session.timeouts if timeout is None else check_timeout(timeout),
    )


def create_monitor(wish: OnContractViolation, settings: Settings) -> ContractMonitor | None:
    """Make what checks exchanges; None, and nothing loaded, if that is off.

    Raises:
        ConfigurationError: The arguments are wrong, or no checker is installed.
    """
    if wish == "off":
        return None
    from . import contract

    return contract.create_monitor(wish, settings)
