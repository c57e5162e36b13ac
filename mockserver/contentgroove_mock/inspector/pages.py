"""The routes of the page: the page itself, its sections as fragments, live events, previews of files, static files.

Everything that is shown comes from requests of others, so templates escape it, and the pages allow no script but their
own (Content-Security-Policy). Like the control interface, they are for this machine alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import jinja2
from contentgroove._pages.page import SIGNS, stylesheet
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from contentgroove_mock.contract import Checker
from contentgroove_mock.inspector import views
from contentgroove_mock.inspector.events import Changes, parse_digests, write_digests
from contentgroove_mock.inspector.exchange_views import exchange_details
from contentgroove_mock.inspector.exchanges import ExchangeLog, RecordedApp
from contentgroove_mock.inspector.sections import Sections, Values
from contentgroove_mock.simulator.core.errors import bad_request
from contentgroove_mock.simulator.core.faults import OPERATIONS, Kind
from contentgroove_mock.simulator.core.store_errors import StoreKind
from contentgroove_mock.simulator.files import sample_video
from contentgroove_mock.simulator.web.callers import foreign_caller
from contentgroove_mock.simulator.web.control import PATH
from contentgroove_mock.simulator.web.responses import StoredFileResponse, error_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from contentgroove_mock.simulator.context import SimulatorContext
    from contentgroove_mock.simulator.core.snapshots import Snapshot

    Endpoint = Callable[[Request], Awaitable[Response]]

_TEMPLATES = Path(__file__).parent / "templates"
_STATIC = Path(__file__).parent / "static"
_SHARED: Values = {
    "size": views.size,
    "signs": SIGNS,
    "path": PATH,
    "fault_kinds": get_args(Kind),
    "fault_operations": OPERATIONS,
    "stores": get_args(StoreKind),
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# A file is what someone has uploaded: no browser may take it for a page.
_FILE_HEADERS = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; sandbox"}


class Inspector:
    """The page of one simulator.

    Attributes:
        log: The exchanges that `recorded` has seen.
        changes: What tells open pages that something has changed.
        sections: What the page shows.
    """

    def __init__(self, context: SimulatorContext, saved: Mapping[str, Snapshot]) -> None:
        """Serve the page of a simulator.

        Args:
            context: What its parts share.
            saved: Its saved snapshots.
        """
        self._context = context
        self.changes = Changes()
        self.log = ExchangeLog(_checker(), self.changes.notify)
        self.sections = Sections(context, self.log, saved)
        context.on_change = self.changes.notify
        context.on_clear = self.log.clear
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def recorded(self, app: ASGIApp) -> ASGIApp:
        """Return an application that records the exchanges of another one."""
        return RecordedApp(app, self.log, self._context.clock, PATH)

    def routes(self) -> list[BaseRoute]:
        """Create the routes below `/_mock`."""
        pages: dict[str, Endpoint] = {
            "": _redirect,
            "/": self._page,
            "/static/{name}": _static,
            "/events": self._events,
            "/files/{id}": self._file,
            "/inspector/{section:str}": self._section,
            "/inspector/medias/{id}": self._media,
            "/inspector/subscriptions/{id}": self._subscription,
            "/inspector/deliveries/{id}": self._delivery,
            "/inspector/requests/{number:int}": self._exchange,
        }
        return [Route(PATH + path, _local(endpoint), methods=["GET"]) for path, endpoint in pages.items()]

    async def _page(self, request: Request) -> Response:
        del request
        # Before the values, so that what changes meanwhile is loaded again.
        seen = write_digests(self.sections.digests())
        return self._render("page", {**self.sections.all_values(), "seen": seen})

    async def _section(self, request: Request) -> Response:
        section = request.path_params["section"]
        if section not in self.sections:
            raise HTTPException(404)
        return self._render(section, self.sections.values(section, request.query_params))

    async def _events(self, request: Request) -> Response:
        seen = parse_digests(request.query_params.get("seen", ""))
        events = self.changes.stream(self.sections.digests, seen)
        return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)

    async def _media(self, request: Request) -> Response:
        media_id = request.path_params["id"]
        with self._context.service_to_read() as service:
            media = service.state.medias.view.get(media_id)
            path = Path(media.path) if media is not None and media.path is not None else None
            stored = path.stat().st_size if path is not None and path.is_file() else None
            details = views.media_details(service.state, media_id, stored)
        return self._details(request, "media", details, f"media {media_id}")

    async def _subscription(self, request: Request) -> Response:
        with self._context.service_to_read() as service:
            subscription = service.state.subscriptions.view.get(request.path_params["id"])
        return self._details(request, "subscription", subscription, "such subscription")

    async def _delivery(self, request: Request) -> Response:
        delivery_id = request.path_params["id"]
        with self._context.service_to_read() as service:
            details = views.delivery_details(service.state, delivery_id)
        return self._details(request, "delivery", details, f"webhook {delivery_id}")

    async def _exchange(self, request: Request) -> Response:
        number: int = request.path_params["number"]
        exchange = self.log.find(number)
        details = None if exchange is None else exchange_details(exchange)
        return self._details(request, "request", details, f"request {number}")

    async def _file(self, request: Request) -> Response:
        with self._context.service_to_read() as service:
            media = service.state.medias.view.get(request.path_params["id"])
            path = None if media is None else Path(media.path or sample_video())
            file = None if media is None else media.file
        kind = "" if file is None else file.content_type
        if path is None or kind.partition("/")[0] not in {"video", "audio"} or not path.is_file():
            raise HTTPException(404)
        return StoredFileResponse(path, media_type=kind, headers=_FILE_HEADERS)

    def _details(self, request: Request, name: str, details: object, what: str) -> Response:
        if details is None:
            # htmx shows no response of an error, so the fragment itself says that there is nothing.
            return self._render("missing", {"what": what})
        return self._render(name, {name: details, "is_live": "live" in request.query_params})

    def _render(self, name: str, values: Values) -> Response:
        template = self._templates.get_template(f"{name}.html", globals=_SHARED)
        return HTMLResponse(template.render(values), headers=_HEADERS)


@cache
def _checker() -> Checker:
    """Return the contract, compiled once for all simulators of this process."""
    return Checker()


def _local(endpoint: Endpoint) -> Endpoint:
    """Refuse the requests that the control interface refuses."""

    async def checked(request: Request) -> Response:
        if problem := foreign_caller(request):
            return error_response(bad_request(problem))
        return await endpoint(request)

    return checked


async def _redirect(request: Request) -> Response:
    del request
    return RedirectResponse(f"{PATH}/", headers=_HEADERS)


async def _static(request: Request) -> Response:
    name: str = request.path_params["name"]
    if name == "style.css":
        return Response(stylesheet(), media_type="text/css", headers=_HEADERS)
    # A name that leads elsewhere is not one of them.
    if name not in {path.name for path in _STATIC.iterdir()}:
        raise HTTPException(404)
    return FileResponse(_STATIC / name, headers=_HEADERS)
