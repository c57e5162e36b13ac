"""The models of medias, their clips and transcriptions: what a webhook brings, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from contentgroove.errors import MissingFieldError

from .base import Model, ids_of, to_utc, unset_to_none, utc_or_none, was_sent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from contentgroove_api.models.clip import Clip as WireClip
    from contentgroove_api.models.media import Media as WireMedia
    from contentgroove_api.models.transcription import Transcription as WireTranscription

    _MediaModel = Model[WireMedia]
    _ClipModel = Model[WireClip]
    _TranscriptionModel = Model[WireTranscription]
else:
    # An application that only uses medias does not import the structs of the other models.
    _MediaModel = _ClipModel = _TranscriptionModel = Model


class Media(_MediaModel):
    """A video or audio file that the service transcribes and suggests clips of.

    Source of the attributes: the contract, `components.schemas.media_response_object_data`.
    """

    __slots__ = ()
    __match_args__ = ("id", "name")
    _module = "media"
    _kind = "medias"

    _relationships: ClassVar[Mapping[str, str]] = {"clip_ids": "clips", "transcription_id": "transcription"}
    _repr_fields = ("name", "is_processing")

    @property
    def id(self) -> str:
        """The id that calls take."""
        return self._wire.id

    @property
    def name(self) -> str:
        """The name shown in the application; empty if it was created without one."""
        return self._wire.attributes.name

    @property
    def description(self) -> str | None:
        """The free text of the creation or of the last update."""
        return unset_to_none(self._wire.attributes.description)

    @property
    def is_processing(self) -> bool | None:
        """False after processing has finished, True while it runs, None before it starts."""
        return unset_to_none(self._wire.attributes.is_processing)

    @property
    def is_finished(self) -> bool:
        """True if processing has finished. A media whose `is_processing` is null, as at first, or missing is not."""
        try:
            return self._wire.attributes.is_processing is False
        except MissingFieldError:
            return False

    @property
    def has_fetch_error(self) -> bool:
        """True if the service could not fetch the file of `source_url`."""
        return self._wire.attributes.has_fetch_error

    @property
    def created_at(self) -> dt.datetime:
        """When the media was created."""
        return to_utc(self._wire.attributes.created_at)

    @property
    def original_created_at(self) -> dt.datetime | None:
        """When the original was created, if the service knows it."""
        return utc_or_none(self._wire.attributes.original_created_at)

    @property
    def processing_started_at(self) -> dt.datetime | None:
        """When processing began; already set while `is_processing` is still None."""
        return utc_or_none(self._wire.attributes.processing_started_at)

    @property
    def external_id(self) -> str | None:
        """An identifier that the service assigns in addition to `id`."""
        return unset_to_none(self._wire.attributes.external_id)

    @property
    def source_url(self) -> str | None:
        """The URL that the file was fetched from; None if it was uploaded."""
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
        """The URL of a still image of the media."""
        return unset_to_none(self._wire.attributes.source_file_preview_image_url)

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """The ids of the media's clips, including suggested ones."""
        relationships = unset_to_none(self._wire.relationships)
        return () if relationships is None else ids_of(relationships.clips)

    @property
    def transcription_id(self) -> str | None:
        """The transcription's id: in `relationships` of a REST response, next to `relationships` in a webhook."""
        error: MissingFieldError | None = None
        for holder in (unset_to_none(self._wire.relationships), self._wire):
            try:
                relationship = None if holder is None else unset_to_none(holder.transcription)
                related = None if relationship is None else unset_to_none(relationship.data)
                if related is not None:
                    return related.id
            except MissingFieldError as missing:
                error = missing
        if error is not None:
            raise error
        return None

    @property
    def fields_set(self) -> frozenset[str]:
        """The attributes that the service sent, null or not. The others are None because it omitted them."""
        names = super().fields_set
        return names | {"transcription_id"} if was_sent(self._wire, "transcription") else names


class Clip(_ClipModel):
    """A part of a media, suggested by the service or created by a user.

    Source of the attributes: the contract, `components.schemas.clip_response_object_data`.
    """

    __slots__ = ()
    __match_args__ = ("id", "name", "start_time", "end_time")
    _module = "clip"
    _kind = "clips"

    _relationships: ClassVar[Mapping[str, str]] = {"media_id": "media"}
    _repr_fields = ("name", "start_time", "end_time", "is_processing")

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
        """The clip's start in the media, in seconds."""
        return self._wire.attributes.start_time

    @property
    def end_time(self) -> float:
        """The clip's end in the media, in seconds."""
        return self._wire.attributes.end_time

    @property
    def text(self) -> str | None:
        """What is spoken in the clip."""
        return unset_to_none(self._wire.attributes.text)

    @property
    def start_char(self) -> int | None:
        """The start of `text` in the transcription's text, in characters (assumed: clip-chars)."""
        return unset_to_none(self._wire.attributes.start_char)

    @property
    def end_char(self) -> int | None:
        """The end of `text` in the transcription's text, in characters."""
        return unset_to_none(self._wire.attributes.end_char)

    @property
    def rank(self) -> int | None:
        """The rank among the suggested clips, 0 being the best (assumed: rank-best-first); None if a user cut it."""
        return unset_to_none(self._wire.attributes.rank)

    @property
    def is_processing(self) -> bool | None:
        """False if the clip's file is ready, True while it is created, None before that; webhooks omit it."""
        return unset_to_none(self._wire.attributes.is_processing)

    @property
    def is_finished(self) -> bool:
        """True if processing has finished. A clip whose `is_processing` is null, as at first, or missing is not."""
        try:
            return self._wire.attributes.is_processing is False
        except MissingFieldError:
            return False

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
        """An identifier that the service assigns in addition to `id`."""
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
        """The URL of a still image of the clip."""
        return unset_to_none(self._wire.attributes.media_file_preview_image_url)

    @property
    def media_file_url(self) -> str | None:
        """The URL of the clip's file, once it is ready."""
        return unset_to_none(self._wire.attributes.media_file_url)

    @property
    def media_id(self) -> str | None:
        """The id of the media that the clip is a part of."""
        relationships = unset_to_none(self._wire.relationships)
        media = None if relationships is None else unset_to_none(relationships.media)
        return None if media is None else media.data.id


class Transcription(_TranscriptionModel):
    """The text spoken in a media. The API documents it in webhooks only."""

    __slots__ = ()
    __match_args__ = ("id", "text")
    _module = "transcription"
    _kind = "transcriptions"

    _repr_fields = ("text",)

    @property
    def id(self) -> str:
        """The transcription's id."""
        return self._wire.id

    @property
    def text(self) -> str:
        """The spoken words."""
        return self._wire.attributes.text
