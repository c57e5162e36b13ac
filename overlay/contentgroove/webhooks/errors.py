"""Errors of inboxes and handlers."""

from __future__ import annotations

from contentgroove.errors import ContentGrooveError


class InboxError(ContentGrooveError):
    """The inbox's database failed: it cannot be reached, opened, read or written."""


class HandlerError(ContentGrooveError):
    """Handlers failed; their events stay in the inbox and are handled again.

    Attributes:
        errors: The exceptions of the failed handlers.
    """

    def __init__(self, message: str, errors: tuple[Exception, ...]) -> None:
        super().__init__(message)
        self.errors = errors
