"""Try what users install on a Python: `python -m toolchain.try_python [--versions lowest|newest] PYTHON…`.

The wheel is built once by the tools of this environment. For each Python it is installed into clean environments, by
itself, with each extra alone and with all of them; in each, every public name is imported, or says which extra it
needs. In the last one the README's programs and the tests of what users run are run against the installed wheel. The
versions of everything else are those of the lock, or the lowest or newest that the package's bounds allow.

pip installs, and not uv, because pip's configuration is the one that people behind a mirror have; its cache and
everything else stays in `.cache`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from toolchain import lock, versions
from toolchain.lock import LockError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"

README_TESTS = "docs"

TRIED = (
    "cli",
    "contract",
    "journey",
    "mcp",
    "plugin",
    "prism",
    "sdk",
    "simulator",
    "spec_diff",
    "tools",
    "uploads",
    "webhooks",
)
"""Folders of tests of what the wheel holds, which the user's Python runs."""

LEFT_OUT = {
    "oracles": "judges this repository's checker by another one",
    "recorded": "the recorder, which runs in this repository only, and what it has recorded",
    "schemathesis": "judges this repository's simulator by another tool, with mutants of it",
    "spec": "the pipeline, which runs in this repository only",
    "toolchain": "this repository's own tools",
    "typing": "read by type checkers, never run",
}
"""Folders of tests that tell nothing of a user's Python, each with the reason."""

_WITHOUT_FUZZING = f"--ignore={ROOT / 'tests' / 'webhooks' / 'fuzzing'}"
"""It needs a fuzzer that not every Python has, and looks for faults that none of them makes more likely."""

_TAIL = 30
_SECONDS = 3600.0
_OTHER_PACKAGES = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"})


class StepError(Exception):
    """A step failed; the message is what its log ends with, and where it is."""


def extras(project: str) -> tuple[str, ...]:
    """Name the extras that a `pyproject.toml` offers, `all` left out."""
    offered = tomllib.loads(project)["project"]["optional-dependencies"]
    return tuple(name for name in offered if name != "all")


