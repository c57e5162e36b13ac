"""The control interface over HTTP, for programs outside of this process. It is off by default.

`control_route` gives a method or a property of `Simulator` its route, so that the interface is written once: names and
arguments are the same in Python and HTTP. Bodies are JSON objects with the method's arguments. A page that the
simulator serves may send a form instead.
"""

from __future__ import annotations

import inspect
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, Unpack, cast, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import anyio.to_thread
import msgspec
from contentgroove_api.types import check_levels
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from contentgroove_mock.simulator.core.errors import ErrorResponse, bad_request, server_error
from contentgroove_mock.simulator.web.callers import foreign_caller, is_same_origin
from contentgroove_mock.simulator.web.responses import error_response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request

    ToJson = Callable[[Any], object]
    FromJson = Callable[[bytes], object]

PATH = "/_mock"
_MAX_BODY = 1024 * 1024
_ROUTE = "contentgroove_control_route"
_FORM = "application/x-www-form-urlencoded"
Function = TypeVar("Function", bound="Callable[..., Any]")


class _Marks(NamedTuple):
    method: str
    path: str
    to_json: ToJson
    from_json: FromJson | None
    max_body: int


def control_route(
    method: str,
    path: str,
    to_json: ToJson = lambda result: result,
    *,
    from_json: FromJson | None = None,
    max_body: int = _MAX_BODY,
) -> Callable[[Function], Function]:
    """Serve a method, or the getter or setter of a property, over HTTP as well.

    Args:
        method: The HTTP method.
        path: The path below `/_mock`. An `{id}` in it is the function's first argument. The others are the members
            of the body, or if the only one is a `Struct`, its members are.
        to_json: Converts the result for the response; without a result the status is 204.
        from_json: Reads the body, which is then the function's only argument beside the `{id}`.
        max_body: The largest body in bytes.
    """

    def mark(function: Function) -> Function:
        setattr(function, _ROUTE, _Marks(method, path, to_json, from_json, max_body))
        return function

    return mark


class ControlRoute(NamedTuple):
    """One route of the control interface.

    Attributes:
        name: The name of the method or property.
        is_property: Whether it is a property.
        path: The path below `/_mock`.
        function: The method, or the property's getter or setter.
        body: The type of the body; None if there is none.
        whole: The argument that the whole body is; None if its members are arguments.
    """

    name: str
    is_property: bool
    method: str
    path: str
    function: Callable[..., Any]
    to_json: ToJson
    from_json: FromJson | None
    max_body: int
    body: type[msgspec.Struct] | None
    whole: str | None

    @property
    def summary(self) -> str:
        """The first line of the docstring; that of a setter is the getter's, as Python has it."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def arguments(self, content: bytes, *, is_form: bool) -> dict[str, Any]:
        """Read a body.

        Raises:
            ValueError: It does not fit.
            DecodeError: It does not fit, or is not JSON.
        """
        if self.from_json is not None and self.whole is not None:
            return {self.whole: self.from_json(content)}
        if self.body is None:
            return {}
        if is_form:
            fields = dict(parse_qsl(content.decode(errors="replace")))
            value = msgspec.convert(fields, self.body, strict=False)
        else:
            check_levels(content)
            value = msgspec.json.decode(content or b"{}", type=self.body)
        if self.whole is not None:
            return {self.whole: value}
        return {name: item for name, item in msgspec.structs.asdict(value).items() if item is not msgspec.UNSET}


def list_routes(interface: type) -> list[ControlRoute]:
    """Return the routes of a class's functions that `control_route` marks, by path and method."""
    routes = [
        _read(name, cast("Callable[..., Any]", function), is_property=isinstance(member, property))
        for owner in reversed(interface.__mro__)
        for name, member in vars(owner).items()
        for function in ((member.fget, member.fset) if isinstance(member, property) else (member,))
        if hasattr(function, _ROUTE)
    ]
    return sorted(routes, key=lambda route: (route.path, route.method))


def control_routes(simulator: object, interface: type) -> list[Route]:
    """Create the routes below `/_mock` of a simulator."""
    listed = list_routes(interface)
    by_path: dict[str, dict[str, ControlRoute]] = {}
    for route in listed:
        by_path.setdefault(route.path, {})[route.method] = route
    # A path with an id would match others, such as /faults/happened.
    return [_route(simulator, path, by_path[path]) for path in sorted(by_path, key=lambda path: "{id}" in path)]


