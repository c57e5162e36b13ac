"""The control interface over HTTP, for programs outside of this process. It is off by default.

`control_route` gives a method of `Simulator` its route, so that the interface is written once. Bodies are JSON objects
with the method's arguments. Web pages of others cannot use it, nor read what it returns: a browser adds an Origin
header to requests that change something, which are rejected, and a page whose own name leads to this machine (DNS
rebinding) has that name in the Host header.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

import anyio.to_thread
import msgspec
from contentgroove._core.settings import is_loopback
from contentgroove_api.types import check_levels
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from contentgroove_mock.simulator.core.errors import bad_request, not_found, server_error
from contentgroove_mock.simulator.web.responses import error_response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    ToJson = Callable[[Any], object]

PATH = "/_mock"
_MAX_BODY = 1024 * 1024
_ROUTE = "contentgroove_control_route"
Function = TypeVar("Function", bound="Callable[..., Any]")


def control_route(method: str, path: str, to_json: ToJson = lambda result: result) -> Callable[[Function], Function]:
    """Serve a method, or a property's function, over HTTP as well.

    Args:
        method: The HTTP method.
        path: The path below `/_mock`. An `{id}` in it is the function's first argument. The others are the members
            of the body, or if the only one is a `Struct`, its members are.
        to_json: Converts the result for the response; without a result the status is 204.
    """

    def mark(function: Function) -> Function:
        setattr(function, _ROUTE, (method, path, to_json))
        return function

    return mark


def control_routes(simulator: object, interface: type) -> list[Route]:
    """Create the routes below `/_mock` of a simulator, for the functions that `control_route` marks in its class."""
    operations: dict[str, dict[str, _Operation]] = {}
    for name, member in vars(interface).items():
        is_property = isinstance(member, property)
        function: Any = member.fget if is_property else member
        if hasattr(function, _ROUTE):
            method, path, to_json = getattr(function, _ROUTE)
            decode = _arguments_decoder(function, 2 if "{id}" in path else 1)
            run = partial(getattr, simulator, name) if is_property else getattr(simulator, name)
            operations.setdefault(path, {})[method] = _Operation(run, decode, to_json)
    return [_route(path, methods) for path, methods in operations.items()]


class _Operation(NamedTuple):
    run: Callable[..., Any]
    decode: Callable[[bytes], dict[str, Any]] | None
    to_json: ToJson


def _arguments_decoder(function: Callable[..., Any], skipped: int) -> Callable[[bytes], dict[str, Any]] | None:
    parameters = list(inspect.signature(function).parameters.values())[skipped:]
    if not parameters:
        return None
    types = get_type_hints(function)
    first = types[parameters[0].name]
    if inspect.isclass(first) and issubclass(first, msgspec.Struct):
        return lambda content: {parameters[0].name: msgspec.json.decode(content, type=first)}
    defaults = {item.name: msgspec.NODEFAULT if item.default is item.empty else item.default for item in parameters}
    fields = [(name, types[name], default) for name, default in defaults.items()]
    body = msgspec.defstruct(function.__name__, fields, forbid_unknown_fields=True)
    return lambda content: msgspec.structs.asdict(msgspec.json.decode(content, type=body))


def _foreign(request: Request) -> str | None:
    """Return why a request may come from a web page; None if it cannot."""
    if "origin" in request.headers:
        return "The control interface does not accept requests from web pages (Origin header)."
    if not is_loopback(request.url.hostname or ""):
        return "The control interface is only for this machine: call it at 127.0.0.1 or localhost."
    return None


async def _body(request: Request) -> bytes:
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > _MAX_BODY:
                raise ValueError(f"The body is larger than {_MAX_BODY} bytes.")
    except ClientDisconnect:
        # The client has disconnected, or was, so it does not see this.
        raise ValueError("The body ended early.") from None
    return bytes(content)


def _route(path: str, operations: dict[str, _Operation]) -> Route:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = operations[method]
        if problem := _foreign(request):
            return error_response(bad_request(problem))
        if operation.decode is not None and request.headers.get("content-type") != "application/json":
            return error_response(bad_request("The Content-Type must be application/json."))
        arguments: dict[str, Any] = {}
        try:
            if operation.decode is not None:
                content = await _body(request)
                check_levels(content)
                arguments = operation.decode(content)
            # In its own thread, it can wait for the webhooks that this event loop sends.
            run = partial(operation.run, *request.path_params.values(), **arguments)
            result = await anyio.to_thread.run_sync(run)
        except LookupError:
            return error_response(not_found())
        except (ValueError, msgspec.DecodeError) as error:
            return error_response(bad_request(str(error)))
        except TimeoutError as error:
            return error_response(server_error(503, str(error)))
        return Response(status_code=204) if result is None else json_response(operation.to_json(result))

    return Route(PATH + path, endpoint, methods=list(operations))
