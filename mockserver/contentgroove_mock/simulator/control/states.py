"""Controls of everything at once: seed data, reset, snapshot and restore."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from contentgroove_mock.simulator.clock import SettableClock
from contentgroove_mock.simulator.control.base import Controls, find
from contentgroove_mock.simulator.core.accounts import Keys, Limits
from contentgroove_mock.simulator.core.faults import Faults
from contentgroove_mock.simulator.core.records import Account, State
from contentgroove_mock.simulator.core.seeds import SeedData, add_seed_data
from contentgroove_mock.simulator.core.snapshots import SavedSnapshot, Snapshot, apply_snapshot, take_snapshot
from contentgroove_mock.simulator.seed_files import decode_seed_data, read_seed_data
from contentgroove_mock.simulator.web.control import control_route

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator

    from contentgroove_mock.simulator.core.policies import Policy
    from contentgroove_mock.simulator.core.records import Ids
    from contentgroove_mock.simulator.core.service import Service
    from contentgroove_mock.simulator.seed_files import SeedSource

_MAX_BODY = 64 * 1024 * 1024


class Start(NamedTuple):
    """What a simulator was created with, to which `reset` returns.

    Attributes:
        new_ids: Returns what draws ids; with a seed, the same ids each time.
    """

    policy: Policy
    keys: Keys
    latency: float
    data: SeedData
    new_ids: Callable[[], Ids]


class StateControls(Controls):
    """Seed data, reset, snapshot and restore."""

    on_replace: Callable[[], object] | None
    _start: Start
    _saved: dict[str, Snapshot]

    @control_route("POST", "/data", from_json=decode_seed_data, max_body=_MAX_BODY)
    def add_data(self, data: SeedSource) -> None:
        """Add seed data: accounts, medias, clips, webhook subscriptions. If something is wrong, nothing is added.

        Raises:
            ValueError: Something is wrong; the message has a path to it, such as `$.medias[0].clips[1]`.
            OSError: The file cannot be read.
        """
        seeds = read_seed_data(data)
        now = self._context.clock.now()
        with self._context.locked_service() as service, _all_or_nothing(service, now, data):
            add_seed_data(service, seeds, now)
        self._catch_up()

    @control_route("PUT", "/data", from_json=decode_seed_data, max_body=_MAX_BODY)
    def replace_data(self, data: SeedSource) -> None:
        """Remove all medias, clips, subscriptions, uploads, deliveries and logs, and add seed data instead.

        Raises:
            ValueError: Something is wrong, as in `add_data`; then nothing is changed.
            OSError: The file cannot be read.
        """
        seeds = read_seed_data(data)
        now = self._context.clock.now()
        with self._replacing() as service, _all_or_nothing(service, now, data):
            _remove_resources(service)
            add_seed_data(service, seeds, now)
        self._catch_up()

    @control_route("POST", "/reset")
    def reset(self, *, keep_settings: bool = False) -> None:
        """Be as at the start: remove what was made and logged, and load the seed data of the start again.

        The clock goes on from where it is, and saved snapshots stay.

        Args:
            keep_settings: Whether API keys, names of accounts, policy, limits, faults and latency stay as they are.
        """
        with self._replacing() as service:
            start = self._start
            if keep_settings:
                _remove_resources(service)
            else:
                service.ids = start.new_ids()
                service.replace_state(State(secret=service.ids.secret()))
                service.policy, service.latency, service.limits = start.policy, start.latency, Limits()
                service.keys = copy.deepcopy(start.keys)
                service.faults = Faults()
            add_seed_data(service, start.data, self._context.clock.now())
        self._catch_up()

    @control_route("GET", "/snapshot")
    def snapshot(self) -> Snapshot:
        """Return everything that the simulator has and is set to, except its logs of requests and faults.

        Uploaded files are named, and kept as long as this simulator keeps files, so that they can be restored.
        """
        with self._context.locked_service() as service:
            self._context.keep_files(service.state.stored_files())
            return take_snapshot(service, self._context.clock.now())

    @control_route(
        "PUT",
        "/snapshot",
        lambda missing: {"missing_files": missing},
        from_json=Snapshot.from_json,
        max_body=_MAX_BODY,
    )
    def restore(self, snapshot: Snapshot) -> list[str]:
        """Be as at the time of a snapshot, its clock included; the logs begin again.

        Returns:
            The uploaded files that this simulator does not have (any longer), because it was another one that made the
            snapshot; the file store responds to requests for them with 404.

        Raises:
            ValueError: The snapshot has another version, or the simulator's own clock cannot be set.
        """
        clock = self._context.clock
        if not isinstance(clock, SettableClock):
            message = f"{type(clock).__name__} has no set_time(), which sets it to the time of the snapshot"
            raise ValueError(message)  # noqa: TRY004  # as documented, and over HTTP a 400
        with self._replacing() as service:
            apply_snapshot(service, snapshot, self._context.storage.own_path)
            clock.set_time(snapshot.now)
            missing = [path for path in sorted(service.state.stored_files()) if not Path(path).is_file()]
        self._catch_up()
        return missing

    @property
    @control_route("GET", "/snapshots")
    def saved_snapshots(self) -> list[SavedSnapshot]:
        """The snapshots that were saved under a name, oldest first."""
        with self._context.locked_service():
            return [
                SavedSnapshot(
                    name=name,
                    now=snapshot.now,
                    medias=len(snapshot.state.medias),
                    deliveries=len(snapshot.state.deliveries),
                )
                for name, snapshot in self._saved.items()
            ]

    @control_route("PUT", "/snapshots/{id}")
    def save_snapshot(self, name: str) -> None:
        """Save a snapshot under a name; it replaces an earlier one with this name."""
        with self._context.locked_service():
            self._saved[name] = self.snapshot()

    @control_route("DELETE", "/snapshots/{id}")
    def delete_snapshot(self, name: str) -> None:
        """Delete a saved snapshot.

        Raises:
            LookupError: There is none with this name.
        """
        with self._context.locked_service():
            find(self._saved, name, "saved snapshot")
            del self._saved[name]

    @control_route("POST", "/snapshots/{id}/restore", lambda missing: {"missing_files": missing})
    def restore_snapshot(self, name: str) -> list[str]:
        """Be as at the time of a saved snapshot; the result is that of `restore`.

        Raises:
            LookupError: There is none with this name.
        """
        with self._context.locked_service():
            snapshot = find(self._saved, name, "saved snapshot")
        return self.restore(snapshot)

    @contextlib.contextmanager
    def _replacing(self) -> Generator[Service]:
        """Lock the service to replace its records, and begin new logs, because the old ones are about other records."""
        # Not while the service is locked: who reads the logs may have to wait for requests that are being handled.
        if self.on_replace is not None:
            self.on_replace()
        with self._context.locked_service() as service:
            yield service
            self._context.clear_requests()
            service.faults.happened.clear()


@contextlib.contextmanager
def _all_or_nothing(service: Service, now: dt.datetime, source: SeedSource) -> Generator[None]:
    """Undo all changes if an error says that seed data does not fit, and name the file that it comes from."""
    before = take_snapshot(service, now)
    try:
        yield
    except ValueError as error:
        apply_snapshot(service, before)
        raise (ValueError(f"{source}: {error}") if isinstance(source, Path | str) else error) from None


def _remove_resources(service: Service) -> None:
    """Remove what accounts have; accounts that were named stay, with their counters at 0."""
    named = service.state.account_names
    kept = {identifier: Account(id=identifier) for identifier in service.state.accounts if identifier in named}
    service.replace_state(State(secret=service.state.secret, accounts=kept, account_names=dict(named)))
