"""The ContentGroove SDK: upload videos, wait for clips and transcriptions, receive webhooks.

Names are loaded on first use, so that importing this package takes no time.
"""

from __future__ import annotations

# Type checkers know this name. Importing `typing` would take longer than the whole module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._async.client import AsyncContentGroove
    from ._core.calls import RawResponse
    from ._core.inputs import EventName, Filter, Sort
    from ._core.retries import RetryPolicy
    from ._io.batches import UploadItem, UploadResult
    from ._io.hooks import ResponseInfo
    from ._sync.client import ContentGroove
    from ._version import __version__
    from .errors import (
        APIConnectionError,
        APIError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        CheckpointError,
        CheckpointInUseError,
        ConfigurationError,
        ContentGrooveError,
        ContractViolation,
        ContractViolationError,
        ErrorDetail,
        InvalidInputError,
        MediaProcessingError,
        MissingFieldError,
        NotFoundError,
        OutcomeUnknownError,
        PagingError,
        QuotaExceededError,
        RateLimitError,
        RequestInfo,
        ResponseDecodeError,
        ServerError,
        ServerOutcomeUnknownError,
        UnprocessableEntityError,
        UploadError,
        WaitTimeoutError,
        WebhookAuthError,
        WebhookPayloadError,
    )
    from .models import Clip, DirectUpload, Media, Page, Transcription, WebhookSubscription
    from .progress import progress_bar

_MODULES = {
    "._async.client": ("AsyncContentGroove",),
    "._core.calls": ("RawResponse",),
    "._core.inputs": ("EventName", "Filter", "Sort"),
    "._core.retries": ("RetryPolicy",),
    "._io.batches": ("UploadItem", "UploadResult"),
    "._io.hooks": ("ResponseInfo",),
    "._sync.client": ("ContentGroove",),
    "._version": ("__version__",),
    ".models": ("Clip", "DirectUpload", "Media", "Page", "Transcription", "WebhookSubscription"),
    ".progress": ("progress_bar",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
"""The modules of all public names that `.errors` does not define."""

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AsyncContentGroove",
    "AuthenticationError",
    "BadRequestError",
    "CheckpointError",
    "CheckpointInUseError",
    "Clip",
    "ConfigurationError",
    "ContentGroove",
    "ContentGrooveError",
    "ContractViolation",
    "ContractViolationError",
    "DirectUpload",
    "ErrorDetail",
    "EventName",
    "Filter",
    "InvalidInputError",
    "Media",
    "MediaProcessingError",
    "MissingFieldError",
    "NotFoundError",
    "OutcomeUnknownError",
    "Page",
    "PagingError",
    "QuotaExceededError",
    "RateLimitError",
    "RawResponse",
    "RequestInfo",
    "ResponseDecodeError",
    "ResponseInfo",
    "RetryPolicy",
    "ServerError",
    "ServerOutcomeUnknownError",
    "Sort",
    "Transcription",
    "UnprocessableEntityError",
    "UploadError",
    "UploadItem",
    "UploadResult",
    "WaitTimeoutError",
    "WebhookAuthError",
    "WebhookPayloadError",
    "WebhookSubscription",
    "__version__",
    "progress_bar",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES.get(name, ".errors"), __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
