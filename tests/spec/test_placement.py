"""Putting files and folders in place: all of them, or the old ones as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_spec.errors import PipelineError
from pipeline.placement import replace_all

if TYPE_CHECKING:
    from pathlib import Path


def folder(place: Path, **files: str) -> Path:
    """Make a folder with files."""
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def tree(place: Path) -> dict[str, str]:
    """Read all files below a folder."""
    return {
        str(path.relative_to(place)): path.read_text(encoding="utf-8") for path in place.rglob("*") if path.is_file()
    }


def test_new_things_replace_old_ones(tmp_path: Path) -> None:
    """A folder comes without what the old one had, a file as it is, and a missing place is made."""
    new = folder(tmp_path / "new", document="new", lock="new")
    package = folder(new / "package", a="new")
    places = folder(tmp_path / "places", document="old")
    folder(places / "package", a="old", stray="old")
    replace_all(
        {
            new / "document": places / "document",
            package: places / "package",
            new / "lock": places / "deeper" / "lock",
        }
    )
    assert tree(places) == {"document": "new", "package/a": "new", "deeper/lock": "new"}


def test_when_one_cannot_be_placed_the_others_go_back(tmp_path: Path) -> None:
    """Old files and folders come back byte for byte, and what was not there before is gone again."""
    new = folder(tmp_path / "new", document="new", first="new", lock="new")
    package = folder(new / "package", a="new")
    places = folder(tmp_path / "places", document="old", blocked="a file where a folder should be")
    folder(places / "package", a="old", stray="old")
    before = tree(places)
    with pytest.raises(PipelineError, match=r"Cannot write .*lock: .*Nothing was changed"):
        replace_all(
            {
                new / "document": places / "document",
                package: places / "package",
                new / "first": places / "first",
                new / "lock": places / "blocked" / "lock",
            }
        )
    assert tree(places) == before


def test_a_new_thing_that_is_missing(tmp_path: Path) -> None:
    """The old file is there even when the new one never was."""
    places = folder(tmp_path / "places", document="old")
    with pytest.raises(PipelineError, match=r"Cannot write .*document: No such file"):
        replace_all({tmp_path / "new": places / "document"})
    assert tree(places) == {"document": "old"}
