"""The locks: `requirements/*.txt` pin the requirements of `requirements/*.in` and pyproject.toml.

`make lock` writes them with uv, which resolves for every supported Python and system at once, and renews npm's locks.
`make check` compares them with the requirements and uses no registry, so that a new release cannot change its result.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
)
# The locks, each with the extra of the package that it contains. The largest is first: the others use its versions.
LOCKS = {"dev": "all", "demo": "mock", "setup": ""}
NPM_LOCKS = ("mockserver", "tests/mcp/inspector", "toolchain/site_packages", "toolchain/vendored")
_HEAD = """\
# Written by `make lock` from requirements/{name}.in{package}. Not to be edited.
# wanted: sha256:{wanted}
# locked: sha256:{locked}
"""
_DIGESTS = re.compile(r"\A# Written .*\n# wanted: sha256:(\w+)\n# locked: sha256:(\w+)\n")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>\S+)(?: ; (?P<marker>.*?))?(?: \\)?$", re.MULTILINE)
_SECONDS = 600.0


class LockError(Exception):
    """A lock does not match its requirements, or could not be made; the message says what to do."""


def list_requirements(name: str, root: Path = ROOT) -> list[str]:
    """List the requirements of a lock: its file's lines, and the package's own with the lock's extra."""
    lines = _lines(root / "requirements" / f"{name}.in")
    return sorted({*lines, *(package_requirements(LOCKS[name], root) if LOCKS[name] else ())})


def package_requirements(extra: str, root: Path = ROOT) -> list[str]:
    """List the package's requirements with an extra."""
    project = cast("dict[str, Any]", tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"])
    return sorted({*project["dependencies"], *_extra_requirements(extra, project["optional-dependencies"])})


def _lines(path: Path) -> Iterator[str]:
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.partition(" #")[0].strip()
        if line.startswith("-r "):
            yield from _lines(path.with_name(line.removeprefix("-r ").strip()))
        elif line and not line.startswith("#"):
            yield line


def _extra_requirements(extra: str, extras: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for line in extras[extra]:
        requirement = Requirement(line)
        if requirement.name == "contentgroove":
            for part in requirement.extras:
                yield from _extra_requirements(part, extras)
        else:
            yield line


def pins(text: str) -> list[Requirement]:
    """Read the exact versions of a lock, with the markers of the environments that use them."""
    found = _PIN.finditer(text)
    return [Requirement(f"{m['name']}=={m['version']}" + (f"; {m['marker']}" if m["marker"] else "")) for m in found]


def environments() -> Iterator[dict[str, str]]:
    """List the environments that a lock supports, as markers see them."""
    for python, system in itertools.product(PYTHONS, SYSTEMS):
        yield {
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "python_version": python,
            "python_full_version": f"{python}.0",
            "extra": "",
            **system,
        }


def check(root: Path = ROOT) -> None:
    """Compare each lock with its requirements.

    Raises:
        LockError: They differ, or a lock was edited by hand.
    """
    faults = [fault for name in LOCKS for fault in _faults(name, root)]
    faults += [fault for folder in NPM_LOCKS for fault in _npm_faults(root / folder, f"{folder}/package-lock.json")]
    if faults:
        raise LockError("\n".join((*faults, "Run `make lock` and commit what it writes.")))


def _faults(name: str, root: Path) -> list[str]:
    path = root / "requirements" / f"{name}.txt"
    lock = str(path.relative_to(root))
    if not path.exists():
        return [f"{lock} does not exist."]
    text = path.read_text(encoding="utf-8")
    required, locked = list_requirements(name, root), pins(text)
    faults = sorted({fault for line in required for fault in _unmet(Requirement(line), locked, lock)})
    if faults:
        return faults
    digests = _DIGESTS.match(text)
    if digests is None:
        return [f"{lock} was not written by `make lock`: its first lines are different."]
    if digests[2] != _digest(text[digests.end() :]):
        return [f"{lock} was edited after `make lock` wrote it."]
    if digests[1] != _digest(_requirements_text(required, root)):
        return [f"{lock} was made from other requirements than those of requirements/{name}.in and pyproject.toml."]
    return []


def _unmet(requirement: Requirement, locked: Sequence[Requirement], lock: str) -> Iterator[str]:
    name = canonicalize_name(requirement.name)
    candidates = [pin for pin in locked if canonicalize_name(pin.name) == name]
    needed = [environment for environment in environments() if _applies(requirement, environment)]
    missing = [environment for environment in needed if not any(_applies(pin, environment) for pin in candidates)]
    if missing:
        names = dict.fromkeys(f"Python {item['python_version']} on {item['platform_system']}" for item in missing)
        yield f"{lock} lacks {requirement.name}" + ("." if missing == needed else f" for {', '.join(names)}.")
    for pin in candidates:
        version = str(pin.specifier).removeprefix("==")
        used = any(_applies(pin, environment) for environment in needed)
        if used and not requirement.specifier.contains(version, prereleases=True):
            yield f"{lock} has {requirement.name} {version}; required is {requirement}."


def _applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def _npm_faults(folder: Path, name: str) -> Iterator[str]:
    required: dict[str, Any] = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    lock: dict[str, Any] = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    root = lock["packages"][""]
    for kind in ("dependencies", "devDependencies", "engines"):
        if required.get(kind, {}) != root.get(kind, {}):
            yield f"{name} was made from other {kind} than those of its package.json."


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _requirements_text(required: Sequence[str], root: Path) -> str:
    python = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    return "\n".join((python, *required))


def renew(*, keep: bool, root: Path = ROOT) -> None:
    """Write each lock again and print the changes.

    Args:
        keep: Keep each version that still matches, and change only what a changed requirement needs.
        root: The repository.

    Raises:
        LockError: uv or npm found no solution.
    """
    for name in LOCKS:
        _renew(name, keep=keep, root=root)
    for folder in NPM_LOCKS:
        _renew_npm(root / folder, keep=keep, name=f"{folder}/package-lock.json")


def _renew(name: str, *, keep: bool, root: Path) -> None:
    path = root / "requirements" / f"{name}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        made.write_text(before, encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--python-version", PYTHONS[0], "--no-header", "--no-emit-index-url", "--no-annotate"]
        command += ["--output-file", str(made), f"requirements/{name}.in"]
        if LOCKS[name]:
            command += ["pyproject.toml", "--extra", LOCKS[name]]
        if name != next(iter(LOCKS)):
            command += ["--constraint", f"requirements/{next(iter(LOCKS))}.txt"]
        resolve([*command, *([] if keep else ["--upgrade"])], root, f"requirements/{name}.txt")
        body = made.read_text(encoding="utf-8")
    head = _HEAD.format(
        name=name,
        package=f" and pyproject.toml with the extra {LOCKS[name]}" if LOCKS[name] else "",
        wanted=_digest(_requirements_text(list_requirements(name, root), root)),
        locked=_digest(body),
    )
    path.write_text(head + body, encoding="utf-8", newline="\n")
    _print_changes(f"requirements/{name}.txt", _versions(before), _versions(body))


def _renew_npm(folder: Path, *, keep: bool, name: str) -> None:
    # Imported here: `check` needs no Node.
    from contentgroove_mock.npm import child_environment, node_program, npm_cli

    path = folder / "package-lock.json"
    before = _npm_versions(path)
    npm = [str(node_program()), str(npm_cli())]
    flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
    # The lock names no host, so that npm uses its configured registry.
    lock_only = ["--package-lock-only", "--omit-lockfile-registry-resolved"]
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary)
        for file in folder.glob("package*.json"):
            shutil.copy(file, copy)
        resolve([*npm, "install" if keep else "update", *lock_only, *flags], copy, name, child_environment())
        # npm omits an optional package that the registry lacks, and then refuses to install by the lock that it wrote.
        resolve([*npm, "ci", "--dry-run", *flags], copy, name, child_environment())
        shutil.copy(copy / path.name, path)
    _print_changes(name, before, _npm_versions(path))


