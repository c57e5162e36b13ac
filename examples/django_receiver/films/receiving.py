"""The receiver of webhooks, and the handler that writes a film."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks import PostgresInbox, WebhookReceiver
from django.conf import settings

if TYPE_CHECKING:
    from contentgroove.webhooks import MediaProcessingFinished
    from psycopg import Connection


@cache
def get_receiver() -> WebhookReceiver:
    """Return the receiver of this process. The first call connects to the database, which an import should not."""
    inbox = PostgresInbox(settings.DATABASE_URL)
    receiver = WebhookReceiver(inbox, secret_token=settings.WEBHOOK_TOKEN, lease=settings.WEBHOOK_LEASE)
    receiver.on("media.processing_finished", name="write_film", transaction=True)(write_film)
    return receiver


def write_film(event: MediaProcessingFinished, connection: Connection[tuple[Any, ...]]) -> None:
    """Write the film, its clips and the news.

    The connection is the inbox's, not Django's: what is written through it is committed together with the event's
    success, so a worker that is killed here leaves nothing behind, and nothing is written twice. Hence SQL, no models.
    """
    film, count = event.media, len(event.clips)
    connection.execute(
        "INSERT INTO film (id, name) VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name",
        (film.id, film.name),
    )
    connection.execute(
        "INSERT INTO news (film_id, text) VALUES (%s, %s)",
        (film.id, f"{film.name} is ready, with {count} clip{'s' * (count != 1)}."),
    )
    # A film that was processed again has other clips.
    connection.execute("DELETE FROM clip WHERE film_id = %s", (film.id,))
    connection.cursor().executemany(
        "INSERT INTO clip (id, film_id, name, start_time, end_time) VALUES (%s, %s, %s, %s, %s)",
        [(clip.id, film.id, clip.name, clip.start_time, clip.end_time) for clip in event.clips],
    )