def unknown_route(request: Request, interface: type, *, is_served: bool) -> ErrorResponse:
    """Return the response to a request below `/_mock` that has no route."""
    if not is_served:
        return _not_found("The control interface is off: use Simulator(control=True), or contentgroove mock --control.")
    known = ", ".join(f"{route.method} {route.path}" for route in list_routes(interface))
    return _not_found(f"There is no {request.method} {request.scope['path']}. Below {PATH} there are: {known}.")


def _not_found(detail: str) -> ErrorResponse:
    return ErrorResponse(404, [{"detail": detail, "source": None, "status": "404", "title": "Not Found"}])


def _read(name: str, function: Callable[..., Any], *, is_property: bool) -> ControlRoute:
    method, path, to_json, from_json, max_body = getattr(function, _ROUTE)
    parameters = list(inspect.signature(function).parameters.values())[2 if "{id}" in path else 1 :]
    body, whole = None, None
    types = _parameter_types(function) if parameters and from_json is None else {}
    if from_json is not None:
        whole = parameters[0].name
    elif parameters and inspect.isclass(first := types[parameters[0].name]) and issubclass(first, msgspec.Struct):
        body, whole = first, parameters[0].name
    elif parameters:
        body = msgspec.defstruct(function.__name__, list(_fields(parameters, types)), forbid_unknown_fields=True)
    return ControlRoute(name, is_property, method, path, function, to_json, from_json, max_body, body, whole)


def _parameter_types(function: Callable[..., Any]) -> dict[str, Any]:
    # Results are often of types that are only imported for type checkers.
    annotations = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
    return get_type_hints(SimpleNamespace(__annotations__=annotations), function.__globals__)


def _fields(parameters: Iterable[inspect.Parameter], types: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any]]:
    for parameter in parameters:
        annotation = types[parameter.name]
        if get_origin(annotation) is Unpack:
            (members,) = get_args(annotation)
            for name, kind in get_type_hints(members).items():
                yield name, kind | msgspec.UnsetType, msgspec.UNSET
        else:
            default = msgspec.NODEFAULT if parameter.default is parameter.empty else parameter.default
            yield parameter.name, annotation, default


async def _body(request: Request, limit: int) -> bytes:
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise ValueError(f"The body is larger than {limit} bytes.")
    except ClientDisconnect:
        # The client has disconnected, or was, so it does not see this.
        raise ValueError("The body ended early.") from None
    return bytes(content)


def _route(simulator: object, path: str, routes: dict[str, ControlRoute]) -> Route:
    async def endpoint(request: Request) -> Response:
        route = routes["GET" if request.method == "HEAD" else request.method]
        if problem := foreign_caller(request):
            return error_response(bad_request(problem))
        try:
            arguments = await _arguments(request, route)
            # In its own thread, it can wait for the webhooks that this event loop sends.
            run = partial(route.function, simulator, *request.path_params.values(), **arguments)
            result = await anyio.to_thread.run_sync(run)
        except LookupError as error:
            return error_response(_not_found(str(error)))
        except (ValueError, msgspec.DecodeError) as error:
            return error_response(bad_request(str(error)))
        except TimeoutError as error:
            return error_response(server_error(503, str(error)))
        except OSError as error:
            return error_response(server_error(500, error.strerror or str(error)))
        return Response(status_code=204) if result is None else json_response(route.to_json(result))

    return Route(PATH + path, endpoint, methods=list(routes))


async def _arguments(request: Request, route: ControlRoute) -> dict[str, Any]:
    if route.body is None and route.from_json is None:
        return {}
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_form = content_type == _FORM and is_same_origin(request)
    if content_type != "application/json" and not is_form:
        # Without a body there is nothing that could be misread; the members then have their defaults.
        if not content_type and not await _body(request, route.max_body):
            return route.arguments(b"", is_form=False)
        raise ValueError("The Content-Type must be application/json.")
    return route.arguments(await _body(request, route.max_body), is_form=is_form)
