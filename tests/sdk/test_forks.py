"""A client and the processes that are forked off its own: each has its own connections, and none harms another's."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove
from contentgroove._io.client_options import lazy
from contentgroove._io.file_locks import file_lock
from contentgroove_mock import Simulator, serve

from tests.platforms import FORK

from .conftest import BASE, KEY, media_json, one
from .servers import http_response, server
from .test_stopping import PREPARED
from .test_uploads import MP4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.process,
    FORK,
    # Python 3.12 and newer warn of what these tests are about.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

LONGEST = 30
"""Seconds after which a child that hangs is ended."""


def in_child(work: Callable[[], object]) -> int:
    """Do something in a child process; return 0 if it ended well."""
    pid = os.fork()
    if not pid:
        # Ends the child if it hangs.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LONGEST)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


@pytest.fixture
def url() -> Iterator[str]:
    """The base URL of a simulated service."""
    with serve(Simulator()) as simulated:
        yield simulated.base_url


@pytest.mark.slow
@pytest.mark.parametrize(("campaign", "runs"), [("forks", 16), ("stops", 40)])
def test_a_campaign_finds_nothing(campaign: str, runs: int) -> None:
    """A few runs of each; the command makes as many as anybody likes."""
    command = [sys.executable, "-m", "tests.sdk.campaigns", campaign, "--runs", str(runs), "--seed", "1"]
    done = subprocess.run(  # noqa: S603 - this interpreter
        command, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.stdout.endswith("\n0 faults\n"), done.stdout + done.stderr
    assert done.returncode == 0


def test_a_child_that_closes_leaves_its_parents_upload_alone(tmp_path: Path) -> None:
    """In the middle of the file: neither the connection nor the checkpoint's lock ends."""
    reached, forked = threading.Event(), threading.Event()
    size = 12_000_000
    file = tmp_path / "film.mp4"
    file.write_bytes(MP4 + bytes(size))
    received: list[int] = []

    def store(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            head = connection.recv(1000)
            reached.set()
            assert forked.wait(LONGEST)
            missing = len(MP4) + size - len(head.partition(b"\r\n\r\n")[2])
            while missing > 0 and (part := connection.recv(65536)):
                missing -= len(part)
            received.append(missing)
            connection.sendall(http_response(b""))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=store, args=(listener,))
        serving.start()
        prepared = http_response(PREPARED.format(url=f"http://127.0.0.1:{listener.getsockname()[1]}/x").encode())
        responses = [prepared, http_response(one(media_json()).content)]

        def api(connection: socket.socket) -> None:
            connection.sendall(responses.pop(0).replace(b"Content-Type", b"Connection: close\r\nContent-Type"))

        with server(api) as (base_url, _), ContentGroove("key", base_url, max_retries=0) as client:
            outcome: list[str] = []
            thread = threading.Thread(
                target=lambda: outcome.append(client.medias.upload(file, checkpoint=tmp_path / "film.json").id)
            )
            thread.start()
            assert reached.wait(LONGEST)
            status = in_child(client.close)
            assert (tmp_path / "film.json.lock").exists()
            forked.set()
            thread.join(LONGEST)
        serving.join(LONGEST)
    assert (status, received, outcome) == (0, [0], ["m-1"])


def test_a_fork_in_a_callback_leaves_the_upload_to_the_parent(url: str) -> None:
    """The child that returns from it does not send on the parent's connection."""
    parent = os.getpid()
    statuses: list[int] = []

    def fork(sent: int, total: int) -> None:
        if sent and sent < total and not statuses:
            statuses.append(in_child(lambda: None) if os.getpid() == parent else 1)

    with ContentGroove("key", url) as client:
        media = client.medias.upload(MP4 + bytes(5_000_000), progress=fork)
        assert client.medias.get(media.id).id == media.id
    assert statuses == [0]


def test_a_lock_that_another_thread_holds_at_the_fork(url: str) -> None:
    """The child does not wait for it."""
    with ContentGroove("key", url) as client:
        process = client._io._process()
        with process.lock:
            assert in_child(lambda: list(client.medias.list(limit=1))) == 0


def test_the_pace_of_a_parent_that_waits(url: str) -> None:
    """A child waits neither for the lock of the parent's pacer nor for the calls in its queue."""
    with ContentGroove("key", url, rate_limit=1000) as client:
        pacer = client._session.pacer
        pacer.record_refused(0, 0.0, 0.001, lambda _count: 0.001)
        for _ in range(1000):
            pacer.try_start(pacer.take_ticket(), 0.0)
        with pacer._lock:
            assert in_child(lambda: list(client.medias.list(limit=1))) == 0


def test_an_attribute_that_is_being_created_at_the_fork() -> None:
    """The child creates its own, although a thread of the parent is in the middle."""
    begun, leave = threading.Event(), threading.Event()
    main = threading.main_thread()

    class Owner:
        @lazy
        def item(self) -> int:
            """Wait in another thread only."""
            if threading.current_thread() is not main:
                begun.set()
                leave.wait(LONGEST)
            return 1

    owner = Owner()
    thread = threading.Thread(target=lambda: owner.item)
    thread.start()
    assert begun.wait(LONGEST)
    assert in_child(lambda: owner.item) == 0
    leave.set()
    thread.join(LONGEST)


