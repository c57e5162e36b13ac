"""Run receivers under the servers of docs/deployments.md, while processes are killed, reloaded and stopped.

`python -m tests.webhooks.servers --store sqlite --rounds 3` runs each command of the page; `--only gunicorn` some.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.webhooks.conftest import Clock, Store
from tests.webhooks.postgres_server import postgres_server
from tests.webhooks.servers.deployments import COMMANDS, Deployment
from tests.webhooks.servers.harness import run


def main() -> None:
    """Run the commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "postgres"), required=True)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--events", type=int, default=100, help="in each of three phases")
    parser.add_argument("--only", default="", help="a part of the commands to run")
    options = parser.parse_args()
    for command in COMMANDS * options.rounds:
        if options.only in command:
            _run(Deployment(command), options.store, options.events)


def _run(deployment: Deployment, kind: str, events: int) -> None:
    with tempfile.TemporaryDirectory(prefix="cg-") as name:
        folder = Path(name)
        if kind == "sqlite":
            line = run(deployment, Store(kind, str(folder / "events.db"), Clock()), folder, events)
        else:
            with postgres_server() as server:
                line = run(deployment, Store(kind, server, Clock()), folder, events)
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
