"""What the pipeline raises for a failure that a person has to look at."""

from __future__ import annotations


class PipelineError(Exception):
    """A step failed; the message says what happened, to which file or source, and what to do next."""
