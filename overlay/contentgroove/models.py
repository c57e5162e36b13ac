"""Models of the service's resources: medias, clips, transcriptions, webhook subscriptions, direct uploads.

Each class is a flat, immutable view of a struct that `contentgroove_api` decodes, and is the same for REST responses
and webhooks. An attribute that the service sent as null or omitted is None if the contract allows that; `fields_set`
distinguishes the two. Otherwise it is in `missing`, and reading it raises a MissingFieldError. Fields that this version
does not know are in `extra`.

Models are JSON to what writes JSON: `to_dict()`, `to_json()` and `from_dict()`, fields of pydantic models, and what a
function of FastAPI returns. In `case Media(id, name)` the positional patterns are those of `__match_args__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

from ._models.base import Model, ids_of, to_utc, unset_to_none
from ._models.medias import Clip, Media, Transcription
from ._models.pages import Page, UnreadableItem

__all__ = ["Clip", "DirectUpload", "Media", "Page", "Transcription", "UnreadableItem", "WebhookSubscription"]

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Self

    from contentgroove_api.models.direct_upload import DirectUpload as WireDirectUpload
    from contentgroove_api.models.webhook_subscription import WebhookSubscription as WireWebhookSubscription

    _WebhookSubscriptionModel = Model[WireWebhookSubscription]
    _DirectUploadModel = Model[WireDirectUpload]
else:
    # An application that only uses some models does not import the structs of the others.
    _WebhookSubscriptionModel = _DirectUploadModel = Model


class WebhookSubscription(_WebhookSubscriptionModel):
    """A URL that the service sends events to.

    Source of the attributes: the contract, `components.schemas.webhook_subscription_response_object_data`.
    """

    __slots__ = ()
    __match_args__ = ("id", "url", "subscribed_events")
    _module = "webhook_subscription"
    _kind = "webhook_subscriptions"

    _relationships: ClassVar[Mapping[str, str]] = {"user_id": "user", "webhook_event_ids": "webhook_events"}
    _repr_fields = ("url", "subscribed_events", "active")

    @property
    def id(self) -> str:
        """The id that calls take."""
        return self._wire.id

    @property
    def url(self) -> str:
        """The URL that events are sent to. It can contain a secret token, which `repr()` redacts."""
        return self._wire.attributes.url

    @property
    def subscribed_events(self) -> tuple[str, ...]:
        """The names of the events that are sent; `*` means all."""
        return tuple(unset_to_none(self._wire.attributes.subscribed_events) or ())

    @property
    def active(self) -> bool:
        """True if events are sent."""
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
        """The id of the user who owns the subscription."""
        relationships = unset_to_none(self._wire.relationships)
        user = None if relationships is None else unset_to_none(relationships.user)
        return None if user is None else user.data.id

    @property
    def webhook_event_ids(self) -> tuple[str, ...]:
        """The ids of the events that were sent; no documented operation accepts them."""
        relationships = unset_to_none(self._wire.relationships)
        return () if relationships is None else ids_of(relationships.webhook_events)


class DirectUpload(_DirectUploadModel):
    """A prepared upload: the URL to PUT the file to, and the id to create the media with.

    Both values are credentials: `repr()` and notebooks omit them, and pickling raises a TypeError. `to_dict()` has
    them, such as for a browser that sends the file by itself: keep it out of logs.
    """

    __slots__ = ()
    __match_args__ = ("id", "upload_id", "upload_url")
    _module = "direct_upload"
    _kind = "direct_upload_blobs"

    _needed = ("upload_id", "upload_url")
    _hidden = _needed

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A DirectUpload contains a presigned URL, so it cannot be pickled: pass on its upload_id.")

    @property
    def id(self) -> str:
        """The id of this resource; calls take `upload_id` instead."""
        return self._wire.id

    @property
    def upload_id(self) -> str:
        """The id that `medias.create(upload_id=…)` takes after the file was sent."""
        return self._wire.attributes.upload_id

    @property
    def upload_url(self) -> str:
        """The URL to PUT the file to: presigned, for one upload and a limited time. Do not send the API key to it."""
        return self._wire.attributes.upload_url