def table(rows: dict[str, dict[str, str]]) -> str:
    """Write what came of each step, a line for each Python."""
    steps = list(dict.fromkeys(step for row in rows.values() for step in row))
    lines = [["Python", *steps], *([python, *(row.get(step, "-") for step in steps)] for python, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def summary(output: str) -> str:
    """Give pytest's last line in short: what passed, failed or was skipped, and how many."""
    counts = re.findall(r"(\d+ (?:passed|failed|skipped|errors?|xfailed))", output[-500:])
    return ", ".join(counts) or "nothing ran"


@dataclass
class Trial:
    """What is tried on one Python.

    Attributes:
        python: The interpreter.
        version: Its version, as the table names it.
        wheel: What is installed.
        pins: The file with the versions of everything else.
        kind: Which versions these are.
        results: What came of each step.
    """

    python: Path
    version: str
    wheel: Path
    pins: Path
    kind: str = "locked"
    results: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> Path:
        """Where the environments are."""
        return CACHE / "try-python" / f"{self.version}-{self.kind}"

    def step(self, name: str, action: Callable[[Path], str]) -> None:
        """Do a step and say what came of it; one that fails does not keep the others from being tried."""
        log = CACHE / "logs" / f"try-python-{self.version}-{self.kind}-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        began = time.monotonic()
        try:
            self.results[name] = action(log)
        except StepError as error:
            self.results[name] = "FAILED"
            say(f"{self.version} {name}: FAILED\n{error}")
        else:
            say(f"{self.version} {name}: {self.results[name]} ({time.monotonic() - began:.0f} s)")

    def with_extras(self, chosen: Sequence[str], log: Path) -> str:
        """Install the wheel with extras into a clean environment and import what they promise."""
        environment = self.environment("+".join(chosen) or "core", log)
        named = f"[{','.join(chosen)}]" if chosen else ""
        self.install(environment, log, f"{self.wheel}{named}")
        run(log, environment, "-W", "error", ROOT / "toolchain" / "promised_names.py", *chosen)
        return "ok"

    def environment(self, name: str, log: Path) -> Path:
        """Make an empty environment; gives its Python."""
        folder = self.folder / name
        run(log, self.python, "-m", "venv", "--clear", "--without-pip", folder)
        return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(self, environment: Path, log: Path, *requirements: str) -> None:
        """Install into an environment, with one pip for all of them: each of its own takes longer than the packages."""
        pip = self.folder / "pip"
        installer = pip / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not installer.exists():
            run(log, self.python, "-m", "venv", pip)
        options = ("--quiet", "--no-input", "--disable-pip-version-check", "--cache-dir", CACHE / "pip")
        into = ("--python", environment, "install", *options, "-c", self.pins)
        run(log, installer, "-m", "pip", *into, *requirements)

    def bounds(self, log: Path) -> str:
        """Say which versions of the package's requirements are tried; the lowest have to be those that it names."""
        found = [*versions.bounds(lock.of_package("all"), self.pins.read_text(encoding="utf-8"))]
        log.write_text("".join(f"{bound}\n" for bound in found), encoding="utf-8", newline="\n")
        false = versions.untrue(found) if self.kind == "lowest" else []
        if false:
            raise StepError("\n".join((*false, "error: a lower bound in pyproject.toml is not true")))
        return "ok"

    def tests(self, environment: Path, log: Path, *folders: str) -> str:
        """Run tests against what is installed."""
        paths = [ROOT / "tests" / folder for folder in folders]
        return summary(
            run(log, environment, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", _WITHOUT_FUZZING, *paths)
        )


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)  # noqa: T201 - a program's output


def run(log: Path, *command: str | Path) -> str:
    """Run a command in the repository; gives its output, which goes to a log.

    Raises:
        StepError: It failed.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OTHER_PACKAGES}
    # What npm installs for an installed package goes to the user's cache, which is not ours to fill.
    environment |= {"XDG_CACHE_HOME": str(CACHE / "try-python" / "cache"), "npm_config_cache": str(CACHE / "npm")}
    with log.open("a+", encoding="utf-8", errors="replace") as output:
        output.write(f"$ {' '.join(map(str, command))}\n")
        output.flush()
        began = output.tell()
        try:
            done = subprocess.run(  # noqa: S603 - our own commands
                [str(part) for part in command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise StepError(f"It takes longer than {_SECONDS:.0f} s; what it said is in {log}") from error
        output.seek(began)
        said = output.read()
    if done.returncode:
        tail = "\n".join(said.splitlines()[-_TAIL:])
        raise StepError(f"{tail}\nerror: `{command[0]}` ended with {done.returncode}; all that it said is in {log}")
    return said


def interpreter(name: str) -> tuple[Path, str]:
    """Find a Python by its command or path; gives it and its version.

    Raises:
        StepError: There is none, or it does not run.
    """
    found = shutil.which(name)
    if found is None:
        raise StepError(f"There is no command {name!r}: pass a Python's command or path.")
    code = (
        "import platform, sys, sysconfig; "
        "print(platform.python_version() + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))"
    )
    asked = subprocess.run([found, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=False)  # noqa: S603 - as asked
    if asked.returncode:
        raise StepError(f"{found} does not run: {asked.stderr.strip()}")
    return Path(found).absolute(), asked.stdout.strip()


def built_wheel(log: Path) -> Path:
    """Build the wheel with this environment's tools, which are pinned."""
    folder = CACHE / "try-python" / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    options = ("-q", "--no-cache-dir", "--no-deps", "--no-build-isolation")
    run(log, sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT)
    (wheel,) = folder.glob("contentgroove-*.whl")
    return wheel


def tried(trial: Trial) -> dict[str, str]:
    """Try all on one Python; gives what came of each step."""
    shutil.rmtree(trial.folder, ignore_errors=True)
    offered = extras((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    trial.step("bounds", trial.bounds)
    trial.step("core", partial(trial.with_extras, ()))
    for extra in offered:
        trial.step(extra, partial(trial.with_extras, (extra,)))
    trial.step("all", partial(trial.with_extras, ("all",)))
    everything = trial.folder / "all" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def with_tools(log: Path) -> str:
        trial.install(everything, log, "-r", str(ROOT / versions.TOOLS))
        return trial.tests(everything, log, README_TESTS)

    trial.step("README", with_tools)
    trial.step("tests", lambda log: trial.tests(everything, log, *TRIED))
    return trial.results


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the wheel on each Python that is named; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.try_python", description="Try the wheel on Pythons.")
    parser.add_argument("python", nargs="+", help="a Python's command or path")
    parser.add_argument("--versions", choices=versions.KINDS, default="locked", help="of what the package requires")
    chosen = parser.parse_args(arguments)
    (CACHE / "logs").mkdir(parents=True, exist_ok=True)
    log = CACHE / "logs" / "try-python-wheel.log"
    log.unlink(missing_ok=True)
    rows: dict[str, dict[str, str]] = {}
    try:
        pythons = [interpreter(name) for name in chosen.python]
        wheel = built_wheel(log)
        say(f"{wheel.name}: built")
        for python, version in pythons:
            pins = versions.write(chosen.versions, python, CACHE / "try-python" / f"{version}-versions")
            rows[version] = tried(Trial(python, version, wheel, pins, chosen.versions))
    except (StepError, LockError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say(table(rows).rstrip())
    return 1 if any("FAILED" in row.values() for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
