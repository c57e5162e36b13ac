"""The recorder's command line: `python -m contentgroove_mock.recording FOLDER`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._core.settings import resolve_settings
from contentgroove._io.client_options import read_variable
from contentgroove._version import __version__
from contentgroove.cli.output import prepare_streams
from contentgroove.errors import ConfigurationError

from contentgroove_mock.contract import Checker
from contentgroove_mock.npm import NpmError
from contentgroove_mock.recording.contract import PackagedContract
from contentgroove_mock.recording.recordings import RecordingError, save, unexpected_violations
from contentgroove_mock.recording.targets import record, record_live

if TYPE_CHECKING:
    from collections.abc import Callable


def main(arguments: list[str] | None = None, *, sleep: Callable[[float], object] = time.sleep) -> int:
    """Record, and return the exit status: 0 for success, 1 for an error or if something must be deleted by hand.

    By default the arguments are those of the command line; `sleep` waits for the service.
    """
    prepare_streams()
    parser = argparse.ArgumentParser(
        prog="python -m contentgroove_mock.recording",
        description="Record every documented exchange: with the simulator, or with the service itself.",
    )
    parser.add_argument("folder", type=Path, help="the folder of the recordings, one file each")
    parser.add_argument("--without-prism", action="store_true", help="call the simulator directly, without Node")
    parser.add_argument("--live", action="store_true", help="record from the service; needs CONTENTGROOVE_API_KEY")
    parser.add_argument("--writes", action="store_true", help="with --live: create, change and delete in the account")
    options = parser.parse_args(arguments)
    if options.writes and not options.live:
        parser.error("--writes needs --live; with the simulator everything is always recorded")
    contract = PackagedContract.load_packaged()
    try:
        if options.live:
            return _record_live(contract, options.folder, writes=options.writes, sleep=sleep)
        recordings = record(contract, through_prism=not options.without_prism)
        changed = save(options.folder, recordings, replacing=("simulator", "spec example"))
    except (RecordingError, ConfigurationError, NpmError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    _print(f"{len(recordings)} recordings, {changed} of them changed")
    return 0


def _record_live(contract: PackagedContract, folder: Path, *, writes: bool, sleep: Callable[[float], object]) -> int:
    settings = resolve_settings(api_key=None, base_url=None, auth="bearer", version=__version__, variable=read_variable)
    _print(f"Recording from {settings.base_url}")
    result = record_live(contract, settings, writes=writes, sleep=sleep)
    changed = save(folder, result.recordings, replacing=())
    for reason, names in result.skipped.items():
        _print(f"skipped: {', '.join(names)}: {reason}")
    checker = Checker()
    for recording in result.recordings:
        for violation in unexpected_violations(recording, checker):
            _print(f"contract violation: {recording.name}: {violation}")
    for sentence in result.not_deleted:
        print(f"error: not deleted: {sentence}", file=sys.stderr)  # noqa: T201 - a command line prints
    _print(f"{len(result.recordings)} recordings, {changed} of them changed. Review them before you commit them.")
    return 1 if result.not_deleted else 0


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line prints


if __name__ == "__main__":
    sys.exit(main())
