"""The routes of the API's 15 operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from contentgroove_mock.simulator.core import errors
from contentgroove_mock.simulator.core.accounts import account_id
from contentgroove_mock.simulator.core.calls import Call
from contentgroove_mock.simulator.core.faults import API_OPERATIONS
from contentgroove_mock.simulator.web.responses import ResetResponse, TruncatedResponse, error_response, json_response

if TYPE_CHECKING:
    from starlette.requests import Request

    from contentgroove_mock.simulator.context import SimulatorContext
    from contentgroove_mock.simulator.core.faults import Fault

BASE_PATH = "/api/v1"
FAULT_HEADER = "X-ContentGroove-Fault"
"""Marks the responses of faults, which the service itself never sends; it has no such header either."""

_MAX_BODY = 1024 * 1024


def api_routes(context: SimulatorContext) -> list[Route]:
    """Create the routes below `/api/v1`."""
    return [_route(context, path, operations) for path, operations in API_OPERATIONS.items()]


def _route(context: SimulatorContext, path: str, operations: dict[str, str]) -> Route:
    async def endpoint(request: Request) -> Response:
        operation = operations.get(request.method)
        if operation is None:
            return error_response(errors.method_not_allowed(list(operations)))
        return await _respond(context, operation, request)

    return Route(BASE_PATH + path, endpoint, methods=list(operations))


async def _respond(context: SimulatorContext, operation: str, request: Request) -> Response:
    record = context.record_request(request, operation)
    try:
        content = await _read(request)
    except ClientDisconnect:
        # The client has disconnected, so the response does not matter.
        return Response(status_code=400)
    fault = await context.take_fault(operation, request)
    if fault is not None and not fault.after_commit and fault.kind in {"status", "reset"}:
        response = _fault_response(fault)
    else:
        response = _handle(context, operation, request, content)
        if fault is not None and fault.kind == "truncate":
            response = TruncatedResponse(response, fault.after_bytes)
        elif fault is not None and fault.kind != "latency":
            response = _fault_response(fault)
    if request.method != "GET":
        # The next change may be due earlier than what the sender waits for.
        context.sender.wake_up()
    record.status = None if isinstance(response, ResetResponse) else response.status_code
    return response


def _fault_response(fault: Fault) -> Response:
    if fault.kind == "reset":
        return ResetResponse()
    error = errors.of_status(fault.response_status)
    error.headers[FAULT_HEADER] = fault.kind
    if fault.retry_after is not None:
        error.headers["Retry-After"] = fault.retry_after
    if fault.body is not None:
        return Response(fault.body, error.status, error.headers, fault.content_type)
    return error_response(error)


def _handle(context: SimulatorContext, operation: str, request: Request, content: bytes | None) -> Response:
    try:
        with context.locked_service() as service:
            key = _key(request, takes_bare=not service.policy.refuses_undocumented)
            if not key or not service.keys.accepts(account_id(key)):
                raise errors.unauthorized()  # caught below
            if content is None:
                raise errors.bad_request(f"The body is larger than {_MAX_BODY} bytes.")  # caught below
            call = Call(
                account=service.account(key),
                now=context.clock.now(),
                origin=str(request.base_url).rstrip("/"),
                path=request.scope["path"],
                query=request.query_params.multi_items(),
                identifier=next(iter(request.path_params.values()), ""),
                content=content,
                content_type=request.headers.get("content-type"),
            )
            body = service.handle(operation, call)
    except errors.ErrorResponse as error:
        return error_response(error)
    return Response(status_code=204) if body is None else json_response(body)


# (assumed: key-missing, key-unknown-401)
def _key(request: Request, *, takes_bare: bool) -> str:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        # (assumed: key-bearer)
        if token:
            return token.strip()
    elif scheme and not token and takes_bare:
        # (assumed: key-bare)
        return scheme
    # (assumed: key-header, key-query)
    return request.headers.get("x-api-key", "").strip() or request.query_params.get("api_key", "")


async def _read(request: Request) -> bytes | None:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MAX_BODY:
            return None
    return bytes(content)
