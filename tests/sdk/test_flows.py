"""Flows: coroutines that the sync and the async client share, and how both run them."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import contentgroove._core
import httpx
import pytest
from anyio.lowlevel import checkpoint
from contentgroove import ContentGroove
from contentgroove._core import calls, checkpoints, creation, identity, operations, paging, uploads, waiting
from contentgroove._core.checkpoints import Checkpoint, Fingerprint, encode_checkpoint
from contentgroove._core.io import CallbackError, run_async, run_sync
from contentgroove._core.responses import Response, decode_resource
from contentgroove._io.async_io import AsyncIO
from contentgroove._io.hooks import Hooks
from contentgroove._io.sources import open_source
from contentgroove.models import Media
from msgspec import structs

from .conftest import BASE, KEY, clip_json, media_json, one
from .scripted_io import ScriptedIO, SuspendingIO, Suspension, json_response, session_over

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

    from contentgroove._core.calls import Session

    from .conftest import FakeClock


class HookError(Exception):
    """The error of an application's callback."""


async def returning(value: object) -> object:
    return value


async def inner(call: Callable[[], object]) -> object:
    return call()


async def outer(call: Callable[[], object]) -> object:
    # One flow awaits another, as in the clients.
    return await inner(call)


async def yielding() -> None:
    await Suspension()


def raising(error: BaseException) -> Callable[[], object]:
    def call() -> object:
        raise error

    return call


STOP = StopIteration("of the application")


def stop(*_arguments: object) -> Any:
    raise STOP


def get(client: Any) -> None:
    client.medias.get("m-1")


def wait(client: Any) -> None:
    client.medias.wait("m-1", on_update=stop)


def upload_with_progress(client: Any) -> None:
    client.medias.upload(b"0123", progress=stop)


APPLICATION_CODE: dict[str, tuple[dict[str, Any], Callable[[Any], None]]] = {
    "on_request": ({"on_request": stop}, get),
    "on_response": ({"on_response": stop}, get),
    "api_key": ({"api_key": stop}, get),
    "sleep": ({"sleep": stop, "clock": time}, get),
    "on_contract_violation": ({"on_contract_violation": stop}, get),
    "on_update": ({}, wait),
    "progress": ({}, upload_with_progress),
}


@pytest.mark.parametrize("case", APPLICATION_CODE)
def test_a_stop_iteration_of_the_application_leaves_a_sync_client_unchanged(case: str) -> None:
    """Everywhere that the client calls the application, also inside the HTTP library."""
    options, use = APPLICATION_CODE[case]
    arguments: dict[str, Any] = {"api_key": KEY, "base_url": BASE, **options}
    busy = [True] if case == "sleep" else []

    def handler(request: httpx.Request) -> httpx.Response:
        if busy:
            return httpx.Response(503)
        if request.url.path.endswith("direct_uploads"):
            return httpx.Response(200, content=PREPARED.content)
        # Without the attributes that the contract requires.
        return one({**media_json(), "id": 1} if case == "on_contract_violation" else media_json())

    def store(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.read())

    with (
        httpx.Client(transport=httpx.MockTransport(handler)) as own,
        httpx.Client(transport=httpx.MockTransport(store)) as own_store,
        ContentGroove(**arguments, http_client=own, upload_http_client=own_store) as client,
        pytest.raises(StopIteration) as caught,
    ):
        use(client)
    assert caught.value is STOP


@pytest.mark.anyio
async def test_a_cancelled_task_waits_for_its_checkpoint(clock: FakeClock) -> None:
    """Whatever is written is whole."""
    started, released, finished = threading.Event(), threading.Event(), threading.Event()

    def write() -> None:
        started.set()
        assert released.wait(10)
        finished.set()

    settings = session_over(ScriptedIO(clock), clock).settings
    client_io = AsyncIO(settings, Hooks(), clock.asleep, None, None, monitor=None)
    task = asyncio.create_task(client_io.call_blocking(write, abandon=False))
    await asyncio.to_thread(started.wait)
    task.cancel()
    # Enough for a task that does not wait to end.
    for _ in range(5):
        await checkpoint()
    assert not task.done()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert finished.is_set()


@pytest.mark.parametrize("value", [None, 1, "text"])
def test_a_flow_returns_its_result(value: object) -> None:
    """The sync client gets what the coroutine returns."""
    assert run_sync(returning(value)) is value


def test_a_flow_that_suspends_is_named() -> None:
    """Such a flow would never continue, so it is an error of this library."""
    with pytest.raises(RuntimeError, match="yielding suspended"):
        run_sync(yielding())


def test_a_flow_that_suspends_is_closed() -> None:
    """Its `finally` blocks run before the error is raised."""
    closed: list[str] = []

    async def guarded() -> None:
        try:
            await yielding()
        finally:
            closed.append("closed")

    with pytest.raises(RuntimeError, match="guarded suspended"):
        run_sync(guarded())
    assert closed == ["closed"]


