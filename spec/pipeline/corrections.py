"""Correct the published document: apply the corrections that fit it, and name those that no longer do."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import parse
from contentgroove_spec import PipelineError

from .expectations import Record, make_record, read_record
from .fitting import Fitting, Problem
from .locations import LineFinder
from .overlay import apply_actions

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
    return parse(_read_bytes(path), path.name)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PipelineError(f"Cannot read {path.name}: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected document.

    Attributes:
        contract: The document with the corrections that fit it.
        problems: The others, in their order.
    """

    contract: Document
    problems: tuple[Problem, ...]

    def require_fitting(self) -> None:
        """Check that all corrections fit.

        Raises:
            PipelineError: Some do not; the message lists them.
        """
        problems = [problem for problem in self.problems if not problem.is_followed]
        if problems:
            listed = (f"  {problem}\n    → {problem.todo}" for problem in problems)
            raise PipelineError("\n".join(["Corrections no longer fit the published document:", *listed]))


def make_contract(config: Config) -> Document:
    """Correct the committed published document.

    Raises:
        PipelineError: A file is missing, or a correction no longer fits.
    """
    corrected = Corrections.load(config).correct(read(config.published))
    corrected.require_fitting()
    return corrected.contract


@dataclass(frozen=True)
class Corrections:
    """The corrections of an API.

    Attributes:
        overlay: The overlay.
        content: Its text.
        file: The name of its file.
        record: What the corrections found when they were written; None if that is not recorded yet.
        is_recorded: Whether the API has such a record, so that its corrections are checked with it.
    """

    overlay: Document
    content: bytes
    file: str
    record: Record | None
    is_recorded: bool

    @classmethod
    def load(cls, config: Config) -> Corrections:
        """Read the corrections of an API and their record.

        Raises:
            DocumentError: A file is not a document.
            PipelineError: A file cannot be read.
        """
        record = None if config.expected is None else read_record(config.expected)
        file = config.corrections
        return cls(read(file), _read_bytes(file), file.name, record, config.expected is not None)

    @functools.cached_property
    def lines(self) -> LineFinder:
        """Where the actions are in the file."""
        return LineFinder(self.content)

    def correct(self, published: Document, *, accept: bool = False) -> Corrected:
        """Apply the corrections that fit a published document.

        Args:
            published: The document.
            accept: Whether the corrections expect from now on what they find in it. Those that cannot be applied, or
                need not be, have a problem nevertheless.

        Raises:
            PipelineError: The overlay is not valid.
        """
        is_fresh = self.is_recorded and (accept or self.record is None)
        record = self.make_record(published) if is_fresh else self.record
        fitting = Fitting(published, self.overlay, record, lambda path: self.lines.text(self.file, path))
        contract, _ = apply_actions(published, self.overlay, fitting.allows)
        return Corrected(contract, fitting.problems)

    def make_record(self, published: Document) -> Record:
        """Return what the corrections find in a document."""
        return make_record(published, self.overlay)
