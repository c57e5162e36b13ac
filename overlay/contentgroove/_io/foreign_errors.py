"""Tells an application's exceptions from those of the network: signal handlers and time limits raise theirs anywhere.

A worker's time limit raises an exception of any class in the middle of whatever runs. Code that takes it for a broken
connection would retry, and the worker would never stop.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, cast

import httpcore

from contentgroove._core.io import CallbackError
from contentgroove._core.tracebacks import drop_frames
from contentgroove.errors import ContentGrooveError

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType, TracebackType

_LIBRARIES = frozenset(
    {
        *("_socket", "_ssl", "asyncio", "contextlib", "encodings", "selectors", "socket", "ssl", "threading", "zlib"),
        *("aiohttp", "anyio", "h11", "h2", "hpack", "httpcore", "httpx", "httpx_aiohttp", "hyperframe"),
        *("idna", "requests", "socksio", "trio", "urllib3", "uvloop", "contentgroove"),
    }
)
"""The packages that send requests: what they define or raise is about the network."""

_NETWORK_ERRORS = ("TimeoutException", "NetworkError", "ProtocolError", "ProxyError", "UnsupportedProtocol")


def foreign_error(error: Exception, handled: BaseException | None) -> Exception | None:
    """Return the exception of the application that this one is, or that the HTTP library took for its own.

    Args:
        error: What was raised while a request was sent.
        handled: What the caller was already handling before: neither it nor its causes were raised since.
    """
    raised = _unwrapped(error)
    if _is_foreign(raised):
        return raised
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and current is not handled and id(current) not in seen:
        if isinstance(current, Exception) and was_raised_by_signal_handler(current):
            return current
        if isinstance(current, OSError) and _is_foreign(current):
            return current
        if _top_level(type(current).__module__) == "contentgroove":
            # It knows its cause, such as what a file of the application raised.
            return None
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None


def is_foreign_os_error(error: OSError) -> bool:
    """Return whether something else than the system call in progress raised an OSError."""
    # The system always says what happened; an exception that another thread sets has no arguments.
    return _is_foreign(error) or (not error.args and _innermost_package(error) in _LIBRARIES)


def raise_if_foreign(error: OSError) -> None:
    """Raise an OSError again that a signal handler or a time limit raised, rather than the system call in progress."""
    if is_foreign_os_error(error):
        raise error


@contextlib.contextmanager
def ignoring(*kinds: type[Exception]) -> Generator[None, None, None]:
    """Ignore exceptions like `contextlib.suppress`, but not those of a signal handler or a time limit."""
    try:
        yield
    except kinds as error:
        if is_foreign_os_error(error) if isinstance(error, OSError) else was_raised_by_signal_handler(error):
            raise


def network_error(error: Exception, timed_out: type[Exception], failed: type[Exception]) -> Exception:
    """Return the exception of httpcore for what a socket raised; one that carries it if the socket did not raise it."""
    raised = _unwrapped(error)
    if is_foreign_os_error(raised) if isinstance(raised, OSError) else _is_foreign(raised):
        # The frames of sockets have requests with credentials.
        drop_frames(raised, raised.__context__)
        return CallbackError(raised)
    if isinstance(error, (timed_out, failed)):
        return error
    return (timed_out if isinstance(error, TimeoutError) else failed)(str(error))


def _unwrapped(error: Exception) -> Exception:
    # Python up to 3.12 replaces what is raised while it encodes a name by another exception of the same class.
    cause = error.__cause__
    if (
        isinstance(cause, Exception)
        and type(cause) is type(error)
        and was_raised_by_signal_handler(cause)
        and not was_raised_by_signal_handler(error)
    ):
        return cause
    return error


def _is_foreign(error: Exception) -> bool:
    if was_raised_by_signal_handler(error) or isinstance(error, ContentGrooveError):
        return True
    httpx = sys.modules.get("httpx")
    if httpx is not None and isinstance(error, httpx.HTTPStatusError):
        # Only code of the application takes a status for an error.
        return True
    network_errors = [getattr(httpcore, name) for name in _NETWORK_ERRORS]
    # An application's own transport may derive its errors from these.
    if isinstance(error, (*network_errors, *(() if httpx is None else (httpx.TransportError,)))):
        return False
    defined_in = _top_level(type(error).__module__)
    if defined_in != "builtins":
        return defined_in not in _LIBRARIES
    # Any code raises Python's own exceptions with a reason; one that another thread sets has no arguments.
    return not error.args and not isinstance(error, OSError) and _innermost_package(error) in _LIBRARIES


def _innermost_package(error: Exception) -> str:
    traceback = error.__traceback__
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return _top_level(traceback.tb_frame.f_globals.get("__name__") or "")


def was_raised_by_signal_handler(error: Exception) -> bool:
    """Return whether one of the frames is a signal handler's: Python passes it the frame that it interrupts."""
    traceback: TracebackType | None = error.__traceback__
    interrupted: FrameType | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        if interrupted is not None:
            for value in frame.f_locals.values():
                # `*arguments` are a tuple.
                arguments = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
                if any(argument is interrupted for argument in arguments):
                    return True
        interrupted, traceback = frame, traceback.tb_next
    return False


def _top_level(module: str) -> str:
    return module.partition(".")[0]
