"""Keep credentials out of what the HTTP libraries log."""

from __future__ import annotations

import logging

from contentgroove._core.redaction import redact_url

_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
_LOGGERS_OF_HEADERS = ("hpack.hpack", "hpack.table")


class _RedactUrls(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        shown = redact_url(said)
        if shown != said:
            # Otherwise left as it is, for those who group records by what is the same in them.
            record.msg, record.args = shown, ()
        return True


class _SayNothing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return False


_redact_urls = _RedactUrls()
_say_nothing = _SayNothing()


def protect_logs() -> None:
    """Redact URLs: httpx logs those of requests, httpcore those in answers' headers; some are credentials.

    Under HTTP/2, hpack logs all headers, the key's included, at its level DEBUG: as they are, and once more as they are
    encoded, where nothing can be redacted. It logs little else.
    """
    for name in _LOGGERS:
        # A logger has the same filter only once. One at "httpcore" would not see what its children log.
        logging.getLogger(name).addFilter(_redact_urls)
    for name in _LOGGERS_OF_HEADERS:
        logging.getLogger(name).addFilter(_say_nothing)
