"""Bodies that cannot be read as events: kept as they came, and read again after an update.

A body is kept as a dead event whose key is a digest of it, so that it is kept once however often it is sent.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from contentgroove.errors import WebhookPayloadError

from . import application_inboxes
from .events import parse_event
from .inbox import UNREADABLE, is_unreadable

if TYPE_CHECKING:
    from .events import Event
    from .inbox import Claim, Inbox

logger = logging.getLogger("contentgroove")

# (assumed: webhook-refused-400)
MAX_KEPT = 100
"""Bodies in an inbox: what sends many of them does not send events, and must not fill the disk."""

LEASE = 60.0
"""Seconds; reading a body takes milliseconds."""


def keep(inbox: Inbox, body: bytes, reason: str) -> str:
    """Keep a body with the reason why it cannot be read; returns its key, or an empty text if it is not kept.

    Raises:
        InboxError: The inbox failed.
    """
    import hashlib  # few deliveries need it

    if not body.strip():
        return ""
    key = f"{UNREADABLE}{hashlib.sha256(body).hexdigest()}"
    kept = [known for known in inbox.keys_with_prefix(UNREADABLE) if is_unreadable(known)]
    if key not in kept:
        if len(kept) >= MAX_KEPT:
            logger.error(
                "A body that cannot be read was not kept: the inbox has %d already. Look at them (contentgroove "
                "webhooks events --state dead), replay or prune them.",
                len(kept),
            )
            return ""
        application_inboxes.record_dead(inbox, key, body, reason)
    return key


def read_again(inbox: Inbox, claim: Claim) -> Event:
    """Read a claimed body with this version, and record its event under the event's own key, as if it arrived now.

    The body is then done; if it still cannot be read, it is dead.

    Raises:
        WebhookPayloadError: It still cannot be read.
        InboxError: The inbox failed.
    """
    try:
        event = parse_event(claim.body)
    except WebhookPayloadError as error:
        inbox.release(claim, delay=None, error=error.message, handled=frozenset())
        raise
    # The service may have sent it again since the update: that it is recorded already is success, too.
    application_inboxes.record(inbox, event.dedupe_key, claim.body, claim.trace)
    inbox.done(claim)
    return event


def replay(inbox: Inbox, key: str) -> Event | None:
    """Read a kept body again; None if there is none, or another process reads it at this moment.

    Raises:
        WebhookPayloadError: It still cannot be read.
        InboxError: The inbox failed.
    """
    inbox.replay(key)
    claim = inbox.claim_key(key, LEASE)
    return None if claim is None else read_again(inbox, claim)
