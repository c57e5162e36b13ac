"""Renew the application's database connections around each handler: a hook, and Django's connections by themselves."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from .failures import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("contentgroove")

T = TypeVar("T")


class BetweenEvents:
    """Calls the application's hook before and after each handler, in the handler's thread.

    Django closes unusable and old connections at the start and the end of each request. Handlers run outside of
    requests, so this does the same for them if the application uses Django's database layer.
    """

    def __init__(self, hook: Callable[[], object] | None) -> None:
        self._hook = hook

    def around(self, call: Callable[[], T]) -> T:
        """Call a sync handler."""
        self._renew()
        try:
            return call()
        finally:
            try:
                self._renew()
            except Exception as error:  # noqa: BLE001 - the handler's outcome counts, not what comes after it
                _log(error)

    async def around_async(self, call: Callable[[], Any]) -> object:
        """Call an async handler."""
        await self._renew_async()
        try:
            return await call()
        finally:
            try:
                await self._renew_async()
            except Exception as error:  # noqa: BLE001 - as above
                _log(error)

    def _renew(self) -> None:
        close = _django_close()
        if close is not None:
            close()
        if self._hook is not None:
            self._hook()

    async def _renew_async(self) -> None:
        close = _django_close()
        if close is not None:
            from asgiref.sync import sync_to_async

            # In the thread in which Django runs the queries of async code.
            await sync_to_async(close)()
        if self._hook is not None:
            self._hook()


def _django_close() -> Callable[[], object] | None:
    """Return Django's function that closes unusable and old connections; None if its database layer is not in use."""
    database, conf = sys.modules.get("django.db"), sys.modules.get("django.conf")
    if database is None or conf is None or not conf.settings.configured:
        return None
    close: Callable[[], object] | None = getattr(database, "close_old_connections", None)
    return close


def _log(error: BaseException) -> None:
    logger.error("The hook between events failed after a handler: %s", describe_error(error))
