"""Webhooks: the subscriptions that receive them, the times of delivery attempts, and their outcomes.

Only 200 counts as delivered; anything else is retried, a limited number of times, each wait twice as long as the
last (the published document has the rule, not the numbers).
"""

from __future__ import annotations

import copy
import datetime as dt
from typing import TYPE_CHECKING

from contentgroove_mock.simulator.core.records import Delivery, DeliveryAttempt
from contentgroove_mock.simulator.core.serializers import webhook_payload

if TYPE_CHECKING:
    from contentgroove_mock.simulator.core.faults import Faults
    from contentgroove_mock.simulator.core.ids import Ids
    from contentgroove_mock.simulator.core.policy import Policy
    from contentgroove_mock.simulator.core.records import Clip, Media, State

PROCESSING_FINISHED = "media.processing_finished"
_DELIVERED = 200


def queue_webhooks(state: State, media: Media, clips: list[Clip], *, ids: Ids, faults: Faults, at: dt.datetime) -> None:
    """Create the webhooks of a finished media, one for each subscription of its account."""
    for subscription in state.subscriptions.values():
        if subscription.account != media.account or not {"*", PROCESSING_FINISHED} & set(subscription.events):
            continue
        delivery = Delivery(
            id=ids.uuid(),
            account=media.account,
            subscription_id=subscription.id,
            url=subscription.url,
            event=PROCESSING_FINISHED,
            payload=webhook_payload(media, clips),
            created_at=at,
            next_at=at,
        )
        state.deliveries[delivery.id] = delivery
        fault = faults.take("webhook")
        if fault is None:
            continue
        if fault.kind == "lost":
            delivery.state, delivery.next_at = "lost", None
        elif fault.kind == "late":
            delivery.next_at = at + dt.timedelta(seconds=fault.seconds)
        elif fault.kind == "out_of_order":
            delivery.held, delivery.next_at = True, None
        elif fault.kind == "duplicate":
            copied = copy.deepcopy(delivery)
            copied.id = ids.uuid()
            state.deliveries[copied.id] = copied


def next_due_delivery(state: State, now: dt.datetime) -> Delivery | None:
    """Return the webhook that has been due for longest, if one is due."""
    waiting = [item for item in state.deliveries.values() if item.next_at is not None and item.next_at <= now]
    return min(waiting, key=lambda item: item.next_at or now, default=None)


def next_due(state: State) -> dt.datetime | None:
    """Return when the next delivery attempt is due."""
    return min((item.next_at for item in state.deliveries.values() if item.next_at), default=None)


def record_attempt(state: State, delivery: Delivery, attempt: DeliveryAttempt, policy: Policy) -> None:
    """Record the outcome of a delivery attempt, and plan the next one."""
    delivery.attempts.append(attempt)
    if attempt.status == _DELIVERED:
        delivery.state, delivery.next_at = "delivered", None
        for other in state.deliveries.values():
            if other.held and other.subscription_id == delivery.subscription_id:
                other.held, other.next_at = False, attempt.at
    elif len(delivery.attempts) >= policy.webhook_attempts:
        delivery.state, delivery.next_at = "failed", None
    else:
        wait = policy.webhook_retry_seconds * 2 ** (len(delivery.attempts) - 1)
        delivery.next_at = attempt.at + dt.timedelta(seconds=wait)


def reject_remote_url(delivery: Delivery, now: dt.datetime) -> None:
    """End the delivery of a webhook that must not be sent, because its URL leaves this machine."""
    reason = "the URL leaves this machine; allow_remote_webhooks permits it"
    delivery.attempts.append(DeliveryAttempt(at=now, error=reason))
    delivery.state, delivery.next_at = "refused", None


def redeliver(delivery: Delivery, now: dt.datetime) -> None:
    """Send a webhook again, whatever its state."""
    delivery.attempts.clear()
    delivery.state, delivery.next_at, delivery.held = "pending", now, False
