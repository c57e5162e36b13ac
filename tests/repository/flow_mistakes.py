"""Type checkers read this file: they find the typical mistakes of a flow.

It is never run. Each mistake has a comment that silences the type checker. If a mistake is no longer found, its comment
is unnecessary, and `make check` fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from contentgroove import Clip, Media
from contentgroove._core.calls import call
from contentgroove._core.io import run_async, run_sync
from contentgroove._core.operations import get_media
from contentgroove._core.responses import Response, TransportFailure
from contentgroove._core.secret import Secret
from contentgroove._core.uploads import UploadPlan
from contentgroove._core.waiting import wait_for_media

if TYPE_CHECKING:
    from contentgroove._core.calls import Session
    from contentgroove._core.checkpoints import Checkpoint
    from contentgroove._core.io import IO
    from contentgroove._core.waiting import PollOptions
    from contentgroove_api.types import Request


async def right(io: IO, request: Request, session: Session, options: PollOptions) -> Media:
    """The same without mistakes."""
    await io.sleep(1.0)
    outcome = await io.send(request, {}, None)
    assert_type(outcome, Response | TransportFailure)
    assert_type(await io.call_blocking(lambda: 1), int)
    assert_type(await call(get_media("m"), session), Media)
    assert_type(run_sync(wait_for_media("m", options, session)), Media)
    assert_type(await run_async(wait_for_media("m", options, session)), Media)
    return await wait_for_media("m", options, session)


async def result_of_a_sleep_as_a_response(io: IO) -> Response:
    """A sleep returns nothing."""
    return await io.sleep(1.0)  # type: ignore[func-returns-value,return-value]


async def forgotten_await(io: IO, request: Request) -> None:
    """The request would never be sent."""
    io.send(request, {}, None)  # type: ignore[unused-coroutine]


async def forgotten_await_of_a_result(session: Session, options: PollOptions) -> Media:
    """A coroutine is not a media."""
    return wait_for_media("m", options, session)  # type: ignore[return-value]


async def wrong_result_of_a_blocking_call(io: IO) -> str:
    """The function returns an int."""
    return await io.call_blocking(lambda: 1)  # type: ignore[arg-type,return-value]


async def wrong_result_of_a_call(session: Session) -> Clip:
    """The operation fetches a media."""
    return await call(get_media("m"), session)  # type: ignore[arg-type]


async def ignored_transport_failure(io: IO, request: Request) -> int:
    """There may be no response."""
    return (await io.send(request, {}, None)).status_code  # type: ignore[union-attr]


async def upload_without_a_source(io: IO) -> None:
    """A file is needed."""
    await io.put_file(Secret("https://store.test"), progress=None, timeouts={})  # type: ignore[call-arg]


def plan_without_a_source(checkpoint: Checkpoint) -> UploadPlan:
    """A plan has its source, so nothing is passed beside a flow."""
    return UploadPlan(progress=None, checkpoint=checkpoint, store=None)  # type: ignore[call-arg]
