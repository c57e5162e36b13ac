"""Prism, between the SDK and the simulator, finds no violation in the whole journey, sync and async."""

from __future__ import annotations

import inspect
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from contentgroove import (
    APIError,
    AsyncContentGroove,
    AuthenticationError,
    BadRequestError,
    ContentGroove,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from contentgroove.webhooks import MediaProcessingFinished, MemoryInbox, WebhookReceiver
from contentgroove_mock import Fault, ManualClock, Policy, Prism, Simulator, sample_video, serve

from tests.prism.conftest import KEY, NO_CERTIFICATES, SECONDS
from tests.prism.documented import CALLS, CONTRACT, RESPONSES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

pytestmark = [pytest.mark.anyio, pytest.mark.process]

POLICY = Policy(queue_seconds=1, processing_seconds=2, clip_seconds=1)
OTHER_KEY = "canary-key-without-account"
# No title or description that the contract allows is rejected.
NOT_REJECTED = {("updateMediaById", 422)}
JOURNEY = {"medias", "clips", "webhook_subscriptions", "direct_uploads"}
"""The resources of the journey below."""
CAUSED = {401, 404, 429, 500}
"""The errors that any operation has."""


class SimulatedTime:
    """The simulator's time for a client, which sends nothing for a while after a 429."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def time(self) -> float:
        """Return seconds since 1970."""
        return self._simulator.clock.now().timestamp()

    monotonic = time


class Way:
    """A client that reaches the simulator through Prism.

    Attributes:
        client: A client with the key of an account.
        stranger: A client with a key that the service does not know.
        exchanges: The path, status and violations of each response that came through Prism.
    """

    client: Any
    stranger: Any

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.exchanges: list[tuple[str, int, str | None]] = []

    def note(self, response: httpx.Response) -> None:
        """Note a response."""
        self.exchanges.append((response.request.url.path, response.status_code, response.headers.get("sl-violations")))

    def seen(self) -> set[tuple[str, int | None]]:
        """Return the operations and statuses of the simulator's responses, which Prism forwarded."""
        records = [record for record in self.simulator.requests if record.operation != "upload"]
        responses = [(record.path.removeprefix("/api/v1"), record.status) for record in records]
        assert responses == [(path, status) for path, status, _ in self.exchanges]
        return {(record.operation, record.status) for record in records}

    def check(self) -> None:
        """Prism found no violation, neither an error nor a warning."""
        assert [exchange for exchange in self.exchanges if exchange[2] is not None] == []


async def value(result: Any) -> Any:
    """Return the result of a call of either client; a list's items as a list."""
    if hasattr(result, "pages"):
        return [item async for item in result] if hasattr(result, "__aiter__") else list(result)
    return await result if inspect.isawaitable(result) else result


@pytest.fixture(params=["sync", "async"])
async def way(request: pytest.FixtureRequest) -> AsyncGenerator[Way]:
    """A simulator, Prism in front of it, and a sync or an async client."""
    simulator = Simulator(clock=ManualClock(), policy=POLICY, api_keys=[KEY], seed=1)
    way = Way(simulator)

    async def note(response: httpx.Response) -> None:
        way.note(response)

    async def sleep(seconds: float) -> None:
        simulator.advance(seconds)

    with serve(simulator) as server, Prism.proxy(CONTRACT, server.base_url) as prism:
        settings: dict[str, Any] = {
            "base_url": prism.base_url,
            "timeout": SECONDS,
            "max_retries": 0,
            "clock": SimulatedTime(simulator),
        }
        options: dict[str, Any] = {"verify": NO_CERTIFICATES, "trust_env": False}
        if request.param == "sync":
            with httpx.Client(event_hooks={"response": [way.note]}, **options) as http:
                settings |= {"http_client": http, "sleep": simulator.advance}
                with ContentGroove(KEY, **settings) as way.client, ContentGroove(OTHER_KEY, **settings) as way.stranger:
                    yield way
        else:
            async with httpx.AsyncClient(event_hooks={"response": [note]}, **options) as async_http:
                settings |= {"http_client": async_http, "sleep": sleep}
                async with (
                    AsyncContentGroove(KEY, **settings) as way.client,
                    AsyncContentGroove(OTHER_KEY, **settings) as way.stranger,
                ):
                    yield way


class QuietHandler(WSGIRequestHandler):
    """The standard library's handler without its log lines."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing."""


@contextmanager
def listening(receiver: WebhookReceiver) -> Generator[str]:
    """Serve a receiver; yields the URL to subscribe."""
    with make_server("127.0.0.1", 0, receiver.wsgi, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()
        thread.join()


async def test_from_a_file_to_its_clips(way: Way) -> None:
    """Upload, wait, webhook, clips, lists, updates and deletions: Prism sees every call and objects to none."""
    events: list[MediaProcessingFinished] = []
    receiver = WebhookReceiver(MemoryInbox())
    receiver.on("media.processing_finished")(events.append)
    client = way.client
    with listening(receiver) as hook:
        subscription = await value(client.webhook_subscriptions.create(url=hook))
        assert (await value(client.webhook_subscriptions.get(subscription.id))).url == hook
        assert [item.id for item in await value(client.webhook_subscriptions.list())] == [subscription.id]
        media = await value(client.medias.upload(sample_video(), name="Film"))
        media = await value(client.medias.wait(media, poll_interval=0.5))
        assert media.is_finished
        assert receiver.process_pending() == 1
        assert [event.media.id for event in events] == [media.id]
    from_url = await value(client.medias.create(source_url="https://example.com/film.mp4", name="Other"))
    await value(client.medias.wait(from_url, poll_interval=0.5))
    names = [item.name for item in await value(client.medias.list(sort="-name", page_size=1))]
    assert names == ["Other", "Film"]
    found = await value(client.medias.list(filter={"name_cont": "ilm", "is_processing_true": False}))
    assert [item.id for item in found] == [media.id]
    found = await value(client.medias.list(filter={"name_in": ["Film", "Other"], "created_at_gteq": media.created_at}))
    assert {item.id for item in found} == {media.id, from_url.id}
    clips = await value(client.clips.list(filter={"media_id_eq": media.id}, sort="created_at", page_size=2))
    assert [clip.id for clip in clips] == list(media.clip_ids)
    clip = await value(client.clips.create(media_id=media.id, name="Own", start_time=1, end_time=2.5))
    clip = await value(client.clips.wait(clip, poll_interval=0.5))
    assert clip.media_file_duration == 1.5
    assert (await value(client.clips.update(clip.id, name="Better", end_time=2))).name == "Better"
    assert (await value(client.medias.update(media.id, description="D"))).description == "D"
    await value(client.clips.delete(clip.id))
    await value(client.webhook_subscriptions.delete(subscription.id))
    await value(client.medias.delete(media.id))
    way.check()
    assert way.seen() == {
        (documented_response.operation, documented_response.status)
        for documented_response in RESPONSES
        if documented_response.status < 400 and documented_response.group in JOURNEY
    }
    uploads = [record for record in way.simulator.requests if record.operation == "upload"]
    assert [record.status for record in uploads] == [200]


async def rejected(error_class: type[APIError], call: Any) -> None:
    """A call of either client ends in this error."""
    with pytest.raises(error_class):
        await value(call())


async def test_every_error(way: Way) -> None:
    """Each error that the contract documents comes from the simulator through Prism, and Prism knows it."""
    client, simulator = way.client, way.simulator
    for operation, call in CALLS.items():
        await rejected(AuthenticationError, lambda call=call: call(way.stranger))
        simulator.add_fault(Fault(kind="status", operation=operation, status=500))
        await rejected(ServerError, lambda call=call: call(client))
    simulator.set_rate_limit(0)
    for call in CALLS.values():
        await rejected(RateLimitError, lambda call=call: call(client))
    simulator.set_rate_limit(None)
    for documented_response in RESPONSES:
        # The ids in these calls do not exist.
        if documented_response.status == 404:
            await rejected(
                NotFoundError,
                lambda documented_response=documented_response: CALLS[documented_response.operation](client),
            )
    for resource in (client.medias, client.clips, client.webhook_subscriptions):
        await rejected(BadRequestError, lambda resource=resource: resource.list(filter={"nothing_eq": 1}))
    media = await value(client.medias.create(source_url="https://example.com/film.mp4"))
    simulator.finish_media(media.id)
    clip = await value(client.clips.create(media_id=media.id, name="A", start_time=0, end_time=1))
    too_late = {"start_time": 90_000, "end_time": 90_001}
    body = {"data": {"attributes": {"url": "http://127.0.0.1:0/"}}}
    await rejected(UnprocessableEntityError, lambda: client.medias.create(upload_id="unknown"))
    await rejected(UnprocessableEntityError, lambda: client.clips.create(media_id=media.id, name="A", **too_late))
    await rejected(UnprocessableEntityError, lambda: client.clips.update(clip.id, **too_late))
    await rejected(UnprocessableEntityError, lambda: client.request("POST", "/webhook_subscriptions", body=body))
    simulator.set_quota(medias=0, clips=0)
    await rejected(QuotaExceededError, lambda: client.medias.create(source_url="https://example.com/film.mp4"))
    await rejected(
        QuotaExceededError, lambda: client.clips.create(media_id=media.id, name="A", start_time=0, end_time=1)
    )
    way.check()
    # Prism never responds to malformed JSON, so the 400 for such a body cannot come through it.
    unreachable = NOT_REJECTED | {
        (documented_response.operation, 400) for documented_response in RESPONSES if documented_response.request_schema
    }
    documented = {
        (documented_response.operation, documented_response.status)
        for documented_response in RESPONSES
        if documented_response.status in CAUSED
        or (documented_response.status >= 400 and documented_response.group in JOURNEY)
    }
    assert {pair for pair in way.seen() if pair[1] is None or pair[1] >= 400} == documented - unreachable
