"""Accounts: their ids, and their limits of requests in a window and of medias and clips in a month.

The kinds of the limits are not those of the document (assumed: rate-limit-window, quota-month, suggested-clips-free).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import uuid
from typing import TYPE_CHECKING

from contentgroove_api import Times  # noqa: TC002  # msgspec reads the fields' types at run time
from msgspec import Struct, field

from contentgroove_mock.simulator.core.errors import payment_required, too_many_requests

if TYPE_CHECKING:
    from collections.abc import Collection

    from contentgroove_mock.simulator.core.records import Account, Clip, Media, State, Subscription


class Quota(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much an account can create in a calendar month of UTC; None means without limit.

    Attributes:
        medias: How many medias.
        clips: How many clips.
    """

    medias: int | None = None
    clips: int | None = None

    def __post_init__(self) -> None:
        """Raise a ValueError if a number is negative."""
        if any((getattr(self, name) or 0) < 0 for name in self.__struct_fields__):
            raise ValueError("A quota must be at least 0; None means without limit")


class RateLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many requests an account can send in one window; None means without limit.

    Attributes:
        requests: How many requests.
        window_seconds: The window's length in seconds.
    """

    requests: int | None = None
    window_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Raise a ValueError if a number is impossible."""
        if (self.requests or 0) < 0 or not 0 < self.window_seconds < math.inf:
            raise ValueError("requests must be at least 0, and window_seconds more than 0 and not infinite")


class Limits(Struct, kw_only=True):
    """The current limits.

    Attributes:
        quota: What each account can create in a month.
        rate_limit: How many requests each account can send.
        quotas: The accounts, by id, that have another quota.
        rate_limits: The accounts, by id, that have another limit of requests.
    """

    quota: Quota = Quota()
    rate_limit: RateLimit = RateLimit()
    quotas: dict[str, Quota] = field(default_factory=dict[str, Quota])
    rate_limits: dict[str, RateLimit] = field(default_factory=dict[str, RateLimit])

    def quota_of(self, account: str) -> Quota:
        """Return the quota of an account."""
        return self.quotas.get(account, self.quota)

    def rate_limit_of(self, account: str) -> RateLimit:
        """Return how many requests an account can send."""
        return self.rate_limits.get(account, self.rate_limit)


class Keys(Struct, kw_only=True):
    """The API keys that are accepted, as the ids of their accounts, from which no key can be restored.

    Attributes:
        accepted: Those that are accepted; None accepts any.
        removed: Those that are rejected although any is accepted.
    """

    accepted: set[str] | None = None
    removed: set[str] = field(default_factory=set[str])

    def accepts(self, account: str) -> bool:
        """Return whether the key of an account is accepted."""
        return account not in self.removed if self.accepted is None else account in self.accepted

    def add(self, account: str) -> None:
        """Accept the key of an account from now on."""
        self.removed.discard(account)
        if self.accepted is not None:
            self.accepted.add(account)

    def remove(self, account: str) -> None:
        """Reject the key of an account from now on."""
        self.removed.add(account)
        if self.accepted is not None:
            self.accepted.discard(account)


class AccountInfo(Struct, frozen=True, kw_only=True):
    """An account, without its key.

    Attributes:
        id: A digest from which the key cannot be restored.
        name: The name that it was given.
        key_accepted: Whether requests with its key are accepted; else they get 401.
        medias: How many medias it has now.
        clips: How many clips it has now, with those that the service suggested.
        webhook_subscriptions: How many subscriptions it has now.
        quota_month: The month, such as `2026-01`, that `medias_made` and `clips_made` count.
        medias_made: How many medias it has created in that month; the quota counts these.
        clips_made: How many clips it has created in that month, without suggested ones.
        window_began: When the window of `window_requests` started.
        window_requests: How many requests it has sent in that window.
        quota: The quota that it has now.
        rate_limit: The limit of requests that it has now.
    """

    id: str
    name: str | None
    key_accepted: bool
    medias: int
    clips: int
    webhook_subscriptions: int
    quota_month: str
    medias_made: int
    clips_made: int
    window_began: Times.datetime | None
    window_requests: int
    quota: Quota
    rate_limit: RateLimit