def resolve(command: Sequence[str], folder: Path, name: str, environment: Mapping[str, str] | None = None) -> None:
    """Run uv or npm, which use their registries.

    Args:
        command: The command.
        folder: The folder in which it runs.
        name: Its output, for the message.
        environment: The program's environment variables; by default those of this process.

    Raises:
        LockError: It found no solution.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own programs, fixed arguments
            command,
            cwd=folder,
            env=dict(os.environ if environment is None else environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LockError(f"{name} could not be made within {_SECONDS:.0f} s: try again.") from None
    if done.returncode != 0:
        raise LockError(f"{name} could not be made:\n{(done.stderr or done.stdout).strip()}")


def _versions(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for pin in pins(text):
        found.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    return {name: " or ".join(versions) for name, versions in found.items()}


def _npm_versions(path: Path) -> dict[str, str]:
    lock: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {path.removeprefix("node_modules/"): entry["version"] for path, entry in lock["packages"].items() if path}


def changed_versions(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """List the differences of two sets of versions, one line for each."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return [f"{name} {before.get(name, '(none)')} -> {after.get(name, '(none)')}" for name in names]


def _print_changes(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    changes = changed_versions(before, after)
    print(f"{name}: {len(changes) or 'nothing'} changed")  # noqa: T201 - a command line prints
    for line in changes:
        print(f"  {line}")  # noqa: T201 - a command line prints


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.lock", description="Write the locks, or check them.")
    parser.add_argument("command", choices=["renew", "check"])
    parser.add_argument("--keep", action="store_true", help="renew only what a changed requirement needs")
    options = parser.parse_args(arguments)
    try:
        if options.command == "renew":
            renew(keep=options.keep)
        else:
            check()
    except LockError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
