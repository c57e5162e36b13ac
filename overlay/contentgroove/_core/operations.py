"""The operations of medias, clips, webhook subscriptions and direct uploads.

Each function imports the generated modules that it needs, because most programs start with a single call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_api.types import UNSET

from contentgroove.models import Clip, DirectUpload, Media, WebhookSubscription

from .calls import Operation, decode_nothing
from .inputs import check_id, check_seconds, check_text, check_texts, check_url, invalid_input
from .responses import decode_page, decode_resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .paging import ListArguments, ListOperation
    from .secret import Secret


def list_medias(query: ListArguments) -> ListOperation[Media]:
    """List medias."""
    from contentgroove_api.api.medias import get_medias
    from contentgroove_api.models.get_medias_sort import GetMediasSort

    from .paging import list_operation

    return list_operation(get_medias.build_request, GetMediasSort, decode_page(Media), query)


def get_media(media_id: str) -> Operation[Media]:
    """Fetch one media."""
    from contentgroove_api.api.medias import get_media_by_id

    return Operation(get_media_by_id.build_request(check_id(media_id, "media")), decode_resource(Media))


# (assumed: data-type-optional, media-name-optional, one-source)
def create_media(
    *, source_url: str | Secret | None, upload_id: str | None, name: str | None, description: str | None
) -> Operation[Media]:
    """Create a media from either a URL or an upload."""
    from contentgroove_api.api.medias import create_media
    from contentgroove_api.models.create_media_request import CreateMediaRequest
    from contentgroove_api.models.create_media_request_attributes import CreateMediaRequestAttributes
    from contentgroove_api.models.create_media_request_data import CreateMediaRequestData

    if (source_url is None) == (upload_id is None):
        raise invalid_input(
            "Pass exactly one of source_url= and upload_id=: "
            f"{'neither was' if source_url is None else 'both were'} passed."
        )
    attributes = CreateMediaRequestAttributes(
        source_url=UNSET if source_url is None else check_url(source_url, "source_url"),
        upload_id=UNSET if upload_id is None else check_text(upload_id, "upload_id"),
        name=UNSET if name is None else check_text(name, "name"),
        description=UNSET if description is None else check_text(description, "description"),
    )
    body = CreateMediaRequest(data=CreateMediaRequestData(attributes=attributes))
    return Operation(create_media.build_request(body=body), decode_resource(Media), idempotent=False)


# (assumed: put-is-partial)
def update_media(media_id: str, *, name: str | None, description: str | None) -> Operation[Media]:
    """Change a media's name, description or both."""
    from contentgroove_api.api.medias import update_media_by_id
    from contentgroove_api.models.update_media_request import UpdateMediaRequest
    from contentgroove_api.models.update_media_request_attributes import UpdateMediaRequestAttributes
    from contentgroove_api.models.update_media_request_data import UpdateMediaRequestData

    checked = check_id(media_id, "media")
    if name is None and description is None:
        raise invalid_input("Nothing to update: pass name=, description= or both.")
    attributes = UpdateMediaRequestAttributes(
        name=UNSET if name is None else check_text(name, "name"),
        description=UNSET if description is None else check_text(description, "description"),
    )
    body = UpdateMediaRequest(data=UpdateMediaRequestData(attributes=attributes))
    return Operation(update_media_by_id.build_request(checked, body=body), decode_resource(Media))


# (assumed: delete-returns-204, delete-again-404, unknown-media-404)
def delete_media(media_id: str) -> Operation[None]:
    """Delete a media and its clips."""
    from contentgroove_api.api.medias import delete_media_by_id

    request = delete_media_by_id.build_request(check_id(media_id, "media"))
    return Operation(request, decode_nothing, accept_404_on_retry=True)


def list_clips(query: ListArguments) -> ListOperation[Clip]:
    """List clips."""
    from contentgroove_api.api.clips import get_clips
    from contentgroove_api.models.get_clips_sort import GetClipsSort

    from .paging import list_operation

    return list_operation(get_clips.build_request, GetClipsSort, decode_page(Clip), query)


def get_clip(clip_id: str) -> Operation[Clip]:
    """Fetch one clip."""
    from contentgroove_api.api.clips import get_clip_by_id

    return Operation(get_clip_by_id.build_request(check_id(clip_id, "clip")), decode_resource(Clip))


def create_clip(*, media_id: str, name: str, start_time: float, end_time: float) -> Operation[Clip]:
    """Cut a clip out of a media."""
    from contentgroove_api.api.clips import create_clip
    from contentgroove_api.models.create_clip_request import CreateClipRequest
    from contentgroove_api.models.create_clip_request_attributes import CreateClipRequestAttributes
    from contentgroove_api.models.create_clip_request_data import CreateClipRequestData

    attributes = CreateClipRequestAttributes(
        media_id=check_id(media_id, "media"),
        name=check_text(name, "name"),
        start_time=check_seconds(start_time, "start_time"),
        end_time=check_seconds(end_time, "end_time"),
    )
    _check_times(attributes.start_time, attributes.end_time)
    body = CreateClipRequest(data=CreateClipRequestData(attributes=attributes))
    return Operation(create_clip.build_request(body=body), decode_resource(Clip), idempotent=False)


