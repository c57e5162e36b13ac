"""Runs Python blocks, each with names of its own: `python run_python.py FILE …`.

One process for all blocks of a page, because most of the time of a short program is its imports.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

if __name__ == "__main__":
    folder = Path.cwd()
    for name in sys.argv[1:]:
        path = Path(name)
        os.chdir(folder)
        try:
            exec(compile(path.read_text(encoding="utf-8"), name, "exec"), {"__name__": "__main__", "__file__": name})  # noqa: S102  # our own pages
        except BaseException:  # noqa: BLE001  # whatever a program can raise is this program's output
            sys.stderr.write(f"{path.stem} failed:\n{traceback.format_exc()}")
            sys.exit(1)
