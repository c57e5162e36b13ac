"""The routes of the file store: uploads to presigned URLs, rejected as S3 does, and the stored files."""

from __future__ import annotations

import base64
import hashlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from contentgroove_mock.simulator.core import uploads
from contentgroove_mock.simulator.core.faults import UPLOAD
from contentgroove_mock.simulator.core.serializers import FILES_PATH
from contentgroove_mock.simulator.core.store_errors import StoreError, error_by_code
from contentgroove_mock.simulator.core.uploads import StoreRequest
from contentgroove_mock.simulator.files import NoMediaInfoError, inspect_file, sample_thumbnail, sample_video
from contentgroove_mock.simulator.web.responses import ResetResponse, StoredFileResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from contentgroove_mock.simulator.context import SimulatorContext
    from contentgroove_mock.simulator.core.faults import Fault
    from contentgroove_mock.simulator.core.records import Media, Upload

_CODES = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}


def store_routes(context: SimulatorContext) -> list[Route]:
    """Create the routes for uploads and stored files."""
    numbers = itertools.count(1)

    async def upload(request: Request) -> Response:
        record = context.record_request(request, UPLOAD)
        response = await _respond(context, request, _identity(next(numbers)))
        record.status = None if isinstance(response, ResetResponse) else response.status_code
        return response

    # (assumed: clip-file-public)
    async def video(request: Request) -> Response:
        await context.delay()
        media = _finished_media(context, request)
        path = Path(media.path) if media.path else sample_video()
        if not await anyio.to_thread.run_sync(path.is_file):
            # The state names a file of a snapshot that was taken elsewhere.
            raise HTTPException(404)
        return StoredFileResponse(path, media_type=media.file.content_type if media.file else None)

    async def thumbnail(request: Request) -> Response:
        await context.delay()
        _finished_media(context, request)
        # Every media has the sample's picture, because making one would require a decoder.
        return StoredFileResponse(sample_thumbnail(), media_type="image/jpeg")

    return [
        Route(f"{uploads.PATH}/{{id:path}}", upload, methods=list(uploads.METHODS)),
        Route(f"{FILES_PATH}/{{id}}", video, methods=["GET"]),
        Route(f"{FILES_PATH}/{{id}}/still.jpg", thumbnail, methods=["GET"]),
    ]


# (assumed: store-request-ids)
def _identity(number: int) -> dict[str, str]:
    """Return the ids that S3 gives a request; the same requests get the same ids in each run."""
    digest = hashlib.sha512(f"request {number}".encode()).digest()
    return {"RequestId": digest[:8].hex().upper(), "HostId": base64.b64encode(digest[8:]).decode()}


def _identity_headers(identity: dict[str, str]) -> dict[str, str]:
    return {"x-amz-request-id": identity["RequestId"], "x-amz-id-2": identity["HostId"]}


async def _respond(context: SimulatorContext, request: Request, identity: dict[str, str]) -> Response:
    # Faults are those of uploads, which other methods are not.
    fault = await context.take_fault(UPLOAD, request) if request.method == "PUT" else None
    body: AsyncIterator[bytes] = request.stream()
    url = request.url
    head = StoreRequest(request.method, url.netloc, url.path, url.query, request.headers)
    try:
        upload, length = _check_request(context, head, request, fault)
        if fault is not None and fault.kind in {"reset", "stall"} and not fault.after_commit:
            body = _body_with_fault(context, body, fault)
        digest = await _store_file(context, upload.id, head, body, length)
        if fault is not None and fault.after_commit:
            raise _StoreFault if fault.kind == "reset" else _fault_error(context, request, upload, fault)
    except StoreError as error:
        if fault is not None and fault.drain:
            async for _ in body:
                pass
        if error.store == "s3":
            error.elements.update(identity)
            error.headers.update(_identity_headers(identity))
        return Response(error.body(), error.status, {"Connection": "close", **error.headers}, error.content_type)
    except _StoreFault:
        return ResetResponse()
    except ClientDisconnect:
        # The client has disconnected, so the response does not matter.
        return Response(status_code=400)
    # (assumed: put-empty-response, put-etag)
    return Response(status_code=200, headers={"ETag": uploads.etag(digest), **_identity_headers(identity)})


