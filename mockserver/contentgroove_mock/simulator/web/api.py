"""The API's 15 operations over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from contentgroove_mock.simulator.core.refusals import (
    ErrorResponse,
    bad_request,
    method_not_allowed,
    server_error,
    unauthorized,
)
from contentgroove_mock.simulator.core.service import Call
from contentgroove_mock.simulator.web.wire import ResetResponse, TruncatedResponse

if TYPE_CHECKING:
    from starlette.requests import Request

    from contentgroove_mock.simulator.core.faults import Fault
    from contentgroove_mock.simulator.world import SimulatorContext

BASE_PATH = "/api/v1"
FAULT_HEADER = "X-ContentGroove-Fault"
"""Marks answers that a fault made, so that nobody takes them for the service's; the service has no such header."""

_BODY_LIMIT = 1024 * 1024

_OPERATIONS = {
    "/medias": {"GET": "getMedias", "POST": "createMedia"},
    "/medias/{id}": {"GET": "getMediaById", "PUT": "updateMediaById", "DELETE": "deleteMediaById"},
    "/clips": {"GET": "getClips", "POST": "createClip"},
    "/clips/{id}": {"GET": "getClipById", "PUT": "updateClipById", "DELETE": "deleteClipById"},
    "/webhook_subscriptions": {"GET": "getWebhookSubscriptions", "POST": "createWebhookSubscription"},
    "/webhook_subscriptions/{id}": {
        "GET": "getWebhookSubscriptionById",
        "DELETE": "deleteWebhookSubscriptionById",
    },
    "/direct_uploads": {"GET": "getUploadUrl"},
}


def api_routes(world: SimulatorContext) -> list[Route]:
    """Make the routes below `/api/v1`."""
    return [_route(world, path, operations) for path, operations in _OPERATIONS.items()]


def refused(refusal: ErrorResponse) -> Response:
    """Answer with an error."""
    return json_response(refusal.body, refusal.status, refusal.headers)


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(body), status, headers, "application/json")


def origin(request: Request) -> str:
    """Tell the scheme, host and port at which the client reached the simulator."""
    return str(request.base_url).rstrip("/")


def _route(world: SimulatorContext, path: str, operations: dict[str, str]) -> Route:
    async def endpoint(request: Request) -> Response:
        operation = operations.get(request.method)
        if operation is None:
            return refused(method_not_allowed(list(operations)))
        return await _respond(world, operation, request)

    return Route(BASE_PATH + path, endpoint, methods=list(operations))


async def _respond(world: SimulatorContext, operation: str, request: Request) -> Response:
    record = world.log.add(request, operation, world.clock.now())
    try:
        content = await _read(request)
    except ClientDisconnect:
        # Nobody is left to read this answer.
        return Response(status_code=400)
    with world.locked_service() as service:
        fault = service.faults.take(operation)
    if fault is not None and fault.kind == "latency":
        await world.clock.sleep(fault.seconds)
    if fault is not None and not fault.after_commit and fault.kind in {"status", "reset"}:
        response = _failed(fault)
    else:
        response = _handle(world, operation, request, content)
        if fault is not None and fault.kind != "latency":
            response = TruncatedResponse(response, fault.after_bytes) if fault.kind == "truncate" else _failed(fault)
    if request.method != "GET":
        # Something may now be due before what the sender waits for.
        world.sender.wake_up()
    record.status = None if isinstance(response, ResetResponse) else response.status_code
    return response


def _failed(fault: Fault) -> Response:
    if fault.kind == "reset":
        return ResetResponse()
    refusal = server_error(fault.status)
    refusal.headers[FAULT_HEADER] = fault.kind
    if fault.retry_after is not None:
        refusal.headers["Retry-After"] = fault.retry_after
    return refused(refusal)


def _handle(world: SimulatorContext, operation: str, request: Request, content: bytes | None) -> Response:
    try:
        key = _key(request)
        if not key or (world.api_keys is not None and key not in world.api_keys):
            raise unauthorized()  # the one place that turns refusals into answers
        if content is None:
            raise bad_request(f"The body is larger than {_BODY_LIMIT} bytes.")  # as above
        with world.locked_service() as service:
            body = service.handle(
                operation,
                Call(
                    account=service.account(key),
                    now=world.clock.now(),
                    origin=origin(request),
                    path=request.scope["path"],
                    query=request.query_params.multi_items(),
                    identifier=_identifier(request),
                    content=content,
                    content_type=request.headers.get("content-type"),
                ),
            )
    except ErrorResponse as refusal:
        return refused(refusal)
    return Response(status_code=204) if body is None else json_response(body)


def _key(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.headers.get("x-api-key", "").strip() or request.query_params.get("api_key", "")


def _identifier(request: Request) -> str:
    parameters: dict[str, Any] = request.path_params
    return str(parameters.get("id", ""))


async def _read(request: Request) -> bytes | None:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _BODY_LIMIT:
            return None
    return bytes(content)
