"""Make the contract: the published document with the corrections applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._openapi.documents import parse
from contentgroove_spec.errors import PipelineError

from .corrections import apply_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document


def read(path: Path) -> Document:
    """Read a committed document.

    Raises:
        DocumentError: It is not a document.
        PipelineError: It is missing or cannot be read.
    """
    try:
        return parse(path.read_bytes(), path.name)
    except OSError as error:
        raise PipelineError(f"Cannot read {path.name}: {error.strerror}.") from error


def make_contract(config: Config) -> Document:
    """Apply the corrections to the published document.

    Raises:
        PipelineError: A file is missing, or a correction is stale.
    """
    return apply_overlay(read(config.published), read(config.corrections))
