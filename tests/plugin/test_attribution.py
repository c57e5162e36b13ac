"""The test whose code made a call fails, in its call and in each run, however and whenever the call was made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.process

HEAD = """
import asyncio, contextlib, threading, time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from contentgroove import ContentGroove
from contentgroove_mock import Fault, ManualClock, Simulator, serve

def bad(client):
    client.request("GET", "/medias", query={"limit": 3})

def good(client):
    assert list(client.medias.list()) == []

turns = pytest.mark.parametrize("turn", range(3))
"""

THREADS = """
pool = ThreadPoolExecutor(1)

@turns
def test_thread(contentgroove_client, turn):
    thread = threading.Thread(target=bad, args=[contentgroove_client])
    thread.start()
    thread.join()

@turns
def test_thread_left(contentgroove_client, turn):
    threading.Thread(target=bad, args=[contentgroove_client]).start()

@turns
def test_thread_without_user_code(contentgroove_client, turn):
    arguments = ("GET", "/medias"), {"query": {"limit": 3}}
    threading.Thread(None, contentgroove_client.request, None, *arguments).start()

@turns
def test_timer(contentgroove_client, turn):
    threading.Timer(0.02, bad, [contentgroove_client]).start()

@turns
def test_pool_of_all_tests(contentgroove_client, turn):
    pool.submit(bad, contentgroove_client)

@turns
def test_right_in_the_pool(contentgroove_client, turn):
    pool.submit(good, contentgroove_client).result()

@turns
def test_same_call_of_two(contentgroove_client, turn):
    others = [threading.Thread(target=good, args=[contentgroove_client]) for _ in range(3)]
    wrong = threading.Thread(target=bad, args=[contentgroove_client])
    for thread in (*others, wrong):
        thread.start()
    for thread in (*others, wrong):
        thread.join()

@turns
def test_own_failure(contentgroove_client, turn):
    threading.Thread(target=bad, args=[contentgroove_client]).start()
    raise RuntimeError("something else")

@turns
def test_skipped_later(contentgroove_client, turn):
    bad(contentgroove_client)
    pytest.skip("too late")

def plain(base_url, finished):
    httpx.get(base_url + "/medias?limit=3", headers={"X-API-KEY": "k"})
    finished.append(True)

@turns
def test_plain_client(contentgroove_base_url, turn):
    thread = threading.Thread(target=plain, args=[contentgroove_base_url, []])
    thread.start()
    thread.join()

@turns
def test_plain_client_and_busy_code(contentgroove_base_url, turn):
    threading.Thread(target=plain, args=[contentgroove_base_url, finished := []]).start()
    while not finished:
        pass

@turns
def test_mark_of_another_process(contentgroove_base_url, turn):
    headers = {"X-API-KEY": "k", "X-ContentGroove-Call": "1-1"}
    httpx.get(contentgroove_base_url + "/medias?limit=3", headers=headers)
"""

TASKS = """
left = []

@pytest.fixture
def anyio_backend():
    return "asyncio"

@turns
@pytest.mark.anyio
async def test_awaited(async_contentgroove_client, turn):
    await async_contentgroove_client.request("GET", "/medias", query={"limit": 3})

@turns
@pytest.mark.anyio
async def test_task_left(async_contentgroove_client, turn):
    left.append(asyncio.create_task(async_contentgroove_client.request("GET", "/medias", query={"limit": 3})))

@turns
@pytest.mark.anyio
async def test_task_that_begins_later(async_contentgroove_client, turn):
    async def later():
        # Other tasks and the end of the test come first.
        for _ in range(20):
            await asyncio.to_thread(int)
        await async_contentgroove_client.request("GET", "/medias", query={"limit": 3})

    left.append(asyncio.create_task(later()))

@turns
@pytest.mark.anyio
async def test_thread_of_a_task(contentgroove_client, turn):
    await asyncio.to_thread(bad, contentgroove_client)

@turns
@pytest.mark.anyio
async def test_right(async_contentgroove_client, turn):
    async for _ in async_contentgroove_client.medias.list():
        pass
"""

CUT = """
# Only the response may be late: a busy machine may need longer to connect.
limits = httpx.Timeout(30, read=0.05)

@pytest.fixture
def without_retries(contentgroove_client):
    return contentgroove_client.with_options(max_retries=0, timeout=limits)

def plain(base_url):
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(base_url + "/medias?limit=3", headers={"X-API-KEY": "k"}, timeout=limits)

faults = pytest.mark.parametrize("fault", [
    Fault(kind="reset"),
    Fault(kind="reset", after_commit=True),
    Fault(kind="truncate", after_bytes=3),
    Fault(kind="latency", seconds=600),
], ids=["reset", "reset late", "truncated", "unanswered"])

