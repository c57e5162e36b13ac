"""What an account may use: requests in a window, medias and clips in a month."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove_mock.simulator.core.refusals import payment_required, too_many_requests

if TYPE_CHECKING:
    from contentgroove_mock.simulator.core.records import Account


class Limits(Struct, kw_only=True):
    """The limits in force for every account; None means none.

    Attributes:
        medias: How many medias an account can make.
        clips: How many clips an account can make.
        requests: How many requests fit into one window.
        window_seconds: The window's length.
    """

    medias: int | None = None
    clips: int | None = None
    requests: int | None = None
    window_seconds: float = 60.0


def count_request(account: Account, limits: Limits, now: dt.datetime) -> None:
    """Count one request.

    Raises:
        Refusal: 429, if the window is full.
    """
    window = dt.timedelta(seconds=limits.window_seconds)
    if account.window_began is None or now >= account.window_began + window:
        account.window_began, account.window_requests = now, 0
    account.window_requests += 1
    if limits.requests is not None and account.window_requests > limits.requests:
        left = (account.window_began + window - now).total_seconds()
        raise too_many_requests(max(1, math.ceil(left)))


def check_medias(account: Account, limits: Limits) -> None:
    """Check that one more media fits.

    Raises:
        Refusal: 402, if not.
    """
    if limits.medias is not None and account.medias_made >= limits.medias:
        raise payment_required("medias")


def check_clips(account: Account, limits: Limits) -> None:
    """Check that one more clip fits.

    Raises:
        Refusal: 402, if not.
    """
    if limits.clips is not None and account.clips_made >= limits.clips:
        raise payment_required("clips")
