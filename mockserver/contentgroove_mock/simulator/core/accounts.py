"""Limits of accounts: requests in a window, medias and clips in a calendar month of UTC (assumed)."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove_mock.simulator.core.errors import payment_required, too_many_requests

if TYPE_CHECKING:
    from contentgroove_mock.simulator.core.records import Account


class Limits(Struct, kw_only=True):
    """The current limits of every account; None means without limit.

    Attributes:
        medias: How many medias an account can create in a month.
        clips: How many clips an account can create in a month.
        requests: How many requests an account can send in one window.
        window_seconds: The window's length in seconds.
    """

    medias: int | None = None
    clips: int | None = None
    requests: int | None = None
    window_seconds: float = 60.0


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


def count_media(account: Account, limits: Limits, now: dt.datetime) -> None:
    """Count a new media.

    Raises:
        ErrorResponse: 402, if the month's quota is used up.
    """
    _start_month(account, now)
    if limits.medias is not None and account.medias_made >= limits.medias:
        raise payment_required("medias")
    account.medias_made += 1


def count_clip(account: Account, limits: Limits, now: dt.datetime) -> None:
    """Count a new clip.

    Raises:
        ErrorResponse: 402, if the month's quota is used up.
    """
    _start_month(account, now)
    if limits.clips is not None and account.clips_made >= limits.clips:
        raise payment_required("clips")
    account.clips_made += 1


def _start_month(account: Account, now: dt.datetime) -> None:
    month = f"{now.astimezone(dt.UTC):%Y-%m}"
    if account.quota_month != month:
        account.quota_month, account.medias_made, account.clips_made = month, 0, 0
