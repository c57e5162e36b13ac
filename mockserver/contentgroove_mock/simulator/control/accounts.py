"""Controls of API keys, accounts, quotas and limits of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_mock.simulator.control.base import Controls
from contentgroove_mock.simulator.core import accounts
from contentgroove_mock.simulator.core.accounts import AccountInfo, Keys, Limits, Quota, RateLimit
from contentgroove_mock.simulator.web.control import control_route

if TYPE_CHECKING:
    from contentgroove_mock.simulator.core.service import Service


class AccountControls(Controls):
    """Each API key has its own account, which is named by its id, by the name that it was given, or by the key."""

    @property
    @control_route("GET", "/accounts")
    def accounts(self) -> list[AccountInfo]:
        """All accounts with their counters and limits, without their keys."""
        with self._context.locked_service() as service:
            return [_describe(service, identifier) for identifier in service.state.accounts]

    @control_route("GET", "/accounts/{id}")
    def account(self, account: str) -> AccountInfo:
        """Return an account.

        Raises:
            LookupError: There is no such account.
        """
        with self._context.locked_service() as service:
            return _describe(service, accounts.find_account(service.state, account))

    @control_route("PATCH", "/accounts/{id}")
    def change_account(self, account: str, *, name: str | None = None, key_accepted: bool | None = None) -> AccountInfo:
        """Change an account's name, and whether its key is accepted; None leaves it as it is.

        Raises:
            LookupError: There is no such account.
            ValueError: Another account has this name.
        """
        with self._context.locked_service() as service:
            identifier = accounts.find_account(service.state, account)
            if name is not None:
                accounts.name_account(service.state, identifier, name)
            if key_accepted is not None:
                (service.keys.add if key_accepted else service.keys.remove)(identifier)
            return _describe(service, identifier)

    @control_route("PUT", "/api_keys")
    def set_api_keys(self, keys: list[str] | None) -> None:
        """Accept these API keys and no others; None accepts any.

        Raises:
            ValueError: A key is empty or has spaces.
        """
        with self._context.locked_service() as service:
            service.keys = Keys(accepted=None if keys is None else {accounts.account_of_key(key) for key in keys})

    @control_route("POST", "/api_keys")
    def add_api_key(self, key: str, *, name: str | None = None) -> AccountInfo:
        """Accept an API key from now on, and create its account; other keys stay as they are.

        Args:
            key: The key.
            name: A name for its account.

        Raises:
            ValueError: The key is empty or has spaces, or another account has this name.
        """
        with self._context.locked_service() as service:
            identifier = accounts.account_of_key(key)
            if name is not None:
                accounts.name_account(service.state, identifier, name)
            service.keys.add(service.account(key).id)
            return _describe(service, identifier)

    @control_route("POST", "/api_keys/remove")
    def remove_api_key(self, key: str) -> None:
        """Reject an API key with 401 from now on; its account and what it has stay.

        Raises:
            ValueError: The key is empty or has spaces.
        """
        with self._context.locked_service() as service:
            service.keys.remove(accounts.account_of_key(key))

    @property
    @control_route("GET", "/limits")
    def limits(self) -> Limits:
        """The quota and the limit of requests, and the accounts that have others."""
        with self._context.locked_service() as service:
            limits = service.limits
            return Limits(
                quota=limits.quota,
                rate_limit=limits.rate_limit,
                quotas=dict(limits.quotas),
                rate_limits=dict(limits.rate_limits),
            )

    @control_route("DELETE", "/limits")
    def clear_limits(self) -> None:
        """Remove the quotas and limits of requests of all accounts."""
        with self._context.locked_service() as service:
            service.limits = Limits()

    @control_route("PUT", "/quota")
    def set_quota(self, *, medias: int | None = None, clips: int | None = None, account: str | None = None) -> None:
        """Limit how many medias and clips an account can create in a month, including those of the current one.

        Args:
            medias: How many medias; None means without limit.
            clips: How many clips in addition to the suggested ones; None means without limit.
            account: Only for this account; by default for all that have no quota of their own.

        Raises:
            LookupError: There is no such account.
            ValueError: A number is negative.
        """
        quota = Quota(medias=medias, clips=clips)
        with self._context.locked_service() as service:
            if account is None:
                service.limits.quota = quota
            else:
                service.limits.quotas[accounts.find_account(service.state, account)] = quota

    @control_route("PUT", "/rate_limit")
    def set_rate_limit(self, requests: int | None, window_seconds: float = 60.0, *, account: str | None = None) -> None:
        """Limit how many requests an account can send in a window; None means without limit.

        Args:
            requests: How many requests.
            window_seconds: The window's length.
            account: Only for this account; by default for all that have no limit of their own.

        Raises:
            LookupError: There is no such account.
            ValueError: A number is impossible.
        """
        limit = RateLimit(requests=requests, window_seconds=window_seconds)
        with self._context.locked_service() as service:
            if account is None:
                service.limits.rate_limit = limit
            else:
                service.limits.rate_limits[accounts.find_account(service.state, account)] = limit

    @control_route("DELETE", "/counters")
    def reset_counters(self, account: str | None = None) -> None:
        """Forget what an account has created this month and sent in this window; by default that of all.

        Raises:
            LookupError: There is no such account.
        """
        with self._context.locked_service() as service:
            state = service.state
            chosen = state.accounts if account is None else [accounts.find_account(state, account)]
            for identifier in chosen:
                accounts.reset_counters(state.accounts[identifier])


def _describe(service: Service, identifier: str) -> AccountInfo:
    return accounts.describe_account(service.state.accounts[identifier], service.state, service.keys, service.limits)
