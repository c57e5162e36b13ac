"""Accounts: their ids, and their limits of requests in a window and of medias and clips in a month.

The kinds of the limits are not those of the document (assumed: rate-limit-window, quota-month, suggested-clips-free).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import uuid
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove_mock.simulator.core.errors import payment_required, too_many_requests

if TYPE_CHECKING:
    from contentgroove_mock.simulator.core.records import Account


class Limits(Struct, kw_only=True):
    """The current limits of every account; None means without limit.

    Attributes:
        medias: How many medias an account can create in a calendar month of UTC.
        clips: How many clips an account can create in a calendar month of UTC.
        requests: How many requests an account can send in one window.
        window_seconds: The window's length in seconds.
    """

    medias: int | None = None
    clips: int | None = None
    requests: int | None = None
    window_seconds: float = 60.0


def account_id(key: str) -> str:
    """Return an account's id, a digest from which its API key cannot be restored."""
    return hashlib.sha256(b"account\0" + key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def user_id(account: str) -> str:
    """Return the id of the user that owns an account."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, account))


def count_request(account: Account, limits: Limits, now: dt.datetime) -> None:
    """Count one request.

    Raises:
        ErrorResponse: 429, if the window is full.
    """
    window = dt.timedelta(seconds=limits.window_seconds)
    if account.window_began is None or now >= account.window_began + window:
        account.window_began, account.window_requests = now, 0
    account.window_requests += 1
    if limits.requests is not None and account.window_requests > limits.requests:
        remaining = (account.window_began + window - now).total_seconds()
        raise too_many_requests(max(1, math.ceil(remaining)))


def count_creation(account: Account, kind: str, limits: Limits, now: dt.datetime) -> None:
    """Count a new resource of a kind that has a quota: `medias` or `clips`.

    Raises:
        ErrorResponse: 402, if the month's quota is used up.
    """
    month = f"{now.astimezone(dt.UTC):%Y-%m}"
    counters = [name for name in account.__struct_fields__ if name.endswith("_made")]
    if account.quota_month != month:
        account.quota_month = month
        for name in counters:
            setattr(account, name, 0)
    made: int = getattr(account, f"{kind}_made")
    limit: int | None = getattr(limits, kind)
    if limit is not None and made >= limit:
        raise payment_required(kind)
    setattr(account, f"{kind}_made", made + 1)
