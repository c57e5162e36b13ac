"""From bytes to models: one decoder for each kind of document, made on first use."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from contentgroove_api.models.clip_document import ClipDocument
from contentgroove_api.models.clip_list import ClipList
from contentgroove_api.models.direct_upload_document import DirectUploadDocument
from contentgroove_api.models.media_document import MediaDocument
from contentgroove_api.models.media_list import MediaList
from contentgroove_api.models.webhook_subscription_document import WebhookSubscriptionDocument
from contentgroove_api.models.webhook_subscription_list import WebhookSubscriptionList
from msgspec.json import Decoder

from contentgroove.models import Clip, DirectUpload, Media, Page, Source, WebhookSubscription

S = TypeVar("S", bound=msgspec.Struct)

_ITEM = ("data",)
"""Where a document keeps its one resource."""


class NotAsContractedError(ValueError):
    """A body is not JSON, or not the document that the contract promises."""


def _decoder(kind: type[S]) -> Decoder[S]:
    # Lax, because the service sends some numbers as strings ("98.865532").
    return Decoder(kind, strict=False)


_media = _decoder(MediaDocument)
_medias = _decoder(MediaList)
_clip = _decoder(ClipDocument)
_clips = _decoder(ClipList)
_subscription = _decoder(WebhookSubscriptionDocument)
_subscriptions = _decoder(WebhookSubscriptionList)
_direct_upload = _decoder(DirectUploadDocument)


def decode(content: bytes, decoder: Decoder[S]) -> S:
    """Decode a body.

    Raises:
        NotAsContractedError: The body is not JSON or does not fit; the message says where.
    """
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotAsContractedError(str(error) or "it is empty") from error


def media(content: bytes) -> Media:
    """Decode a document of one media."""
    return Media(decode(content, _media).data, Source(content, _ITEM))


def media_page(content: bytes, number: int) -> Page[Media]:
    """Decode a page of medias."""
    document = decode(content, _medias)
    items = tuple(Media(item, Source(content, ("data", i))) for i, item in enumerate(document.data))
    return Page(items, number, document.links)


def clip(content: bytes) -> Clip:
    """Decode a document of one clip."""
    return Clip(decode(content, _clip).data, Source(content, _ITEM))


def clip_page(content: bytes, number: int) -> Page[Clip]:
    """Decode a page of clips."""
    document = decode(content, _clips)
    items = tuple(Clip(item, Source(content, ("data", i))) for i, item in enumerate(document.data))
    return Page(items, number, document.links)


def webhook_subscription(content: bytes) -> WebhookSubscription:
    """Decode a document of one webhook subscription."""
    return WebhookSubscription(decode(content, _subscription).data, Source(content, _ITEM))


def webhook_subscription_page(content: bytes, number: int) -> Page[WebhookSubscription]:
    """Decode a page of webhook subscriptions."""
    document = decode(content, _subscriptions)
    items = tuple(WebhookSubscription(item, Source(content, ("data", i))) for i, item in enumerate(document.data))
    return Page(items, number, document.links)


def direct_upload(content: bytes) -> DirectUpload:
    """Decode a document of one prepared upload."""
    return DirectUpload(decode(content, _direct_upload).data, Source(content, _ITEM))
