"""The service's state as records, whose fields are the format of the state file; its policy and ids."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Literal, cast

from contentgroove_api import Times
from msgspec import Struct, field, json

from contentgroove_mock.simulator.core.tables import Item, Table

if TYPE_CHECKING:
    from random import Random

    Records = Table
else:
    # What msgspec reads; a state makes tables of them.
    Records = dict[str, Item]

Stage = Literal["queued", "processing", "finished", "failed"]


class Policy(Struct, frozen=True, kw_only=True):
    """The numbers of the simulated service.

    The provider documents the rules, not the numbers (assumed: processing-minutes, page-default-size, upload-url-week,
    upload-limit, webhook-retries, webhook-timeout).

    Attributes:
        queue_seconds: How long a new media or clip has `is_processing` null.
        processing_seconds: How long a media is processed after that.
        clip_seconds: How long a user's clip is processed after its queue time.
        page_size: How many items a page has if the request does not state a size.
        upload_seconds: How long an upload URL is valid; 7 days in the published example.
        upload_headers: The headers that upload URLs sign in addition to Host, with the values that a PUT must send,
            such as `{"Content-Type": "video/mp4"}`. None by default, because the documentation sends none.
        upload_limit: The largest file in bytes; S3's limit for one PUT, which the documentation calls "5gb".
        webhook_attempts: The maximum number of attempts to deliver a webhook.
        webhook_retry_seconds: The wait before the second attempt; each later wait is twice as long.
        webhook_timeout: Seconds until an attempt counts as failed.
        unreachable_hosts: Hosts whose `source_url` cannot be fetched, in addition to all below `.invalid`.
    """

    queue_seconds: float = 0.2
    processing_seconds: float = 2.0
    clip_seconds: float = 1.0
    page_size: int = 25
    upload_seconds: int = 604_800
    upload_headers: dict[str, str] = field(default_factory=dict[str, str])
    upload_limit: int = 5 * 1024**3
    webhook_attempts: int = 5
    webhook_retry_seconds: float = 1.0
    webhook_timeout: float = 5.0
    unreachable_hosts: frozenset[str] = frozenset()


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


class State(Struct, kw_only=True):
    """The whole state: each kind of record by id, in the order of creation.

    Attributes:
        secret: The secret that signs upload URLs.
        unsettled: The medias and clips that time still changes, and when each changes next.
    """

    secret: str
    accounts: Records[Account] = field(default_factory=Table[Account])
    uploads: Records[Upload] = field(default_factory=Table[Upload])
    medias: Records[Media] = field(default_factory=Table[Media])
    clips: Records[Clip] = field(default_factory=Table[Clip])
    subscriptions: Records[Subscription] = field(default_factory=Table[Subscription])
    deliveries: Records[Delivery] = field(default_factory=Table[Delivery])
    unsettled: Records[Times.datetime] = field(default_factory=Table[Times.datetime])
    last_external_id: int = 467

    def __post_init__(self) -> None:
        """Make tables of what msgspec has read as dicts."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, dict) and not isinstance(value, Table):
                setattr(self, name, Table(cast("dict[str, Any]", value)))

    def tables(self) -> dict[str, Table[Any]]:
        """Return the tables by their names."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: cast("Table[Any]", value) for name, value in values if isinstance(value, Table)}

    def next_external_id(self) -> str:
        """Return the next running number, which the service has in addition to ids."""
        self.last_external_id += 1
        return str(self.last_external_id)
