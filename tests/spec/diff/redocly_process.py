"""One process of Redocly for many comparisons, instead of one for each."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from contentgroove_mock.npm import child_environment, node_program
from contentgroove_spec import redocly

if TYPE_CHECKING:
    from collections.abc import Generator

_PROGRAM = Path(__file__).with_suffix(".mjs")
_SCRIPT = Path("node_modules", "@redocly", "cli", "lib", "index.js")


class RedoclyProcess:
    """Replaces the module `subprocess` in `contentgroove_spec.redocly`."""

    DEVNULL = subprocess.DEVNULL
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: list[Any], *, cwd: str, **_: Any) -> SimpleNamespace:
        """Run Redocly with the arguments of a separate process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        _node, _script, *arguments = command
        self._process.stdin.write(json.dumps([cwd, *arguments]) + "\n")
        self._process.stdin.flush()
        return SimpleNamespace(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def redocly_process() -> Generator[RedoclyProcess]:
    """Start the process; it ends with the context."""
    command = [node_program(), _PROGRAM, redocly.install_dir() / _SCRIPT]
    with subprocess.Popen(  # noqa: S603 - our own Node and Redocly
        command,
        env={**child_environment(), **redocly._QUIET},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield RedoclyProcess(process)
