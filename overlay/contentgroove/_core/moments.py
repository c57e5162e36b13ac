"""Datetimes from seconds since 1970."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def moment(seconds: float) -> dt.datetime:
    """Return the datetime of a number of seconds since 1970, in UTC."""
    # Computed, because Windows' own conversion ends with the year 3000.
    return _EPOCH + dt.timedelta(seconds=seconds)