class _StoreFault(Exception):  # noqa: N818  # a requested fault
    """A fault resets the connection now."""


def _check_request(
    context: SimulatorContext, head: StoreRequest, request: Request, fault: Fault | None
) -> tuple[Upload, int]:
    with context.locked_service() as service:
        upload, length = uploads.check_request(service.state, head, service.policy, context.clock.now())
    if fault is not None and fault.kind in {"status", "expired"} and not fault.after_commit:
        raise _fault_error(context, request, upload, fault)
    return upload, length


def _fault_error(context: SimulatorContext, request: Request, upload: Upload, fault: Fault) -> StoreError:
    if fault.kind == "expired":
        with context.locked_service() as service:
            return uploads.expired(upload, service.policy, context.clock.now())
    if fault.code is None:
        status = fault.response_status
        error = StoreError(status, _CODES.get(status, "InvalidRequest"), "A fault rejects this upload")
    else:
        location = fault.location or _elsewhere(context, request, upload)
        error = error_by_code(fault.store, fault.code, status=fault.status, location=location)
    if fault.retry_after is not None:
        error.headers["Retry-After"] = fault.retry_after
    return error


def _elsewhere(context: SimulatorContext, request: Request, upload: Upload) -> str:
    """Return the URL of an upload at another name of this machine, as if that was another region of the store."""
    url = request.url
    host = "127.0.0.1" if url.hostname == "localhost" else "localhost"
    origin = f"{url.scheme}://{host}" if url.port is None else f"{url.scheme}://{host}:{url.port}"
    with context.locked_service() as service:
        return uploads.signed_url(service.state, upload, origin, service.policy)


async def _body_with_fault(context: SimulatorContext, body: AsyncIterator[bytes], fault: Fault) -> AsyncIterator[bytes]:
    received = 0
    if fault.after_bytes:
        async for chunk in body:
            received += len(chunk)
            yield chunk
            if received >= fault.after_bytes:
                break
    if fault.kind == "reset":
        raise _StoreFault
    await context.clock.sleep(fault.seconds)
    async for chunk in body:
        yield chunk


async def _store_file(
    context: SimulatorContext, identifier: str, head: StoreRequest, body: AsyncIterator[bytes], length: int
) -> bytes:
    """Store the file of an upload, instead of the one that it has; return its MD5 digest."""
    received = 0
    md5 = hashlib.md5(usedforsecurity=False)
    file = context.storage.open_file()
    try:
        with file:
            async for chunk in body:
                received += len(chunk)
                md5.update(chunk)
                file.write(chunk)
        uploads.check_body(head, received, length, md5.digest())
        facts = await anyio.to_thread.run_sync(inspect_file, Path(file.name))
    except BaseException as error:
        context.storage.delete_file(file.name)
        if isinstance(error, NoMediaInfoError):
            raise StoreError(501, "NotImplemented", str(error)) from error
        raise
    # (assumed: put-repeat-overwrites, upload-overwritten-late)
    with context.locked_service() as service:
        upload = service.state.uploads[identifier]
        if upload.used:
            # A media has the stored file already, and keeps it.
            context.storage.delete_file(file.name)
            return md5.digest()
        replaced, upload.path, upload.file = upload.path, file.name, facts
    if replaced is not None:
        context.storage.delete_file(replaced)
    return md5.digest()


def _finished_media(context: SimulatorContext, request: Request) -> Media:
    with context.locked_service() as service:
        service.catch_up(context.clock.now())
        media = service.state.medias.get(request.path_params["id"])
    if media is None or media.stage != "finished":
        raise HTTPException(404)
    return media
