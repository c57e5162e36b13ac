"""A program that is recorded with a service gets the same from the recording, without a network."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove, NotFoundError, UnprocessableEntityError
from contentgroove_mock import ManualClock, Policy, Simulator, sample_video, serve
from contentgroove_mock.contract import CheckedApp, Checker
from contentgroove_mock.recording.replay import Replay
from contentgroove_mock.simulator.server import serve_app

from tests.recording.upstream import KEY, recording_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


def journey(client: ContentGroove) -> list[object]:
    """Do what applications do, and return what they see."""
    states: list[bool | None] = []
    media = client.medias.upload(sample_video(), name="Film")
    media = client.medias.wait(media, poll_interval=0.5, on_update=lambda item: states.append(item.is_processing))
    clip = client.clips.create(media_id=media.id, name="Own", start_time=1, end_time=2.5)
    clip = client.clips.wait(clip, poll_interval=0.5)
    second = client.medias.create(source_url="https://films.example/second.mp4", name="Second")
    pages = [[item.id for item in page.items] for page in client.medias.list(page_size=1).pages()]
    subscription = client.webhook_subscriptions.create(url="https://hooks.example/contentgroove")
    client.webhook_subscriptions.delete(subscription.id)
    with pytest.raises(UnprocessableEntityError) as invalid:
        client.clips.create(media_id=media.id, name="Late", start_time=0, end_time=86400)
    client.medias.delete(media.id)
    with pytest.raises(NotFoundError) as gone:
        client.medias.get(media.id)
    details = [gone.value.errors, invalid.value.errors]
    return [media, states, clip, second, pages, subscription, details]


def recorded_journey(file: Path) -> list[object]:
    """Record a journey with the simulator."""
    simulator = Simulator(clock=ManualClock(), policy=Policy(processing_seconds=1))
    with (
        serve(simulator) as server,
        recording_of(server.base_url, file) as proxy,
        ContentGroove(KEY, str(proxy.client.base_url), sleep=simulator.advance) as client,
    ):
        seen = journey(client)
        assert [outcome.problem for outcome in proxy.outcomes] == [None] * len(proxy.recordings)
    return seen


def test_a_replay_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads, waits, pages, errors: the program sees the same, with another key, and no socket is opened."""
    seen = recorded_journey(tmp_path / "session.jsonl")
    replay = Replay(tmp_path / "session.jsonl")

    def refuse(*_: object) -> None:
        raise AssertionError("a socket was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with (
        httpx.Client(transport=httpx.MockTransport(replay.respond)) as http,
        ContentGroove("other", http_client=http, upload_http_client=http, sleep=lambda _: None) as client,
    ):
        assert journey(client) == seen


def test_a_served_replay(tmp_path: Path) -> None:
    """The same from a server, whose links lead to itself; the contract checker sees what it saw of the recording."""
    seen = recorded_journey(tmp_path / "session.jsonl")
    replay = Replay(str(tmp_path / "session.jsonl"))
    violations: list[object] = []
    checked = CheckedApp(replay, Checker(), lambda _request, _response, found: violations.extend(found))
    with serve_app(checked) as origin:
        with ContentGroove("other-key", f"{origin}/api/v1", sleep=lambda _: None) as client:
            assert journey(client) == seen
        url = f"{origin}/api/v1/medias?page[size]=1"
        links = httpx.get(url, headers={"x-api-key": "k"}, trust_env=False).json()["links"]
    assert links["self"].startswith(f"{origin}/api/v1/medias")
    assert [item.violations for item in replay.session.recordings if item.operation != "upload"] == [()] * (
        len(replay.session.recordings) - 1
    )
    assert violations == []


@pytest.mark.anyio
async def test_an_async_client_in_process(tmp_path: Path) -> None:
    """`respond` serves async clients, and the application is one for httpx's ASGI transport."""
    (media, *_) = recorded_journey(tmp_path / "session.jsonl")
    transports: list[Callable[[], httpx.AsyncBaseTransport]] = [
        lambda: httpx.MockTransport(Replay(tmp_path / "session.jsonl").respond),
        lambda: httpx.ASGITransport(Replay(tmp_path / "session.jsonl")),
    ]
    for transport in transports:
        http = httpx.AsyncClient(transport=transport())

        async def sleep(_seconds: float) -> None:
            await anyio.lowlevel.checkpoint()

        async with http, AsyncContentGroove("k", http_client=http, upload_http_client=http, sleep=sleep) as client:
            made = await client.medias.upload(sample_video(), name="Film")
            assert await client.medias.wait(made, poll_interval=0.5) == media


def test_threads_are_recorded_and_replayed(tmp_path: Path) -> None:
    """Eight threads: each exchange is a whole line, and each thread gets what it got."""
    simulator = Simulator(clock=ManualClock())
    start = threading.Barrier(8)

    def work(base_url: str, number: int) -> list[Any]:
        with ContentGroove(f"canary-key-{number}", base_url) as client:
            start.wait(20)
            made = [client.medias.create(source_url=f"https://f.example/{number}-{i}.mp4", name="n") for i in range(2)]
            return [client.medias.get(media.id) for media in made]

    def work_all(base_url: str) -> list[list[Any]]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(work, [base_url] * 8, range(8)))

    with serve(simulator) as server, recording_of(server.base_url, tmp_path / "s.jsonl") as proxy:
        seen = work_all(str(proxy.client.base_url))
        assert len(proxy.recordings) == 32
    assert "canary" not in (tmp_path / "s.jsonl").read_text("utf-8")
    with serve_app(Replay(tmp_path / "s.jsonl")) as origin:
        assert work_all(f"{origin}/api/v1") == seen
