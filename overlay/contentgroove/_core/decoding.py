"""From bytes to models."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from contentgroove_api.types import decoder, protect_stack

from contentgroove._view import Source
from contentgroove.models import Clip, DirectUpload, Media, Page, WebhookSubscription

S = TypeVar("S", bound=msgspec.Struct)

_ITEM = ("data",)
"""Where a document keeps its one resource."""


class NotAsContractedError(ValueError):
    """A body is not JSON, or not the document that the contract promises."""


def decode(content: bytes, kind: type[S]) -> S:
    """Decode a body.

    Raises:
        NotAsContractedError: The body is not JSON or does not fit; the message says where.
    """
    try:
        protect_stack(content)
        return decoder(kind).decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotAsContractedError(str(error) or "it is empty") from error


def media(content: bytes) -> Media:
    """Decode a document of one media."""
    from contentgroove_api.models.media_document import MediaDocument

    return Media(decode(content, MediaDocument).data, Source(content, _ITEM))


def media_page(content: bytes, number: int) -> Page[Media]:
    """Decode a page of medias."""
    from contentgroove_api.models.media_list import MediaList

    document = decode(content, MediaList)
    source = Source(content, _ITEM)
    items = tuple([Media(item, source, i) for i, item in enumerate(document.data)])
    return Page(items, number, document.links)


def clip(content: bytes) -> Clip:
    """Decode a document of one clip."""
    from contentgroove_api.models.clip_document import ClipDocument

    return Clip(decode(content, ClipDocument).data, Source(content, _ITEM))


def clip_page(content: bytes, number: int) -> Page[Clip]:
    """Decode a page of clips."""
    from contentgroove_api.models.clip_list import ClipList

    document = decode(content, ClipList)
    source = Source(content, _ITEM)
    items = tuple([Clip(item, source, i) for i, item in enumerate(document.data)])
    return Page(items, number, document.links)


def webhook_subscription(content: bytes) -> WebhookSubscription:
    """Decode a document of one webhook subscription."""
    from contentgroove_api.models.webhook_subscription_document import WebhookSubscriptionDocument

    return WebhookSubscription(decode(content, WebhookSubscriptionDocument).data, Source(content, _ITEM))


def webhook_subscription_page(content: bytes, number: int) -> Page[WebhookSubscription]:
    """Decode a page of webhook subscriptions."""
    from contentgroove_api.models.webhook_subscription_list import WebhookSubscriptionList

    document = decode(content, WebhookSubscriptionList)
    source = Source(content, _ITEM)
    items = tuple([WebhookSubscription(item, source, i) for i, item in enumerate(document.data)])
    return Page(items, number, document.links)


def direct_upload(content: bytes) -> DirectUpload:
    """Decode a document of one prepared upload."""
    from contentgroove_api.models.direct_upload_document import DirectUploadDocument

    return DirectUpload(decode(content, DirectUploadDocument).data, Source(content, _ITEM))
