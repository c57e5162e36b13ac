"""An application whose handlers run in Celery's workers: the receiver records events and dispatches their keys.

    uvicorn shop:app                # receives webhooks
    celery -A shop worker --beat    # handles the events

Both processes open the same inbox. Its file keeps what Celery's broker loses: each minute, `dispatch_pending` sends the
events again that were recorded, but not handled.
"""

from __future__ import annotations

import os

from celery import Celery
from contentgroove.webhooks import HandlerError, MediaProcessingFinished, SQLiteInbox, WebhookReceiver

queue = Celery("shop", broker=os.environ.get("SHOP_BROKER", "amqp://127.0.0.1"))
# A worker that is killed in a task gives it back to the broker. The claim keeps it from running twice at once.
queue.conf.task_acks_late = True
queue.conf.beat_schedule = {"lost events": {"task": "shop.dispatch_lost", "schedule": 60}}

receiver = WebhookReceiver(
    SQLiteInbox(os.environ.get("SHOP_INBOX", "events.db")),
    secret_token=os.environ.get("SHOP_TOKEN"),
)
app = receiver.asgi


@queue.task(name="shop.handle", autoretry_for=(HandlerError,), retry_backoff=True, max_retries=None)
def handle(key: str) -> None:
    """Run the handlers of one event; after a failure, Celery tries again until the event is done or dead."""
    receiver.handle(key)


@queue.task(name="shop.dispatch_lost")
def dispatch_lost() -> None:
    """Send what was lost between the inbox and the queue."""
    receiver.dispatch_pending(older_than=60)


receiver.dispatch = handle.delay


@receiver.on("media.processing_finished")
def publish(event: MediaProcessingFinished) -> None:
    """Do the application's work."""
    print(f"{event.media.name} has {len(event.clips)} clips")
