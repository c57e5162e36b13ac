"""What the page shows beside its forms: how the simulator is set, its accounts, and what waits to happen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from contentgroove_mock.inspector.views import NOTHING, Badge, moment
from contentgroove_mock.simulator.core.accounts import describe_account

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_mock.simulator.core.accounts import AccountInfo
    from contentgroove_mock.simulator.core.faults import WaitingFault
    from contentgroove_mock.simulator.core.service import Service
    from contentgroove_mock.simulator.core.snapshots import Snapshot


class AccountRow(Struct, frozen=True):
    """An account; without its key, which the simulator does not know any more."""

    id: str
    name: str
    key_accepted: bool
    key: Badge
    medias: str
    clips: str
    requests: str


class FaultRow(Struct, frozen=True):
    """A fault that has not happened as often as it shall; `details` are the members that are not defaults."""

    id: str
    kind: str
    operation: str
    remaining: int
    details: str


class SnapshotRow(Struct, frozen=True):
    """A snapshot that was saved under a name."""

    name: str
    now: str
    medias: int
    deliveries: int


class ControlsView(Struct, frozen=True):
    """How the simulator is set: names and values, and the records that have buttons of their own."""

    settings: tuple[tuple[str, str], ...]
    accounts: tuple[AccountRow, ...]
    faults: tuple[FaultRow, ...]
    snapshots: tuple[SnapshotRow, ...]


def controls_view(service: Service, saved: Mapping[str, Snapshot]) -> ControlsView:
    """Return how a simulator is set; `saved` are its snapshots by name."""
    state = service.state
    accounts = [describe_account(item, state, service.keys, service.limits) for item in state.accounts.view.values()]
    return ControlsView(
        tuple(_settings(service)),
        tuple(_account_row(account) for account in accounts),
        tuple(_fault_row(waiting) for waiting in service.faults.waiting.values()),
        tuple(
            SnapshotRow(name, moment(item.now), len(item.state.medias), len(item.state.deliveries))
            for name, item in saved.items()
        ),
    )


def _settings(service: Service) -> list[tuple[str, str]]:
    policy, limits, hold = service.policy, service.limits, service.state.webhook_hold
    ending = "until it is told to end" if policy.processing_seconds is None else f"{policy.processing_seconds:g} s"
    accepted = service.keys.accepted
    webhooks = "paused" if hold.paused else "sent when they are due"
    if hold.coming:
        webhooks += f"; {hold.coming} more are awaited to be sent last first"
    return [
        ("A media waits, and is processed", f"{policy.queue_seconds:g} s, and {ending}"),
        ("A clip is processed", f"{policy.clip_seconds:g} s"),
        ("Latency of each response", f"{service.latency:g} s"),
        ("Quota in a month", f"{_limit(limits.quota.medias, 'medias')}, {_limit(limits.quota.clips, 'clips')}"),
        (
            "Requests in a window",
            f"{_limit(limits.rate_limit.requests, 'requests')} in {limits.rate_limit.window_seconds:g} s",
        ),
        ("API keys", "any is accepted" if accepted is None else f"{len(accepted)} are accepted"),
        ("Webhooks", webhooks),
        (
            "Attempts of a webhook",
            f"{policy.webhook_attempts}, the second after {policy.webhook_retry_seconds:g} s",
        ),
    ]


def _limit(count: int | None, what: str) -> str:
    return f"any number of {what}" if count is None else f"{count} {what}"


def _of(count: int, limit: int | None) -> str:
    return str(count) if limit is None else f"{count} of {limit}"


def _account_row(account: AccountInfo) -> AccountRow:
    return AccountRow(
        account.id,
        account.name or NOTHING,
        account.key_accepted,
        Badge("accepted", "good") if account.key_accepted else Badge("rejected", "bad"),
        _of(account.medias_made, account.quota.medias),
        _of(account.clips_made, account.quota.clips),
        _of(account.window_requests, account.rate_limit.requests),
    )


def _fault_row(waiting: WaitingFault) -> FaultRow:
    fault = waiting.fault
    defaults = type(fault)(kind=fault.kind, operation=fault.operation)
    others = [
        f"{name} {value}"
        for name, value in structs.asdict(fault).items()
        if name not in {"kind", "operation", "count"} and value != getattr(defaults, name)
    ]
    return FaultRow(waiting.id, fault.kind, fault.operation, waiting.remaining, ", ".join(others) or NOTHING)
