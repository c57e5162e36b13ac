"""Forks children off a process whose threads use a client; parent and children must get their own responses only."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contentgroove import ContentGroove

THREADS = 4
CALLS_OF_CHILD = 3
LONGEST_CHILD = 30
"""Seconds after which a child that hangs is ended."""


def run(client: ContentGroove, runs: int, seed: int) -> list[str]:
    """Fork as many children; return what went wrong."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    stop = threading.Event()
    faults: list[str] = []

    def call_until_stopped(name: str) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            check(client, f"{name}-{count}", faults)

    threads = [threading.Thread(target=call_until_stopped, args=(f"parent-{number}",)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for number in range(runs):
        how = chance.choice(("exit", "close", "close first", "close and call", "two threads"))
        # A random state of the calls.
        stop.wait(chance.uniform(0, 0.004))
        check(client, f"main-{number}", faults)
        pid = os.fork()
        if not pid:
            # Ends the child if it hangs.
            signal.alarm(LONGEST_CHILD)
            os._exit(_child(client, how, number))
        _, status = os.waitpid(pid, 0)
        if status:
            faults.append(f"run {number} ({how}): the child ended with {status}")
    stop.set()
    for thread in threads:
        thread.join()
    return faults


def check(client: ContentGroove, media_id: str, faults: list[str]) -> None:
    """Fetch a media; note any other result."""
    try:
        found = client.medias.get(media_id).id
    except Exception as error:  # noqa: BLE001 - each is a fault
        faults.append(f"{media_id}: {error!r} in {os.getpid()}")
        return
    if found != media_id:
        faults.append(f"{media_id}: got {found}")


def _child(client: ContentGroove, how: str, number: int) -> int:
    faults: list[str] = []
    if how == "close first":
        client.close()
        return 0

    def call(name: str) -> None:
        for count in range(CALLS_OF_CHILD):
            check(client, f"child-{number}-{name}-{count}", faults)

    if how == "two threads":
        threads = [threading.Thread(target=call, args=(name,)) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        call("main")
    if how.startswith("close"):
        client.close()
    return len(faults) > 0
