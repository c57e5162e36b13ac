"""Forwards the events that `contentgroove webhooks listen` receives, and the last one again at a key."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from contentgroove._io.interruptible import take

from .output import is_terminal
from .webhook_posting import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox

    from .output import Output
    from .webhook_posting import Posted, Target

REPLAY_KEY = "r"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is forwarded: an event's key, its body and the type that the sender named."""

    key: str
    body: bytes
    content_type: str = JSON_TYPE


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A delivery and what the application returned."""

    delivery: Delivery
    posted: Posted


class Forwarder:
    """Forwards deliveries one after the other in a thread of its own: a slow application delays no sender.

    Args:
        target: Where they are forwarded to.
        report: Called with each result, in that thread.
    """

    def __init__(self, target: Target, report: Callable[[Forwarded], object]) -> None:
        self._target = target
        self._report = report
        self._waiting = SimpleQueue[Delivery]()
        self.last: Delivery | None = None
        # It is in the middle of an exchange when the command ends: what it has not forwarded is in the inbox.
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def target(self) -> str:
        """The URL, without its credentials."""
        return self._target.shown

    def forward(self, delivery: Delivery) -> None:
        """Forward a delivery when those before it are."""
        self.last = delivery
        self._waiting.put(delivery)

    def _run(self) -> None:
        while True:
            delivery = take(self._waiting)
            self._report(Forwarded(delivery, self._target.post(delivery.body, delivery.content_type)))


def last_event(inbox: Inbox) -> Delivery | None:
    """Return the event that an inbox recorded last."""
    return next((Delivery(event.key, event.body) for event in inbox.events(limit=1)), None)


def print_forwarded(out: Output, forwarded: Forwarded, target: str) -> None:
    """Print what the application returned."""
    posted = forwarded.posted
    document = {
        "key": forwarded.delivery.key,
        "to": target,
        "status": posted.status,
        "delivered": posted.delivered,
        "reason": posted.reason or None,
        "seconds": round(posted.seconds, 3),
    }
    outcome = "delivered" if posted.delivered else "not delivered"
    status = "no response" if posted.status is None else f"{posted.status}"
    details = [posted.reason] if posted.reason else []
    out.line(document, ["forwarded", outcome, status, f"{posted.seconds:.2f} s", forwarded.delivery.key, *details])


def watch_keys(pressed: Callable[[], object]) -> bool:
    """Call a function at each line `r` on a terminal; False if standard input is none."""
    if not is_terminal(sys.stdin):
        return False
    # In the background, reading would stop the process; so it fails instead.
    with contextlib.suppress(AttributeError, ValueError):
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    threading.Thread(target=_read_keys, args=(sys.stdin.fileno(), pressed), daemon=True).start()
    return True


def _read_keys(descriptor: int, pressed: Callable[[], object]) -> None:
    # Python cannot end while a thread reads from sys.stdin.
    with contextlib.suppress(OSError):
        while text := os.read(descriptor, 1024):
            for line in text.decode("utf-8", "replace").splitlines():
                if line.strip().lower() == REPLAY_KEY:
                    pressed()
