"""Highlights: an application that uploads films to ContentGroove and keeps the three best parts of each.

`hand_in` uploads a film and returns at once. The service sends a webhook to `receiver` when it is done; the handler
then writes `<media id>.csv` into the folder of results. `examples/highlights/test_highlights.py` tests it against
the simulated service, without a key or a network.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove import ContentGroove, QuotaExceededError
from contentgroove.webhooks import MediaProcessingFinished, SQLiteInbox, WebhookReceiver

if TYPE_CHECKING:
    from contentgroove import Clip

BEST = 3


class Highlights:
    """The application.

    Attributes:
        receiver: Receives the webhooks; its `asgi` or `wsgi` is served at the subscribed URL.
    """

    def __init__(self, client: ContentGroove, results: Path) -> None:
        self._client = client
        self._results = results
        self.receiver = WebhookReceiver(SQLiteInbox(results / "events.db"))
        self.receiver.on("media.processing_finished")(self._write)

    def hand_in(self, film: Path) -> str | None:
        """Upload a film and return the media's id, or None if the month's quota is used up."""
        try:
            media = self._client.medias.upload(film, name=film.stem, checkpoint=self._results / f"{film.name}.json")
        except QuotaExceededError:
            return None
        return media.id

    def _write(self, event: MediaProcessingFinished) -> None:
        with (self._results / f"{event.media.id}.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["start", "end", "text"])
            rows.writerows([clip.start_time, clip.end_time, clip.text] for clip in best(event.clips))


def best(clips: tuple[Clip, ...]) -> list[Clip]:
    """Return the clips that the service ranks first, in the order of the film."""
    ranked = sorted(clips, key=lambda clip: (clip.rank is None, clip.rank))
    return sorted(ranked[:BEST], key=lambda clip: clip.start_time)


if __name__ == "__main__":
    with ContentGroove() as client:
        app = Highlights(client, Path(os.environ.get("HIGHLIGHTS_RESULTS", ".")))
        print(app.hand_in(Path("film.mp4")) or "The quota of this month is used up")
