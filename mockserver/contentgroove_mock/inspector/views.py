"""What the page shows of a simulator's state, as plain values for the templates. Pure: no I/O and no clock."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from contentgroove._core.redaction import redact_text, redact_url
from msgspec import Struct

from contentgroove_mock.inspector.bodies import Body, ShownBody, shown_body
from contentgroove_mock.simulator.core.policies import NEVER

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from contentgroove_mock.coverage.matrix import CoverageMatrix
    from contentgroove_mock.simulator.core.records import Clip, Delivery, Media, State
    from contentgroove_mock.simulator.core.service import Service
    from contentgroove_mock.simulator.core.tables import Table

NOTHING = "\N{EN DASH}"
"""What a cell shows that has no value."""
Record = TypeVar("Record")
MAX_ROWS = 100
"""Rows of a table: the newest."""

Level: TypeAlias = Literal["good", "info", "warn", "bad", "idle"]
"""How a state is coloured; its text says the same."""

_LEVELS: dict[str, Level] = {
    "finished": "good",
    "delivered": "good",
    "queued": "info",
    "processing": "info",
    "pending": "info",
    "failed": "bad",
    "refused": "bad",
    "lost": "bad",
}
_MAX_NAME = 300
_MAX_BARS = 200


class Badge(Struct, frozen=True):
    """A state."""

    text: str
    level: Level


class MediaRow(Struct, frozen=True):
    """A media in the table."""

    id: str
    name: str
    state: Badge
    account: str
    created_at: str
    duration: str
    clip_count: int


class Bar(Struct, frozen=True):
    """A clip on the timeline.

    Attributes:
        left: Where it starts, in percent of the media's length.
        width: How long it is, in percent of the media's length.
        lane: The line that it is on, so that clips that overlap are side by side; the first is 0.
        start: In seconds.
        end: In seconds.
        kind: Whether the service suggested it or a user made it.
    """

    id: str
    name: str
    left: float
    width: float
    lane: int
    start: str
    end: str
    kind: str
    state: Badge


class Timeline(Struct, frozen=True):
    """The clips of a media over its length; `ticks` are labels and their positions in percent."""

    bars: tuple[Bar, ...]
    lanes: int
    ticks: tuple[tuple[str, float], ...]
    description: str


class MediaDetails(Struct, frozen=True):
    """A media in full.

    Attributes:
        preview: The kind of element that plays its file; empty if none can.
        remark: What the preview shows, or why there is none.
    """

    row: MediaRow
    facts: tuple[tuple[str, str], ...]
    preview: Literal["video", "audio", ""]
    remark: str
    timeline: Timeline | None
    transcription: str


class SubscriptionRow(Struct, frozen=True):
    """A subscription; `url` is without credentials."""

    id: str
    url: str
    events: str
    account: str
    created_at: str
    delivered: int
    other: int


class AttemptRow(Struct, frozen=True):
    """One attempt to deliver a webhook."""

    at: str
    result: Badge


class DeliveryRow(Struct, frozen=True):
    """A webhook in the table."""

    id: str
    event: str
    media_id: str
    url: str
    state: Badge
    created_at: str
    next_at: str
    attempts: tuple[AttemptRow, ...]


class DeliveryDetails(Struct, frozen=True):
    """A webhook in full."""

    row: DeliveryRow
    body: ShownBody


class CoverageRow(Struct, frozen=True):
    """What was seen of one operation or webhook: statuses, how often, and whether each is documented."""

    name: str
    statuses: tuple[tuple[str, int, bool], ...]


class Coverage(Struct, frozen=True):
    """How much of the contract was covered."""

    covered: int
    total: int
    percent: float
    rows: tuple[CoverageRow, ...]


class Overview(Struct, frozen=True):
    """What there is: counts, and the faults that happened."""

    counts: tuple[tuple[str, int], ...]
    faults: tuple[tuple[str, int], ...]


def moment(time: dt.datetime | None) -> str:
    """Return a time as the page shows it: to the millisecond, in UTC; a dash for none."""
    return NOTHING if time is None else f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"


def seconds(value: float) -> str:
    """Return a length or a position in a media."""
    whole, hundredths = divmod(round(value * 100), 100)
    minutes, rest = divmod(whole, 60)
    text = f"{minutes}:{rest:02d}"
    return f"{text}.{hundredths:02d}" if hundredths else text


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    value, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004  # as their names say
            break
        value, unit = value / 1024, larger
    return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def newest(records: Table[Record]) -> list[Record]:
    """Return the records that a table shows, the newest first."""
    return list(records.view.values())[: -MAX_ROWS - 1 : -1]


def media_rows(state: State) -> list[MediaRow]:
    """Return the newest medias."""
    return [_media_row(media) for media in newest(state.medias)]


def _media_row(media: Media) -> MediaRow:
    return MediaRow(
        media.id,
        media.name[:_MAX_NAME] or "(without a name)",
        Badge(media.stage, _LEVELS[media.stage]),
        media.account,
        moment(media.created_at),
        NOTHING if media.file is None else seconds(media.file.duration),
        len(media.clip_ids),
    )


def media_details(state: State, media_id: str, stored_bytes: int | None) -> MediaDetails | None:
    """Return a media in full; None if there is none.

    Args:
        state: The state.
        media_id: The media.
        stored_bytes: The size of its uploaded file; None if none was uploaded, or it is gone.
    """
    media = state.medias.view.get(media_id)
    if media is None:
        return None
    file = media.file
    kind = "" if file is None else file.content_type.partition("/")[0]
    facts = [
        ("Id", media.id),
        ("External id", media.external_id or NOTHING),
        ("Description", media.description or NOTHING),
        ("Account", media.account),
        ("Source URL", redact_url(media.source_url) if media.source_url else NOTHING),
        ("Uploaded file", NOTHING if stored_bytes is None else size(stored_bytes)),
        ("Media type", NOTHING if file is None else file.content_type),
        ("Length", NOTHING if file is None else f"{seconds(file.duration)} ({file.duration:g} s)"),
        ("Picture", NOTHING if file is None or file.width is None else f"{file.width} x {file.height} pixels"),
        ("Created", moment(media.created_at)),
        ("Processing starts", moment(media.starts_at)),
        ("Processing ends", _processing_end(state, media)),
    ]
    clips = [state.clips[clip_id] for clip_id in media.clip_ids if clip_id in state.clips]
    return MediaDetails(
        _media_row(media),
        tuple(facts),
        "video" if kind == "video" else "audio" if kind == "audio" else "",
        _preview_remark(media, stored_bytes),
        None if file is None else timeline(clips, file.duration),
        media.transcription.text if media.transcription else "",
    )


def _processing_end(state: State, media: Media) -> str:
    if media.id not in state.unsettled:
        return NOTHING
    return "when it is told to" if media.finishes_at == NEVER else moment(media.finishes_at)


def _preview_remark(media: Media, stored_bytes: int | None) -> str:
    if media.file is None:
        return "The file is neither video nor audio, or cannot be fetched: there is no preview."
    if media.path is None:
        return "Nothing is fetched from source URLs: the sample video stands for the file."
    return "The uploaded file." if stored_bytes is not None else "The uploaded file is gone: there is no preview."


def timeline(clips: Sequence[Clip], duration: float) -> Timeline:
    """Spread clips over the length of their media, in lanes so that none covers another."""
    lanes: list[float] = []
    bars: list[Bar] = []
    for clip in sorted(clips, key=lambda item: (item.start_time, item.end_time))[:_MAX_BARS]:
        lane = next((index for index, end in enumerate(lanes) if end <= clip.start_time), len(lanes))
        lanes[lane:] = [clip.end_time, *lanes[lane + 1 :]]
        left = min(100.0, 100 * clip.start_time / duration)
        bars.append(
            Bar(
                clip.id,
                clip.name[:_MAX_NAME] or "(without a name)",
                round(left, 3),
                round(min(100.0 - left, 100 * (clip.end_time - clip.start_time) / duration), 3),
                lane,
                seconds(clip.start_time),
                seconds(clip.end_time),
                "made by a user" if clip.rank is None else f"suggested, rank {clip.rank}",
                Badge(clip.stage, _LEVELS[clip.stage]),
            )
        )
    ticks = tuple((seconds(duration * quarter / 4), 25.0 * quarter) for quarter in range(5))
    return Timeline(tuple(bars), len(lanes), ticks, _count(len(clips), "clip") + f" over {seconds(duration)}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def subscription_rows(state: State) -> list[SubscriptionRow]:
    """Return the newest subscriptions."""
    delivered: dict[str, int] = {}
    other: dict[str, int] = {}
    for delivery in state.deliveries.view.values():
        counts = delivered if delivery.state == "delivered" else other
        counts[delivery.subscription_id] = counts.get(delivery.subscription_id, 0) + 1
    return [
        SubscriptionRow(
            item.id,
            redact_url(item.url),
            ", ".join(item.events),
            item.account,
            moment(item.created_at),
            delivered.get(item.id, 0),
            other.get(item.id, 0),
        )
        for item in newest(state.subscriptions)
    ]


def delivery_rows(state: State) -> list[DeliveryRow]:
    """Return the newest webhooks."""
    return [_delivery_row(item) for item in newest(state.deliveries)]


def _delivery_row(delivery: Delivery) -> DeliveryRow:
    media: dict[str, object] = delivery.payload.get("data", {})
    return DeliveryRow(
        delivery.id,
        delivery.event,
        str(media.get("id", NOTHING)),
        redact_url(delivery.url),
        Badge("held back" if delivery.held else delivery.state, _LEVELS[delivery.state]),
        moment(delivery.created_at),
        moment(delivery.next_at),
        tuple(
            AttemptRow(
                moment(attempt.at),
                Badge(
                    f"HTTP {attempt.status}" if attempt.error is None else redact_text(attempt.error),
                    "good" if attempt.status == 200 else "bad",  # noqa: PLR2004  # the only one that counts
                ),
            )
            for attempt in delivery.attempts
        ),
    )


def delivery_details(state: State, delivery_id: str) -> DeliveryDetails | None:
    """Return a webhook in full; None if there is none."""
    delivery = state.deliveries.view.get(delivery_id)
    if delivery is None:
        return None
    content = delivery.body()
    return DeliveryDetails(_delivery_row(delivery), shown_body(Body(content, len(content), "application/json")))


def delivered_events(state: State) -> dict[str, int]:
    """Return how often each event was delivered."""
    return dict(Counter(item.event for item in state.deliveries.view.values() if item.state == "delivered"))


def overview(service: Service, request_count: int) -> Overview:
    """Count what there is; `request_count` is the length of the request log."""
    state = service.state
    counts = (
        ("Accounts", len(state.accounts)),
        ("Medias", len(state.medias)),
        ("Clips", len(state.clips)),
        ("Subscriptions", len(state.subscriptions)),
        ("Webhooks", len(state.deliveries)),
        ("Requests in the log", request_count),
    )
    happened = service.faults.happened.items()
    return Overview(counts, tuple((f"{kind}, {operation}", times) for (kind, operation), times in happened))


def coverage(matrix: CoverageMatrix) -> Coverage:
    """Return what was covered."""
    rows = [
        CoverageRow(
            row.name,
            (
                *((status, times, True) for status, times in row.documented.items()),
                *((status, times, False) for status, times in row.undocumented.items()),
            ),
        )
        for row in matrix.rows
    ]
    rows += [CoverageRow(event.name, (("delivered", event.deliveries, True),)) for event in matrix.events]
    return Coverage(matrix.covered_count, matrix.total, matrix.percent, tuple(rows))
