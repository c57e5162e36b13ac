"""The recorder's command line: `python -m contentgroove_mock.recording FOLDER`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._core.settings import resolve_settings
from contentgroove._version import __version__
from contentgroove.cli.streams import prepare_streams
from contentgroove.errors import ConfigurationError

from contentgroove_mock.contract import Checker
from contentgroove_mock.node import NpmError
from contentgroove_mock.recording.contract_check import unexpected_violations
from contentgroove_mock.recording.contract_parts import PackagedContract
from contentgroove_mock.recording.exchange import RecordingError
from contentgroove_mock.recording.folder import save
from contentgroove_mock.recording.live import record_live
from contentgroove_mock.recording.simulated import record

if TYPE_CHECKING:
    from collections.abc import Callable


def main(arguments: list[str] | None = None, *, sleep: Callable[[float], object] = time.sleep) -> int:
    """Record; gives the exit status: 0 done, 1 a person has to look.

    Args:
        arguments: Those of the command line if left out.
        sleep: How to wait for the service.
    """
    prepare_streams()
    parser = argparse.ArgumentParser(
        prog="python -m contentgroove_mock.recording",
        description="Record every documented exchange: with the simulator, or with the service itself.",
    )
    parser.add_argument("folder", type=Path, help="where the recordings lie, a file each")
    parser.add_argument("--without-prism", action="store_true", help="ask the simulator directly, without Node")
    parser.add_argument(
        "--live", action="store_true", help="record from the service, scrubbed; needs CONTENTGROOVE_API_KEY"
    )
    parser.add_argument(
        "--writes", action="store_true", help="with --live: create, change and delete in the account of the key"
    )
    chosen = parser.parse_args(arguments)
    if chosen.writes and not chosen.live:
        parser.error("--writes is for --live; the simulator is always asked everything")
    contract = PackagedContract.load_packaged()
    try:
        if chosen.live:
            return _live(contract, chosen.folder, writes=chosen.writes, sleep=sleep)
        recordings = record(contract, through_prism=not chosen.without_prism)
        changed = save(chosen.folder, recordings, replacing=("simulator", "spec example"))
    except (RecordingError, ConfigurationError, NpmError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    _say(f"{len(recordings)} recordings, {changed} of them changed")
    return 0


def _live(contract: PackagedContract, folder: Path, *, writes: bool, sleep: Callable[[float], object]) -> int:
    settings = resolve_settings(api_key=None, base_url=None, auth="bearer", version=__version__, environment=os.environ)
    _say(f"Recording from {settings.base_url}")
    result = record_live(contract, settings, writes=writes, sleep=sleep)
    changed = save(folder, result.recordings, replacing=())
    for reason, names in result.left_out.items():
        _say(f"left out: {', '.join(names)}: {reason}")
    checker = Checker()
    for recording in result.recordings:
        for violation in unexpected_violations(recording, checker):
            _say(f"not as the contract says: {recording.name}: {violation}")
    for sentence in result.not_deleted:
        print(f"error: not deleted: {sentence}", file=sys.stderr)  # noqa: T201 - a command line prints
    _say(f"{len(result.recordings)} recordings, {changed} of them changed. Read them before you commit them.")
    return 1 if result.not_deleted else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line prints


if __name__ == "__main__":
    sys.exit(main())
