"""Uploads over real sockets when the store or the connection fails, through the whole SDK, sync and async."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import AsyncContentGroove, ContentGroove, OutcomeUnknownError, UploadError
from contentgroove_mock import Fault, ManualClock, Simulator, sample_video, serve

from tests.platforms import PROC

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove_mock import Server

pytestmark = pytest.mark.slow

SIZE = 64 * 1024 * 1024


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A large file that counts as a video: the sample, followed by zeros."""
    path = tmp_path / "film.mp4"
    path.write_bytes(sample_video().read_bytes())
    os.truncate(path, SIZE)
    return path


@pytest.fixture
def server() -> Generator[Server, None, None]:
    """A simulator on a real socket."""
    with serve(Simulator()) as served:
        yield served


def upload(kind: str, base_url: str, film: Path, identify: Any = None, **options: Any) -> tuple[Any, int]:
    """Upload with one kind of client; returns the media and the maximum of bytes that were sent in one attempt."""
    max_sent = 0

    def progress(sent: int, _total: int) -> None:
        nonlocal max_sent
        max_sent = max(max_sent, sent)

    if kind == "sync":
        with ContentGroove("fault-key", base_url, sleep=lambda _seconds: None, **options) as client:
            return client.medias.upload(film, progress=progress, identify=identify), max_sent

    async def no_pause(_seconds: float) -> None:
        """Do not wait."""

    async def run() -> Any:
        async with AsyncContentGroove("fault-key", base_url, sleep=no_pause, **options) as client:
            return await client.medias.upload(film, progress=progress, identify=identify)

    return asyncio.run(run()), max_sent


def puts(server: Server) -> list[int | None]:
    """Return the statuses of all PUTs so far."""
    return [record.status for record in server.simulator.requests if record.method == "PUT"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_expired_url_is_noticed_early_and_replaced(server: Server, film: Path, kind: str) -> None:
    """The store's error is noticed although it arrives during the upload, and the file is sent to a new URL."""
    server.simulator.add_fault(Fault(kind="expired", operation="upload"))
    media, _ = upload(kind, server.base_url, film)
    assert media.id
    assert puts(server) == [403, 200]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_lasting_rejection_is_an_error(server: Server, film: Path, kind: str) -> None:
    """Without retries the rejection is an error with the store's status, long before the whole file is sent."""
    server.simulator.add_fault(Fault(kind="expired", operation="upload", count=9))
    with pytest.raises(UploadError) as caught:
        upload(kind, server.base_url, film, max_retries=0)
    assert (caught.value.reason, caught.value.status_code) == ("expired", 403)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_reset_during_an_upload_is_retried(server: Server, film: Path, kind: str) -> None:
    """If the connection is reset after some megabytes, the whole file is sent again."""
    server.simulator.add_fault(Fault(kind="reset", operation="upload", after_bytes=5_000_000))
    media, max_sent = upload(kind, server.base_url, film)
    assert media.id
    assert max_sent == SIZE


LOST = Fault(kind="status", operation="createMedia", status=503, after_commit=True)


@pytest.mark.parametrize(
    "fault",
    [
        {"code": "RequestTimeout", "drain": True},
        {"code": "IncompleteBody"},
        {"code": "SlowDown", "retry_after": "0.5"},
        {"code": "rateLimitExceeded", "store": "google"},
        {"code": "ServerBusy", "store": "azure"},
    ],
    ids=lambda fault: str(fault["code"]),
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_upload_is_retried_by_the_stores_code(server: Server, film: Path, kind: str, fault: Any) -> None:
    """Temporary errors of each store are noticed over the wire, and the whole file is sent again."""
    os.truncate(film, 1024 * 1024)
    server.simulator.add_fault(Fault(kind="status", operation="upload", **fault))
    media, max_sent = upload(kind, server.base_url, film)
    assert media.id
    assert max_sent == 1024 * 1024
    assert len(puts(server)) == 2
    assert puts(server)[1] == 200


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_upload_follows_a_redirect_to_another_host(server: Server, film: Path, kind: str) -> None:
    """The redirect is noticed early, the file goes to the other host of the store, and the key to none."""
    server.simulator.add_fault(Fault(kind="status", operation="upload", code="TemporaryRedirect"))
    media, max_sent = upload(kind, server.base_url, film)
    assert media.id
    assert (puts(server), max_sent) == ([307, 200], SIZE)
    hosts = [record.headers["host"] for record in server.simulator.requests if record.method == "PUT"]
    assert [host.partition(":")[0] for host in hosts] == ["127.0.0.1", "localhost"]
    sent = [record.headers for record in server.simulator.requests if record.method == "PUT"]
    assert not {"authorization", "x-api-key", "cookie"} & {name for headers in sent for name in headers}
    prepared = [record for record in server.simulator.requests if record.operation == "getUploadUrl"]
    assert len(prepared) == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_creation_whose_response_is_lost(server: Server, film: Path, kind: str) -> None:
    """503 after the media was created: the outcome is unknown, and nothing is sent again."""
    server.simulator.add_fault(LOST)
    with pytest.raises(OutcomeUnknownError) as caught:
        upload(kind, server.base_url, film)
    with ContentGroove("fault-key", server.base_url) as client:
        assert [item.id for item in client.medias.list()] == [media.id for media in caught.value.candidates]
    assert puts(server) == [200]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_lost_creation_is_found_by_its_marker(film: Path, kind: str) -> None:
    """It is not created twice, and found by the service's time even if this machine's clock is far ahead."""
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    with serve(Simulator(clock=ManualClock(yesterday))) as server:
        server.simulator.add_fault(LOST)
        media, _ = upload(kind, server.base_url, film, identify="description")
        with ContentGroove("fault-key", server.base_url) as client:
            assert [(item.id, item.description) for item in client.medias.list()] == [(media.id, "")]


def open_sockets() -> set[str]:
    """Return the sockets of this process."""
    folder = Path("/proc/self/fd")
    return {
        str(link.readlink()) for link in folder.iterdir() if link.is_symlink() and "socket:" in str(link.readlink())
    }


@PROC
@pytest.mark.anyio
async def test_a_cancelled_upload_leaves_no_socket(server: Server, film: Path) -> None:
    """Cancelling an upload closes the connection to the store; the client still works."""
    server.simulator.add_fault(Fault(kind="stall", operation="upload", after_bytes=3_000_000, seconds=60))
    started = asyncio.Event()

    def progress(sent: int, _total: int) -> None:
        if sent:
            started.set()

    async with AsyncContentGroove("fault-key", server.base_url) as client:
        assert [media async for media in client.medias.list()] == []
        before = open_sockets()
        task = asyncio.create_task(client.medias.upload(film, progress=progress))
        await asyncio.wait_for(started.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.simulator.clear_faults()
        # The store's end is in this process as well and may still be open; the client's may not.
        assert len(open_sockets() - before) <= 1
        assert (await client.medias.upload(sample_video())).id
