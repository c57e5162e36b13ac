"""Search an inbox for events about medias, without changing it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contentgroove.errors import InvalidInputError

from .dedupe import key_prefix
from .errors import InboxError
from .events import PROCESSING_FINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .protocols import Inbox

logger = logging.getLogger("contentgroove")


class ArrivalWatcher:
    """Returns the keys of the recorded events about some medias.

    If the inbox fails, that is logged and the last result is returned: the wait also polls the API.

    Args:
        inbox: The inbox of a receiver in this process or another one.
        media_ids: The ids of the medias.

    Raises:
        InvalidInputError: `inbox` is not an inbox.
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
        """Search the inbox."""
        try:
            self._last = frozenset[str]().union(*(self._inbox.keys_with_prefix(prefix) for prefix in self._prefixes))
        except InboxError as error:
            if not self._failing:
                logger.warning("The inbox failed; the wait continues without it: %s", error)
            self._failing = True
        else:
            self._failing = False
        return self._last