def test_a_child_that_is_a_pool_worker(url: str) -> None:
    """Children of multiprocessing use the client that they inherit."""
    with ContentGroove("key", url) as client:
        list(client.medias.list(limit=1))

        def work(results: Any) -> None:
            results.put(len(list(client.medias.list(limit=1))))

        context = multiprocessing.get_context("fork")
        results = context.SimpleQueue()
        children = [context.Process(target=work, args=(results,)) for _ in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join(LONGEST)
        assert [child.exitcode for child in children] == [0, 0, 0]
        assert list(client.medias.list(limit=1)) == []


def test_a_child_closes_no_inherited_socket_of_the_parent(url: str) -> None:
    """It uses a descriptor of its own, and the parent's idle connection is used again."""
    with ContentGroove("key", url) as client:
        list(client.medias.list(limit=1))
        before = client_sockets(client)

        def work() -> None:
            list(client.medias.list(limit=1))
            assert not before & client_sockets(client)
            client.close()

        assert in_child(work) == 0
        list(client.medias.list(limit=1))
        assert client_sockets(client) == before != set()


def client_sockets(client: ContentGroove) -> set[int]:
    """Return the idle connections of a client, as the kernel numbers them."""
    stacks: Any = client._io._process().transports.values()
    found = [connection.descriptor for stack in stacks for connection in stack._free]
    return {os.fstat(descriptor).st_ino for descriptor in found if descriptor >= 0}


async def count_medias(client: AsyncContentGroove) -> int:
    """Count the medias."""
    return len([media async for media in client.medias.list(limit=1)])


def test_an_async_client_in_a_child(url: str) -> None:
    """Its loop is a new one, although the parent's was running at the fork; closing it there closes nothing here."""

    async def use() -> list[int]:
        client = AsyncContentGroove("key", url)
        found = [await count_medias(client)]

        def work() -> None:
            async def use_and_close() -> None:
                assert await count_medias(client) == 0
                await client.aclose()

            asyncio.events._set_running_loop(None)
            asyncio.run(use_and_close())

        assert in_child(work) == 0
        found.append(await count_medias(client))
        await client.aclose()
        return found

    assert asyncio.run(use()) == [0, 0]


def test_a_batch_in_a_child() -> None:
    """It says whose it is, and its end waits for no thread of the parent."""
    gate, begun = threading.Event(), threading.Event()

    def handler(_request: httpx.Request) -> httpx.Response:
        begun.set()
        gate.wait(LONGEST)
        return httpx.Response(500)

    with (
        httpx.Client(transport=httpx.MockTransport(handler)) as own,
        ContentGroove(KEY, BASE, http_client=own, max_retries=0) as client,
    ):
        results = client.medias.upload_many([b"no", MP4], concurrency=2)
        outcome: list[Any] = []
        thread = threading.Thread(target=lambda: outcome.extend(results))
        thread.start()
        assert begun.wait(LONGEST)
        gate.set()
        thread.join(LONGEST)
        assert len(outcome) == 2

        again = client.medias.upload_many([MP4, MP4, MP4], concurrency=1)
        next(again)

        def work() -> None:
            with pytest.raises(ConfigurationError, match="another process"):
                next(again)
            again.close()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] - a generator

        assert in_child(work) == 0
        assert len(list(again)) == 2


def test_a_child_releases_no_lock_of_its_parent(tmp_path: Path) -> None:
    """A file lock is inherited, its release is not."""
    path = tmp_path / "film.json.lock"
    lock = file_lock(path)
    lock.take()
    assert in_child(lock.release) == 0
    assert path.exists()
    with pytest.raises(BlockingIOError):
        file_lock(path).take()
    lock.release()
    assert not path.exists()


def test_children_do_not_share_their_jitter() -> None:
    """Whatever seed the application sets."""
    random.seed(1)
    draws: list[list[float]] = []
    for _ in range(2):
        random.seed(1)
        client = ContentGroove(KEY, BASE)
        draws.append([client._session.random() for _ in range(4)])
    assert draws[0] != draws[1]
    assert all(0 <= draw < 1 for draw in draws[0])


@pytest.mark.parametrize("make", [ContentGroove, AsyncContentGroove])
@pytest.mark.parametrize("dump", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_holds_connections_cannot_be_copied(make: Any, dump: Callable[[object], object]) -> None:
    """A sentence says what to do instead."""
    client = make(KEY, BASE)
    for item in (client, client.medias, client.medias.with_raw_response, client.medias.list()):
        with pytest.raises(TypeError, match="create the client in each process"):
            dump(item)
    with pytest.raises(TypeError, match="create the client in each process"):
        pickle.dumps(client.medias.get)
