"""The numbers that the published document leaves open, each an assumption that can be set."""

from __future__ import annotations

from msgspec import Struct


class Policy(Struct, frozen=True, kw_only=True):
    """How the simulated service behaves where the provider documents no number.

    Attributes:
        queue_seconds: How long a new media or clip has `is_processing` null.
        processing_seconds: How long a media is processed after that.
        clip_seconds: How long a clip that a user made is processed after its queue time.
        page_size: Items on a page when the request names no size.
        upload_seconds: How long an upload URL is valid; the published example says 7 days.
        upload_limit: The largest file in bytes; S3's limit for one PUT, which the documentation calls "5gb".
        webhook_attempts: How often a webhook is tried at most.
        webhook_retry_seconds: The wait before the second try; each later wait is twice as long.
        webhook_timeout: Seconds until a try counts as failed.
        unreachable_hosts: Hosts whose `source_url` cannot be fetched, beside all below `.invalid`.
    """

    queue_seconds: float = 0.2
    processing_seconds: float = 2.0
    clip_seconds: float = 1.0
    page_size: int = 25
    upload_seconds: int = 604_800
    upload_limit: int = 5 * 1024**3
    webhook_attempts: int = 5
    webhook_retry_seconds: float = 1.0
    webhook_timeout: float = 5.0
    unreachable_hosts: frozenset[str] = frozenset()
