"""Writes the pictures of the documentation, from real runs: `python -m tests.pictures`.

They are not the same at each run, because speeds and times are measured: write them when what they show has changed,
and look at each. It needs Chromium, a terminal as POSIX has it, and two ports of this machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import NoBrowserError, find
from tests.pictures import pages, sessions

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
_NEEDS = f"Ports {pages.PORT} and {pages.RECEIVER_PORT} are to be seen in them, and must be free."


def main() -> int:
    """Replace all pictures, or none if a run fails."""
    try:
        find()
        with tempfile.TemporaryDirectory() as work:
            sessions.write(Path(work))
            pages.write(Path(work))
            FOLDER.mkdir(exist_ok=True)
            for old in FOLDER.iterdir():
                old.unlink()
            for new in Path(work).iterdir():
                (FOLDER / new.name).write_bytes(new.read_bytes())
    except NoBrowserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    except OSError as error:
        print(f"No picture was written. {_NEEDS} {error}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(list(FOLDER.iterdir()))} pictures in docs/pictures, {size // 1000} kB. Look at each.")  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
