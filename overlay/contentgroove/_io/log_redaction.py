"""Keep credentials out of what the HTTP libraries log."""

from __future__ import annotations

import logging
import re
import weakref
from typing import TYPE_CHECKING

from contentgroove._core.redaction import REDACTED, echoed_key_pattern, redact_url

if TYPE_CHECKING:
    from contentgroove._core.settings import Settings

_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
_LOGGERS_OF_HEADERS = ("hpack.hpack", "hpack.table")


_live: weakref.WeakValueDictionary[int, Settings] = weakref.WeakValueDictionary()
"""The settings of all clients there are, for their keys."""


class _RedactUrls(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        shown = redact_url(said)
        for key in filter(None, [settings.last_key() for settings in list(_live.values())]):
            shown = re.sub(echoed_key_pattern(key), REDACTED, shown)
        if shown != said:
            # Otherwise left as it is, for those who group records by what is the same in them.
            record.msg, record.args = shown, ()
        return True


class _DropRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return False


_redact = _RedactUrls()
_say_nothing = _DropRecords()


def install_log_filters(settings: Settings) -> None:
    """Redact URLs and a client's key: httpx logs requests' URLs, httpcore answers' headers; either may hold both.

    Under HTTP/2, hpack logs all headers, the key's included, at its level DEBUG: as they are, and once more as they are
    encoded, where nothing can be redacted. It logs little else.
    """
    _live[id(settings)] = settings
    for name in _LOGGERS:
        # A logger has the same filter only once. One at "httpcore" would not see what its children log.
        logging.getLogger(name).addFilter(_redact)
    for name in _LOGGERS_OF_HEADERS:
        logging.getLogger(name).addFilter(_say_nothing)
