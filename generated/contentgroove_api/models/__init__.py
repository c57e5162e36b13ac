"""All models of requests and responses, each loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clip import Clip
    from .clip_attributes import ClipAttributes
    from .clip_document import ClipDocument
    from .clip_filter import ClipFilter
    from .clip_list import ClipList
    from .clip_relationships import ClipRelationships
    from .clip_type import ClipType
    from .create_clip_request import CreateClipRequest
    from .create_clip_request_attributes import CreateClipRequestAttributes
    from .create_clip_request_data import CreateClipRequestData
    from .create_media_request import CreateMediaRequest
    from .create_media_request_attributes import CreateMediaRequestAttributes
    from .create_media_request_data import CreateMediaRequestData
    from .create_webhook_subscription_request import CreateWebhookSubscriptionRequest
    from .create_webhook_subscription_request_attributes import CreateWebhookSubscriptionRequestAttributes
    from .create_webhook_subscription_request_data import CreateWebhookSubscriptionRequestData
    from .direct_upload import DirectUpload
    from .direct_upload_attributes import DirectUploadAttributes
    from .direct_upload_document import DirectUploadDocument
    from .direct_upload_type import DirectUploadType
    from .error import Error
    from .error_source import ErrorSource
    from .errors import Errors
    from .get_clips_sort import GetClipsSort
    from .get_medias_sort import GetMediasSort
    from .get_webhook_subscriptions_sort import GetWebhookSubscriptionsSort
    from .links import Links
    from .media import Media
    from .media_attributes import MediaAttributes
    from .media_document import MediaDocument
    from .media_filter import MediaFilter
    from .media_list import MediaList
    from .media_relationships import MediaRelationships
    from .media_type import MediaType
    from .not_found_error import NotFoundError
    from .not_found_error_source import NotFoundErrorSource
    from .not_found_errors import NotFoundErrors
    from .optional_error_source import OptionalErrorSource
    from .page_query import PageQuery
    from .payment_required_error import PaymentRequiredError
    from .payment_required_errors import PaymentRequiredErrors
    from .resource_identifier import ResourceIdentifier
    from .resource_identifier_or_null import ResourceIdentifierOrNull
    from .to_many import ToMany
    from .to_one import ToOne
    from .to_one_or_none import ToOneOrNone
    from .too_many_requests_error import TooManyRequestsError
    from .too_many_requests_errors import TooManyRequestsErrors
    from .transcription import Transcription
    from .transcription_attributes import TranscriptionAttributes
    from .transcription_relationships import TranscriptionRelationships
    from .transcription_type import TranscriptionType
    from .unauthorized_error import UnauthorizedError
    from .unauthorized_errors import UnauthorizedErrors
    from .update_clip_request import UpdateClipRequest
    from .update_clip_request_attributes import UpdateClipRequestAttributes
    from .update_clip_request_data import UpdateClipRequestData
    from .update_media_request import UpdateMediaRequest
    from .update_media_request_attributes import UpdateMediaRequestAttributes
    from .update_media_request_data import UpdateMediaRequestData
    from .webhook_event import WebhookEvent
    from .webhook_event_event import WebhookEventEvent
    from .webhook_payload import WebhookPayload
    from .webhook_subscription import WebhookSubscription
    from .webhook_subscription_attributes import WebhookSubscriptionAttributes
    from .webhook_subscription_document import WebhookSubscriptionDocument
    from .webhook_subscription_filter import WebhookSubscriptionFilter
    from .webhook_subscription_list import WebhookSubscriptionList
    from .webhook_subscription_relationships import WebhookSubscriptionRelationships
    from .webhook_subscription_type import WebhookSubscriptionType

_MODULES = {
    "Clip": ".clip",
    "ClipAttributes": ".clip_attributes",
    "ClipDocument": ".clip_document",
    "ClipFilter": ".clip_filter",
    "ClipList": ".clip_list",
    "ClipRelationships": ".clip_relationships",
    "ClipType": ".clip_type",
    "CreateClipRequest": ".create_clip_request",
    "CreateClipRequestAttributes": ".create_clip_request_attributes",
    "CreateClipRequestData": ".create_clip_request_data",
    "CreateMediaRequest": ".create_media_request",
    "CreateMediaRequestAttributes": ".create_media_request_attributes",
    "CreateMediaRequestData": ".create_media_request_data",
    "CreateWebhookSubscriptionRequest": ".create_webhook_subscription_request",
    "CreateWebhookSubscriptionRequestAttributes": ".create_webhook_subscription_request_attributes",
    "CreateWebhookSubscriptionRequestData": ".create_webhook_subscription_request_data",
    "DirectUpload": ".direct_upload",
    "DirectUploadAttributes": ".direct_upload_attributes",
    "DirectUploadDocument": ".direct_upload_document",
    "DirectUploadType": ".direct_upload_type",
    "Error": ".error",
    "ErrorSource": ".error_source",
    "Errors": ".errors",
    "GetClipsSort": ".get_clips_sort",
    "GetMediasSort": ".get_medias_sort",
    "GetWebhookSubscriptionsSort": ".get_webhook_subscriptions_sort",
    "Links": ".links",
    "Media": ".media",
    "MediaAttributes": ".media_attributes",
    "MediaDocument": ".media_document",
    "MediaFilter": ".media_filter",
    "MediaList": ".media_list",
    "MediaRelationships": ".media_relationships",
    "MediaType": ".media_type",
    "NotFoundError": ".not_found_error",
    "NotFoundErrorSource": ".not_found_error_source",
    "NotFoundErrors": ".not_found_errors",
    "OptionalErrorSource": ".optional_error_source",
    "PageQuery": ".page_query",
    "PaymentRequiredError": ".payment_required_error",
    "PaymentRequiredErrors": ".payment_required_errors",
    "ResourceIdentifier": ".resource_identifier",
    "ResourceIdentifierOrNull": ".resource_identifier_or_null",
    "ToMany": ".to_many",
    "ToOne": ".to_one",
    "ToOneOrNone": ".to_one_or_none",
    "TooManyRequestsError": ".too_many_requests_error",
    "TooManyRequestsErrors": ".too_many_requests_errors",
    "Transcription": ".transcription",
    "TranscriptionAttributes": ".transcription_attributes",
    "TranscriptionRelationships": ".transcription_relationships",
    "TranscriptionType": ".transcription_type",
    "UnauthorizedError": ".unauthorized_error",
    "UnauthorizedErrors": ".unauthorized_errors",
    "UpdateClipRequest": ".update_clip_request",
    "UpdateClipRequestAttributes": ".update_clip_request_attributes",
    "UpdateClipRequestData": ".update_clip_request_data",
    "UpdateMediaRequest": ".update_media_request",
    "UpdateMediaRequestAttributes": ".update_media_request_attributes",
    "UpdateMediaRequestData": ".update_media_request_data",
    "WebhookEvent": ".webhook_event",
    "WebhookEventEvent": ".webhook_event_event",
    "WebhookPayload": ".webhook_payload",
    "WebhookSubscription": ".webhook_subscription",
    "WebhookSubscriptionAttributes": ".webhook_subscription_attributes",
    "WebhookSubscriptionDocument": ".webhook_subscription_document",
    "WebhookSubscriptionFilter": ".webhook_subscription_filter",
    "WebhookSubscriptionList": ".webhook_subscription_list",
    "WebhookSubscriptionRelationships": ".webhook_subscription_relationships",
    "WebhookSubscriptionType": ".webhook_subscription_type",
}

__all__ = (
    "Clip",
    "ClipAttributes",
    "ClipDocument",
    "ClipFilter",
    "ClipList",
    "ClipRelationships",
    "ClipType",
    "CreateClipRequest",
    "CreateClipRequestAttributes",
    "CreateClipRequestData",
    "CreateMediaRequest",
    "CreateMediaRequestAttributes",
    "CreateMediaRequestData",
    "CreateWebhookSubscriptionRequest",
    "CreateWebhookSubscriptionRequestAttributes",
    "CreateWebhookSubscriptionRequestData",
    "DirectUpload",
    "DirectUploadAttributes",
    "DirectUploadDocument",
    "DirectUploadType",
    "Error",
    "Errors",
    "ErrorSource",
    "GetClipsSort",
    "GetMediasSort",
    "GetWebhookSubscriptionsSort",
    "Links",
    "Media",
    "MediaAttributes",
    "MediaDocument",
    "MediaFilter",
    "MediaList",
    "MediaRelationships",
    "MediaType",
    "NotFoundError",
    "NotFoundErrors",
    "NotFoundErrorSource",
    "OptionalErrorSource",
    "PageQuery",
    "PaymentRequiredError",
    "PaymentRequiredErrors",
    "ResourceIdentifier",
    "ResourceIdentifierOrNull",
    "ToMany",
    "TooManyRequestsError",
    "TooManyRequestsErrors",
    "ToOne",
    "ToOneOrNone",
    "Transcription",
    "TranscriptionAttributes",
    "TranscriptionRelationships",
    "TranscriptionType",
    "UnauthorizedError",
    "UnauthorizedErrors",
    "UpdateClipRequest",
    "UpdateClipRequestAttributes",
    "UpdateClipRequestData",
    "UpdateMediaRequest",
    "UpdateMediaRequestAttributes",
    "UpdateMediaRequestData",
    "WebhookEvent",
    "WebhookEventEvent",
    "WebhookPayload",
    "WebhookSubscription",
    "WebhookSubscriptionAttributes",
    "WebhookSubscriptionDocument",
    "WebhookSubscriptionFilter",
    "WebhookSubscriptionList",
    "WebhookSubscriptionRelationships",
    "WebhookSubscriptionType",
)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name], __name__), name)
    globals()[name] = value
    return value
