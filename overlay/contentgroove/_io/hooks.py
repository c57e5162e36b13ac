"""What an application sees of requests and responses: hooks, debug logs, and logs of the HTTP libraries, redacted."""

from __future__ import annotations

import logging
import time
import weakref
from inspect import isawaitable
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from contentgroove._core.io import CallbackError
from contentgroove._core.redaction import redact_echo, redact_text
from contentgroove._core.responses import TransportFailure
from contentgroove.errors import RequestInfo

from .http import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpcore

    from contentgroove._core.responses import Response
    from contentgroove._core.secret import Secret

_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))
_LOGGERS_OF_HEADERS = ("hpack.hpack", "hpack.table")


class KeyHolder(Protocol):
    """What knows the credentials of requests: the settings of a client, or the credentials of a source of tools."""

    def sent_keys(self) -> Sequence[Secret]:
        """Return what a server may echo."""
        ...


_live: weakref.WeakValueDictionary[int, KeyHolder] = weakref.WeakValueDictionary()
"""All that exist, for their keys."""


def _redact(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    redacted = redact_text(message)
    for holder in list(_live.values()):
        redacted = redact_echo(redacted, holder.sent_keys())
    if redacted != message:
        # Otherwise unchanged, because some applications group records by their format.
        record.msg, record.args = redacted, ()
    return True


def _drop(_record: logging.LogRecord) -> bool:
    return False


def install_log_filters(holder: KeyHolder) -> None:
    """Redact URLs and the credentials of requests: httpx logs the URLs of requests, httpcore the headers of responses.

    With HTTP/2, hpack logs all headers, that of the key included, at level DEBUG: in plain text, and encoded, where
    nothing can be redacted. It logs little else, so its records are dropped.
    """
    _live[id(holder)] = holder
    for name in _LOGGERS:
        # A logger has the same filter only once. A filter at "httpcore" would not see the records of its children.
        logging.getLogger(name).addFilter(_redact)
    for name in _LOGGERS_OF_HEADERS:
        logging.getLogger(name).addFilter(_drop)


class ResponseInfo(Struct, frozen=True):
    """A response, safe to log.

    Attributes:
        request: The request, redacted.
        status_code: The HTTP status.
        elapsed: Seconds from sending the request to the end of the response.
    """

    request: RequestInfo
    status_code: int
    elapsed: float


def call_hook(hook: Callable[..., object], *arguments: object) -> object:
    """Call a hook and return its result; an exception is the application's own, and passes through all code here."""
    try:
        return hook(*arguments)
    except Exception as error:
        raise CallbackError(error) from error


async def call_hook_async(hook: Callable[..., object], *arguments: object) -> None:
    """Call a hook and await its result if it is awaitable, like `call_hook`."""
    try:
        result = hook(*arguments)
        if isawaitable(result):
            await result
    except Exception as error:
        raise CallbackError(error) from error


class Hooks(Struct, frozen=True):
    """The application's functions that are called for each exchange, uploads included.

    Their results are returned, so that an async client can await them.

    Attributes:
        on_request: Called before a request is sent, for each attempt.
        on_response: Called after a response was read.
    """

    on_request: Callable[[RequestInfo], object] | None = None
    on_response: Callable[[ResponseInfo], object] | None = None

    def describe(self, request: httpcore.Request) -> RequestInfo | None:
        """Describe a request, redacted; return None if neither a hook nor the log needs it."""
        if self.on_request is None and self.on_response is None and not logger.isEnabledFor(logging.DEBUG):
            return None
        return RequestInfo(request.method.decode("ascii"), str(request.url))

    def before_request(self, info: RequestInfo) -> object:
        """Call the hook and return its result."""
        return None if self.on_request is None else self.on_request(info)

    def after_response(self, info: RequestInfo, started: float, outcome: Response | TransportFailure) -> object:
        """Log the outcome, call the hook and return its result."""
        elapsed = time.monotonic() - started
        if isinstance(outcome, TransportFailure):
            logger.debug("%s failed after %.0f ms: %s", info, elapsed * 1000, type(outcome.cause).__name__)
            return None
        logger.debug("%s: %d in %.0f ms", info, outcome.status_code, elapsed * 1000)
        if self.on_response is None:
            return None
        return self.on_response(ResponseInfo(info, outcome.status_code, elapsed))
