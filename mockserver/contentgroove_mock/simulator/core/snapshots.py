"""Snapshots: everything that a simulator has and is set to, as a value that can be kept and restored."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import msgspec
from contentgroove_api import Times  # noqa: TC002  # msgspec reads the fields' types at run time
from contentgroove_api.types import check_levels
from msgspec import Struct

# msgspec reads the fields' types at run time.
from contentgroove_mock.simulator.core.accounts import Keys, Limits  # noqa: TC001
from contentgroove_mock.simulator.core.faults import WaitingFault  # noqa: TC001
from contentgroove_mock.simulator.core.policies import Policy  # noqa: TC001
from contentgroove_mock.simulator.core.records import State  # noqa: TC001

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from contentgroove_mock.simulator.core.service import Service

VERSION = 1
"""The version of the form of snapshots; another form needs another number."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything that a simulator had and was set to at a time, except its logs of requests and faults.

    It contains the URLs of subscriptions with their tokens, and digests of API keys instead of the keys. Uploaded files
    are named, not contained: the simulator that made the snapshot keeps them.

    Attributes:
        version: The version of this form.
        now: The time of the simulator's clock.
    """

    version: int = VERSION
    now: Times.datetime
    policy: Policy
    limits: Limits
    keys: Keys
    latency: float
    faults: list[WaitingFault]
    state: State

    def __repr__(self) -> str:
        state = self.state
        counts = f"{len(state.medias)} medias, {len(state.clips)} clips, {len(state.deliveries)} deliveries"
        return f"<Snapshot of {self.now.isoformat()}: {counts}>"

    def to_json(self) -> bytes:
        """Return the snapshot as JSON, for a file or the control interface."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(content: bytes | str) -> Snapshot:
        """Read what `to_json` has written.

        Raises:
            ValueError: It is not a snapshot, or one of another version.
        """
        content = content.encode() if isinstance(content, str) else content
        try:
            check_levels(content)
            version = msgspec.json.decode(content, type=_Version).version
            if version != VERSION:
                raise ValueError(_other_version(version))
            return msgspec.json.decode(content, type=Snapshot)
        except msgspec.DecodeError as error:
            raise ValueError(f"This is not a snapshot of a simulator: {error}") from error


class SavedSnapshot(Struct, frozen=True, kw_only=True):
    """A snapshot that the simulator keeps under a name, and how much it contains."""

    name: str
    now: Times.datetime
    medias: int
    deliveries: int


class _Version(Struct):
    version: int


def _other_version(version: int) -> str:
    return (
        f"The snapshot has version {version}, and this simulator reads version {VERSION}: make it again with this "
        "version of the package, or restore it with the version that made it"
    )


def take_snapshot(service: Service, now: dt.datetime) -> Snapshot:
    """Return a copy of everything that a service has."""
    return Snapshot(
        now=now,
        policy=service.policy,
        limits=copy.deepcopy(service.limits),
        keys=copy.deepcopy(service.keys),
        latency=service.latency,
        faults=copy.deepcopy(list(service.faults.waiting.values())),
        state=copy.deepcopy(service.state),
    )


def apply_snapshot(service: Service, snapshot: Snapshot, own_path: Callable[[str], str] = lambda path: path) -> None:
    """Make a service what it was; files that it then no longer refers to are discarded.

    Args:
        service: The service.
        snapshot: What it was.
        own_path: Returns the path where the service has a file of the snapshot.

    Raises:
        ValueError: The snapshot has another version.
    """
    if snapshot.version != VERSION:
        raise ValueError(_other_version(snapshot.version))
    state = copy.deepcopy(snapshot.state)
    state.move_files(own_path)
    service.replace_state(state)
    service.policy, service.latency = snapshot.policy, snapshot.latency
    service.limits, service.keys = copy.deepcopy(snapshot.limits), copy.deepcopy(snapshot.keys)
    service.faults.restore(snapshot.faults)