def update_clip(clip_id: str, *, name: str | None, start_time: float | None, end_time: float | None) -> Operation[Clip]:
    """Change a clip's name, times or all of them."""
    from contentgroove_api.api.clips import update_clip_by_id
    from contentgroove_api.models.update_clip_request import UpdateClipRequest
    from contentgroove_api.models.update_clip_request_attributes import UpdateClipRequestAttributes
    from contentgroove_api.models.update_clip_request_data import UpdateClipRequestData

    checked = check_id(clip_id, "clip")
    if name is None and start_time is None and end_time is None:
        raise invalid_input("Nothing to update: pass name=, start_time=, end_time= or several.")
    start = None if start_time is None else check_seconds(start_time, "start_time")
    end = None if end_time is None else check_seconds(end_time, "end_time")
    if start is not None and end is not None:
        _check_times(start, end)
    attributes = UpdateClipRequestAttributes(
        name=UNSET if name is None else check_text(name, "name"),
        start_time=UNSET if start is None else start,
        end_time=UNSET if end is None else end,
    )
    body = UpdateClipRequest(data=UpdateClipRequestData(attributes=attributes))
    return Operation(update_clip_by_id.build_request(checked, body=body), decode_resource(Clip))


def delete_clip(clip_id: str) -> Operation[None]:
    """Delete a clip."""
    from contentgroove_api.api.clips import delete_clip_by_id

    request = delete_clip_by_id.build_request(check_id(clip_id, "clip"))
    return Operation(request, decode_nothing, accept_404_on_retry=True)


# (assumed: clip-end-after-start, clip-times-not-negative)
def _check_times(start: float, end: float) -> None:
    if end <= start:
        raise invalid_input(f"end_time must be greater than start_time={start:g}, not {end:g}.")


def list_webhook_subscriptions(query: ListArguments) -> ListOperation[WebhookSubscription]:
    """List webhook subscriptions."""
    from contentgroove_api.api.webhook_subscriptions import get_webhook_subscriptions
    from contentgroove_api.models.get_webhook_subscriptions_sort import GetWebhookSubscriptionsSort

    from .paging import list_operation

    return list_operation(
        get_webhook_subscriptions.build_request,
        GetWebhookSubscriptionsSort,
        decode_page(WebhookSubscription),
        query,
    )


def get_webhook_subscription(subscription_id: str) -> Operation[WebhookSubscription]:
    """Fetch one webhook subscription."""
    from contentgroove_api.api.webhook_subscriptions import get_webhook_subscription_by_id

    checked = check_id(subscription_id, "webhook subscription")
    return Operation(get_webhook_subscription_by_id.build_request(checked), decode_resource(WebhookSubscription))


def create_webhook_subscription(
    *, url: str | Secret, subscribed_events: Sequence[str] | None
) -> Operation[WebhookSubscription]:
    """Subscribe a URL to events."""
    from contentgroove_api.api.webhook_subscriptions import create_webhook_subscription
    from contentgroove_api.models.create_webhook_subscription_request import CreateWebhookSubscriptionRequest
    from contentgroove_api.models.create_webhook_subscription_request_attributes import (
        CreateWebhookSubscriptionRequestAttributes,
    )
    from contentgroove_api.models.create_webhook_subscription_request_data import (
        CreateWebhookSubscriptionRequestData,
    )

    events = None if subscribed_events is None else check_texts(subscribed_events, "subscribed_events", "event names")
    attributes = CreateWebhookSubscriptionRequestAttributes(
        url=check_url(url, "url"), subscribed_events=UNSET if events is None else events
    )
    body = CreateWebhookSubscriptionRequest(data=CreateWebhookSubscriptionRequestData(attributes=attributes))
    request = create_webhook_subscription.build_request(body=body)
    return Operation(request, decode_resource(WebhookSubscription), idempotent=False)


def delete_webhook_subscription(subscription_id: str) -> Operation[None]:
    """Delete a subscription, so that its URL receives no more events."""
    from contentgroove_api.api.webhook_subscriptions import delete_webhook_subscription_by_id

    checked = check_id(subscription_id, "webhook subscription")
    return Operation(delete_webhook_subscription_by_id.build_request(checked), decode_nothing, accept_404_on_retry=True)


def prepare_upload() -> Operation[DirectUpload]:
    """Prepare an upload.

    This GET creates something. It is still retried like any other: an unused prepared upload costs nothing and expires.
    """
    from contentgroove_api.api.direct_uploads import get_upload_url

    return Operation(get_upload_url.build_request(), decode_resource(DirectUpload))
