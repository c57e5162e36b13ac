"""The versions that a trial installs: the lock's, or the lowest or newest that the bounds of the package allow."""

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
"""What the tests need beside the package."""

# A version without a build for a Python is none that its users can install without a compiler.
_RESOLVE = ("-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--only-binary", ":all:")


class Bound(NamedTuple):
    """A requirement of the package and the version of it that was found."""

    requirement: Requirement
    version: Version

    def __str__(self) -> str:
        """Read as people name a version."""
        return f"{self.requirement.name} {self.version}"


def constraints(pins: str) -> str:
    """Give pins as pip takes them for constraints: without hashes, which the wheel has none of, and without extras."""
    lines = re.sub(r"\\\n", " ", pins).splitlines()
    kept = (re.sub(r"\s--hash=\S+|(?:^|\s)#.*", "", line).rstrip() for line in lines)
    return "".join(re.sub(r"^([\w.-]+)\[[^\]]*\]", r"\1", line) + "\n" for line in kept if line)


def write(kind: str, python: Path, folder: Path) -> Path:
    """Write the constraints of a kind for a Python into a folder; gives the file.

    Args:
        kind: One of `KINDS`.
        python: The interpreter that the versions are for.
        folder: Where; made if it does not exist.

    Raises:
        LockError: No versions fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{kind}.txt"
    if kind == "locked":
        text = (lock.ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    else:
        package = folder / f"{kind}-package.txt"
        resolution = "lowest-direct" if kind == "lowest" else "highest"
        _resolve(python, package, "--resolution", resolution, "pyproject.toml", "--extra", "all")
        # What the tests need is as new as goes with these.
        _resolve(python, made, "pyproject.toml", "--extra", "all", TOOLS, "--constraint", str(package))
        text = made.read_text(encoding="utf-8")
    made.write_text(constraints(text), encoding="utf-8", newline="\n")
    return made


def _resolve(python: Path, made: Path, *arguments: str) -> None:
    made.unlink(missing_ok=True)
    command = [sys.executable, *_RESOLVE, "--python", str(python), "--output-file", str(made), *arguments]
    lock.resolve(command, lock.ROOT, made.name)


def bounds(wishes: Sequence[str], pins: str) -> Iterator[Bound]:
    """Give the version of each requirement."""
    found = {canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("==")) for pin in lock.pins(pins)}
    for requirement in map(Requirement, wishes):
        version = found.get(canonicalize_name(requirement.name))
        if version is not None:
            yield Bound(requirement, version)


def untrue(found: Sequence[Bound]) -> list[str]:
    """Name the lower bounds that nobody can install: what is found for the lowest is higher."""
    return [
        f"{bound.requirement.name}: {specifier.version} is allowed, and {bound.version} is the lowest that fits"
        for bound in found
        for specifier in bound.requirement.specifier
        if specifier.operator == ">=" and Version(specifier.version) != bound.version
    ]
