"""The main job, offline: a real video goes from a file to clips, a transcription and a webhook.

Runs against the bundled simulator over real sockets; `make demo` sets everything up and runs it. Exits with 0 only if
every step succeeded.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from contentgroove import ContentGroove, ContentGrooveError, progress_bar
from contentgroove.webhooks import MediaProcessingFinished, MemoryInbox, WebhookReceiver
from contentgroove_mock import Fault, Simulator, sample_video, serve
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove import Clip, Media

TOKEN = "demo-token"  # noqa: S105 - the demo's own, for this machine
DELIVERY_SECONDS = 20.0


class CountingInbox(MemoryInbox):
    """An inbox in memory that counts deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self.deliveries = 0
        self._arrived = threading.Condition()

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event, once, and count its delivery."""
        new = super().record(key, body, trace=trace)
        with self._arrived:
            self.deliveries += 1
            self._arrived.notify_all()
        return new

    def wait_for(self, deliveries: int) -> bool:
        """Wait for a number of deliveries; False if they do not come."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self.deliveries >= deliveries, DELIVERY_SECONDS)


class QuietHandler(WSGIRequestHandler):
    """The standard library's handler without its log lines."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Print nothing: the demo prints what arrives."""


@contextmanager
def listening(receiver: WebhookReceiver) -> Generator[str, None, None]:
    """Serve a receiver on a free port; yields the URL to subscribe."""
    with make_server("127.0.0.1", 0, receiver.wsgi, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/contentgroove?token={TOKEN}"
        finally:
            server.shutdown()
            thread.join(DELIVERY_SECONDS)


class Demo:
    """The steps of the demo, each of which must succeed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._succeeded = True

    def check(self, text: str, *, succeeded: bool) -> None:
        """Print an expectation and whether it was met."""
        self._succeeded = self._succeeded and succeeded
        self._console.print(f"  {'[green]ok[/]' if succeeded else '[red]FAILED[/]'} {text}", highlight=False)

    def heading(self, text: str) -> None:
        """Start a step."""
        self._console.print(f"\n[bold]{text}[/]", highlight=False)

    def run(self) -> bool:
        """Run all steps and return whether they succeeded."""
        inbox = CountingInbox()
        receiver = WebhookReceiver(inbox, secret_token=TOKEN)
        handled: list[MediaProcessingFinished] = []
        receiver.on("media.processing_finished")(handled.append)
        simulator = Simulator()
        # The service delivers at least once; here it delivers twice.
        simulator.add_fault(Fault(kind="duplicate", operation="webhook"))
        with (
            serve(simulator) as server,
            listening(receiver) as hook,
            ContentGroove("demo-key", server.base_url) as client,
        ):
            self._console.print(f"Simulated service at {server.base_url}, webhooks at {hook.partition('?')[0]}")
            client.webhook_subscriptions.create(url=hook, subscribed_events=["media.processing_finished"])
            media = self.upload(client)
            self.deliver(receiver, inbox, handled, media)
            self.show(client, media, handled)
            self.cut(client, media)
        return self._succeeded

    def upload(self, client: ContentGroove) -> Media:
        """Upload the sample and wait for it."""
        self.heading("1. Upload a video and wait")
        with progress_bar("  sample.mp4", console=self._console) as progress:
            media = client.medias.upload(sample_video(), name="Demo film", progress=progress)
        self.check(f"media {media.id} created; is_processing is {media.is_processing}", succeeded=not media.is_finished)
        with self._console.status("Processing", spinner="line"):
            media = client.medias.wait(media, timeout=30, poll_interval=0.2)
        size = f"{media.source_file_width}x{media.source_file_height}"
        self.check(
            f"processed: {media.source_file_duration} s, {size}, {media.source_file_content_type}",
            succeeded=media.is_finished and bool(media.source_file_duration),
        )
        return media

    def deliver(
        self, receiver: WebhookReceiver, inbox: CountingInbox, handled: list[MediaProcessingFinished], media: Media
    ) -> None:
        """Receive the webhook."""
        self.heading("2. Receive the webhook")
        self.check("delivered twice", succeeded=inbox.wait_for(2))
        receiver.process_pending()
        self.check(
            f"handled once: {', '.join(event.event for event in handled)}",
            succeeded=[event.media for event in handled] == [media],
        )

    def show(self, client: ContentGroove, media: Media, handled: list[MediaProcessingFinished]) -> None:
        """Print the service's results."""
        self.heading("3. Suggested clips and transcription")
        clips = list(client.clips.list(filter={"media_id_eq": media.id}, sort="created_at"))
        self._console.print(clip_table(clips))
        delivered = {clip.id for event in handled for clip in event.clips}
        self.check(
            f"{len(clips)} clips, the same from the API and the webhook",
            succeeded={clip.id for clip in clips} == delivered,
        )
        texts = [event.transcription.text for event in handled if event.transcription]
        self._console.print(*texts, style="italic", highlight=False)
        self.check("transcription received", succeeded=any(texts))

    def cut(self, client: ContentGroove, media: Media) -> None:
        """Create another clip."""
        self.heading("4. Cut another clip")
        clip = client.clips.create(media_id=media.id, name="Opening", start_time=0.5, end_time=2.5)
        clip = client.clips.wait(clip, timeout=30, poll_interval=0.2)
        self.check(f"{clip.name}, {clip.media_file_duration} s: {clip.media_file_url}", succeeded=clip.is_finished)


def clip_table(clips: list[Clip]) -> Table:
    """Make a table of clips."""
    table = Table("from", "to", "name", "text", box=None, padding=(0, 2))
    for clip in clips:
        table.add_row(f"{clip.start_time:.2f}", f"{clip.end_time:.2f}", clip.name, clip.text)
    return table


def main() -> int:
    """Run the demo and return the exit status."""
    console = Console()
    try:
        succeeded = Demo(console).run()
    except ContentGrooveError as error:
        console.print(f"[red]FAILED[/] {error}", highlight=False)
        return 1
    console.print("\n[bold green]Every step succeeded.[/]" if succeeded else "\n[bold red]A step failed.[/]")
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main())
