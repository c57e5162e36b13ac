"""Kill webhook processes at random points, and tell what became of their events.

`python -m tests.webhooks.kills --store sqlite --kills 500`, or `--store postgres`. An inbox in memory is not among the
stores: it ends with its process, which is what a kill is.
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
def _place(store: str, folder: Path, given: str | None) -> Generator[str]:
    if given is not None:
        yield given
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
    parser.add_argument("--place", help="a new file, or the conninfo of an empty database; made if left out")
    options = parser.parse_args()
    sys.stdout.write(f"{options.store}, seed {options.seed}\n")
    sys.stdout.flush()  # children have copies of what is not written yet
    with tempfile.TemporaryDirectory() as name, _place(options.store, Path(name), options.place) as place:
        sys.stdout.write(f"{run(options.store, place, Path(name), options.kills, options.seed)}\n")


if __name__ == "__main__":
    main()
