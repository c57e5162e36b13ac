"""Webhooks: parse what the service POSTs, record it once, handle it.

The service sends at least once, sometimes never, without signature or event id, and takes only status 200 for
delivered. Names are loaded on first use: parsing alone needs no HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .events import Event, MediaProcessingFinished, UnknownEvent, parse_event
    from .inbox import Claim, Inbox, MemoryInbox
    from .receiver import HandlerError, Receipt, WebhookReceiver

_HOMES = {
    "Claim": ".inbox",
    "Event": ".events",
    "HandlerError": ".receiver",
    "Inbox": ".inbox",
    "MediaProcessingFinished": ".events",
    "MemoryInbox": ".inbox",
    "Receipt": ".receiver",
    "UnknownEvent": ".events",
    "WebhookReceiver": ".receiver",
    "parse_event": ".events",
}

__all__ = [
    "Claim",
    "Event",
    "HandlerError",
    "Inbox",
    "MediaProcessingFinished",
    "MemoryInbox",
    "Receipt",
    "UnknownEvent",
    "WebhookReceiver",
    "parse_event",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value
