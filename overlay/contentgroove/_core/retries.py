"""When a request may be sent again, and how long to wait before that.

The rules: GET, PUT and DELETE are retried after connection errors and temporary statuses (408, 429, 500, 502, 503,
504). POST is retried only after 429 or if the request was never sent: a media that is created twice is paid for twice.
A 429 pauses every call of the client; `pacing` decides when they start again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from contentgroove.errors import RETRYABLE_STATUSES

from .responses import Response, TransportFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOO_MANY_REQUESTS = 429

MAX_SECONDS = 1e9
"""The longest delay that is taken from a header, so that it is a date and a sleep can take it."""


class RetryPolicy(Struct, frozen=True):
    """How often a request is retried, and after which delays.

    Attributes:
        max_retries: How many times a request is sent again after the first. Waiting for its turn after a 429 counts
            as none, and a 429 does not count while other calls of the client pass: then the limit will let this one
            through, too. 0 sends every request once.
        initial_delay: The maximum of the first delay, in seconds.
        max_delay: The maximum of every computed delay, in seconds.
        max_retry_after: The longest delay that the service may request (`Retry-After`), in seconds. A longer one is an
            error at once: to come back earlier would be refused again.
        deadline: Seconds after which no further attempt starts, counted from the beginning of the call, or
            from the time at which the client's `rate_limit=` lets it start.
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
        return random() * self._cap(attempt)

    def pause(self, random: Callable[[], float], refusals: int) -> float:
        """Return the seconds that a client pauses after `refusals` (from 0) in a row: at least half of the cap.

        Only one call probes after a pause, so jitter matters less here than that the pauses do become longer.
        """
        return (0.5 + random() / 2) * self._cap(refusals)

    def _cap(self, attempt: int) -> float:
        # The exponent is bounded because 2.0**1024 overflows.
        return min(self.max_delay, self.initial_delay * 2.0 ** min(attempt, 62))


# (assumed: retry-after)
def requested_delay(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a response requests to wait (`Retry-After`), None if it requests none.

    Args:
        headers: The response's headers.
        now: Seconds since 1970 by the client's clock. A date is compared with the server's `Date` instead if there is
            one: the clocks may differ by more than the delay.
    """
    value = headers.get("retry-after")
    return None if value is None else parse_retry_after(value, _http_date(headers.get("date", "")) or now)


def parse_retry_after(value: str, now: float) -> float | None:
    """Parse a `Retry-After` header (RFC 9110, 10.2.3), in seconds or as an HTTP date; `now` is seconds since 1970.

    Fractions of seconds, which RFC 9110 does not provide for, are taken as they are meant.

    Returns:
        Seconds from now, at least 0; None if it cannot be parsed.
    """
    text = value.strip()
    if re.fullmatch(r"(?:\d+\.?\d*|\.\d+)", text, re.ASCII):
        return min(float(text), MAX_SECONDS)
    date = _http_date(text)
    return None if date is None else min(max(0.0, date - now), MAX_SECONDS)


def _http_date(text: str) -> float | None:
    """Parse a date in any of the three formats of RFC 9110, 5.6.7, all of which are in UTC."""
    from email.utils import mktime_tz, parsedate_tz

    # Python's parser guesses where there is neither the name of a month nor a time.
    if not re.search(r"[A-Za-z]{3}.*\d:\d\d", text):
        return None
    try:
        fields = parsedate_tz(text)
        # A date without a zone, as in the oldest format, is in UTC for this parser, unlike for others of Python.
        return None if fields is None else float(mktime_tz(fields))
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
    # (assumed: post-may-have-arrived)
    return idempotent or not outcome.may_have_arrived
