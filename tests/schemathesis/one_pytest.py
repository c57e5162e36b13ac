"""Runs tests of the simulator on one patched copy after the other, in one process that loads pytest once.

Each line of standard input is a JSON array: the folder of the copy, then pytest's arguments. Each line of standard
output is a JSON array: pytest's exit status, and what it has printed.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

import pytest

# The copy, and the tests, which have imported another one.
_OF_A_COPY = ("contentgroove_mock", "tests")


def main() -> None:
    """Answer each line, until there is none."""
    lines, answers = sys.stdin, sys.stdout
    for line in lines:
        folder, *arguments = json.loads(line)
        for name in [name for name in sys.modules if name.partition(".")[0] in _OF_A_COPY]:
            del sys.modules[name]
        sys.path.insert(0, folder)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = pytest.main(arguments)
        sys.path.remove(folder)
        answers.write(json.dumps([int(status), said.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
