"""The names in the API's document, as types: sort orders, filters and events. Only type checkers need them."""

from __future__ import annotations

from contentgroove_api.models.clip_filter import ClipFilter
from contentgroove_api.models.get_clips_sort import GetClipsSort as ClipSort
from contentgroove_api.models.get_medias_sort import GetMediasSort as MediaSort
from contentgroove_api.models.get_webhook_subscriptions_sort import GetWebhookSubscriptionsSort as SubscriptionSort
from contentgroove_api.models.media_filter import MediaFilter
from contentgroove_api.models.webhook_event_event import WebhookEventEvent as KnownEvent
from contentgroove_api.models.webhook_subscription_filter import WebhookSubscriptionFilter as SubscriptionFilter

__all__ = ["ClipFilter", "ClipSort", "KnownEvent", "MediaFilter", "MediaSort", "SubscriptionFilter", "SubscriptionSort"]
