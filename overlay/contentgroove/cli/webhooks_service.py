"""Signals and logs of the commands that run until a signal stops them."""

from __future__ import annotations

import contextlib
import logging
import signal
from typing import TYPE_CHECKING

from .harmless import multi_line
from .output import write_error
from .stopping import STOP_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from .output import Output


@contextlib.contextmanager
def until_signalled(out: Output, stop: Callable[[], object]) -> Generator[None]:
    """Call a function at SIGTERM or Ctrl-C, and print warnings until then; a second Ctrl-C interrupts at once."""

    def signalled(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()
        # The signal may arrive while another message is written.
        with contextlib.suppress(RuntimeError):
            out.summary("Stopping after the current event (press Ctrl-C again to interrupt it)")

    before = {number: signal.signal(number, signalled) for number in STOP_SIGNALS}
    logger, log = logging.getLogger("contentgroove"), _Log()
    logger.addHandler(log)
    try:
        yield
    finally:
        logger.removeHandler(log)
        for number, handler in before.items():
            signal.signal(number, handler)


class _Log(logging.Handler):
    """Writes warnings and errors to standard error, with the tracebacks of an app's handlers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        write_error(multi_line(self.format(record)))
