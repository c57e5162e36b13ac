"""Raises exceptions in signal handlers at random moments of calls; each must arrive, and harm nothing that follows."""

from __future__ import annotations

import random
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contentgroove import ContentGroove

LONGEST = 0.03
"""Seconds after which the signal comes at the latest."""

MOST_CALLS = 1000
"""Calls in which the signal must have come."""


VIDEO = b"\0\0\0\x18ftypmp42" + bytes(400_000)


class TimeLimitError(Exception):
    """Like those of workers."""


class OwnTimeoutError(TimeoutError):
    """An application's."""


KINDS = (TimeLimitError, OwnTimeoutError, TimeoutError, ConnectionResetError, OSError, ValueError, KeyboardInterrupt)


def run(client: ContentGroove, runs: int, seed: int) -> list[str]:
    """Interrupt as many calls; return what went wrong."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    faults: list[str] = []
    stop = threading.Event()
    # First, because Python's own imports do not survive an exception at any moment.
    for name in ("new", "busy-new"):
        _check(client, name, faults)
    client.medias.upload(VIDEO)
    threads = [threading.Thread(target=_use, args=(client, f"other-{name}", stop, faults)) for name in range(2)]
    for thread in threads:
        thread.start()
    for number in range(runs):
        _interrupt(client, number, chance, faults)
    stop.set()
    for thread in threads:
        thread.join()
    return faults


def _use(client: ContentGroove, name: str, stop: threading.Event, faults: list[str]) -> None:
    count = 0
    while not stop.is_set():
        count += 1
        _check(client, f"{name}-{count}", faults)


def _interrupt(client: ContentGroove, number: int, chance: random.Random, faults: list[str]) -> None:
    expected: BaseException = chance.choice(KINDS)("the time is up")
    raised: list[str] = []
    ignored: list[BaseException | None] = []
    # Python itself ignores what is raised while it frees objects.
    sys.unraisablehook = lambda unraisable: ignored.append(unraisable.exc_value)

    def handler(_signum: int, frame: Any) -> None:
        raised.append("".join(traceback.format_stack(frame, 3)))
        raise expected

    signal.signal(signal.SIGALRM, handler)
    kind = chance.choice(("get", "get", "get", "busy", "upload"))
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0002, LONGEST))
        for count in range(MOST_CALLS):
            if raised:
                if expected in ignored:
                    break
                faults.append(f"run {number}: {expected!r} was lost in\n{raised[0]}")
                break
            media_id = "new" if kind == "upload" else f"{kind}-{number}-{count}"
            found = client.medias.upload(VIDEO).id if kind == "upload" else client.medias.get(media_id).id
            if found != media_id:
                faults.append(f"{media_id}: got {found}")
    except BaseException as error:  # noqa: BLE001 - each but the expected one is a fault
        if error is not expected:
            faults.append(f"run {number}: {error!r} instead of {expected!r}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _check(client, f"after-{number}", faults)


def _check(client: ContentGroove, media_id: str, faults: list[str]) -> None:
    try:
        found = client.medias.get(media_id).id
    except Exception as error:  # noqa: BLE001 - each is a fault
        faults.append(f"{media_id}: {error!r}")
        return
    if found != media_id:
        faults.append(f"{media_id}: got {found}")