def test_a_stop_iteration_of_a_callback_stays_one() -> None:
    """Python turns it into a RuntimeError inside a coroutine; the application gets its own exception back."""
    stop = StopIteration("of a callback")
    with pytest.raises(StopIteration) as caught:
        run_sync(outer(raising(stop)))
    assert caught.value is stop


def test_a_runtime_error_of_a_callback_stays_one() -> None:
    """Only Python's own translation is undone, not an error that an application caused by a StopIteration."""
    error = RuntimeError("of a callback")
    error.__cause__ = StopIteration()
    with pytest.raises(RuntimeError) as caught:
        run_sync(outer(raising(error)))
    assert caught.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), HookError("no"), GeneratorExit()])
def test_any_other_exception_passes(error: BaseException) -> None:
    """It leaves the flow as it was raised."""
    with pytest.raises(type(error)) as caught:
        run_sync(outer(raising(error)))
    assert caught.value is error


@pytest.mark.parametrize("reason", [HookError("no"), StopIteration(), RuntimeError("no")])
def test_a_callback_error_becomes_its_reason(reason: Exception) -> None:
    """The wrapper, which only protects it from the HTTP library, is removed; the reason keeps its own cause."""
    reason.__cause__ = cause = ValueError("earlier")
    with pytest.raises(type(reason)) as caught:
        run_sync(outer(raising(CallbackError(reason))))
    assert caught.value is reason
    assert caught.value.__cause__ is cause


@pytest.mark.anyio
async def test_a_callback_error_becomes_its_reason_in_async_clients() -> None:
    """As in sync clients."""
    reason = HookError("no")
    reason.__cause__ = cause = ValueError("earlier")
    with pytest.raises(HookError) as caught:
        await run_async(outer(raising(CallbackError(reason))))
    assert caught.value is reason
    assert caught.value.__cause__ is cause


@pytest.mark.anyio
async def test_an_async_client_may_suspend() -> None:
    """Its flows run in the event loop."""
    assert await run_async(returning(1)) == 1
    await run_async(yielding())


def test_flows_can_be_run_inside_each_other() -> None:
    """A callback of a sync client may use the same client."""
    assert run_sync(outer(lambda: run_sync(returning(5)))) == 5


@pytest.mark.anyio
async def test_a_sync_flow_runs_inside_an_event_loop() -> None:
    """A sync client needs no loop, and does not mind one."""
    assert run_sync(outer(lambda: 6)) == 6


OPTIONS = waiting.PollOptions.checked(60.0, 2.0, lambda _item: None, lambda: frozenset({"key"}))
LIST = paging.ListArguments(filter=None, sort=None, page_number=None, page_size=None, limit=None)

MEDIA = json_response({"data": media_json(is_processing=False), "links": {"self": "x"}})
PROCESSING = json_response({"data": media_json(is_processing=True), "links": {"self": "x"}})
MEDIAS = json_response({"data": [media_json(is_processing=False)], "links": {"self": "x", "next": None}})
CLIP = json_response({"data": clip_json(is_processing=False), "links": {"self": "x"}})
PREPARED = json_response(
    {
        "data": {
            "id": "d-1",
            "type": "direct_upload_blobs",
            "attributes": {"upload_id": "u-1", "upload_url": "https://store.test/u-1"},
        }
    }
)
UNAVAILABLE = Response(503, {}, b"")
STORED = Response(200, {}, b"")


class Store:
    """A checkpoint store in memory."""

    path = "film.checkpoint"
    shared = False

    def __init__(self) -> None:
        self.content: bytes | None = None

    def lock(self) -> AbstractContextManager[None]:
        """No other upload uses it."""
        return nullcontext()

    def read(self) -> bytes | None:
        """Return the content."""
        return self.content

    def write(self, content: bytes) -> OSError | None:
        """Replace the content."""
        self.content = content
        return None


MARKER = "[sdk-upload 0123456789abcdef01234567]"
CHECKPOINT = Checkpoint(
    base_url=BASE,
    file=Fingerprint("film.mp4", 256, 1),
    name="Film",
    description=None,
    state="creating",
    upload_id="u-1",
    marker=MARKER,
)
MARKED = media_json(description=MARKER, created_at="2026-05-28T20:43:20Z")


MARKED_MEDIA = json_response({"data": MARKED, "links": {"self": "x"}})
MARKED_MEDIAS = json_response({"data": [MARKED], "links": {"self": "x", "next": None}})


def marked_media() -> Media:
    """Return a media whose marker was not removed."""
    return decode_resource(Media)(MARKED_MEDIA.content)


def resolve(session: Session) -> Coroutine[Any, Any, object]:
    store = Store()
    store.content = encode_checkpoint(CHECKPOINT)
    return creation.resolve_upload(store, "m-1", session)


async def plan(session: Session) -> uploads.UploadPlan:
    """Plan the upload of data in memory as if it were a file."""
    source = open_source(bytes(range(256)))
    source.modified = 1
    return await uploads.plan_upload(
        source,
        name="Film",
        description=None,
        session=session,
        progress=lambda _sent, _total: None,
        store=Store(),
        marker=MARKER,
    )


