"""Options that both kinds of clients take, checked."""

from __future__ import annotations

import httpx

from contentgroove._core.retries import RetryPolicy
from contentgroove.errors import ConfigurationError

DEFAULT_TIMEOUT = 30.0
"""Seconds for each of connecting, sending and receiving."""


def check_timeout(value: float | httpx.Timeout) -> httpx.Timeout:
    given: object = value
    if isinstance(given, httpx.Timeout):
        timeout = given
    elif isinstance(given, (int, float)) and not isinstance(given, bool) and given > 0:
        timeout = httpx.Timeout(given)
    else:
        raise ConfigurationError(f"timeout must be a number of seconds above 0 or an httpx.Timeout, not {value!r}.")
    if None in timeout.as_dict().values():
        raise ConfigurationError("timeout must be finite: a call that may wait for ever hangs some day.")
    return timeout


def check_policy(policy: RetryPolicy | None, max_retries: int | None) -> RetryPolicy:
    chosen = RetryPolicy() if policy is None else policy
    if max_retries is None:
        return chosen
    given: object = max_retries
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise ConfigurationError(f"max_retries must be a whole number from 0, not {max_retries!r}.")
    return chosen.with_retries(given)
