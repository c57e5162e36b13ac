"""The control interface over HTTP, for programs outside of this process. It is off by default.

Bodies are JSON objects with the arguments of the `Simulator` method that a route calls. Web pages cannot use it:
a browser adds an Origin header to their requests, and requests with one are rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec
from contentgroove_api.types import check_levels
from starlette.responses import Response
from starlette.routing import Route

from contentgroove_mock.simulator.core.errors import bad_request, not_found
from contentgroove_mock.simulator.core.faults import Fault
from contentgroove_mock.simulator.web.responses import error_response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from contentgroove_mock.simulator.simulator import Simulator

PATH = "/_control"


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of `Simulator.advance`."""

    seconds: float


class Quota(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of `Simulator.set_quota`."""

    medias: int | None = None
    clips: int | None = None


class RateLimit(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of `Simulator.set_rate_limit`."""

    requests: int | None
    window_seconds: float = 60.0


def control_routes(simulator: Simulator) -> list[Route]:
    """Create the routes below `/_control`."""
    id_of: Callable[[Request], str] = lambda request: request.path_params["id"]  # noqa: E731  # used five times
    changes: dict[str, tuple[str, type[Any] | None, Callable[[Request, Any], None]]] = {
        "/advance": ("POST", Advance, lambda _, body: simulator.advance(body.seconds)),
        "/medias/{id}/finish": ("POST", None, lambda request, _: simulator.finish_media(id_of(request))),
        "/medias/{id}/fail": ("POST", None, lambda request, _: simulator.fail_media(id_of(request))),
        "/deliveries/{id}/redeliver": ("POST", None, lambda request, _: simulator.redeliver(id_of(request))),
        "/webhooks/drop_next": ("POST", None, lambda _, __: simulator.drop_next_webhook()),
        "/quota": ("PUT", Quota, lambda _, body: simulator.set_quota(medias=body.medias, clips=body.clips)),
        "/rate_limit": (
            "PUT",
            RateLimit,
            lambda _, body: simulator.set_rate_limit(body.requests, body.window_seconds),
        ),
    }

    async def faults(request: Request) -> Response:
        if request.method == "GET":
            happened = simulator.faults_happened().items()
            return json_response(
                [{"kind": kind, "operation": name, "count": count} for (kind, name), count in happened]
            )
        if request.method == "DELETE":
            return await _change(request, None, lambda _, __: simulator.clear_faults())
        return await _change(request, Fault, lambda _, fault: simulator.add_fault(fault))

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            return await _change(request, None, lambda _, __: simulator.clear_requests())
        return json_response(simulator.requests)

    async def deliveries(request: Request) -> Response:
        del request
        return json_response(simulator.deliveries)

    return [
        *[_route(path, *change) for path, change in changes.items()],
        Route(f"{PATH}/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route(f"{PATH}/requests", requests, methods=["GET", "DELETE"]),
        Route(f"{PATH}/deliveries", deliveries, methods=["GET"]),
    ]


def _route(path: str, method: str, kind: type[Any] | None, change: Callable[[Request, Any], None]) -> Route:
    async def endpoint(request: Request) -> Response:
        return await _change(request, kind, change)

    return Route(PATH + path, endpoint, methods=[method])


async def _read(request: Request, kind: type[Any]) -> Any:
    content = await request.body()
    check_levels(content)
    return msgspec.json.decode(content, type=kind)


async def _change(request: Request, kind: type[Any] | None, change: Callable[[Request, Any], None]) -> Response:
    try:
        if "origin" in request.headers:
            return error_response(
                bad_request("The control interface does not accept requests from web pages (Origin header).")
            )
        if kind is not None and request.headers.get("content-type") != "application/json":
            return error_response(bad_request("The Content-Type must be application/json."))
        body = await _read(request, kind) if kind is not None else None
        # In its own thread, it can wait for the webhooks that this event loop sends.
        await anyio.to_thread.run_sync(change, request, body)
    except LookupError:
        return error_response(not_found())
    except (ValueError, msgspec.DecodeError) as error:
        return error_response(bad_request(str(error)))
    return Response(status_code=204)
