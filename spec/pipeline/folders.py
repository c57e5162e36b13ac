"""Reads a folder that holds the document of any API: what cannot be read is a warning, and the rest is used."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import DocumentError, as_object
from contentgroove._openapi.folders import find_document
from contentgroove._openapi.readable import readable
from contentgroove_spec import PipelineError
from contentgroove_spec.config import folder_config

from .corrections import Corrections

if TYPE_CHECKING:
    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with a document.

    Attributes:
        config: Its settings.
        published: The document as it is in the file.
        contract: The document with the folder's corrections, without what cannot be read.
        problems: The corrections that do not apply, and what was left out.
    """

    config: Config
    published: Document
    contract: Document
    problems: tuple[str, ...]


def read_folder(path: Path) -> Folder:
    """Read a folder: its document, and its `pipeline.toml` and corrections if it has them.

    Args:
        path: The folder, or the document in it.

    Raises:
        DocumentError: It has no OpenAPI 3 document, or several.
        PipelineError: Its `pipeline.toml` cannot be read.
    """
    file, published = find_document(path)
    config = folder_config(file.parent, file, str(as_object(published.get("info")).get("title", "")))
    if config.templates is None:
        # The reasons are in the README of that folder: finite timeouts, no token in a repr, and more.
        config = dataclasses.replace(config, templates=TEMPLATES)
    if config.published.is_file() and config.published.resolve() != file.resolve():
        file, published = find_document(config.published)
    problems: list[str] = []
    document = published
    if config.corrections.is_file():
        try:
            corrected = Corrections.load(config).correct(published)
        except (PipelineError, DocumentError) as error:
            problems.append(f"{config.corrections.name} was not applied: {error}")
        else:
            document = corrected.contract
            problems += map(str, corrected.problems)
    usable = readable(document)
    return Folder(config, published, usable.document, (*problems, *usable.problems))
