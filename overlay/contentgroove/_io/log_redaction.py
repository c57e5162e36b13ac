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


class _RedactUrls(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        shown = redact_url(said)
        if shown != said:
            # Otherwise left as it is, for those who group records by what is the same in them.
            record.msg, record.args = shown, ()
        return True


_redact_urls = _RedactUrls()


def protect_logs() -> None:
    """Redact URLs: httpx logs those of requests, httpcore those in answers' headers; some are credentials."""
    for name in _LOGGERS:
        # A logger has the same filter only once. One at "httpcore" would not see what its children log.
        logging.getLogger(name).addFilter(_redact_urls)
