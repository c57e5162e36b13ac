"""What the service describes: medias, clips, transcriptions, webhook subscriptions, direct uploads.

Each class is a flat, immutable view on the wire model that `contentgroove_api` decodes, the same class whether a
REST answer or a webhook brought it. An attribute that the service sent as null, or not at all, is None;
`fields_set` tells the two apart. Fields that this version does not know are in `extra`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from ._page import Page
from ._view import Model, ids_of, to_utc, unset_to_none, utc_or_none

__all__ = ["Clip", "DirectUpload", "Media", "Page", "Transcription", "WebhookSubscription"]

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from contentgroove_api.models.clip import Clip as WireClip
    from contentgroove_api.models.direct_upload import DirectUpload as WireDirectUpload
    from contentgroove_api.models.media import Media as WireMedia
    from contentgroove_api.models.transcription import Transcription as WireTranscription
    from contentgroove_api.models.webhook_subscription import WebhookSubscription as WireWebhookSubscription

    _MediaView = Model[WireMedia]
    _ClipView = Model[WireClip]
    _TranscriptionView = Model[WireTranscription]
    _WebhookSubscriptionView = Model[WireWebhookSubscription]
    _DirectUploadView = Model[WireDirectUpload]
else:
    # A program that only asks for medias does not import the structs of all the others.
    _MediaView = _ClipView = _TranscriptionView = _WebhookSubscriptionView = _DirectUploadView = Model


class Media(_MediaView):
    """A video or audio that the service processes: transcribes it and suggests clips.

    Source of the attributes: the contract, `components.schemas.media_response_object_data`.
    """

    __slots__ = ()

    _attributes = (
        "name",
        "description",
        "is_processing",
        "has_fetch_error",
        "created_at",
        "original_created_at",
        "processing_started_at",
        "external_id",
        "source_url",
        "source_created_at",
        "source_file_content_type",
        "source_file_duration",
        "source_file_height",
        "source_file_width",
        "source_file_preview_image_url",
    )
    _relationships: ClassVar[Mapping[str, str]] = {"clip_ids": "clips", "transcription_id": "transcription"}
    _shown = ("name", "is_processing")

    @property
    def id(self) -> str:
        """The id that calls take."""
        return self._wire.id

    @property
    def name(self) -> str:
        """The name shown in the application; empty if none was given."""
        return self._wire.attributes.name

    @property
    def description(self) -> str | None:
        """Free text given at creation or by an update."""
        return unset_to_none(self._wire.attributes.description)

    @property
    def is_processing(self) -> bool | None:
        """False when processing has finished, True while it runs, None before it begins."""
        return unset_to_none(self._wire.attributes.is_processing)

    @property
    def is_finished(self) -> bool:
        """Whether processing has ended. A fresh media, whose `is_processing` is null, is not finished."""
        return self._wire.attributes.is_processing is False

    @property
    def has_fetch_error(self) -> bool:
        """Whether the service could not fetch the file of `source_url`."""
        return self._wire.attributes.has_fetch_error

    @property
    def created_at(self) -> dt.datetime:
        """When the media was created."""
        return to_utc(self._wire.attributes.created_at)

    @property
    def original_created_at(self) -> dt.datetime | None:
        """When the original was created, as far as the service knows."""
        return utc_or_none(self._wire.attributes.original_created_at)

    @property
    def processing_started_at(self) -> dt.datetime | None:
        """When processing began; already set while `is_processing` is still None."""
        return utc_or_none(self._wire.attributes.processing_started_at)

    @property
    def external_id(self) -> str | None:
        """An identifier that the service gives beside `id`."""
        return unset_to_none(self._wire.attributes.external_id)

    @property
    def source_url(self) -> str | None:
        """Where the file was fetched from, if it was not uploaded."""
        return unset_to_none(self._wire.attributes.source_url)

    @property
    def source_created_at(self) -> dt.datetime | None:
        """When the source file was created."""
        return utc_or_none(self._wire.attributes.source_created_at)

    @property
    def source_file_content_type(self) -> str | None:
        """The file's media type, such as `video/mp4`."""
        return unset_to_none(self._wire.attributes.source_file_content_type)

    @property
    def source_file_duration(self) -> float | None:
        """The file's length in seconds."""
        return unset_to_none(self._wire.attributes.source_file_duration)

    @property
    def source_file_height(self) -> int | None:
        """The picture's height in pixels."""
        return unset_to_none(self._wire.attributes.source_file_height)

    @property
    def source_file_width(self) -> int | None:
        """The picture's width in pixels."""
        return unset_to_none(self._wire.attributes.source_file_width)

    @property
    def source_file_preview_image_url(self) -> str | None:
        """Where a still picture of the media can be fetched."""
        return unset_to_none(self._wire.attributes.source_file_preview_image_url)

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """The ids of the media's clips, suggested ones included."""
        relationships = unset_to_none(self._wire.relationships)
        return () if relationships is None else ids_of(relationships.clips)

    @property
    def transcription_id(self) -> str | None:
        """The transcription's id; a REST answer names it under `relationships`, a webhook beside them."""
        relationships = unset_to_none(self._wire.relationships)
        inside = None if relationships is None else unset_to_none(relationships.transcription)
        for relationship in (inside, unset_to_none(self._wire.transcription)):
            related = None if relationship is None else unset_to_none(relationship.data)
            if related is not None:
                return related.id
        return None

    @property
    def fields_set(self) -> frozenset[str]:
        """The attributes that the service sent, null or not; the others are None because it left them out."""
        names = super().fields_set
        if self._wire.transcription is not msgspec.UNSET:
            return names | {"transcription_id"}
        return names


