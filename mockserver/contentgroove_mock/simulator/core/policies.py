"""The numbers of the simulated service, and what it refuses: how long things take, and how large they may be."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection  # noqa: TC003  # the control interface reads the types at run time
from typing import TypedDict, Unpack, get_type_hints

import msgspec
from msgspec import Struct, field

NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
"""The time at which something ends that does not end by itself."""
_AT_LEAST_ONE = frozenset({"page_size", "max_page_size", "webhook_attempts"})


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of the simulated service, and what it refuses.

    The provider documents the rules, not the numbers (assumed: processing-minutes, page-default-size, page-size-capped,
    upload-url-week, upload-limit, webhook-retries, webhook-timeout).

    Attributes:
        queue_seconds: How long a new media or clip has `is_processing` null.
        processing_seconds: How long a media is processed after that; None means until `finish_media` or `fail_media`.
        clip_seconds: How long a user's clip is processed after its queue time.
        page_size: How many items a page has if the request does not state a size.
        max_page_size: How many items a page has at most if the request states a larger size.
        refuses_undocumented: Whether a key without `Bearer` in Authorization gets 401, and a list's query with another
            parameter or sort order than the documented ones 400. A client that works with the service sends all three.
        refuses_wrong_values: Whether an unknown filter, a value of another type than its attribute, or a page that is
            not a number from 1 gets 400. The service probably ignores them, and returns everything or the first page:
            False shows what an app makes of that.
        upload_seconds: How long an upload URL is valid; 7 days in the published example.
        upload_headers: The headers that upload URLs sign in addition to Host, with the values that a PUT must send,
            such as `{"Content-Type": "video/mp4"}`. None by default, because the documentation sends none.
        upload_limit: The largest file in bytes; S3's limit for one PUT, which the documentation calls "5gb".
        webhook_attempts: The maximum number of attempts to deliver a webhook.
        webhook_retry_seconds: The wait before the second attempt; each later wait is twice as long.
        webhook_timeout: Seconds until an attempt counts as failed.
        unreachable_hosts: Hosts whose `source_url` cannot be fetched, in addition to all below `.invalid`.
    """

    queue_seconds: float = 0.2
    processing_seconds: float | None = 2.0
    clip_seconds: float = 1.0
    page_size: int = 25
    max_page_size: int = 30
    refuses_undocumented: bool = False
    refuses_wrong_values: bool = True
    upload_seconds: int = 604_800
    upload_headers: dict[str, str] = field(default_factory=dict[str, str])
    upload_limit: int = 5 * 1024**3
    webhook_attempts: int = 5
    webhook_retry_seconds: float = 1.0
    webhook_timeout: float = 5.0
    unreachable_hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: One of them is impossible; the message says which.
        """
        for name, expected in get_type_hints(Policy).items():
            value = getattr(self, name)
            try:
                # A Struct that is made in Python checks no types; the decoder of JSON does.
                msgspec.convert(value, frozenset[str] if name == "unreachable_hosts" else expected)
            except msgspec.ValidationError as error:
                raise ValueError(f"{name} has the wrong type, {value!r}: {error}") from None
            least = 1 if name in _AT_LEAST_ONE else 0
            if isinstance(value, int | float) and not least <= value < math.inf:
                advice = "; None means that a media is processed until it is finished or failed on demand"
                raise ValueError(
                    f"{name} must be a number of at least {least}, not {value}"
                    f"{advice if name == 'processing_seconds' else ''}"
                )

    def changed(self, **changes: Unpack[PolicyChanges]) -> Policy:
        """Return a policy that differs in some numbers.

        Raises:
            ValueError: One of them is impossible, or there is no number with that name.
        """
        for name in changes:
            if name not in self.__struct_fields__:
                names = ", ".join(self.__struct_fields__)
                raise ValueError(f"A policy has no {name}; it has {names}")
        if "unreachable_hosts" in changes:
            changes["unreachable_hosts"] = frozenset(changes["unreachable_hosts"])
        return msgspec.structs.replace(self, **changes)


class PolicyChanges(TypedDict, total=False):
    """The numbers of a `Policy`, each of which may be left out."""

    queue_seconds: float
    processing_seconds: float | None
    clip_seconds: float
    page_size: int
    max_page_size: int
    refuses_undocumented: bool
    refuses_wrong_values: bool
    upload_seconds: int
    upload_headers: dict[str, str]
    upload_limit: int
    webhook_attempts: int
    webhook_retry_seconds: float
    webhook_timeout: float
    unreachable_hosts: Collection[str]


def time_after(start: dt.datetime, seconds: float | None) -> dt.datetime:
    """Return the time that many seconds later; `NEVER` if they are None, or more than the calendar has."""
    try:
        return NEVER if seconds is None else start + dt.timedelta(seconds=seconds)
    except OverflowError:
        return NEVER