async def planned(session: Session) -> Checkpoint:
    """Return the checkpoint of a new plan."""
    return (await plan(session)).checkpoint


async def upload(session: Session) -> object:
    return await uploads.upload(await plan(session), session, OPTIONS)


async def fetch_page(session: Session) -> object:
    operation = operations.list_medias(LIST)
    page = await paging.fetch_page(operation, operation.cursor(), session)
    assert page is not None
    return page.items


async def raw_content(session: Session) -> bytes:
    """Fetch a media without decoding it."""
    return (await calls.call_raw(operations.get_media("m-1"), session)).content


FLOWS: dict[Any, tuple[Callable[[Session], Coroutine[Any, Any, object]], list[Response]]] = {
    calls.call: (lambda session: calls.call(operations.get_media("m-1"), session), [UNAVAILABLE, MEDIA]),
    calls.call_raw: (raw_content, [UNAVAILABLE, MEDIA]),
    calls.fetch_response: (
        lambda session: calls.fetch_response(operations.get_media("m-1"), session),
        [UNAVAILABLE, MEDIA],
    ),
    calls.send_with_retries: (
        lambda session: calls.send_with_retries(operations.get_media("m-1"), session),
        [UNAVAILABLE, MEDIA],
    ),
    paging.fetch_page: (fetch_page, [MEDIAS]),
    waiting.wait_for_media: (
        lambda session: waiting.wait_for_media("m-1", OPTIONS, session),
        [UNAVAILABLE, PROCESSING, MEDIA],
    ),
    waiting.wait_for_medias: (
        lambda session: waiting.wait_for_medias(["m-1"], OPTIONS, session),
        [PROCESSING, MEDIA],
    ),
    waiting.wait_for_clip: (lambda session: waiting.wait_for_clip("c-1", None, OPTIONS, session), [CLIP]),
    waiting.wait_for_clips: (lambda session: waiting.wait_for_clips(["c-1"], OPTIONS, session), [CLIP]),
    uploads.plan_upload: (planned, []),
    uploads.upload: (upload, [PREPARED, UNAVAILABLE, PREPARED, STORED, MARKED_MEDIA, PROCESSING, PROCESSING, MEDIA]),
    checkpoints.save_checkpoint: (lambda session: checkpoints.save_checkpoint(CHECKPOINT, Store(), session), []),
    creation.create_uploaded_media: (
        lambda session: creation.create_uploaded_media(structs.replace(CHECKPOINT, state="sent"), Store(), session),
        [UNAVAILABLE, MEDIAS, MEDIAS, MARKED_MEDIAS],
    ),
    creation.resolve_upload: (resolve, [MEDIA]),
    identity.search_medias: (
        lambda session: identity.search_medias(CHECKPOINT, session),
        [MEDIAS, MARKED_MEDIAS],
    ),
    identity.remove_marker: (
        lambda session: identity.remove_marker(marked_media(), CHECKPOINT, None, session),
        [MARKED_MEDIA],
    ),
}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_every_flow_does_the_same_in_both_clients(clock: FakeClock, flow: Any) -> None:
    """With an `IO` that never suspends, and with one that suspends before each step."""
    start, outcomes = FLOWS[flow]
    begin = clock.now
    blocking = ScriptedIO(clock, *outcomes)
    result = run_sync(start(session_over(blocking, clock)))
    clock.now = begin
    suspending = SuspendingIO(clock, *outcomes)
    assert asyncio.run(run_async(start(session_over(suspending, clock)))) == result
    assert suspending.steps == blocking.steps
    assert len(blocking.steps) >= len(outcomes)


def test_no_flow_is_missing_above() -> None:
    """All public coroutine functions of the core are flows, except for `run_async`, which runs one."""
    modules = [
        importlib.import_module(f"contentgroove._core.{found.name}")
        for found in pkgutil.iter_modules(contentgroove._core.__path__)
    ]
    flows = {
        value
        for module in modules
        for name, value in vars(module).items()
        if inspect.iscoroutinefunction(value) and not name.startswith("_")
    }
    assert flows - {run_async} == set(FLOWS)


def test_the_core_has_no_async_generators() -> None:
    """Only an event loop can finish one."""
    for found in pkgutil.iter_modules(contentgroove._core.__path__):
        module = importlib.import_module(f"contentgroove._core.{found.name}")
        assert not [name for name, value in vars(module).items() if inspect.isasyncgenfunction(value)]


def test_a_sync_flow_that_suspends_is_an_error(clock: FakeClock) -> None:
    """The `IO` of a sync client must not suspend."""
    suspending = SuspendingIO(clock, MEDIA)
    with pytest.raises(RuntimeError, match="call suspended"):
        run_sync(calls.call(operations.get_media("m-1"), session_over(suspending, clock)))