class Clip(_ClipView):
    """A part of a media, suggested by the service or made by a user.

    Source of the attributes: the contract, `components.schemas.clip_response_object_data`.
    """

    __slots__ = ()

    _attributes = (
        "name",
        "start_time",
        "end_time",
        "text",
        "start_char",
        "end_char",
        "rank",
        "is_processing",
        "created_at",
        "processing_started_at",
        "external_id",
        "media_file_content_type",
        "media_file_duration",
        "media_file_height",
        "media_file_width",
        "media_file_preview_image_url",
        "media_file_url",
    )
    _relationships: ClassVar[Mapping[str, str]] = {"media_id": "media"}
    _shown = ("name", "start_time", "end_time", "is_processing")

    @property
    def id(self) -> str:
        """The id that calls take."""
        return self._wire.id

    @property
    def name(self) -> str:
        """The clip's name."""
        return self._wire.attributes.name

    @property
    def start_time(self) -> float:
        """Where the clip begins in the media, in seconds."""
        return self._wire.attributes.start_time

    @property
    def end_time(self) -> float:
        """Where the clip ends in the media, in seconds."""
        return self._wire.attributes.end_time

    @property
    def text(self) -> str | None:
        """What is spoken in the clip."""
        return unset_to_none(self._wire.attributes.text)

    @property
    def start_char(self) -> int | None:
        """Where `text` begins in the transcription's text, in characters."""
        return unset_to_none(self._wire.attributes.start_char)

    @property
    def end_char(self) -> int | None:
        """Where `text` ends in the transcription's text, in characters."""
        return unset_to_none(self._wire.attributes.end_char)

    @property
    def rank(self) -> int | None:
        """The place among the suggested clips, 0 being the best; None for clips made by a user."""
        return unset_to_none(self._wire.attributes.rank)

    @property
    def is_processing(self) -> bool | None:
        """False when the clip's file is ready, True while it is made, None before; a webhook leaves it out."""
        return unset_to_none(self._wire.attributes.is_processing)

    @property
    def is_finished(self) -> bool:
        """Whether processing has ended. A fresh clip, whose `is_processing` is null, is not finished."""
        return self._wire.attributes.is_processing is False

    @property
    def created_at(self) -> dt.datetime:
        """When the clip was created."""
        return to_utc(self._wire.attributes.created_at)

    @property
    def processing_started_at(self) -> dt.datetime | None:
        """When processing began; already set while `is_processing` is still None."""
        return utc_or_none(self._wire.attributes.processing_started_at)

    @property
    def external_id(self) -> str | None:
        """An identifier that the service gives beside `id`."""
        return unset_to_none(self._wire.attributes.external_id)

    @property
    def media_file_content_type(self) -> str | None:
        """The clip file's media type, such as `video/mp4`."""
        return unset_to_none(self._wire.attributes.media_file_content_type)

    @property
    def media_file_duration(self) -> float | None:
        """The clip file's length in seconds."""
        return unset_to_none(self._wire.attributes.media_file_duration)

    @property
    def media_file_height(self) -> int | None:
        """The picture's height in pixels."""
        return unset_to_none(self._wire.attributes.media_file_height)

    @property
    def media_file_width(self) -> int | None:
        """The picture's width in pixels."""
        return unset_to_none(self._wire.attributes.media_file_width)

    @property
    def media_file_preview_image_url(self) -> str | None:
        """Where a still picture of the clip can be fetched."""
        return unset_to_none(self._wire.attributes.media_file_preview_image_url)

    @property
    def media_file_url(self) -> str | None:
        """Where the clip's file can be fetched, once it is ready."""
        return unset_to_none(self._wire.attributes.media_file_url)

    @property
    def media_id(self) -> str | None:
        """The media that the clip is a part of."""
        relationships = unset_to_none(self._wire.relationships)
        media = None if relationships is None else unset_to_none(relationships.media)
        return None if media is None else media.data.id


