"""Test the installed package on a Python: `python -m toolchain.try_python [--versions lowest|newest] PYTHON…`.

The wheel is built once with the tools of this environment. For each Python it is installed into clean environments:
alone, with each extra and with all of them. In each, every public name is imported, or its error must name the extra.
In the last one the programs of the pages and the tests of user-facing packages run against the installed wheel. The
versions of all other packages are those of the lock, or the lowest or newest that the package's bounds allow.

pip is used instead of uv, because users behind a mirror have configured pip; its cache and all other files stay in
`.cache`.
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

PROGRAMS = "docs/test_blocks.py"

TRIED = (
    "cli",
    "contract",
    "end_to_end",
    "inspector",
    "mcp",
    "openapi",
    "plugin",
    "prism",
    "recording",
    "sdk",
    "simulator",
    "spec/diff",
    "tools",
    "uploads",
    "verification",
    "webhooks",
)
"""Folders of tests of the wheel's packages, which the user's Python runs."""

LEFT_OUT = {
    "docs": "the site, which this repository builds; the programs of its pages are tried, in a step of their own",
    "browser": "needs a browser, and looks at pages that are the same on every Python",
    "examples": "applications, with frameworks of their own; what they use of this package is tried by its tests",
    "conformance": "compares this repository's simulator and checker with other tools, with mutants of them",
    "pictures": "makes the pictures of the pages, which no user does",
    "recorded": "the recorder of `make record`, which runs only in this repository, and its recordings",
    "repository": "this repository's structure, tools and pages",
    "spec": "the pipeline, which runs only in this repository",
}
"""Folders of tests that do not depend on the user's Python, each with the reason."""

_WITHOUT_FUZZING = f"--ignore={ROOT / 'tests' / 'webhooks' / 'fuzzing'}"
"""Fuzzing needs a fuzzer that not every Python has, and its faults do not depend on the Python."""

_TAIL = 30
_SECONDS = 3600.0
_OTHER_PACKAGES = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"})


class StepError(Exception):
    """A step failed; the message is the end of its log, and the log's path."""


def extras(project: str) -> tuple[str, ...]:
    """List the extras of a `pyproject.toml`, without `all`."""
    offered = tomllib.loads(project)["project"]["optional-dependencies"]
    return tuple(name for name in offered if name != "all")


