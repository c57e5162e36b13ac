"""`contentgroove webhooks work`: an app's handlers in their own process, which ends at a signal."""

from __future__ import annotations

import _thread
import contextlib
import logging
import os
import signal
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks import HandlerError, Inbox, SQLiteInbox, WebhookReceiver

from .command import STOP_SIGNALS
from .exit_codes import CommandError, ExitCode
from .output import multi_line, write_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from .output import Output


def import_receiver(name: str, location: str | None, inbox: Inbox) -> WebhookReceiver:
    """Import the app's receiver (`module:name`), or call the app's function that creates it.

    The location is the value of --inbox, and the inbox is the one opened there.
    """
    found = _import_object(name)
    if isinstance(found, WebhookReceiver):
        # Only the repr of an inbox in a file shows its location.
        if location is not None and not (isinstance(inbox, SQLiteInbox) and repr(found.inbox) == repr(inbox)):
            raise CommandError(
                ExitCode.USAGE,
                f"{name} keeps its events in {found.inbox!r}, not in {location}.",
                "Omit --inbox, or name a function that takes the inbox and returns a WebhookReceiver.",
            )
        return found
    if not callable(found):
        raise CommandError(ExitCode.USAGE, f"{name} must be a WebhookReceiver, not {type(found).__name__}.")
    if location is None:
        raise CommandError(ExitCode.USAGE, f"{name} is a function: pass --inbox FILE, which it is called with.")
    receiver = found(inbox)
    if not isinstance(receiver, WebhookReceiver):
        raise CommandError(
            ExitCode.USAGE, f"{name}(inbox) must return a WebhookReceiver, not {type(receiver).__name__}."
        )
    return receiver


def _import_object(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise CommandError(
            ExitCode.USAGE, f"{name!r} is not the name of a receiver: write MODULE:NAME, such as shop:receiver."
        )
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - a search path is text
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        # An app may raise any error while it is imported.
        raise CommandError(
            ExitCode.USAGE, f"Cannot import {name}: {type(error).__name__}: {error}.", "Pass --debug to see where."
        ) from error
    return found


def work_once(out: Output, receiver: WebhookReceiver) -> None:
    """Handle the events that are due."""
    stopping = threading.Event()
    with until_signalled(out, stopping.set, receiver.grace):
        try:
            handled = receiver.process_pending(should_stop=stopping.is_set)
        except HandlerError as error:
            raise CommandError(
                ExitCode.FAILED, error.message, "See: contentgroove webhooks events --inbox FILE"
            ) from error
        out.summary(f"{handled} event{'s' * (handled != 1)} handled.")


def work(out: Output, receiver: WebhookReceiver, poll_interval: float) -> None:
    """Handle events as they are recorded, until a signal; the current event is finished first, or handed back."""
    stopping = threading.Event()

    def stop() -> None:
        stopping.set()
        receiver.stop_worker()

    with until_signalled(out, stop, receiver.grace):
        out.summary("Working (Ctrl-C stops after the current event)")
        receiver.work(poll_interval=poll_interval, should_stop=stopping.is_set)
    out.summary("Stopped.")


@contextlib.contextmanager
def until_signalled(out: Output, stop: Callable[[], object], grace: float | None = None) -> Generator[None]:
    """Call a function at SIGTERM or Ctrl-C, and print warnings until then; a second Ctrl-C interrupts at once.

    After the grace, in seconds, the context's body is interrupted as well, and left without an error.
    """
    interrupt = _Interrupt()

    def signalled(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()
        if grace is not None:
            interrupt.schedule(grace)
        # The signal may arrive while another message is written.
        with contextlib.suppress(RuntimeError):
            out.summary("Stopping after the current event (press Ctrl-C again to interrupt it)")

    before = {number: signal.signal(number, signalled) for number in STOP_SIGNALS}
    logger, log = logging.getLogger("contentgroove"), _Log()
    logger.addHandler(log)
    try:
        yield
    except KeyboardInterrupt:
        if not interrupt.happened:
            raise
        out.summary("The current event was interrupted and handed back.")
    finally:
        interrupt.cancel()
        logger.removeHandler(log)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Interrupt:
    """Interrupts the main thread after some time, like Ctrl-C.

    Attributes:
        happened: Whether it has.
    """

    def __init__(self) -> None:
        self.happened = False
        self._timer: threading.Timer | None = None

    def schedule(self, seconds: float) -> None:
        """Interrupt after some seconds, unless that is already scheduled."""
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._interrupt)
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """Do not interrupt any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _interrupt(self) -> None:
        self.happened = True
        if sys.platform == "win32":
            _thread.interrupt_main()
        else:
            # A real signal also ends a blocking system call.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


class _Log(logging.Handler):
    """Writes warnings and errors to standard error, with the tracebacks of an app's handlers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        write_error(multi_line(self.format(record)))
