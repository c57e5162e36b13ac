"""Moments out of seconds since 1970."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def moment(seconds: float) -> dt.datetime:
    """Give the moment so many seconds after 1970 began, in UTC."""
    # Counted, because Windows' own conversion ends with the year 3000.
    return _EPOCH + dt.timedelta(seconds=seconds)
