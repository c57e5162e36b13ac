from typing import Literal

WebhookEventEvent = Literal["media.processing_finished"]

WEBHOOK_EVENT_EVENT_VALUES: set[WebhookEventEvent] = {
    "media.processing_finished",
}


def check_webhook_event_event(value: str) -> WebhookEventEvent:
    if value in WEBHOOK_EVENT_EVENT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {WEBHOOK_EVENT_EVENT_VALUES!r}")
