"""The scripts of the inspector's page, copied from their npm packages: `python -m toolchain.vendored` writes them.

`toolchain/vendored/package-lock.json` pins the packages, and `digests.json` next to it says which file is of which
version. `python -m toolchain.vendored check` compares the copies with the packages, and a test with the digests.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "toolchain" / "vendored" / "package-lock.json"
DIGESTS = LOCK.with_name("digests.json")
TARGET = ROOT / "mockserver" / "contentgroove_mock" / "inspector" / "static"


class Copy(NamedTuple):
    """A file of a package, and its name here."""

    package: str
    file: str
    name: str


COPIES = (
    Copy("htmx.org", "dist/htmx.min.js", "htmx.min.js"),
    Copy("htmx.org", "LICENSE", "htmx.LICENSE.txt"),
    Copy("htmx-ext-sse", "dist/sse.min.js", "sse.min.js"),
    Copy("htmx-ext-sse", "LICENSE", "sse.LICENSE.txt"),
)


def locked_versions() -> dict[str, str]:
    """Return the version of each package that the lock pins."""
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    return {name.removeprefix("node_modules/"): entry["version"] for name, entry in packages.items() if name}


def contents() -> dict[str, bytes]:
    """Return the files of the pinned packages, as npm installs them."""
    from contentgroove_mock.npm import npm_ci

    with tempfile.TemporaryDirectory(prefix="vendored-") as name:
        home = Path(name)
        npm_ci(LOCK, home)
        return {copy.name: (home / "node_modules" / copy.package / copy.file).read_bytes() for copy in COPIES}


def digests(files: dict[str, bytes], versions: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return what `digests.json` contains: the package, version and SHA-256 of each file."""
    return {
        copy.name: {
            "package": copy.package,
            "version": versions[copy.package],
            "sha256": hashlib.sha256(files[copy.name]).hexdigest(),
        }
        for copy in COPIES
    }


def main(arguments: list[str]) -> int:
    """Write the copies, or compare them; return the exit status."""
    files = contents()
    if arguments == ["check"]:
        different = [name for name, content in files.items() if (TARGET / name).read_bytes() != content]
        for name in different:
            sys.stderr.write(f"{TARGET / name} is not the file of its package: run python -m toolchain.vendored\n")
        return 1 if different else 0
    for name, content in files.items():
        (TARGET / name).write_bytes(content)
    DIGESTS.write_text(json.dumps(digests(files, locked_versions()), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
