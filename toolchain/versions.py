"""The versions that a trial installs: those of the lock, or the lowest or newest within the package's bounds."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from toolchain import lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KINDS = ("locked", "lowest", "newest")
TOOLS = "requirements/test.in"
"""Requirements of the tests, in addition to the package's."""

# Only versions with wheels count, because users should not need a compiler.
_RESOLVE = ("-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:")


class Bound(NamedTuple):
    """A requirement of the package and the version of it that was found."""

    requirement: Requirement
    version: Version

    def __str__(self) -> str:
        """Return the name and the version."""
        return f"{self.requirement.name} {self.version}"


def constraints(pins: str) -> str:
    """Convert pins to pip's constraints: without hashes, because the wheel has none, and without extras."""
    lines = re.sub(r"\\\n", " ", pins).splitlines()
    kept = (re.sub(r"\s--hash=\S+|(?:^|\s)#.*", "", line).rstrip() for line in lines)
    return "".join(re.sub(r"^([\w.-]+)\[[^\]]*\]", r"\1", line) + "\n" for line in kept if line)


def write(kind: str, python: Path, folder: Path) -> Path:
    """Write the constraints of a kind for a Python into a folder, and return the file.

    Args:
        kind: One of `KINDS`.
        python: The interpreter for which the versions are.
        folder: The folder; it is created if needed.

    Raises:
        LockError: No versions match.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{kind}.txt"
    if kind == "locked":
        text = (lock.ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    else:
        package = folder / f"{kind}-package.txt"
        resolution = "lowest-direct" if kind == "lowest" else "highest"
        _resolve(python, package, "--resolution", resolution, "pyproject.toml", "--extra", "all")
        # The tests' requirements are as new as these versions allow.
        _resolve(python, made, "pyproject.toml", "--extra", "all", TOOLS, "--constraint", str(package))
        text = made.read_text(encoding="utf-8")
    made.write_text(constraints(text), encoding="utf-8", newline="\n")
    return made


def _resolve(python: Path, made: Path, *arguments: str) -> None:
    made.unlink(missing_ok=True)
    command = [sys.executable, *_RESOLVE, "--python", str(python), "--output-file", str(made), *arguments]
    lock.resolve(command, lock.ROOT, made.name)


def bounds(required: Sequence[str], pins: str) -> Iterator[Bound]:
    """Yield the version of each requirement."""
    found = {canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("==")) for pin in lock.pins(pins)}
    for requirement in map(Requirement, required):
        version = found.get(canonicalize_name(requirement.name))
        if version is not None:
            yield Bound(requirement, version)


def unreachable(found: Sequence[Bound]) -> list[str]:
    """List the lower bounds that cannot be installed, because the lowest version found is higher."""
    return [
        f"{bound.requirement.name}: {specifier.version} is allowed, but the lowest version is {bound.version}"
        for bound in found
        for specifier in bound.requirement.specifier
        if specifier.operator == ">=" and Version(specifier.version) != bound.version
    ]
