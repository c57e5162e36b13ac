"""Copies of `contentgroove_mock` with a bug, to be imported instead of it."""

from __future__ import annotations

import contextlib
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, cast

import contentgroove_mock

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

    from tests.conformance.schemathesis.fuzzing import Mock
    from tests.conformance.schemathesis.mutants import Mutant

_PACKAGE = contentgroove_mock.__name__
_ROOT = Path(__file__).parents[3]
_PLUGINS = ("no:cacheprovider", "no:schemathesis", "no:contentgroove_mock")


def patched_copy(mutant: Mutant | None, folder: Path) -> None:
    """Copy the package into a folder, with a mutant's bug or without one.

    Raises:
        ValueError: The mutant is out of date, because the simulator's code has changed.
    """
    package = folder / _PACKAGE
    shutil.copytree(Path(contentgroove_mock.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    if mutant is None:
        return
    source = package / "simulator" / mutant.file
    code = source.read_text("utf-8")
    if code.count(mutant.right) != 1:
        raise ValueError(
            f"The mutant that {mutant.bug} is out of date: {mutant.file} has its code {code.count(mutant.right)} times"
        )
    source.write_text(code.replace(mutant.right, mutant.wrong), "utf-8")


@contextlib.contextmanager
def imported(folder: Path) -> Generator[Mock]:
    """Import the copy in a folder in addition to the package itself, until the context is left."""
    own = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == _PACKAGE}
    sys.path.insert(0, str(folder))
    try:
        yield cast("Mock", importlib.import_module(_PACKAGE))
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]
        sys.modules.update(own)


class PytestResult(NamedTuple):
    """The exit status and the output of a run of pytest."""

    status: int
    printed: str


class SimulatorTests:
    """Runs tests of `tests/simulator` on one copy after the other, in a process that ends with the context."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.schemathesis.one_pytest"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def run(self, folder: Path, *tests: str) -> PytestResult:
        """Run tests on the copy in a folder, until one fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        plugins = [argument for plugin in _PLUGINS for argument in ("-p", plugin)]
        paths = [f"tests/simulator/{test}" for test in tests]
        self._process.stdin.write(json.dumps([str(folder), "-q", "-x", "-rf", *plugins, *paths]) + "\n")
        self._process.stdin.flush()
        return PytestResult(*json.loads(self._process.stdout.readline()))
