"""Checks of subscriptions, and of the webhooks that arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core.secret import Secret

from .checks import Finding, NotTriedError, Probe, attribute, check, described, is_refusal, judge, number
from .creations import VARIANTS
from .deliveries import MAX_WAIT
from .exchanges import Exchange, entries, member

if TYPE_CHECKING:
    from .deliveries import Delivery

_LOOKS = 4
_SIGNATURE = ("signature", "hmac", "digest")


def _subscription(probe: Probe) -> Exchange:
    exchange = probe.created.require(probe.created.subscription)
    if not exchange.succeeded:
        raise NotTriedError(f"{described(exchange)} for the callback URL.")
    return exchange


def _delivery(probe: Probe) -> Delivery:
    """Return the webhook of the finished media; waits for it once in a run."""
    _subscription(probe)
    media_id = str(member(probe.created.finished.data, "id"))
    if probe.receiver is None:
        raise NotTriedError("There is no receiver of webhooks.")
    delivery = probe.receiver.delivery_of(media_id, 0.0 if probe.waited else MAX_WAIT)
    probe.waited = True
    if delivery is None:
        raise NotTriedError(f"No webhook of the media arrived within {MAX_WAIT:g} s.")
    return delivery


def _judge(holds: object, seen: str, delivery: Delivery) -> Finding:
    return judge(holds, seen, delivery.as_exchange())


@check("subscription-of-all-events")
def subscription_of_all_events(probe: Probe) -> Finding:
    """Read the events of a subscription that named none."""
    exchange = _subscription(probe)
    found = attribute(exchange.data, "subscribed_events")
    return judge(found == ["*"], f"subscribed_events is {found}.", exchange)


@check("subscription-url-verbatim")
def subscription_url_verbatim(probe: Probe) -> Finding:
    """Compare the URL of the subscription with what was sent."""
    exchange = _subscription(probe)
    holds = Secret(str(attribute(exchange.data, "url"))) == probe.created.subscribed_url
    return judge(holds, f"The URL {'is' if holds else 'is not'} as it was sent.", exchange)


@check("subscription-active")
def subscription_active(probe: Probe) -> Finding:
    """Read whether the new subscription is active."""
    exchange = _subscription(probe)
    return judge(
        attribute(exchange.data, "active") is True, f"active is {attribute(exchange.data, 'active')}.", exchange
    )


@check("subscription-url-twice")
def subscription_url_twice(probe: Probe) -> Finding:
    """Subscribe the same URL again."""
    _subscription(probe)
    exchange = probe.created.subscribe("all", subscribed_events=["media.processing_finished"])
    return judge(not is_refusal(exchange), f"{described(exchange)} for the same URL.", exchange)


@check("subscription-events-unchecked")
def subscription_events_unchecked(probe: Probe) -> Finding:
    """Subscribe to an event that does not exist, and to none."""
    _subscription(probe)
    unknown = probe.created.subscribe("event", subscribed_events=["contentgroove.doctor"])
    empty = probe.created.subscribe("none", subscribed_events=[])
    holds = not is_refusal(unknown) and not is_refusal(empty)
    seen = f"{described(unknown)} for an unknown event, {empty.status} for an empty list."
    return judge(holds, seen, unknown, empty)


@check("webhook-envelope")
def webhook_envelope(probe: Probe) -> Finding:
    """Read the members of a webhook."""
    delivery = _delivery(probe)
    holds = member(delivery.json, "event") == "media.processing_finished" and member(delivery.media, "type") == "medias"
    return _judge(holds, f"The event is {member(delivery.json, 'event')!r}.", delivery)


@check("webhook-content-type")
def webhook_content_type(probe: Probe) -> Finding:
    """Read the Content-Type of a webhook."""
    delivery = _delivery(probe)
    found = delivery.headers.get("content-type", "none")
    return _judge(found.partition(";")[0].strip() == "application/json", f"It is {found}.", delivery)


@check("webhook-unsigned")
def webhook_unsigned(probe: Probe) -> Finding:
    """Look for a signature among the headers of a webhook."""
    delivery = _delivery(probe)
    found = [name for name in delivery.headers if any(word in name for word in _SIGNATURE)]
    return _judge(not found, f"Headers of a signature: {', '.join(found) or 'none'}.", delivery)


@check("webhook-keeps-query")
def webhook_keeps_query(probe: Probe) -> Finding:
    """Compare the query of the request with that of the subscribed URL."""
    delivery = _delivery(probe)
    # A late webhook may be that of another subscription of the run.
    urls = [probe.created.variant(name).reveal() for name in VARIANTS]
    holds = delivery.path.partition("?")[2] in {url.partition("?")[2] for url in urls}
    return _judge(holds, f"The query {'is' if holds else 'is not'} that of the subscription.", delivery)


@check("webhook-numeric-strings")
def webhook_numeric_strings(probe: Probe) -> Finding:
    """Read the type of the media's duration."""
    delivery = _delivery(probe)
    found = attribute(delivery.media, "source_file_duration")
    holds = isinstance(found, str) and number(found) is not None
    return _judge(holds, f"The duration is {type(found).__name__}.", delivery)


