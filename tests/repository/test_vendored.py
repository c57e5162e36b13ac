"""The scripts of the inspector's page are those of the packages that the lock pins."""

from __future__ import annotations

import json

from toolchain import vendored


def test_the_copies_are_the_files_of_the_pinned_versions() -> None:
    """`python -m toolchain.vendored` writes both; `… check` compares the copies with the packages themselves."""
    files = {copy.name: (vendored.TARGET / copy.name).read_bytes() for copy in vendored.COPIES}
    recorded = json.loads(vendored.DIGESTS.read_text(encoding="utf-8"))
    assert vendored.digests(files, vendored.locked_versions()) == recorded


def test_each_package_has_its_licence_beside_it() -> None:
    """Both allow copies."""
    licences = [(vendored.TARGET / copy.name).read_text("utf-8") for copy in vendored.COPIES if "LICENSE" in copy.name]
    assert len(licences) == len(vendored.locked_versions())
    assert all("Permission to use, copy, modify, and/or distribute" in licence for licence in licences)
