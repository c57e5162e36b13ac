"""What the service remembers: plain records that can be written to a file as they are."""

from __future__ import annotations

import datetime as dt  # msgspec reads the fields' types at run time
from typing import Any, Literal

from msgspec import Struct, field, json

Stage = Literal["queued", "processing", "finished", "failed"]


class SourceFile(Struct, frozen=True, kw_only=True):
    """What is known about a video or audio file.

    Attributes:
        content_type: The media type, such as `video/mp4`.
        duration: The length in seconds.
        width: The picture's width in pixels; None for audio.
        height: The picture's height in pixels; None for audio.
        made_at: When the file says it was made.
    """

    content_type: str
    duration: float
    width: int | None = None
    height: int | None = None
    made_at: dt.datetime | None = None


class Account(Struct, kw_only=True):
    """The owner of resources; the key itself is never kept, only a digest of it.

    Attributes:
        quota_month: The month, such as `2026-01`, that `medias_made` and `clips_made` count.
        window_began: When the window began that `window_requests` counts.
    """

    id: str
    quota_month: str = ""
    medias_made: int = 0
    clips_made: int = 0
    window_began: dt.datetime | None = None
    window_requests: int = 0


class Upload(Struct, kw_only=True):
    """A prepared upload, and the file once it is stored."""

    id: str
    account: str
    upload_id: str
    expires_at: dt.datetime
    path: str | None = None
    file: SourceFile | None = None
    used: bool = False


class Transcription(Struct, frozen=True, kw_only=True):
    """What is spoken in a media."""

    id: str
    text: str


class Media(Struct, kw_only=True):
    """A video or audio.

    Attributes:
        origin: Where the simulator was reached when the media was made; webhooks link to it.
        path: The stored file; None means the sample, which stands for a fetched `source_url`.
        file: What is known about the file; None for one that is no video or audio, or cannot be fetched.
    """

    id: str
    account: str
    origin: str
    name: str
    description: str | None
    source_url: str | None
    path: str | None
    file: SourceFile | None
    created_at: dt.datetime
    starts_at: dt.datetime
    finishes_at: dt.datetime
    stage: Stage = "queued"
    external_id: str | None = None
    transcription: Transcription | None = None
    clip_ids: list[str] = field(default_factory=list[str])


class Clip(Struct, kw_only=True):
    """A part of a media; `rank` is None for one that a user made."""

    id: str
    account: str
    media_id: str
    name: str
    start_time: float
    end_time: float
    created_at: dt.datetime
    processing_started_at: dt.datetime
    starts_at: dt.datetime
    finishes_at: dt.datetime
    stage: Stage = "queued"
    external_id: str | None = None
    rank: int | None = None
    start_char: int = 0
    end_char: int = 0
    text: str | None = None


class Subscription(Struct, kw_only=True):
    """A URL that is told about events."""

    id: str
    account: str
    url: str
    events: list[str]
    created_at: dt.datetime


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One try to deliver a webhook: an HTTP status, or what kept it from getting one."""

    at: dt.datetime
    status: int | None = None
    error: str | None = None


class Delivery(Struct, kw_only=True):
    """A webhook on its way to one subscription.

    Attributes:
        next_at: When it is tried next; None when it is settled or held back.
        held: Whether it waits until another webhook of the subscription went out.
    """

    id: str
    account: str
    subscription_id: str
    url: str
    event: str
    payload: dict[str, Any]
    created_at: dt.datetime
    next_at: dt.datetime | None
    state: Literal["pending", "delivered", "failed", "refused", "lost"] = "pending"
    held: bool = False
    attempts: list[DeliveryAttempt] = field(default_factory=list[DeliveryAttempt])

    def body(self) -> bytes:
        """Write what is POSTed."""
        return json.encode({"event": self.event, "payload": self.payload})


class State(Struct, kw_only=True):
    """Everything, each kind of record by its id, in the order of its making.

    Attributes:
        secret: What upload URLs are signed with.
        unsettled: The medias and clips that time still changes, and when it does so next.
    """

    secret: str
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    medias: dict[str, Media] = field(default_factory=dict[str, Media])
    clips: dict[str, Clip] = field(default_factory=dict[str, Clip])
    subscriptions: dict[str, Subscription] = field(default_factory=dict[str, Subscription])
    deliveries: dict[str, Delivery] = field(default_factory=dict[str, Delivery])
    unsettled: dict[str, dt.datetime] = field(default_factory=dict[str, dt.datetime])
    last_external_id: int = 467

    def next_external_id(self) -> str:
        """Count on; the service gives running numbers beside its ids."""
        self.last_external_id += 1
        return str(self.last_external_id)