@check("webhook-transcription-beside")
def webhook_transcription_beside(probe: Probe) -> Finding:
    """Look where the transcription is named."""
    delivery = _delivery(probe)
    inside = member(delivery.media, "relationships", "transcription")
    beside = member(delivery.media, "transcription", "data", "id")
    if inside is None and beside is None and not probe.created.spoken:
        raise NotTriedError("The file has no speech, so that it may have no transcription: pass --file.")
    where = "next to" if beside else "in" if inside else "neither in nor next to"
    return _judge(inside is None and isinstance(beside, str), f"It is {where} the relationships.", delivery)


@check("webhook-included")
def webhook_included(probe: Probe) -> Finding:
    """Look for the clips and the transcription of the media."""
    delivery = _delivery(probe)
    types = {str(member(item, "type")) for item in entries(delivery.json, "payload", "included")}
    if not types and not probe.created.spoken:
        raise NotTriedError("The file has no speech, so that it may have no clips: pass --file.")
    return _judge(types == {"clips", "transcriptions"}, f"Included are {', '.join(sorted(types)) or 'none'}.", delivery)


@check("webhook-clips-without-state")
def webhook_clips_without_state(probe: Probe) -> Finding:
    """Look for the state of processing in the clips of a webhook."""
    delivery = _delivery(probe)
    included = entries(delivery.json, "payload", "included")
    clips = [item for item in included if member(item, "type") == "clips"]
    if not clips:
        raise NotTriedError("The webhook has no clips.")
    found = [clip for clip in clips if "is_processing" in (member(clip, "attributes") or {})]
    return _judge(not found, f"{len(found)} of {len(clips)} clips have is_processing.", delivery)


@check("webhook-means-finished")
def webhook_means_finished(probe: Probe) -> Finding:
    """Read the state of the media in a webhook."""
    delivery = _delivery(probe)
    found = attribute(delivery.media, "is_processing")
    return _judge(found is False, f"is_processing is {found}.", delivery)


@check("subscription-lists-deliveries")
def subscription_lists_deliveries(probe: Probe) -> Finding:
    """Look for what was delivered in the subscription."""
    _delivery(probe)
    path = f"/webhook_subscriptions/{member(_subscription(probe).data, 'id')}"
    exchange = probe.read(path)
    found = entries(exchange.data, "relationships", "webhook_events", "data")
    for _ in range(_LOOKS):
        if found:
            break
        # The delivery may be noted only after the receiver has responded to it.
        probe.caller.sleep(0.5)
        exchange = probe.read(path)
        found = entries(exchange.data, "relationships", "webhook_events", "data")
    return judge(found, f"It names {len(found)} events.", exchange)
