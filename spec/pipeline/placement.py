"""Put what was made in its place, all of it or nothing."""

from __future__ import annotations

import functools
import shutil
from typing import TYPE_CHECKING

from contentgroove._io.durable_files import patiently
from contentgroove_spec.errors import PipelineError

if TYPE_CHECKING:
    from pathlib import Path


def replace_all(made: dict[Path, Path]) -> None:
    """Move new files and folders over the old ones.

    Args:
        made: Each new file or folder, on the file system of its place, with that place.

    Raises:
        PipelineError: One could not be moved; all old ones are back.
    """
    moved: list[tuple[Path, Path]] = []
    for new, place in made.items():
        old = new.with_name(f"{new.name}.old")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                patiently(functools.partial(place.rename, old))
            elif place.exists():
                shutil.copy2(place, old)
            moved.append((old, place))
            patiently(functools.partial(new.replace, place))
        except OSError as error:
            _restore(moved)
            raise PipelineError(f"Cannot write {place}: {error.strerror}. Nothing was changed.") from error


def _restore(moved: list[tuple[Path, Path]]) -> None:
    for old, place in reversed(moved):
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        if old.exists():
            old.rename(place)
