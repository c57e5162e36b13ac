"""Webhooks: which a finished media has, when each is due, and how they are lost, doubled, held and put in order.

Only the status 200 counts as delivered; anything else is retried, a limited number of times, each wait twice as long
as the last (assumed: webhook-200-only, webhook-retries, webhook-per-subscription).
"""

from __future__ import annotations

import copy
import datetime as dt
from typing import TYPE_CHECKING, Literal

from contentgroove_mock.simulator.core.records import Delivery, DeliveryAttempt
from contentgroove_mock.simulator.core.serializers import webhook_payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove_mock.simulator.core.faults import Faults
    from contentgroove_mock.simulator.core.policies import Policy
    from contentgroove_mock.simulator.core.records import Clip, Ids, Media, State

Order = Literal["as_due", "reversed"]

PROCESSING_FINISHED = "media.processing_finished"
_DELIVERED = 200
_MOMENT = dt.timedelta(microseconds=1)


def queue_webhooks(state: State, media: Media, clips: list[Clip], *, ids: Ids, faults: Faults, at: dt.datetime) -> None:
    """Create the webhooks of a finished media, one for each subscription of its account."""
    for subscription in state.subscriptions.view.values():
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
        fault = faults.take("webhook", media.id)
        if fault is None:
            _hold_for_order(state, delivery, at)
        elif fault.kind == "lost":
            delivery.state, delivery.next_at = "lost", None
        elif fault.kind == "late":
            delivery.next_at = at + dt.timedelta(seconds=fault.seconds)
        elif fault.kind == "out_of_order":
            delivery.held, delivery.next_at = True, None
        elif fault.kind == "duplicate":
            copied = copy.deepcopy(delivery)
            copied.id = ids.uuid()
            state.deliveries[copied.id] = copied


def _hold_for_order(state: State, delivery: Delivery, at: dt.datetime) -> None:
    hold = state.webhook_hold
    if hold.coming == 0:
        return
    delivery.next_at = None
    hold.ids.append(delivery.id)
    hold.coming -= 1
    if hold.coming == 0:
        _release(state, at, hold.ids[::-1])


def next_attempt(state: State) -> dt.datetime | None:
    """Return when the next delivery attempt is due; None if there is none, or while webhooks are paused."""
    if state.webhook_hold.paused:
        return None
    return min((item.next_at for item in state.deliveries.view.values() if item.next_at), default=None)


def next_due_delivery(state: State, now: dt.datetime) -> Delivery | None:
    """Return the webhook that has been due for longest, if one is due and webhooks are not paused."""
    if state.webhook_hold.paused:
        return None
    return min(_due(state, now), key=lambda item: item.next_at or now, default=None)


def _due(state: State, now: dt.datetime) -> list[Delivery]:
    return [item for item in state.deliveries.view.values() if item.next_at is not None and item.next_at <= now]


def record_attempt(state: State, delivery: Delivery, attempt: DeliveryAttempt, policy: Policy) -> None:
    """Record the outcome of a delivery attempt, and plan the next one; not if the delivery was replaced meanwhile."""
    if state.deliveries.get(delivery.id) is not delivery:
        return
    delivery.attempts.append(attempt)
    if attempt.status == _DELIVERED:
        delivery.state, delivery.next_at = "delivered", None
        for other in list(state.deliveries.view.values()):
            if other.held and other.subscription_id == delivery.subscription_id:
                released = state.deliveries[other.id]
                released.held, released.next_at = False, attempt.at
    elif len(delivery.attempts) >= policy.webhook_attempts:
        delivery.state, delivery.next_at = "failed", None
    else:
        wait = policy.webhook_retry_seconds * 2 ** (len(delivery.attempts) - 1)
        delivery.next_at = attempt.at + dt.timedelta(seconds=wait)


def reject_remote_url(state: State, delivery: Delivery, now: dt.datetime) -> None:
    """End the delivery of a webhook that must not be sent, because its URL leaves this machine."""
    reason = "the URL leaves this machine; allow_remote_webhooks permits it"
    if state.deliveries.get(delivery.id) is not delivery:
        return
    delivery.attempts.append(DeliveryAttempt(at=now, error=reason))
    delivery.state, delivery.next_at = "refused", None


def redeliver(delivery: Delivery, now: dt.datetime) -> None:
    """Send a webhook again, whatever its state."""
    delivery.attempts.clear()
    delivery.state, delivery.next_at, delivery.held = "pending", now, False


def of_media(state: State, media_id: str) -> list[Delivery]:
    """Return the webhooks about a media, which may have been deleted, oldest first.

    Raises:
        LookupError: There is none.
    """
    found = [item.id for item in state.deliveries.view.values() if item.payload["data"]["id"] == media_id]
    if not found:
        raise LookupError(f"The simulator has no webhook about a media {media_id!r}: one is made when a media finishes")
    return [state.deliveries[identifier] for identifier in found]


def reorder(state: State, count: int) -> None:
    """Hold the next webhooks until there are that many, and send them last first.

    Raises:
        ValueError: `count` is less than 2.
    """
    if count < 2:  # noqa: PLR2004  # one has no order
        raise ValueError(f"count must be at least 2, because a single webhook has no order, not {count}")
    state.webhook_hold.coming = count


def resume(state: State, now: dt.datetime, order: Order | Sequence[str] = "as_due") -> None:
    """Send what was paused or held for its order.

    Args:
        state: The state, which is changed.
        now: The time.
        order: `as_due`, `reversed`, or the ids of deliveries that are sent first, in this order.

    Raises:
        LookupError: There is no such delivery.
        ValueError: A delivery does not wait.
    """
    hold = state.webhook_hold
    waiting = [item.id for item in sorted(_due(state, now), key=lambda item: item.next_at or now)] + hold.ids
    if order == "as_due":
        chosen = waiting
    elif order == "reversed":
        chosen = waiting[::-1]
    elif isinstance(order, str):
        raise ValueError(f"order must be as_due, reversed or a list of ids of deliveries, not {order!r}")
    else:
        for identifier in order:
            if identifier not in state.deliveries:
                raise LookupError(f"The simulator has no delivery {identifier!r}; it has {len(state.deliveries)}")
            if identifier not in waiting:
                raise ValueError(f"The delivery {identifier} does not wait: only webhooks that wait have an order")
        chosen = list(dict.fromkeys([*order, *waiting]))
    _release(state, now, chosen)
    hold.paused, hold.coming = False, 0


def _release(state: State, now: dt.datetime, ordered: list[str]) -> None:
    """Make deliveries due, the first of them for longest."""
    state.webhook_hold.ids = []
    for position, identifier in enumerate(reversed(ordered)):
        delivery = state.deliveries[identifier]
        # A subscription that was deleted meanwhile gets nothing more.
        if delivery.subscription_id in state.subscriptions:
            delivery.next_at = now - position * _MOMENT