def table(rows: dict[str, dict[str, str]]) -> str:
    """Format the results of each step, one line for each Python."""
    steps = list(dict.fromkeys(step for row in rows.values() for step in row))
    lines = [["Python", *steps], *([python, *(row.get(step, "-") for step in steps)] for python, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def summary(output: str) -> str:
    """Summarise pytest's last line: how many tests passed, failed or were skipped."""
    counts = re.findall(r"(\d+ (?:passed|failed|skipped|errors?|xfailed))", output[-500:])
    return ", ".join(counts) or "nothing ran"


@dataclass
class Trial:
    """One Python and its results.

    Attributes:
        python: The interpreter.
        version: Its version, as in the table.
        wheel: The wheel to install.
        pins: The file with the versions of all other packages.
        kind: The kind of these versions.
        results: The result of each step.
    """

    python: Path
    version: str
    wheel: Path
    pins: Path
    kind: str = "locked"
    results: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> Path:
        """The folder of the environments."""
        return CACHE / "try-python" / f"{self.version}-{self.kind}"

    def step(self, name: str, action: Callable[[Path], str]) -> None:
        """Run a step and print its result; after a failure the other steps still run."""
        log = CACHE / "logs" / f"try-python-{self.version}-{self.kind}-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        start = time.monotonic()
        try:
            self.results[name] = action(log)
        except StepError as error:
            self.results[name] = "FAILED"
            print_line(f"{self.version} {name}: FAILED\n{error}")
        else:
            print_line(f"{self.version} {name}: {self.results[name]} ({time.monotonic() - start:.0f} s)")

    def with_extras(self, chosen: Sequence[str], log: Path) -> str:
        """Install the wheel with extras into a clean environment and import its public names."""
        environment = self.environment("+".join(chosen) or "core", log)
        named = f"[{','.join(chosen)}]" if chosen else ""
        self.install(environment, log, f"{self.wheel}{named}")
        run(log, environment, "-W", "error", ROOT / "toolchain" / "promised_names.py", *chosen)
        return "ok"

    def environment(self, name: str, log: Path) -> Path:
        """Make an empty environment and return its Python."""
        folder = self.folder / name
        run(log, self.python, "-m", "venv", "--clear", "--without-pip", folder)
        return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(self, environment: Path, log: Path, *requirements: str) -> None:
        """Install into an environment, with one pip for all, because installing pip takes longer than the packages."""
        pip = self.folder / "pip"
        installer = pip / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if not installer.exists():
            run(log, self.python, "-m", "venv", pip)
        options = ("--quiet", "--no-input", "--disable-pip-version-check", "--cache-dir", CACHE / "pip")
        into = ("--python", environment, "install", *options, "-c", self.pins)
        run(log, installer, "-m", "pip", *into, *requirements)

    def bounds(self, log: Path) -> str:
        """Log the versions of the package's requirements; the lowest must be its lower bounds."""
        found = [*versions.bounds(lock.package_requirements("all"), self.pins.read_text(encoding="utf-8"))]
        log.write_text("".join(f"{bound}\n" for bound in found), encoding="utf-8", newline="\n")
        wrong = versions.unreachable(found) if self.kind == "lowest" else []
        if wrong:
            raise StepError("\n".join((*wrong, "error: a lower bound in pyproject.toml cannot be installed")))
        return "ok"

    def tests(self, environment: Path, log: Path, *folders: str) -> str:
        """Run tests against the installed packages."""
        paths = [ROOT / "tests" / folder for folder in folders]
        return summary(
            run(log, environment, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", _WITHOUT_FUZZING, *paths)
        )


def print_line(text: str) -> None:
    """Print a line."""
    print(text, flush=True)  # noqa: T201 - a program's output


def run(log: Path, *command: str | Path) -> str:
    """Run a command in the repository and return its output, which is also written to a log.

    Raises:
        StepError: It failed.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OTHER_PACKAGES}
    # npm packages of an installed wheel go to the user's cache, so it is replaced by a folder of the repository.
    environment |= {"XDG_CACHE_HOME": str(CACHE / "try-python" / "cache"), "npm_config_cache": str(CACHE / "npm")}
    with log.open("a+", encoding="utf-8", errors="replace") as output:
        output.write(f"$ {' '.join(map(str, command))}\n")
        output.flush()
        start = output.tell()
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
            raise StepError(f"The command took longer than {_SECONDS:.0f} s; its output is in {log}") from error
        output.seek(start)
        text = output.read()
    if done.returncode:
        tail = "\n".join(text.splitlines()[-_TAIL:])
        raise StepError(f"{tail}\nerror: `{command[0]}` ended with {done.returncode}; its output is in {log}")
    return text


def interpreter(name: str) -> tuple[Path, str]:
    """Find a Python by its command or path, and return it and its version.

    Raises:
        StepError: There is none, or it does not run.
    """
    found = shutil.which(name)
    if found is None:
        raise StepError(f"There is no command {name!r}: pass the command or path of a Python.")
    code = (
        "import platform, sys, sysconfig; "
        "print(platform.python_version() + ('t' if sysconfig.get_config_var('Py_GIL_DISABLED') else ''))"
    )
    done = subprocess.run([found, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=False)  # noqa: S603 - the user's choice
    if done.returncode:
        raise StepError(f"{found} does not run: {done.stderr.strip()}")
    return Path(found).absolute(), done.stdout.strip()


def build_wheel(log: Path) -> Path:
    """Build the wheel with this environment's tools, which are pinned."""
    folder = CACHE / "try-python" / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    options = ("-q", "--no-cache-dir", "--no-deps", "--no-build-isolation")
    run(log, sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT)
    (wheel,) = folder.glob("contentgroove-*.whl")
    return wheel


def try_on(trial: Trial) -> dict[str, str]:
    """Run all steps on one Python and return their results."""
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
        return trial.tests(everything, log, PROGRAMS)

    trial.step("programs", with_tools)
    trial.step("tests", lambda log: trial.tests(everything, log, *TRIED))
    return trial.results


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the wheel on each Python and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.try_python", description="Try the wheel on Pythons.")
    parser.add_argument("python", nargs="+", help="a Python's command or path")
    parser.add_argument("--versions", choices=versions.KINDS, default="locked", help="of the package's requirements")
    chosen = parser.parse_args(arguments)
    (CACHE / "logs").mkdir(parents=True, exist_ok=True)
    log = CACHE / "logs" / "try-python-wheel.log"
    log.unlink(missing_ok=True)
    rows: dict[str, dict[str, str]] = {}
    try:
        pythons = [interpreter(name) for name in chosen.python]
        wheel = build_wheel(log)
        print_line(f"{wheel.name}: built")
        for python, version in pythons:
            pins = versions.write(chosen.versions, python, CACHE / "try-python" / f"{version}-versions")
            rows[version] = try_on(Trial(python, version, wheel, pins, chosen.versions))
    except (StepError, LockError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    print_line(table(rows).rstrip())
    return 1 if any("FAILED" in row.values() for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
