"""When a request may be sent again, and how long to wait before.

The rules: GET, PUT and DELETE are repeated on connection errors and on statuses that pass (408, 429, 500, 502,
503, 504). POST is repeated only on 429 or when the request never left: a media that is created twice is paid for
twice. A 429 slows down every call of the client.
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
