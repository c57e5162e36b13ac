"""What goes wrong with a file while it is sent."""

from __future__ import annotations


class SourceChangedError(Exception):
    """A file has more or fewer bytes than it had when the upload began."""


class SourceUnreadableError(Exception):
    """A file could not be read to its end."""
