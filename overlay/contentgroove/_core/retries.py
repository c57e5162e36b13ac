"""When a request may be sent again, and how long to wait before that.

The rules: GET, PUT and DELETE are retried after connection errors and temporary statuses (408, 429, 500, 502, 503,
504). POST is retried only after 429 or if the request was never sent: a media that is created twice is paid for twice.
A 429 delays every call of the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from contentgroove.errors import RETRYABLE_STATUSES

from .responses import Response, TransportFailure

if TYPE_CHECKING:
    from collections.abc import Callable

TOO_MANY_REQUESTS = 429


class RetryPolicy(Struct, frozen=True):
    """How often a request is retried, and after which delays.

    Attributes:
        max_retries: How many times a request is sent again after the first.
        initial_delay: The maximum of the first delay, in seconds.
        max_delay: The maximum of every computed delay, in seconds.
        max_retry_after: The maximum of a delay that the service requests (`Retry-After`), in seconds.
        deadline: Seconds after which no further attempt starts, counted from the first.
    """

    max_retries: int = 3
    initial_delay: float = 0.5
    max_delay: float = 20.0
    max_retry_after: float = 120.0
    deadline: float = 300.0

    def with_retries(self, max_retries: int) -> RetryPolicy:
        """Return the policy with another number of retries."""
        return structs.replace(self, max_retries=max_retries)

    def backoff(self, attempt: int, random: Callable[[], float]) -> float:
        """Return the seconds to wait after attempt number `attempt` (from 0): full jitter below an exponential cap."""
        # The exponent is bounded because 2.0**1024 overflows.
        return random() * min(self.max_delay, self.initial_delay * 2.0 ** min(attempt, 62))


class Cooldown:
    """The time before which no call of a client is sent, set by a 429 and shared by all its calls."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = 0.0

    def extend(self, until: float) -> None:
        """Delay calls until a time of the monotonic clock; an earlier time changes nothing."""
        self.until = max(self.until, until)

    def remaining(self, now: float) -> float:
        """Return the seconds to wait, 0 if none."""
        return max(0.0, self.until - now)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Parse a `Retry-After` header (RFC 9110, 10.2.3), in seconds or as an HTTP date; `now` is seconds since 1970.

    Returns:
        Seconds from now, at least 0; None if there is no header or it cannot be parsed.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # Cut, because float() returns infinity for too many digits, which no sleep accepts.
        return float(text[:12])
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def should_retry(outcome: Response | TransportFailure, *, idempotent: bool) -> bool:
    """Return whether sending the same request again after this outcome is safe and can help."""
    if isinstance(outcome, Response):
        if outcome.status_code == TOO_MANY_REQUESTS:
            return True
        return idempotent and outcome.status_code in RETRYABLE_STATUSES
    if outcome.kind not in {"connect", "timeout", "broken"}:
        return False
    return idempotent or not outcome.may_have_arrived
