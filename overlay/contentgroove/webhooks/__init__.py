"""Webhooks: parse what the service POSTs, record each event once and run its handlers.

The service sends an event at least once, sometimes never, without a signature or an event id. It counts only status
200 as delivered. Names are loaded on first use: parsing alone needs no HTTP library and no database.

    subscription, token = subscribe(client, "https://example.com/contentgroove")  # once; keep the token
    receiver = WebhookReceiver(SQLiteInbox("events.db"), secret_token=token)

    @receiver.on("media.processing_finished")
    def handle(event): ...

Serve the receiver at the URL's path, in any framework. Its events are handled by `receiver.start_worker()`, by
`async with receiver.worker():` in an app's lifespan, or by `receiver.process_pending()` in a job. The framework must
not redirect the path, because the service counts only 200 as delivered. The page docs/frameworks.md has whole programs,
each with a test.

FastAPI, Starlette::

    from starlette.routing import Route
    app.router.routes.append(Route("/contentgroove", receiver.asgi))

Flask::

    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/contentgroove": receiver.wsgi})

Django, which rejects bodies larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`::

    def contentgroove(request):
        receipt = receiver.receive(request.body, request.GET.get("token"))
        return HttpResponse(receipt.reason, status=receipt.status_code)

    urlpatterns = [path("contentgroove", csrf_exempt(require_POST(contentgroove)))]

aiohttp, which rejects bodies larger than `client_max_size`::

    async def contentgroove(request):
        receipt = await receiver.areceive(await request.read(), request.query.get("token"))
        return web.Response(text=receipt.reason, status=receipt.status_code)

    app.router.add_post("/contentgroove", contentgroove)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .apps import AsgiApp, Receipt, WsgiApp
    from .events import Event, MediaProcessingFinished, UnknownEvent, parse_event
    from .inbox import (
        Backoff,
        Claim,
        DispatchError,
        HandlerError,
        Inbox,
        InboxError,
        State,
        StoredEvent,
        TransactionalInbox,
    )
    from .memory import MemoryInbox
    from .migrations import Migration
    from .postgres import PostgresInbox
    from .receiver import WebhookReceiver
    from .sqlite import SQLiteInbox
    from .status import ReceiverStatus
    from .subscribing import asubscribe, subscribe, webhook_url

_INBOX = (
    "Backoff",
    "Claim",
    "DispatchError",
    "HandlerError",
    "Inbox",
    "InboxError",
    "State",
    "StoredEvent",
    "TransactionalInbox",
)
_MODULES = {
    ".apps": ("AsgiApp", "Receipt", "WsgiApp"),
    ".events": ("Event", "MediaProcessingFinished", "UnknownEvent", "parse_event"),
    ".inbox": _INBOX,
    ".memory": ("MemoryInbox",),
    ".migrations": ("Migration",),
    ".postgres": ("PostgresInbox",),
    ".receiver": ("WebhookReceiver",),
    ".sqlite": ("SQLiteInbox",),
    ".status": ("ReceiverStatus",),
    ".subscribing": ("asubscribe", "subscribe", "webhook_url"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AsgiApp",
    "Backoff",
    "Claim",
    "DispatchError",
    "Event",
    "HandlerError",
    "Inbox",
    "InboxError",
    "MediaProcessingFinished",
    "MemoryInbox",
    "Migration",
    "PostgresInbox",
    "Receipt",
    "ReceiverStatus",
    "SQLiteInbox",
    "State",
    "StoredEvent",
    "TransactionalInbox",
    "UnknownEvent",
    "WebhookReceiver",
    "WsgiApp",
    "asubscribe",
    "parse_event",
    "subscribe",
    "webhook_url",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
