"""Replace files and folders, all or none."""

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
        made: Each new file or folder with the path that it replaces, on the same file system.

    Raises:
        PipelineError: One could not be moved; all old ones were restored.
    """
    moved: list[tuple[Path, Path]] = []
    for new, path in made.items():
        old = new.with_name(f"{new.name}.old")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                patiently(functools.partial(path.rename, old))
            elif path.exists():
                shutil.copy2(path, old)
            moved.append((old, path))
            patiently(functools.partial(new.replace, path))
        except OSError as error:
            _restore(moved)
            raise PipelineError(f"Cannot write {path}: {error.strerror}. Nothing was changed.") from error


def _restore(moved: list[tuple[Path, Path]]) -> None:
    for old, path in reversed(moved):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if old.exists():
            old.rename(path)
