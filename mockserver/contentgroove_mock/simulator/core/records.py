"""The service's state as plain records, whose fields are the format of the state file; and its ids."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Literal, cast

from contentgroove_api import Times
from msgspec import Struct, field, json

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Stage = Literal["queued", "processing", "finished", "failed"]


class Ids:
    """Draws ids; the same seed results in the same ids in the same order."""

    def __init__(self, random: Random) -> None:
        self._random = random

    # (assumed: ids-uuid)
    def uuid(self) -> str:
        """Draw a random UUID (version 4)."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """Draw 256 bits, as hexadecimal digits."""
        return f"{self._random.getrandbits(256):064x}"


class SourceFile(Struct, frozen=True, kw_only=True):
    """The facts about a video or audio file.

    Attributes:
        content_type: The media type, such as `video/mp4`.
        duration: The length in seconds.
        width: The picture's width in pixels; None for audio.
        height: The picture's height in pixels; None for audio.
        made_at: When the file was made, according to itself.
    """

    content_type: str
    duration: float
    width: int | None = None
    height: int | None = None
    made_at: Times.datetime | None = None


SAMPLE = SourceFile(content_type="video/mp4", duration=6.0, width=320, height=180)
"""The facts of the video that this package contains."""


class Account(Struct, kw_only=True):
    """The owner of resources; only a digest of the key is stored.

    Attributes:
        quota_month: The month, such as `2026-01`, that `medias_made` and `clips_made` count.
        window_began: When the window of `window_requests` started.
    """

    id: str
    quota_month: str = ""
    medias_made: int = 0
    clips_made: int = 0
    window_began: Times.datetime | None = None
    window_requests: int = 0


class Upload(Struct, kw_only=True):
    """A prepared upload, and the file once it is stored."""

    id: str
    account: str
    upload_id: str
    expires_at: Times.datetime
    path: str | None = None
    file: SourceFile | None = None
    used: bool = False


class Transcription(Struct, frozen=True, kw_only=True):
    """The words spoken in a media."""

    id: str
    text: str


class Media(Struct, kw_only=True):
    """A video or audio.

    Attributes:
        origin: Scheme, host and port of the request that created the media; webhooks link to it.
        path: The stored file; None means the sample, which stands for a fetched `source_url`.
        file: The file's facts; None if it is neither video nor audio, or cannot be fetched.
    """

    id: str
    account: str
    origin: str
    name: str
    description: str | None
    source_url: str | None
    path: str | None
    file: SourceFile | None
    created_at: Times.datetime
    starts_at: Times.datetime
    finishes_at: Times.datetime
    stage: Stage = "queued"
    external_id: str | None = None
    transcription: Transcription | None = None
    clip_ids: list[str] = field(default_factory=list[str])


class Clip(Struct, kw_only=True):
    """A part of a media; `rank` is None if a user made it."""

    id: str
    account: str
    media_id: str
    name: str
    start_time: float
    end_time: float
    created_at: Times.datetime
    processing_started_at: Times.datetime
    starts_at: Times.datetime
    finishes_at: Times.datetime
    stage: Stage = "queued"
    external_id: str | None = None
    rank: int | None = None
    start_char: int = 0
    end_char: int = 0
    text: str | None = None


class Subscription(Struct, kw_only=True):
    """A URL that receives events."""

    id: str
    account: str
    url: str
    events: list[str]
    created_at: Times.datetime


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One attempt to deliver a webhook: an HTTP status, or the reason why there is none."""

    at: Times.datetime
    status: int | None = None
    error: str | None = None


class Delivery(Struct, kw_only=True):
    """A webhook for one subscription.

    Attributes:
        next_at: When the next attempt is due; None if there is none or it is held back.
        held: Whether it waits until another webhook of the subscription is delivered.
    """

    id: str
    account: str
    subscription_id: str
    url: str
    event: str
    payload: dict[str, Any]
    created_at: Times.datetime
    next_at: Times.datetime | None
    state: Literal["pending", "delivered", "failed", "refused", "lost"] = "pending"
    held: bool = False
    attempts: list[DeliveryAttempt] = field(default_factory=list[DeliveryAttempt])

    def body(self) -> bytes:
        """Return the body of the POST request."""
        return json.encode({"event": self.event, "payload": self.payload})


class WebhookHold(Struct, kw_only=True, omit_defaults=True):
    """What keeps webhooks from being sent.

    Attributes:
        paused: Whether none is sent.
        coming: How many webhooks are still to come before those in `ids` are sent, last first.
        ids: The deliveries that are held for that.
    """

    paused: bool = False
    coming: int = 0
    ids: list[str] = []


class State(Struct, kw_only=True):
    """The whole state: each kind of record by id, in the order of creation.

    Attributes:
        secret: The secret that signs upload URLs.
        account_names: The names that accounts were given, by the accounts' ids.
        unsettled: The medias and clips that time still changes, and when each changes next.
    """

    secret: str
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    account_names: dict[str, str] = field(default_factory=dict[str, str])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    medias: dict[str, Media] = field(default_factory=dict[str, Media])
    clips: dict[str, Clip] = field(default_factory=dict[str, Clip])
    subscriptions: dict[str, Subscription] = field(default_factory=dict[str, Subscription])
    deliveries: dict[str, Delivery] = field(default_factory=dict[str, Delivery])
    unsettled: dict[str, Times.datetime] = field(default_factory=dict[str, Times.datetime])
    webhook_hold: WebhookHold = field(default_factory=WebhookHold)
    last_external_id: int = 467

    def next_external_id(self) -> str:
        """Return the next running number, which the service has in addition to ids."""
        self.last_external_id += 1
        return str(self.last_external_id)

    def become(self, other: State) -> None:
        """Take over everything of another state, in this object and its dictionaries, which others refer to."""
        for name in self.__struct_fields__:
            value = getattr(other, name)
            if isinstance(value, dict):
                own = cast("dict[str, Any]", getattr(self, name))
                own.clear()
                own.update(cast("dict[str, Any]", value))
            else:
                setattr(self, name, value)

    def move_files(self, new_path: Callable[[str], str]) -> None:
        """Change the paths of all uploaded files."""
        items: list[Media | Upload] = [*self.medias.values(), *self.uploads.values()]
        for item in items:
            if item.path is not None:
                item.path = new_path(item.path)

    def stored_files(self) -> set[str]:
        """Return the paths of the uploaded files that medias and uploads refer to."""
        items: list[Media | Upload] = [*self.medias.values(), *self.uploads.values()]
        return {item.path for item in items if item.path is not None}
