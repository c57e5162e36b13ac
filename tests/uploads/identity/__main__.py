"""Lose responses to creations, kill uploads, and report whether each got its own media.

`python -m tests.uploads.identity --runs 600`; `--seed` repeats a campaign. The exit code is 1 if something was wrong.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import sys
import tempfile
from pathlib import Path

from tests.uploads.identity.campaign import run


def main() -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    options = parser.parse_args()
    # Markers that stay because updates fail are counted.
    logging.getLogger("contentgroove").setLevel(logging.ERROR)
    sys.stdout.write(f"{options.runs} uploads, seed {options.seed}\n")
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), options.runs, options.seed)
    sys.stdout.write(f"{report}\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
