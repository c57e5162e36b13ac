"""Kill webhook processes at random points, and report the outcome for their events.

`python -m tests.webhooks.kills --store sqlite --kills 500`, or `--store postgres`. There is no store in memory,
because an inbox in memory ends with its process.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.webhooks.kills.harness import run
from tests.webhooks.postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def _location(store: str, folder: Path, location: str | None) -> Generator[str]:
    if location is not None:
        yield location
    elif store == "sqlite":
        yield str(folder / "events.db")
    else:
        with postgres_server() as server:
            yield server


def main() -> None:
    """Run the harness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres"), required=True)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--location", help="a new file, or the conninfo of an empty database; created if omitted")
    options = parser.parse_args()
    sys.stdout.write(f"{options.store}, seed {options.seed}\n")
    sys.stdout.flush()  # child processes would inherit unwritten output
    with tempfile.TemporaryDirectory() as name, _location(options.store, Path(name), options.location) as location:
        sys.stdout.write(f"{run(options.store, location, Path(name), options.kills, options.seed)}\n")


if __name__ == "__main__":
    main()
