"""`contentgroove clips`: parts of medias."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .command import Run, command, group
from .listing import FilterOption, LimitOption, PageSizeOption, parse_filters
from .output import Column, document
from .timecodes import timecode

if TYPE_CHECKING:
    from contentgroove.models import Clip

app = group("clips", "Parts of medias, suggested by the service or cut by you.")

COLUMNS: list[Column[Clip]] = [
    Column("id", lambda clip: clip.id, 36),
    Column("start", lambda clip: timecode(clip.start_time), 12),
    Column("end", lambda clip: timecode(clip.end_time), 12),
    Column("name", lambda clip: clip.name),
    Column("text", lambda clip: clip.text),
]


@command(app, "list", examples=("clips list --filter media_id_eq=9b9a2e82-5b47-4f59-831d-4c239824b983",))
def list_(
    run: Run,
    *,
    filter_: FilterOption = None,
    sort: Annotated[
        str | None, typer.Option(metavar="ORDER", help="created_at or name; with a minus for descending.")
    ] = None,
    limit: LimitOption = None,
    page_size: PageSizeOption = None,
) -> None:
    """List clips: id, time codes, name and text."""
    pager = run.client.clips.list(filter=parse_filters(filter_), sort=sort, limit=limit, page_size=page_size)
    if not run.out.table(pager.pages(), COLUMNS, document):
        run.out.note("No clips.")
