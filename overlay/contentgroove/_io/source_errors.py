"""Errors of a file while it is sent."""

from __future__ import annotations


class SourceChangedError(Exception):
    """A file has changed since the upload started."""


class SourceUnreadableError(Exception):
    """A file could not be read completely."""
