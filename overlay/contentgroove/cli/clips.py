"""`contentgroove clips`: parts of medias."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from contentgroove._core.cues import format_timecode
from contentgroove.errors import NotFoundError

from . import options
from .command import CommandContext, command, group
from .exit_codes import CommandError, ExitCode
from .output import UNREADABLE, Column, document, texts_of, to_json
from .progress_display import wait_spinner
from .suggestions import did_you_mean_resource

if TYPE_CHECKING:
    from contentgroove._sync.medias import Medias
    from contentgroove.models import Clip

app = group("clips", "Parts of medias, suggested by the service or cut by you.")

WAIT_SECONDS: float = 900

Format: TypeAlias = Literal["srt", "vtt", "csv", "json"]
Encoding: TypeAlias = Literal["utf-8", "utf-8-sig"]

_OUTPUT_HELP = "Write into this file, which is replaced; - is standard output."
_LINE_LENGTH_HELP = "Columns in a line of a caption (42); wide characters count as 2, and 0 is one long line."
_LINES_HELP = "Lines in a caption (2); longer texts are divided in time. 0 means no limit."
_RAW_CELLS_HELP = "Leave texts in csv as they are, also those that a spreadsheet would run as formulas."


def _time(text: str) -> float:
    try:
        return options.parse_time(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from error


ClipId = Annotated[str, typer.Argument(metavar="CLIP-ID", help="The clip's id.")]
ClipIds = Annotated[list[str], typer.Argument(metavar="CLIP-ID...", help="Ids of clips.")]
_START = typer.Option(parser=_time, metavar="TIME", help="Start of the clip: seconds or HH:MM:SS.mmm.")
_END = typer.Option(parser=_time, metavar="TIME", help="End of the clip: seconds or HH:MM:SS.mmm.")

COLUMNS: list[Column[Clip]] = [
    Column("id", lambda clip: clip.id, 36),
    Column("start", lambda clip: format_timecode(clip.start_time), 12),
    Column("end", lambda clip: format_timecode(clip.end_time), 12),
    Column("name", lambda clip: clip.name),
    Column("text", lambda clip: clip.text),
]


@command(
    app,
    "list",
    examples=("clips list --media MEDIA-ID", "clips list --filter text_cont=moon --json | jq -r .media_file_url"),
)
def list_(
    run: CommandContext,
    *,
    media: Annotated[
        str | None, typer.Option("--media", "-m", metavar="MEDIA-ID", help="Only clips of this media.")
    ] = None,
    filter_: Annotated[list[str] | None, options.filter_option("text_cont=moon")] = None,
    sort: Annotated[str | None, options.sort_option("created_at or name")] = None,
    limit: options.LimitOption = None,
    page_size: options.PageSizeOption = None,
) -> None:
    """List clips with id, time codes, name and text."""
    from contentgroove_api.models.get_clips_sort import GetClipsSort

    if media is not None and not media.strip():
        raise typer.BadParameter("--media is empty: pass the id of a media, or leave the option out.")
    media_filter = [] if media is None else [f"media_id_eq={media}"]
    filters = options.parse_filters([*media_filter, *(filter_ or ())], _filter_names, run.out)
    order = options.parse_sort(sort, GetClipsSort)
    pager = run.client.clips.list(filter=filters, sort=order, limit=limit, page_size=page_size)
    run.out.table(pager.pages(), COLUMNS, document, "No clips.")


def _filter_names() -> type:
    from contentgroove._core.names import ClipFilter

    return ClipFilter


@command(app, "show", examples=("clips show CLIP-ID --json",))
def show(run: CommandContext, clip_id: ClipId) -> None:
    """Show all fields of a clip: its time codes, text and URLs."""
    clip = run.client.clips.get(clip_id)
    run.out.print_item(fields(clip), document(clip))


@command(app, "create", examples=("clips create MEDIA-ID --name Opening --start 0 --end 1:23.5 --wait",))
def create(
    run: CommandContext,
    media_id: Annotated[str, typer.Argument(metavar="MEDIA-ID", help="The media to cut it from.")],
    *,
    name: Annotated[str, typer.Option("--name", "-n", metavar="TEXT", help="The clip's name.")],
    start: Annotated[float, _START],
    end: Annotated[float, _END],
    wait: options.WaitOption = False,
    timeout: options.WaitTimeoutOption = None,
) -> None:
    """Cut a clip out of a media."""
    seconds = options.wait_seconds(timeout, WAIT_SECONDS, wait=wait)
    try:
        clip = run.client.clips.create(media_id=media_id, name=name, start_time=start, end_time=end)
    except NotFoundError as error:
        # The request is that of all clips, and so names no id.
        raise _not_found(f"No media has the id {media_id}.", run.client.medias, media_id) from error
    if seconds is not None:
        with run.mention_created_on_error("clip", clip.id):
            clip = _wait(run, clip.id, seconds)
    run.out.print_item(fields(clip), document(clip))


@command(app, "update", examples=("clips update CLIP-ID --end 00:02:10.500",))
def update(
    run: CommandContext,
    clip_id: ClipId,
    *,
    name: Annotated[str | None, typer.Option("--name", "-n", metavar="TEXT", help="The clip's name.")] = None,
    start: Annotated[float | None, _START] = None,
    end: Annotated[float | None, _END] = None,
) -> None:
    """Change a clip's name or times.

    Values that are not passed stay.
    """
    if name is None and start is None and end is None:
        raise CommandError(ExitCode.USAGE, "Nothing to change: pass --name, --start or --end.")
    clip = run.client.clips.update(clip_id, name=name, start_time=start, end_time=end)
    run.out.print_item(fields(clip), document(clip))


@command(app, "delete", examples=("clips delete CLIP-ID --yes",))
def delete(run: CommandContext, clip_ids: ClipIds, *, yes: options.YesOption = False) -> None:
    """Delete clips. This cannot be undone."""
    run.delete_each("clip", clip_ids, run.client.clips.delete, yes=yes)


@command(app, "wait", examples=("clips wait CLIP-ID",))
def wait(run: CommandContext, clip_ids: ClipIds, *, timeout: options.TimeoutOption = WAIT_SECONDS) -> None:
    """Wait until the files of clips are ready.

    The time limit applies to each clip.
    """

    def act(clip_id: str) -> None:
        clip = _wait(run, clip_id, timeout)
        run.out.line(document(clip), (clip.id, state(clip), getattr(clip, "media_file_url", UNREADABLE) or ""))

    run.for_each_id(clip_ids, act)


@command(
    app,
    "export",
    examples=(
        "clips export MEDIA-ID --format srt > film.srt",
        "clips export MEDIA-ID --format vtt --line-length 32 --output film.vtt",
        "clips export MEDIA-ID --format csv --encoding utf-8-sig --output cuts.csv",
    ),
)
def export(
    run: CommandContext,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of medias (all their clips) or of clips.")],
    *,
    format_: Annotated[
        Format | None, typer.Option("--format", metavar="FORMAT", help="The output format: srt, vtt, csv or json.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help=_OUTPUT_HELP)] = None,
    encoding: Annotated[
        Encoding,
        typer.Option("--encoding", metavar="ENCODING", help="utf-8, or utf-8-sig: with the mark that Excel needs."),
    ] = "utf-8",
    line_length: Annotated[int | None, typer.Option(min=0, metavar="N", help=_LINE_LENGTH_HELP)] = None,
    lines: Annotated[int | None, typer.Option(min=0, metavar="N", help=_LINES_HELP)] = None,
    raw_cells: Annotated[bool, typer.Option("--raw-cells", help=_RAW_CELLS_HELP)] = False,
) -> None:
    """Export captions (srt, vtt) or cut lists (csv, json) of clips.

    Clips are sorted by their times. A clip whose text does not fit into one caption becomes several, which share its
    time in proportion to their text, because the API returns no times of single words. Captions are for one media;
    clips without a text are omitted.
    """
    from contentgroove import captions

    output_format = format_ or ("json" if run.out.json else None)
    if output_format is None:
        raise CommandError(ExitCode.USAGE, "Pass --format srt, vtt, csv or json.")
    if run.out.json and output_format != "json":
        raise CommandError(ExitCode.USAGE, f"Pass either --json or --format {output_format}.")
    layout = {name: number for name, number in (("line_length", line_length), ("lines", lines)) if number is not None}
    if layout and output_format not in {"srt", "vtt"}:
        raise CommandError(ExitCode.USAGE, f"--line-length and --lines are for captions, not for {output_format}.")
    if raw_cells and output_format != "csv":
        raise CommandError(ExitCode.USAGE, f"--raw-cells is for csv, not for {output_format}.")
    clips = list({clip.id: clip for id_ in ids for clip in _clips_of(run, id_)}.values())
    if output_format == "json":
        text = to_json([document(clip) for clip in captions.sort_clips(clips)], indent=2) + "\n"
    elif output_format == "csv":
        text = captions.to_cut_list(clips, raw=raw_cells)
    else:
        text = (captions.to_srt if output_format == "srt" else captions.to_vtt)(clips, **layout)
        _warn_of_captions(run, clips)
    run.out.text(text, encoding, None if output == Path("-") else output)


def _warn_of_captions(run: CommandContext, clips: list[Clip]) -> None:
    from contentgroove import captions

    usable = captions.captionable_clips(clips)
    if omitted := len(clips) - len(usable):
        run.out.warn(f"{omitted} of {len(clips)} clips have no text or no length, and are omitted.")
    if overlaps := captions.count_overlaps(usable):
        run.out.warn(f"{overlaps} of {len(usable)} clips start before another has ended: players show both at once.")


def _clips_of(run: CommandContext, id_: str) -> list[Clip]:
    try:
        run.client.medias.get(id_)
    except NotFoundError as error:
        try:
            return [run.client.clips.get(id_)]
        except NotFoundError:
            raise _not_found(f"No media and no clip has the id {id_}.", run.client.medias, id_) from error
    return list(run.client.clips.list(filter={"media_id_eq": id_}))


def _not_found(message: str, medias: Medias, id_: str) -> CommandError:
    hint = did_you_mean_resource(medias, id_).strip()
    return CommandError(
        ExitCode.NOT_FOUND, message, hint or "Check the id, and that it belongs to the account of this API key."
    )


def _wait(run: CommandContext, clip_id: str, timeout: float) -> Clip:
    with wait_spinner(run.out, f"{clip_id} queued", timeout) as show:
        return run.client.clips.wait(clip_id, timeout=timeout, on_update=lambda clip: show(f"{clip.id} {state(clip)}"))


def state(clip: Clip) -> str:
    """Return a clip's state in one word."""
    return options.PROCESSING_STATES.get(getattr(clip, "is_processing", UNREADABLE), UNREADABLE)


_DETAILS: list[Column[Clip]] = [
    Column("id", lambda clip: clip.id),
    Column("media", lambda clip: clip.media_id),
    Column("name", lambda clip: clip.name),
    Column("state", state),
    Column("start", lambda clip: format_timecode(clip.start_time)),
    Column("end", lambda clip: format_timecode(clip.end_time)),
    Column("rank", lambda clip: None if clip.rank is None else str(clip.rank)),
    Column("text", lambda clip: clip.text),
    Column("file", lambda clip: clip.media_file_url),
    Column("picture", lambda clip: clip.media_file_preview_image_url),
    Column("created", lambda clip: clip.created_at.isoformat(timespec="seconds")),
]


def fields(clip: Clip) -> dict[str, str | None]:
    """Return the fields of a clip, by label."""
    return texts_of(clip, _DETAILS)
