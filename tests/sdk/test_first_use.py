"""The first use of the SDK: by several threads at the same moment, and of single names."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

ROUNDS = 6
"""The number of processes; without the lock, four in ten die."""

RACE = """
import sys, threading
from contentgroove_api.types import UnexpectedBody, decode_body
from contentgroove_api.models.clip_document import ClipDocument
from contentgroove_api.models.media_document import MediaDocument
from contentgroove_api.models.media_list import MediaList

sys.setswitchinterval(1e-6)
kinds = [MediaDocument, MediaList, ClipDocument]
start = threading.Barrier(15)

def use(kind):
    start.wait()
    try:
        decode_body(200, b'{"data": {"id": "m", "attributes": {"name": "x"}}}', kind)
    except UnexpectedBody:
        pass

threads = [threading.Thread(target=use, args=(kinds[index % 3],)) for index in range(15)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


def test_threads_decode_their_first_responses_at_once() -> None:
    """The process outlives it."""
    for _ in range(ROUNDS):
        ran = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", RACE], capture_output=True, encoding="utf-8", timeout=60, check=False
        )
        assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr


@pytest.mark.parametrize("module", ["contentgroove", "contentgroove.types"])
def test_names_are_loaded_on_first_use(module: str) -> None:
    """Importing a module of names loads nothing else of the SDK, and a name only what it needs."""
    code = f"""
import sys
import {module}
own = {{name for name in sys.modules if name.startswith("contentgroove")}}
assert own == {{"contentgroove", "{module}"}}, own
{module}.Page
assert not sys.modules.keys() & {{"httpx", "httpcore", "asyncio", "contentgroove._sync", "contentgroove._io"}}
"""
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
