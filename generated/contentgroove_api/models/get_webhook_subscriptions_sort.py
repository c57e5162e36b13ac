from typing import Literal

GetWebhookSubscriptionsSort = Literal["-created_at", "created_at"]

GET_WEBHOOK_SUBSCRIPTIONS_SORT_VALUES: set[GetWebhookSubscriptionsSort] = {
    "-created_at",
    "created_at",
}


def check_get_webhook_subscriptions_sort(value: str) -> GetWebhookSubscriptionsSort:
    if value in GET_WEBHOOK_SUBSCRIPTIONS_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {GET_WEBHOOK_SUBSCRIPTIONS_SORT_VALUES!r}")
