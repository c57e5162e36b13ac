"""`contentgroove medias`: videos and audios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .command import Run, command, group
from .listing import FilterOption, LimitOption, PageSizeOption, parse_filters
from .output import Column, document
from .timecodes import timecode

if TYPE_CHECKING:
    from contentgroove.models import Media

app = group("medias", "Videos and audios that the service processes.")

MediaId = Annotated[str, typer.Argument(metavar="MEDIA_ID", help="The media's id.", show_default=False)]


def state(media: Media) -> str:
    """Say where a media is, in a word."""
    if media.has_fetch_error:
        return "failed"
    return {True: "processing", False: "finished", None: "queued"}[media.is_processing]


def _duration(media: Media) -> str | None:
    return None if media.source_file_duration is None else timecode(media.source_file_duration)


COLUMNS: list[Column[Media]] = [
    Column("id", lambda media: media.id, 36),
    Column("state", state, 10),
    Column("length", _duration, 12),
    Column("name", lambda media: media.name),
]


@command(
    app,
    "list",
    examples=(
        "medias list --limit 10 --sort -created_at",
        "medias list --filter name_cont=interview --json | jq -r .id",
    ),
)
def list_(
    run: Run,
    *,
    filter_: FilterOption = None,
    sort: Annotated[
        str | None,
        typer.Option(metavar="ORDER", help="created_at, original_created_at or name; with a minus for descending."),
    ] = None,
    limit: LimitOption = None,
    page_size: PageSizeOption = None,
) -> None:
    """List medias: id, state, length and name."""
    pager = run.client.medias.list(filter=parse_filters(filter_), sort=sort, limit=limit, page_size=page_size)
    if not run.out.table(pager.pages(), COLUMNS, document):
        run.out.note("No media.")


@command(app, "show", examples=("medias show 9b9a2e82-5b47-4f59-831d-4c239824b983 --open",))
def show(run: Run, media_id: MediaId) -> None:
    """Show all of a media."""
    media = run.client.medias.get(media_id)
    run.out.one(fields(media), document(media))


def fields(media: Media) -> dict[str, str | None]:
    """Give what people see of a media."""
    size = f"{media.source_file_width} x {media.source_file_height}" if media.source_file_width else None
    return {
        "id": media.id,
        "name": media.name,
        "description": media.description,
        "state": state(media),
        "length": _duration(media),
        "size": size,
        "type": media.source_file_content_type,
        "created": media.created_at.isoformat(timespec="seconds"),
        "source": media.source_url,
        "picture": media.source_file_preview_image_url,
        "clips": ", ".join(media.clip_ids) or None,
        "transcription": media.transcription_id,
    }
