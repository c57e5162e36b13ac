"""Replacing files and folders: all of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_spec import PipelineError
from pipeline.pull import replace_all

if TYPE_CHECKING:
    from pathlib import Path


def folder(path: Path, **files: str) -> Path:
    """Make a folder with files."""
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def tree(path: Path) -> dict[str, str]:
    """Read all files below a folder."""
    return {str(file.relative_to(path)): file.read_text(encoding="utf-8") for file in path.rglob("*") if file.is_file()}


def test_new_things_replace_old_ones(tmp_path: Path) -> None:
    """A folder loses the old one's files, a file is replaced, and a missing folder is created."""
    new = folder(tmp_path / "new", document="new", lock="new")
    package = folder(new / "package", a="new")
    targets = folder(tmp_path / "targets", document="old")
    folder(targets / "package", a="old", stray="old")
    replace_all(
        {
            new / "document": targets / "document",
            package: targets / "package",
            new / "lock": targets / "deeper" / "lock",
        }
    )
    assert tree(targets) == {"document": "new", "package/a": "new", "deeper/lock": "new"}


def test_if_one_cannot_be_replaced_the_others_are_restored(tmp_path: Path) -> None:
    """Old files and folders are restored byte for byte, and new ones are removed."""
    new = folder(tmp_path / "new", document="new", first="new", lock="new")
    package = folder(new / "package", a="new")
    targets = folder(tmp_path / "targets", document="old", blocked="a file where a folder should be")
    folder(targets / "package", a="old", stray="old")
    before = tree(targets)
    with pytest.raises(PipelineError, match=r"Cannot write .*lock: .*Nothing was changed"):
        replace_all(
            {
                new / "document": targets / "document",
                package: targets / "package",
                new / "first": targets / "first",
                new / "lock": targets / "blocked" / "lock",
            }
        )
    assert tree(targets) == before


def test_a_new_thing_that_is_missing(tmp_path: Path) -> None:
    """The old file remains if the new one does not exist."""
    targets = folder(tmp_path / "targets", document="old")
    with pytest.raises(PipelineError, match=r"Cannot write .*document: No such file"):
        replace_all({tmp_path / "new": targets / "document"})
    assert tree(targets) == {"document": "old"}
