"""From bytes to models."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from contentgroove_api.types import decoder, protect_stack

from contentgroove._model_base import JsonSource
from contentgroove.models import Clip, DirectUpload, Media, Page, WebhookSubscription

S = TypeVar("S", bound=msgspec.Struct)

_DATA_PATH = ("data",)
"""Where a document keeps its one resource."""


class BodyMismatchError(ValueError):
    """A body is not JSON, or not the document that the contract promises."""


def decode(content: bytes, kind: type[S]) -> S:
    """Decode a body.

    Raises:
        BodyMismatchError: The body is not JSON or does not fit; the message says where.
    """
    try:
        protect_stack(content)
        return decoder(kind).decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BodyMismatchError(str(error) or "it is empty") from error


def decode_media(content: bytes) -> Media:
    """Decode a document of one media."""
    from contentgroove_api.models.media_document import MediaDocument

    return Media(decode(content, MediaDocument).data, JsonSource(content, _DATA_PATH))


def decode_media_page(content: bytes, number: int) -> Page[Media]:
    """Decode a page of medias."""
    from contentgroove_api.models.media_list import MediaList

    document = decode(content, MediaList)
    source = JsonSource(content, _DATA_PATH)
    items = tuple([Media(item, source, i) for i, item in enumerate(document.data)])
    return Page(items, number, document.links)


def decode_clip(content: bytes) -> Clip:
    """Decode a document of one clip."""
    from contentgroove_api.models.clip_document import ClipDocument

    return Clip(decode(content, ClipDocument).data, JsonSource(content, _DATA_PATH))


def decode_clip_page(content: bytes, number: int) -> Page[Clip]:
    """Decode a page of clips."""
    from contentgroove_api.models.clip_list import ClipList

    document = decode(content, ClipList)
    source = JsonSource(content, _DATA_PATH)
    items = tuple([Clip(item, source, i) for i, item in enumerate(document.data)])
    return Page(items, number, document.links)


def decode_webhook_subscription(content: bytes) -> WebhookSubscription:
    """Decode a document of one webhook subscription."""
    from contentgroove_api.models.webhook_subscription_document import WebhookSubscriptionDocument

    return WebhookSubscription(decode(content, WebhookSubscriptionDocument).data, JsonSource(content, _DATA_PATH))


def decode_webhook_subscription_page(content: bytes, number: int) -> Page[WebhookSubscription]:
    """Decode a page of webhook subscriptions."""
    from contentgroove_api.models.webhook_subscription_list import WebhookSubscriptionList

    document = decode(content, WebhookSubscriptionList)
    source = JsonSource(content, _DATA_PATH)
    items = tuple([WebhookSubscription(item, source, i) for i, item in enumerate(document.data)])
    return Page(items, number, document.links)


def decode_direct_upload(content: bytes) -> DirectUpload:
    """Decode a document of one prepared upload."""
    from contentgroove_api.models.direct_upload_document import DirectUploadDocument

    return DirectUpload(decode(content, DirectUploadDocument).data, JsonSource(content, _DATA_PATH))
