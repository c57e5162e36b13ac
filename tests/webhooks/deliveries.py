"""Receivers with recorded events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove.webhooks import WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from contentgroove.webhooks import Inbox


def received(inbox: Inbox, *medias: str, **options: Any) -> WebhookReceiver:
    """Make a receiver, and deliver the events of medias to it."""
    receiver = WebhookReceiver(inbox, **options)
    for media in medias:
        assert receiver.receive(body(finished(media))).status_code == 200
    return receiver