class Transcription(_TranscriptionView):
    """What is spoken in a media. The API documents it in webhooks only."""

    __slots__ = ()

    _attributes = ("text",)

    @property
    def id(self) -> str:
        """The transcription's id."""
        return self._wire.id

    @property
    def text(self) -> str:
        """The spoken words."""
        return self._wire.attributes.text


class WebhookSubscription(_WebhookSubscriptionView):
    """A URL that the service tells about events.

    Source of the attributes: the contract, `components.schemas.webhook_subscription_response_object_data`.
    """

    __slots__ = ()

    _attributes = ("url", "subscribed_events", "active", "created_at", "updated_at")
    _relationships: ClassVar[Mapping[str, str]] = {"user_id": "user", "webhook_event_ids": "webhook_events"}
    _shown = ("url", "subscribed_events", "active")

    @property
    def id(self) -> str:
        """The id that calls take."""
        return self._wire.id

    @property
    def url(self) -> str:
        """Where events are sent. It can carry a secret token; a repr of this object leaves it out."""
        return self._wire.attributes.url

    @property
    def subscribed_events(self) -> tuple[str, ...]:
        """The names of the events that are sent; `*` stands for all."""
        return tuple(unset_to_none(self._wire.attributes.subscribed_events) or ())

    @property
    def active(self) -> bool:
        """Whether events are sent."""
        return self._wire.attributes.active

    @property
    def created_at(self) -> dt.datetime:
        """When the subscription was created."""
        return to_utc(self._wire.attributes.created_at)

    @property
    def updated_at(self) -> dt.datetime:
        """When the subscription was last changed."""
        return to_utc(self._wire.attributes.updated_at)

    @property
    def user_id(self) -> str | None:
        """The user whom the subscription belongs to."""
        relationships = unset_to_none(self._wire.relationships)
        user = None if relationships is None else unset_to_none(relationships.user)
        return None if user is None else user.data.id

    @property
    def webhook_event_ids(self) -> tuple[str, ...]:
        """The ids of the events that were sent; no documented call takes them."""
        relationships = unset_to_none(self._wire.relationships)
        return () if relationships is None else ids_of(relationships.webhook_events)


class DirectUpload(_DirectUploadView):
    """A prepared upload: where to PUT the file, and what to name it when the media is created.

    Both values are credentials; a repr leaves them out.
    """

    __slots__ = ()

    _attributes = ("upload_id", "upload_url")

    @property
    def id(self) -> str:
        """The upload's id; calls take `upload_id` instead."""
        return self._wire.id

    @property
    def upload_id(self) -> str:
        """What `medias.create(upload_id=…)` takes once the file is sent."""
        return self._wire.attributes.upload_id

    @property
    def upload_url(self) -> str:
        """Where the file is PUT: presigned, for one upload and a limited time. Send no key along."""
        return self._wire.attributes.upload_url
