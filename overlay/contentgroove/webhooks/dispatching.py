"""Send the keys of recorded events to the queue of an application, whose workers then handle them."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from contentgroove.errors import ConfigurationError

from . import application_inboxes
from .failures import describe_error, failure_text
from .handler_io import await_in_thread
from .inbox import DispatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inbox import Inbox

logger = logging.getLogger("contentgroove")


class Dispatcher:
    """Calls the application's function with keys.

    Attributes:
        function: The function; None if there is none.
    """

    def __init__(self, inbox: Inbox, function: Callable[[str], object] | None) -> None:
        self._inbox = inbox
        self.function = function

    def dispatch_recorded(self, key: str) -> None:
        """Dispatch an event that was just recorded; a failure is logged, because the event is safe."""
        if self.function is None:
            return
        try:
            self._call(self.function, key)
        except Exception as error:  # noqa: BLE001 - whatever a queue raises, the event is recorded
            logger.error(  # noqa: TRY400 - it would log credentials
                "Webhook %s is recorded, but was not dispatched; dispatch_pending() does it: %s",
                key,
                failure_text(error),
            )

    def dispatch_overdue(self, older_than: float, limit: int) -> int:
        """Dispatch events that have been due for some time, and return how many there were.

        Raises:
            ConfigurationError: There is no function, or the inbox cannot list such events.
            DispatchError: The function raised.
        """
        if self.function is None:
            raise ConfigurationError("Set receiver.dispatch first, such as to the delay method of a Celery task.")
        keys = application_inboxes.overdue(self._inbox, older_than, limit)
        for count, key in enumerate(keys):
            try:
                self._call(self.function, key)
            except Exception as error:
                raise DispatchError(
                    f"Webhook {key} was not dispatched, and {len(keys) - count - 1} after it: {describe_error(error)}. "
                    "They stay in the inbox; call dispatch_pending() again."
                ) from error
        return len(keys)

    def _call(self, function: Callable[[str], object], key: str) -> None:
        result: Any = function(key)
        if inspect.isawaitable(result):
            await_in_thread(result)
