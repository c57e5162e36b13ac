"""The types that appear in public signatures, for annotations.

They are loaded on first use, like the names of the package itself::

    from contentgroove.types import MediaFilter, Pager

    def find(client: ContentGroove, matchers: MediaFilter) -> Pager[Media]:
        return client.medias.list(filter=matchers)

Type checkers refuse sort orders, filters and events that the API's document does not list. `Sort`, `Filter` and
`EventName` are the way round, for names that are only known while the program runs, or only to the service::

        client.medias.list(filter=Filter({f"{column}_cont": text}), sort=Sort(order))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contentgroove_api.types import FilterValue

    from ._async.base import AsyncPager
    from ._async.clips import AsyncClips, AsyncRawClips
    from ._async.medias import AsyncDirectUploads, AsyncMedias, AsyncRawDirectUploads, AsyncRawMedias
    from ._async.webhook_subscriptions import AsyncRawWebhookSubscriptions, AsyncWebhookSubscriptions
    from ._core.calls import RawResponse
    from ._core.identity import Identify
    from ._core.inputs import EventName, Filter, Sort
    from ._core.io import CheckpointStore, Clock, Progress
    from ._core.names import (
        ClipFilter,
        ClipSort,
        KnownEvent,
        MediaFilter,
        MediaSort,
        SubscriptionFilter,
        SubscriptionSort,
    )
    from ._core.retries import RetryPolicy
    from ._core.secret import Secret
    from ._core.settings import ApiKey, AuthMethod
    from ._io.batches import UploadItem, UploadResult
    from ._io.checkpoint_folders import Checkpoints
    from ._io.checkpoint_store import CheckpointLocation
    from ._io.contract_monitor import OnContractViolation
    from ._io.hooks import ResponseInfo
    from ._io.sources import AsyncFile, File, StorageFile
    from ._sync.base import Pager
    from ._sync.clips import Clips, RawClips
    from ._sync.medias import DirectUploads, Medias, RawDirectUploads, RawMedias
    from ._sync.webhook_subscriptions import RawWebhookSubscriptions, WebhookSubscriptions
    from .errors import MediaCandidate, RequestInfo, UploadErrorReason
    from .models import Page, UnreadableItem
    from .progress import ProgressBar

_MODULES = {
    "contentgroove_api.types": ("FilterValue",),
    "._async.base": ("AsyncPager",),
    "._async.clips": ("AsyncClips", "AsyncRawClips"),
    "._async.medias": ("AsyncDirectUploads", "AsyncMedias", "AsyncRawDirectUploads", "AsyncRawMedias"),
    "._async.webhook_subscriptions": ("AsyncRawWebhookSubscriptions", "AsyncWebhookSubscriptions"),
    "._core.calls": ("RawResponse",),
    "._core.identity": ("Identify",),
    "._core.inputs": ("EventName", "Filter", "Sort"),
    "._core.names": (
        "ClipFilter",
        "ClipSort",
        "KnownEvent",
        "MediaFilter",
        "MediaSort",
        "SubscriptionFilter",
        "SubscriptionSort",
    ),
    "._core.io": ("CheckpointStore", "Clock", "Progress"),
    "._core.retries": ("RetryPolicy",),
    "._core.secret": ("Secret",),
    "._core.settings": ("ApiKey", "AuthMethod"),
    "._io.batches": ("UploadItem", "UploadResult"),
    "._io.checkpoint_folders": ("Checkpoints",),
    "._io.checkpoint_store": ("CheckpointLocation",),
    "._io.contract_monitor": ("OnContractViolation",),
    "._io.hooks": ("ResponseInfo",),
    "._io.sources": ("AsyncFile", "File", "StorageFile"),
    ".models": ("Page", "UnreadableItem"),
    "._sync.base": ("Pager",),
    "._sync.clips": ("Clips", "RawClips"),
    "._sync.medias": ("DirectUploads", "Medias", "RawDirectUploads", "RawMedias"),
    "._sync.webhook_subscriptions": ("RawWebhookSubscriptions", "WebhookSubscriptions"),
    ".errors": ("MediaCandidate", "RequestInfo", "UploadErrorReason"),
    ".progress": ("ProgressBar",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "ApiKey",
    "AsyncClips",
    "AsyncDirectUploads",
    "AsyncFile",
    "AsyncMedias",
    "AsyncPager",
    "AsyncRawClips",
    "AsyncRawDirectUploads",
    "AsyncRawMedias",
    "AsyncRawWebhookSubscriptions",
    "AsyncWebhookSubscriptions",
    "AuthMethod",
    "CheckpointLocation",
    "CheckpointStore",
    "Checkpoints",
    "ClipFilter",
    "ClipSort",
    "Clips",
    "Clock",
    "DirectUploads",
    "EventName",
    "File",
    "Filter",
    "FilterValue",
    "Identify",
    "KnownEvent",
    "MediaCandidate",
    "MediaFilter",
    "MediaSort",
    "Medias",
    "OnContractViolation",
    "Page",
    "Pager",
    "Progress",
    "ProgressBar",
    "RawClips",
    "RawDirectUploads",
    "RawMedias",
    "RawResponse",
    "RawWebhookSubscriptions",
    "RequestInfo",
    "ResponseInfo",
    "RetryPolicy",
    "Secret",
    "Sort",
    "StorageFile",
    "SubscriptionFilter",
    "SubscriptionSort",
    "UnreadableItem",
    "UploadErrorReason",
    "UploadItem",
    "UploadResult",
    "WebhookSubscriptions",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name], __package__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