def describe_account(account: Account, state: State, keys: Keys, limits: Limits) -> AccountInfo:
    """Describe an account and what it has."""

    def count(records: Collection[Media | Clip | Subscription]) -> int:
        return sum(record.account == account.id for record in records)

    return AccountInfo(
        id=account.id,
        name=state.account_names.view.get(account.id),
        key_accepted=keys.accepts(account.id),
        medias=count(state.medias.view.values()),
        clips=count(state.clips.view.values()),
        webhook_subscriptions=count(state.subscriptions.view.values()),
        quota_month=account.quota_month,
        medias_made=account.medias_made,
        clips_made=account.clips_made,
        window_began=account.window_began,
        window_requests=account.window_requests,
        quota=limits.quota_of(account.id),
        rate_limit=limits.rate_limit_of(account.id),
    )


def find_account(state: State, reference: str) -> str:
    """Return the id of an account, named by its id, its name or its API key.

    Raises:
        LookupError: There is no such account.
    """
    by_name = next((identifier for identifier, name in state.account_names.view.items() if name == reference), None)
    for identifier in (reference, by_name, account_id(reference)):
        if identifier is not None and identifier in state.accounts:
            return identifier
    # The reference may be a key, so the message does not repeat it.
    names = ", ".join(sorted(state.account_names.view.values())) or "none has a name"
    raise LookupError(
        f"The simulator has no account with this id, name or key; it has {len(state.accounts)} accounts ({names}): "
        "an account exists after the first request with its key, or after add_api_key"
    )


def name_account(state: State, account: str, name: str) -> None:
    """Give an account a name.

    Raises:
        ValueError: Another account has this name, or it is empty.
    """
    if not name.strip():
        raise ValueError("The name of an account must not be empty")
    if any(other == name and identifier != account for identifier, other in state.account_names.view.items()):
        raise ValueError(f"Another account is called {name!r}: choose another name")
    state.account_names[account] = name


def reset_counters(account: Account) -> None:
    """Forget what an account has created in this month and sent in this window."""
    _begin_month(account, "")
    account.window_began, account.window_requests = None, 0


def account_id(key: str) -> str:
    """Return an account's id, a digest from which its API key cannot be restored."""
    return hashlib.sha256(b"account\0" + key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def account_of_key(key: str) -> str:
    """Return the id of the account of a key that a user has written down.

    Raises:
        ValueError: No request can have such a key: it is empty, or has spaces.
    """
    if not key or key != "".join(key.split()):
        raise ValueError("An API key must not be empty, nor contain spaces")
    return account_id(key)


def user_id(account: str) -> str:
    """Return the id of the user that owns an account."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, account))


def count_request(account: Account, limit: RateLimit, now: dt.datetime) -> None:
    """Count one request.

    Raises:
        ErrorResponse: 429, if the window is full.
    """
    window = dt.timedelta(seconds=limit.window_seconds)
    if account.window_began is None or now >= account.window_began + window:
        account.window_began, account.window_requests = now, 0
    account.window_requests += 1
    if limit.requests is not None and account.window_requests > limit.requests:
        remaining = (account.window_began + window - now).total_seconds()
        raise too_many_requests(max(1, math.ceil(remaining)))


def count_creation(account: Account, kind: str, quota: Quota, now: dt.datetime) -> None:
    """Count a new resource of a kind that has a quota, such as `medias`.

    Raises:
        ErrorResponse: 402, if the month's quota is used up.
    """
    month = f"{now.astimezone(dt.UTC):%Y-%m}"
    if account.quota_month != month:
        _begin_month(account, month)
    made: int = getattr(account, f"{kind}_made")
    limit: int | None = getattr(quota, kind)
    if limit is not None and made >= limit:
        raise payment_required(kind)
    setattr(account, f"{kind}_made", made + 1)


def _begin_month(account: Account, month: str) -> None:
    account.quota_month = month
    for name in account.__struct_fields__:
        if name.endswith("_made"):
            setattr(account, name, 0)
