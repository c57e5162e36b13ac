"""The file store: takes uploads at presigned URLs, refuses what S3 refuses, and serves what it has."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from contentgroove_mock.sample import sample_still, sample_video
from contentgroove_mock.simulator.core import uploads
from contentgroove_mock.simulator.core.answers import FILES_PATH
from contentgroove_mock.simulator.core.faults import UPLOAD
from contentgroove_mock.simulator.core.refusals import not_found
from contentgroove_mock.simulator.core.uploads import PutRequest, StoreError
from contentgroove_mock.simulator.inspection import NoMediaInfoError, inspect_file
from contentgroove_mock.simulator.web.api import refused
from contentgroove_mock.simulator.web.wire import ResetResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import Message, Receive, Scope, Send

    from contentgroove_mock.simulator.core.faults import Fault
    from contentgroove_mock.simulator.core.records import Media, Upload
    from contentgroove_mock.simulator.world import SimulatorContext

_CODES = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}


class _File(FileResponse):
    """A file that is closed even where the answer is cancelled while a thread opens it: its result would be lost."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, up to a cancellation."""
        cancelled = False

        async def unless_cancelled(message: Message) -> None:
            if cancelled:
                raise asyncio.CancelledError
            await send(message)

        sending = asyncio.ensure_future(super().__call__(scope, receive, unless_cancelled))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            cancelled = True
            await asyncio.wait([sending])
            raise


def store_routes(world: SimulatorContext) -> list[Route]:
    """Make the routes that take and give files."""

    async def put(request: Request) -> Response:
        record = world.log.add(request, UPLOAD, world.clock.now())
        response = await _put(world, request)
        record.status = None if isinstance(response, ResetResponse) else response.status_code
        return response

    async def video(request: Request) -> Response:
        media = _finished_media(world, request)
        if media is None or media.file is None:
            return refused(not_found())
        return _File(media.path or sample_video(), media_type=media.file.content_type)

    async def thumbnail(request: Request) -> Response:
        # Every media has the sample's picture: making one needs a decoder, which a mock should not.
        if _finished_media(world, request) is None:
            return refused(not_found())
        return _File(sample_still(), media_type="image/jpeg")

    return [
        Route(f"{uploads.PATH}/{{id}}", put, methods=["PUT"]),
        Route(f"{FILES_PATH}/{{id}}", video, methods=["GET"]),
        Route(f"{FILES_PATH}/{{id}}/still.jpg", thumbnail, methods=["GET"]),
    ]


async def _put(world: SimulatorContext, request: Request) -> Response:
    with world.locked_service() as service:
        fault = service.faults.take(UPLOAD)
    if fault is not None and fault.kind == "latency":
        await world.clock.sleep(fault.seconds)
    body: AsyncIterator[bytes] = request.stream()
    try:
        upload, length = _check_request(world, request, fault)
        if fault is not None and fault.kind in {"reset", "stall"} and not fault.after_commit:
            body = _body_with_fault(world, body, fault)
        path = await _receive(world, body, length)
        await _store_file(world, upload, path)
        if fault is not None and fault.after_commit:
            raise _StoreFault if fault.kind == "reset" else _error_response(fault)
    except StoreError as refusal:
        if fault is not None and fault.drain:
            await _drain(body)
        return Response(refusal.xml(), refusal.status, {"Connection": "close"}, "application/xml")
    except _StoreFault:
        return ResetResponse()
    except ClientDisconnect:
        # Nobody is left to read this answer.
        return Response(status_code=400)
    return Response(status_code=200)


class _StoreFault(Exception):  # noqa: N818  # a fault that was asked for
    """The fault breaks the connection here."""


def _check_request(world: SimulatorContext, request: Request, fault: Fault | None) -> tuple[Upload, int]:
    head = PutRequest(
        host=request.url.netloc,
        path=request.url.path,
        query=request.url.query,
        headers=request.headers,
    )
    with world.locked_service() as service:
        upload, length = uploads.check_put(service.state, head, service.policy, world.clock.now())
    if fault is not None and fault.kind in {"status", "expired"} and not fault.after_commit:
        raise _error_response(fault)
    return upload, length


def _error_response(fault: Fault) -> StoreError:
    if fault.kind == "expired":
        return StoreError(403, "AccessDenied", "Request has expired")
    return StoreError(fault.status, _CODES.get(fault.status, "InvalidRequest"), "A fault refuses this upload")


async def _body_with_fault(world: SimulatorContext, body: AsyncIterator[bytes], fault: Fault) -> AsyncIterator[bytes]:
    received = 0
    if fault.after_bytes:
        async for chunk in body:
            received += len(chunk)
            yield chunk
            if received >= fault.after_bytes:
                break
    if fault.kind == "reset":
        raise _StoreFault
    await world.clock.sleep(fault.seconds)
    async for chunk in body:
        yield chunk


async def _receive(world: SimulatorContext, body: AsyncIterator[bytes], length: int) -> str:
    received = 0
    file = world.files.open()
    try:
        with file:
            async for chunk in body:
                received += len(chunk)
                file.write(chunk)
        uploads.check_complete(received, length)
    except BaseException:
        world.files.discard(file.name)
        raise
    return file.name


async def _store_file(world: SimulatorContext, upload: Upload, path: str) -> None:
    try:
        facts = await anyio.to_thread.run_sync(inspect_file, Path(path))
    except NoMediaInfoError as error:
        world.files.discard(path)
        raise StoreError(501, "NotImplemented", str(error)) from error
    with world.locked_service():
        if upload.path is not None:
            world.files.discard(path)
            raise StoreError(403, "AccessDenied", "This upload URL has been used")
        upload.path, upload.file = path, facts


async def _drain(body: AsyncIterator[bytes]) -> None:
    async for _ in body:
        pass


def _finished_media(world: SimulatorContext, request: Request) -> Media | None:
    with world.locked_service() as service:
        service.catch_up(world.clock.now())
        media = service.state.medias.get(request.path_params["id"])
    return media if media is not None and media.stage == "finished" else None
