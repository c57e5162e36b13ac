"""What the commands that run until they are told to stop have in common: signals and logs."""

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
    """Call something at SIGTERM or Ctrl-C; a second Ctrl-C interrupts at once. Meanwhile warnings are shown."""

    def signalled(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()
        # The signal may have come in the middle of another message.
        with contextlib.suppress(RuntimeError):
            out.summary("Stopping after what is begun (Ctrl-C interrupts it)")

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
    """Writes warnings and failures, with the tracebacks of an app's handlers, to standard error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        write_error(multi_line(self.format(record)))
