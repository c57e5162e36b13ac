"""Keep credentials out of the logs of the HTTP libraries."""

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
"""The settings of all existing clients, for their keys."""


class _RedactUrls(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact_url(message)
        for key in filter(None, [settings.last_key() for settings in list(_live.values())]):
            redacted = re.sub(echoed_key_pattern(key), REDACTED, redacted)
        if redacted != message:
            # Otherwise unchanged, because some applications group records by their format.
            record.msg, record.args = redacted, ()
        return True


class _DropRecords(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return False


_redact = _RedactUrls()
_drop = _DropRecords()


def install_log_filters(settings: Settings) -> None:
    """Redact URLs and a client's key: httpx logs the URLs of requests, httpcore the headers of responses.

    With HTTP/2, hpack logs all headers, that of the key included, at level DEBUG: in plain text, and encoded, where
    nothing can be redacted. It logs little else, so its records are dropped.
    """
    _live[id(settings)] = settings
    for name in _LOGGERS:
        # A logger has the same filter only once. A filter at "httpcore" would not see the records of its children.
        logging.getLogger(name).addFilter(_redact)
    for name in _LOGGERS_OF_HEADERS:
        logging.getLogger(name).addFilter(_drop)