@turns
@faults
def test_wrong(without_retries, contentgroove_simulator, fault, turn):
    contentgroove_simulator.add_fault(fault)
    with pytest.raises(Exception):
        bad(without_retries)

@turns
@faults
def test_plain_client(contentgroove_base_url, contentgroove_simulator, fault, turn):
    contentgroove_simulator.add_fault(fault)
    plain(contentgroove_base_url)

@turns
@faults
def test_right(without_retries, contentgroove_simulator, fault, turn):
    contentgroove_simulator.add_fault(fault)
    with pytest.raises(Exception):
        without_retries.medias.get("some-id")
"""

LATE = """
from contentgroove import AsyncContentGroove

go_on, go_on_in_the_loop, done, left = threading.Event(), asyncio.Event(), threading.Event(), []

def worker():
    go_on.wait()
    with contextlib.suppress(Exception), ContentGroove() as client:
        bad(client)
    done.set()

async def later():
    await go_on_in_the_loop.wait()
    async with AsyncContentGroove() as client:
        await client.request("GET", "/clips", query={"limit": 3})

@pytest.mark.asyncio(loop_scope="module")
async def test_leaves_a_thread_and_a_task(contentgroove_simulator):
    threading.Thread(target=worker, daemon=True).start()
    left.append(asyncio.create_task(later()))

@pytest.mark.asyncio(loop_scope="module")
async def test_innocent(contentgroove_client):
    go_on.set()
    go_on_in_the_loop.set()
    await asyncio.wait(left)
    await asyncio.to_thread(done.wait)
    good(contentgroove_client)
"""


def verdicts(result: pytest.RunResult) -> dict[str, set[str]]:
    """Return the outcomes of each test, over all turns, by its name; the ids of `fault` are part of it."""
    found: dict[str, set[str]] = {}
    for outcome, name, turn in re.findall(r"^(\w+) \S+::(\w+)(?:\[([^]]*)])?", result.stdout.str(), re.MULTILINE):
        fault = re.sub(r"-?\d$|^\d-?", "", turn)
        found.setdefault(f"{name} {fault}".strip(), set()).add(outcome)
    return found


def test_threads(run: Run) -> None:
    """Threads that a test joins, leaves behind, or has in a pool that outlives it."""
    result = run(HEAD + THREADS, "-rA")
    wrong = ["thread", "thread_left", "thread_without_user_code", "timer", "pool_of_all_tests", "same_call_of_two"]
    wrong += ["own_failure", "skipped_later", "plain_client", "plain_client_and_busy_code", "mark_of_another_process"]
    assert verdicts(result) == {
        **{f"test_{name}": {"FAILED"} for name in wrong},
        "test_right_in_the_pool": {"PASSED"},
    }
    text = result.stdout.str()
    assert "called by test_threads.py::test_same_call_of_two[0], at test_threads.py:10\n" in text
    assert "called by test_threads.py::test_own_failure[2], at test_threads.py:10\n" in text
    assert "called by test_threads.py::test_plain_client[0], at test_threads.py:66\n" in text
    # Both lines may have made the call, and one of them is innocent.
    assert "called by test_threads.py::test_plain_client_and_busy_code[0]\n" in text
    assert "called by test_threads.py::test_mark_of_another_process[1]\n" in text


def test_tasks(run: Run) -> None:
    """Tasks that a test awaits, or leaves to a loop that then stops."""
    found = verdicts(run(HEAD + TASKS, "-rA"))
    wrong = ("awaited", "task_left", "task_that_begins_later", "thread_of_a_task")
    assert found == {**{f"test_{name}": {"FAILED"} for name in wrong}, "test_right": {"PASSED"}}


def test_cut_and_unanswered_requests(run: Run) -> None:
    """What was sent is checked, of the SDK and of any client; the lack of a response is not a violation."""
    found = verdicts(run(HEAD + CUT, "-rA"))
    faults = ("reset", "reset late", "truncated", "unanswered")
    expected = {f"{name} {fault}": {"FAILED"} for name in ("test_wrong", "test_plain_client") for fault in faults}
    assert found == expected | {f"test_right {fault}": {"PASSED"} for fault in faults}


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_what_an_earlier_test_left(run: Run, options: tuple[str, ...]) -> None:
    """It reaches the simulator of the next test, which passes; the run fails, and names the test that started it."""
    result = run(HEAD + LATE, *options)
    result.assert_outcomes(passed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*contract violations after the end of their tests*"])
    caller = "    called by a thread or task that *::test_leaves_a_thread_and_a_task started, at *.py:"
    found = [f"{operation}: request.query.limit: *; seen: 3" for operation in ("getMedias", "getClips")]
    result.stdout.fnmatch_lines_random([*found, f"{caller}10", f"{caller}30"])
