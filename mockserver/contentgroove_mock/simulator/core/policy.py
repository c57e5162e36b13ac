"""The numbers that the published document leaves open, each an assumption that can be changed."""

from __future__ import annotations

from msgspec import Struct


class Policy(Struct, frozen=True, kw_only=True):
    """The numbers of the simulated service that the provider does not document.

    Attributes:
        queue_seconds: How long a new media or clip has `is_processing` null.
        processing_seconds: How long a media is processed after that.
        clip_seconds: How long a user's clip is processed after its queue time.
        page_size: How many items a page has if the request does not state a size.
        upload_seconds: How long an upload URL is valid; 7 days in the published example.
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
    upload_limit: int = 5 * 1024**3
    webhook_attempts: int = 5
    webhook_retry_seconds: float = 1.0
    webhook_timeout: float = 5.0
    unreachable_hosts: frozenset[str] = frozenset()
