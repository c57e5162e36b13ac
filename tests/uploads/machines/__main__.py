"""Share jobs between processes that are killed and suspended, and report whether each file has one media.

`python -m tests.uploads.machines --runs 600`; `--seed` repeats a campaign. The exit code is 1 if something was wrong.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.uploads.machines.campaign import run
from tests.webhooks.postgres_server import restartable_server


def main() -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    options = parser.parse_args()
    sys.stdout.write(f"{options.runs} jobs, seed {options.seed}\n")
    with tempfile.TemporaryDirectory() as folder, restartable_server() as server:
        report = run(Path(folder), server, options.runs, options.seed)
    sys.stdout.write(f"{report}\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
