"""What the service describes: medias, clips, transcriptions, webhook subscriptions, direct uploads.

Each class is a flat, immutable view on the wire model that `contentgroove_api` decodes, the same class whether a
REST answer or a webhook brought it. An attribute that the service sent as null, or not at all, is None;
`fields_set` tells the two apart. Fields that this version does not know are in `extra`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

import msgspec

from ._core.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contentgroove_api.models.links import Links
    from contentgroove_api.models.to_many import ToMany

__all__ = ["Clip", "DirectUpload", "Media", "Page", "Transcription", "WebhookSubscription"]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)
V = TypeVar("V")


class Source:
    """The JSON text that models came from, and where in it; read again only when `extra` is asked for."""

    __slots__ = ("content", "path")

    def __init__(self, content: bytes, path: tuple[str, ...]) -> None:
        self.content = content
        self.path = path

    def read(self, index: int | None) -> dict[str, Any]:
        """Give the object, or the one at an index of the list, as plain JSON."""
        value: Any = msgspec.json.decode(self.content)
        for step in self.path:
            value = value[step]
        return cast("dict[str, Any]", value if index is None else value[index])


def _given(value: V | msgspec.UnsetType | None) -> V | None:
    return None if isinstance(value, msgspec.UnsetType) else value


def _utc(moment: dt.datetime) -> dt.datetime:
    # The service's examples are all UTC; a time without a zone is read as the same.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _moment(value: dt.datetime | msgspec.UnsetType | None) -> dt.datetime | None:
    given = _given(value)
    return None if given is None else _utc(given)


def _ids(relationship: ToMany | msgspec.UnsetType | None) -> tuple[str, ...]:
    given = _given(relationship)
    return () if given is None else tuple(item.id for item in given.data)


class _View(Generic[W]):
    """A flat view on one JSON:API resource."""

    __slots__ = ("_index", "_source", "_wire")

    _attributes: ClassVar[tuple[str, ...]]
    _relationships: ClassVar[Mapping[str, str]] = {}
    _shown: ClassVar[tuple[str, ...]] = ()
    _secret: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, wire: W, source: Source, index: int | None = None) -> None:
        # The slots' own setters: half the time of object.__setattr__, and lists make thousands of these.
        _set_wire(self, wire)
        _set_source(self, source)
        _set_index(self, index)

    if TYPE_CHECKING:
        _wire: W
        _source: Source
        _index: int | None

        @property
        def id(self) -> str: ...

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed (tried to set {name})")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed (tried to delete {name})")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._wire, self._source, self._index)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("id", *self._shown))
        return redact_url(f"{type(self).__name__}({shown})")

    def to_dict(self) -> dict[str, Any]:
        """Give all public attributes by name, `extra` left out; values as the attributes have them."""
        return {name: getattr(self, name) for name in ("id", *self._attributes, *self._relationships)}

    @property
    def fields_set(self) -> frozenset[str]:
        """The attributes that the service sent, null or not; the others are None because it left them out."""
        wire: Any = self._wire
        names = {name for name in self._attributes if getattr(wire.attributes, name) is not msgspec.UNSET}
        relationships = _given(getattr(wire, "relationships", msgspec.UNSET))
        for name, relationship in self._relationships.items():
            if relationships is not None and getattr(relationships, relationship) is not msgspec.UNSET:
                names.add(name)
        return frozenset(names | {"id"})

    @property
    def extra(self) -> dict[str, Any]:
        """What the service sent and this version of the library does not know, as plain JSON.

        Unknown attributes are given by their names; then unknown relationships and unknown members of the
        resource itself, where no attribute has the name.
        """
        sent = self._source.read(self._index)
        wire: Any = self._wire
        found: dict[str, Any] = {}
        relationships = _given(getattr(wire, "relationships", msgspec.UNSET))
        for part, known in (
            (sent.get("attributes"), wire.attributes),
            (sent.get("relationships"), relationships),
            (sent, wire),
        ):
            if isinstance(part, dict):
                # A part that the contract leaves empty is a plain dict.
                names: set[str] = set(getattr(known, "__struct_encode_fields__", ()))
                if part is sent:
                    names |= {"attributes", "relationships"}
                for name, value in cast("dict[str, Any]", part).items():
                    if name not in names:
                        found.setdefault(name, value)
        return found


_slots: Any = _View
_set_wire = _slots._wire.__set__  # noqa: SLF001 - this module's own
_set_source = _slots._source.__set__  # noqa: SLF001 - as above
_set_index = _slots._index.__set__  # noqa: SLF001 - as above

if TYPE_CHECKING:
    from contentgroove_api.models.clip import Clip as WireClip
    from contentgroove_api.models.direct_upload import DirectUpload as WireDirectUpload
    from contentgroove_api.models.media import Media as WireMedia
    from contentgroove_api.models.transcription import Transcription as WireTranscription
    from contentgroove_api.models.webhook_subscription import WebhookSubscription as WireWebhookSubscription

    _MediaView = _View[WireMedia]
    _ClipView = _View[WireClip]
    _TranscriptionView = _View[WireTranscription]
    _WebhookSubscriptionView = _View[WireWebhookSubscription]
    _DirectUploadView = _View[WireDirectUpload]
else:
    # A program that only asks for medias does not import the structs of all the others.
    _MediaView = _ClipView = _TranscriptionView = _WebhookSubscriptionView = _DirectUploadView = _View


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
        return _given(self._wire.attributes.description)

    @property
    def is_processing(self) -> bool | None:
        """False when processing has finished, True while it runs, None before it begins."""
        return _given(self._wire.attributes.is_processing)

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
        return _utc(self._wire.attributes.created_at)

    @property
    def original_created_at(self) -> dt.datetime | None:
        """When the original was created, as far as the service knows."""
        return _moment(self._wire.attributes.original_created_at)

    @property
    def processing_started_at(self) -> dt.datetime | None:
        """When processing began; already set while `is_processing` is still None."""
        return _moment(self._wire.attributes.processing_started_at)

    @property
    def external_id(self) -> str | None:
        """An identifier that the service gives beside `id`."""
        return _given(self._wire.attributes.external_id)

    @property
    def source_url(self) -> str | None:
        """Where the file was fetched from, if it was not uploaded."""
        return _given(self._wire.attributes.source_url)

    @property
    def source_created_at(self) -> dt.datetime | None:
        """When the source file was created."""
        return _moment(self._wire.attributes.source_created_at)

    @property
    def source_file_content_type(self) -> str | None:
        """The file's media type, such as `video/mp4`."""
        return _given(self._wire.attributes.source_file_content_type)

    @property
    def source_file_duration(self) -> float | None:
        """The file's length in seconds."""
        return _given(self._wire.attributes.source_file_duration)

    @property
    def source_file_height(self) -> int | None:
        """The picture's height in pixels."""
        return _given(self._wire.attributes.source_file_height)

    @property
    def source_file_width(self) -> int | None:
        """The picture's width in pixels."""
        return _given(self._wire.attributes.source_file_width)

    @property
    def source_file_preview_image_url(self) -> str | None:
        """Where a still picture of the media can be fetched."""
        return _given(self._wire.attributes.source_file_preview_image_url)

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """The ids of the media's clips, suggested ones included."""
        relationships = _given(self._wire.relationships)
        return () if relationships is None else _ids(relationships.clips)

    @property
    def transcription_id(self) -> str | None:
        """The transcription's id; a REST answer names it under `relationships`, a webhook beside them."""
        relationships = _given(self._wire.relationships)
        inside = None if relationships is None else _given(relationships.transcription)
        for relationship in (inside, _given(self._wire.transcription)):
            related = None if relationship is None else _given(relationship.data)
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
        return _given(self._wire.attributes.text)

    @property
    def start_char(self) -> int | None:
        """Where `text` begins in the transcription's text, in characters."""
        return _given(self._wire.attributes.start_char)

    @property
    def end_char(self) -> int | None:
        """Where `text` ends in the transcription's text, in characters."""
        return _given(self._wire.attributes.end_char)

    @property
    def rank(self) -> int | None:
        """The place among the suggested clips, 0 being the best; None for clips made by a user."""
        return _given(self._wire.attributes.rank)

    @property
    def is_processing(self) -> bool | None:
        """False when the clip's file is ready, True while it is made, None before; a webhook leaves it out."""
        return _given(self._wire.attributes.is_processing)

    @property
    def is_finished(self) -> bool:
        """Whether processing has ended. A fresh clip, whose `is_processing` is null, is not finished."""
        return self._wire.attributes.is_processing is False

    @property
    def created_at(self) -> dt.datetime:
        """When the clip was created."""
        return _utc(self._wire.attributes.created_at)

    @property
    def processing_started_at(self) -> dt.datetime | None:
        """When processing began; already set while `is_processing` is still None."""
        return _moment(self._wire.attributes.processing_started_at)

    @property
    def external_id(self) -> str | None:
        """An identifier that the service gives beside `id`."""
        return _given(self._wire.attributes.external_id)

    @property
    def media_file_content_type(self) -> str | None:
        """The clip file's media type, such as `video/mp4`."""
        return _given(self._wire.attributes.media_file_content_type)

    @property
    def media_file_duration(self) -> float | None:
        """The clip file's length in seconds."""
        return _given(self._wire.attributes.media_file_duration)

    @property
    def media_file_height(self) -> int | None:
        """The picture's height in pixels."""
        return _given(self._wire.attributes.media_file_height)

    @property
    def media_file_width(self) -> int | None:
        """The picture's width in pixels."""
        return _given(self._wire.attributes.media_file_width)

    @property
    def media_file_preview_image_url(self) -> str | None:
        """Where a still picture of the clip can be fetched."""
        return _given(self._wire.attributes.media_file_preview_image_url)

    @property
    def media_file_url(self) -> str | None:
        """Where the clip's file can be fetched, once it is ready."""
        return _given(self._wire.attributes.media_file_url)

    @property
    def media_id(self) -> str | None:
        """The media that the clip is a part of."""
        relationships = _given(self._wire.relationships)
        media = None if relationships is None else _given(relationships.media)
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
        return tuple(_given(self._wire.attributes.subscribed_events) or ())

    @property
    def active(self) -> bool:
        """Whether events are sent."""
        return self._wire.attributes.active

    @property
    def created_at(self) -> dt.datetime:
        """When the subscription was created."""
        return _utc(self._wire.attributes.created_at)

    @property
    def updated_at(self) -> dt.datetime:
        """When the subscription was last changed."""
        return _utc(self._wire.attributes.updated_at)

    @property
    def user_id(self) -> str | None:
        """The user whom the subscription belongs to."""
        relationships = _given(self._wire.relationships)
        user = None if relationships is None else _given(relationships.user)
        return None if user is None else user.data.id

    @property
    def webhook_event_ids(self) -> tuple[str, ...]:
        """The ids of the events that were sent; no documented call takes them."""
        relationships = _given(self._wire.relationships)
        return () if relationships is None else _ids(relationships.webhook_events)


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


class Page(Generic[T]):
    """One page of a list.

    Attributes:
        items: The resources, in the service's order.
        number: The page's number, from 1.
    """

    __slots__ = ("_links", "items", "number")

    def __init__(self, items: tuple[T, ...], number: int, links: Links) -> None:
        self.items = items
        self.number = number
        self._links = links

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"Page(number={self.number}, items={len(self.items)})"

    def first(self, count: int) -> Page[T]:
        """Give the same page with its first `count` items only."""
        return Page(self.items[:count], self.number, self._links)

    @property
    def next_link(self) -> str | None:
        """The link to the next page as the service gives it, None if it gives none.

        It is `http://` in the service's own examples: iterate `pages()` instead of requesting it.
        """
        return _given(self._links.next_)

    @property
    def is_last(self) -> bool:
        """Whether the service says that no page follows: its link to the next one is null, not just missing."""
        return self._links.next_ is None
