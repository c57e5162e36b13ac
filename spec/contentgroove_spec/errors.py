"""The error of the pipeline."""

from __future__ import annotations


class PipelineError(Exception):
    """A step failed; the message says what happened, to which file or source, and what to do next."""
