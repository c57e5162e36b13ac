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
    """Run pytest for each line of standard input."""
    lines, responses = sys.stdin, sys.stdout
    for line in lines:
        folder, *arguments = json.loads(line)
        for name in [name for name in sys.modules if name.partition(".")[0] in _OF_A_COPY]:
            del sys.modules[name]
        sys.path.insert(0, folder)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = pytest.main(arguments)
        sys.path.remove(folder)
        responses.write(json.dumps([int(status), output.getvalue()]) + "\n")
        responses.flush()


if __name__ == "__main__":
    main()
