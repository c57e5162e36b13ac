"""Compare two versions of an OpenAPI document: what changed, what breaks, and what that means for an app."""


class PipelineError(Exception):
    """A step failed; the message says what happened, to which file or source, and what to do next."""
