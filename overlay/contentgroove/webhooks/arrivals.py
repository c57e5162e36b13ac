"""Look into an inbox for news of medias, without touching what is in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contentgroove.errors import InvalidInputError

from .dedupe import key_prefix
from .errors import InboxError
from .events import PROCESSING_FINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .inbox import Inbox

logger = logging.getLogger("contentgroove")


class ArrivalWatcher:
    """Gives the names of the events that have arrived about medias.

    An inbox that fails is logged, and counts as one where nothing new is: who waits has another way to learn it.

    Args:
        inbox: Where a receiver records events, in this process or another.
        media_ids: The medias.

    Raises:
        InvalidInputError: That is no inbox.
    """

    def __init__(self, inbox: Inbox, media_ids: Iterable[str]) -> None:
        if not callable(getattr(inbox, "keys_with_prefix", None)):
            raise InvalidInputError(
                f'inbox must be an inbox, such as SQLiteInbox("events.db"), not {type(inbox).__name__}. '
                "Nothing was sent."
            )
        self._inbox = inbox
        self._prefixes = {key_prefix(PROCESSING_FINISHED, "medias", media_id) for media_id in media_ids}
        self._last: frozenset[str] = frozenset()
        self._failing = False

    def __call__(self) -> frozenset[str]:
        """Look."""
        try:
            self._last = frozenset[str]().union(*(self._inbox.keys_with_prefix(prefix) for prefix in self._prefixes))
        except InboxError as error:
            if not self._failing:
                logger.warning("The wait goes on without the inbox, which failed: %s", error)
            self._failing = True
        else:
            self._failing = False
        return self._last
