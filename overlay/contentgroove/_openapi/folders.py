"""Finds the OpenAPI document of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bundling import bundle
from .documents import DocumentError, Limits, check_version, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .documents import Json

NAMES = ("openapi.yaml", "openapi.yml", "openapi.json")
"""The names that need no search."""

LOCAL = Limits(bytes=64 * 1024 * 1024, nodes=10_000_000)
"""For a file that a user names: the largest documents that are published have 47 MB."""

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def find_document(path: Path) -> tuple[Path, Json]:
    """Return the document of a folder with its path: a file named `openapi`, or the only OpenAPI document in it.

    The files beside it that it refers to are part of it.

    Args:
        path: The folder, or a document itself.

    Raises:
        DocumentError: There is no OpenAPI 3 document, or more than one; the message lists what was found.
    """
    if path.is_file():
        return path, _read(path)
    if not path.is_dir():
        raise DocumentError(f"{path} does not exist. Pass a folder with an OpenAPI document, or the document.")
    for name in NAMES:
        if (file := path / name).is_file():
            return file, _read(file)
    found: list[tuple[Path, Json]] = []
    problems: list[str] = []
    for file in _candidates(path):
        try:
            document = parse(file.read_bytes(), file.name, LOCAL)
        except (DocumentError, OSError) as error:
            problems.append(f"{error}")
            continue
        if "openapi" in document or "swagger" in document:
            found.append((file, document))
    if len(found) > 1:
        names = ", ".join(file.name for file, _ in found)
        raise DocumentError(f"{path} has several OpenAPI documents: {names}. Name one of them openapi.yaml or .json.")
    if not found:
        reasons = "".join(f"\n  {problem}" for problem in problems)
        raise DocumentError(f"{path} has no OpenAPI document. Put one there, as openapi.yaml or openapi.json.{reasons}")
    file, document = found[0]
    check_version(document, file.name)
    return file, bundle(document, file, LOCAL)


def _candidates(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.iterdir()):
        # A correction or a lock is not a document, though it can look like one.
        if file.is_file() and file.suffix.lower() in _SUFFIXES and not {".overlay", ".lock"} & {*file.suffixes}:
            yield file


def _read(file: Path) -> Json:
    try:
        document = parse(file.read_bytes(), file.name, LOCAL)
    except OSError as error:
        raise DocumentError(f"Cannot read {file}: {error.strerror}.") from error
    check_version(document, file.name)
    return bundle(document, file, LOCAL)
