"""When a request may be sent again, and how long to wait before.

The rules: GET, PUT and DELETE are repeated on connection errors and on statuses that pass (408, 429, 500, 502,
503, 504). POST is repeated only on 429 or when the request never left: a media that is created twice is paid for
twice. A 429 slows down every call of the client.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from contentgroove.errors import RETRYABLE_STATUSES

from .effects import Response, Send, Sleep, TransportFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

    from .effects import Flow
    from .io import Clock

TOO_MANY_REQUESTS = 429


class RetryPolicy(Struct, frozen=True):
    """How often and how patiently a request is repeated.

    Attributes:
        max_retries: How many times a request is sent again after the first.
        initial_delay: Seconds that the first wait is at most.
        max_delay: Seconds that any computed wait is at most.
        max_retry_after: Seconds that a wait the service asked for (`Retry-After`) is at most.
        deadline: Seconds after which no further attempt begins, counted from the first.
    """

    max_retries: int = 3
    initial_delay: float = 0.5
    max_delay: float = 20.0
    max_retry_after: float = 120.0
    deadline: float = 300.0

    def with_retries(self, max_retries: int) -> RetryPolicy:
        """Give the policy with another number of retries."""
        return structs.replace(self, max_retries=max_retries)

    def backoff(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds to wait after attempt number `attempt` (from 0): full jitter under an exponential cap."""
        # The exponent is bounded because 2.0**1024 overflows.
        return random() * min(self.max_delay, self.initial_delay * 2.0 ** min(attempt, 62))


class Cooldown:
    """The moment before which no call of a client is sent, set by a 429 and shared by all its calls."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = 0.0

    def extend(self, until: float) -> None:
        """Hold calls back until a moment of the monotonic clock; an earlier moment changes nothing."""
        self.until = max(self.until, until)

    def remaining(self, now: float) -> float:
        """Seconds to hold back, 0 if none."""
        return max(0.0, self.until - now)


class Pacing(Struct, frozen=True):
    """What a flow needs to decide about time.

    Attributes:
        policy: How often and how patiently requests are repeated.
        cooldown: The hold that a 429 puts on all calls of the client.
        clock: Time.
        random: Gives numbers from 0 up to 1, for jitter.
        time_limit: Seconds that one attempt may take at most, None for the client's timeout alone.
    """

    policy: RetryPolicy
    cooldown: Cooldown
    clock: Clock
    random: Callable[[], float]
    time_limit: float | None = None


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Read a `Retry-After` header (RFC 9110, 10.2.3), in seconds or as an HTTP date.

    Args:
        value: The header's value, None if there is none.
        now: Seconds since 1970.

    Returns:
        Seconds from now, at least 0; None if there is no header or it cannot be read.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # More digits than any real wait: float() would give infinity, which no sleep accepts.
        return float(text[:12])
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def should_retry(outcome: Response | TransportFailure, *, idempotent: bool) -> bool:
    """Tell whether sending the same request again is safe and can help.

    Args:
        outcome: What came of the last attempt.
        idempotent: Whether the request does no more when it arrives twice than when it arrives once.
    """
    if isinstance(outcome, Response):
        if outcome.status_code == TOO_MANY_REQUESTS:
            return True
        return idempotent and outcome.status_code in RETRYABLE_STATUSES
    if outcome.kind not in {"connect", "timeout", "broken"}:
        return False
    return idempotent or not outcome.may_have_arrived


def send_with_retries(
    request: Request, pacing: Pacing, *, idempotent: bool
) -> Flow[tuple[Response | TransportFailure, int]]:
    """Send a request as often as the policy allows.

    Returns:
        What came of the last attempt, and how many attempts were made.
    """
    policy, clock = pacing.policy, pacing.clock
    deadline = math.inf
    attempt = 0
    last: Response | TransportFailure | None = None
    while True:
        in_time = yield from _wait_for_cooldown(pacing, deadline)
        if last is None:
            deadline = clock.monotonic() + policy.deadline
        elif not in_time:
            return last, attempt
        outcome: Response | TransportFailure = yield Send(request, pacing.time_limit)
        last = outcome
        attempt += 1
        delay = policy.backoff(attempt - 1, pacing.random)
        if isinstance(outcome, Response):
            retry_after = parse_retry_after(outcome.headers.get("retry-after"), clock.time())
            if retry_after is not None:
                delay = min(retry_after, policy.max_retry_after)
            if outcome.status_code == TOO_MANY_REQUESTS:
                pacing.cooldown.extend(clock.monotonic() + delay)
        if attempt > policy.max_retries or not should_retry(outcome, idempotent=idempotent):
            return outcome, attempt
        if clock.monotonic() + delay > deadline:
            return outcome, attempt
        yield Sleep(delay)


def _wait_for_cooldown(pacing: Pacing, deadline: float) -> Flow[bool]:
    # Waits for the end of a cool-down; False, at once, if that is after the deadline.
    cooldown, clock = pacing.cooldown, pacing.clock
    waited_for = 0.0
    # Only a later end is waited for again: a test's sleep may take no time, and would be called for ever.
    while (remaining := cooldown.remaining(clock.monotonic())) and cooldown.until > waited_for:
        if clock.monotonic() + remaining > deadline:
            return False
        waited_for = cooldown.until
        # Spread out, or every waiting call would be sent in the same instant.
        yield Sleep(remaining + pacing.random() * min(1.0, remaining))
    return True
