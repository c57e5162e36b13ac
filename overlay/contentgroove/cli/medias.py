"""`contentgroove medias`: videos and audios."""

from __future__ import annotations

import contextlib
from pathlib import Path  # noqa: TC003 - typer reads the signatures at run time
from typing import TYPE_CHECKING, Annotated

import typer

from contentgroove._core.cues import format_timecode

from . import options
from .command import CommandContext, command, group
from .exit_codes import CommandError, ExitCode
from .output import UNREADABLE, Column, document, texts_of
from .progress_display import wait_spinner

if TYPE_CHECKING:
    from contentgroove.models import Media
    from contentgroove.webhooks import Inbox

app = group("medias", "Videos and audios that the service processes.")

MediaId = Annotated[str, typer.Argument(metavar="MEDIA-ID", help="The media's id.")]
MediaIds = Annotated[list[str], typer.Argument(metavar="MEDIA-ID...", help="Ids of medias.")]
NameOption = Annotated[str | None, typer.Option("--name", "-n", metavar="TEXT", help="The media's name.")]
_UPLOAD_NAME_HELP = "The media's name, for a single file. By default the file's name."
_CHECKPOINT_HELP = "Record the progress of each upload here; the same command then continues and sends nothing twice."
_IDENTIFY_HELP = (
    "'description': find the media if the response to its creation is lost, by a marker that its description has "
    "until it is known."
)
_MEDIA_HELP = "The id of the media that the upload created."
_NOT_CREATED_HELP = "State that no media was created; the next upload then creates one."
_JOB_HELP = "A job that machines share, in the database that CONTENTGROOVE_CHECKPOINTS names."
JobOption = Annotated[str | None, typer.Option(metavar="NAME", help=_JOB_HELP)]
DescriptionOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Free text.")]

WAIT_SECONDS: float = 3600


def state(media: Media) -> str:
    """Return a media's state in one word."""
    if getattr(media, "has_fetch_error", False):
        return "failed"
    return options.PROCESSING_STATES.get(getattr(media, "is_processing", UNREADABLE), UNREADABLE)


def _duration(media: Media) -> str | None:
    return None if media.source_file_duration is None else format_timecode(media.source_file_duration)


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
    run: CommandContext,
    *,
    filter_: Annotated[list[str] | None, options.filter_option("name_cont=moon")] = None,
    sort: Annotated[str | None, options.sort_option("created_at, original_created_at or name")] = None,
    limit: options.LimitOption = None,
    page_size: options.PageSizeOption = None,
) -> None:
    """List medias with id, state, length and name."""
    from contentgroove_api.models.get_medias_sort import GetMediasSort

    filters = options.parse_filters(filter_, _filter_names, run.out)
    order = options.parse_sort(sort, GetMediasSort)
    pager = run.client.medias.list(filter=filters, sort=order, limit=limit, page_size=page_size)
    run.out.table(pager.pages(), COLUMNS, document, "No medias.")


def _filter_names() -> type:
    from contentgroove._core.names import MediaFilter

    return MediaFilter


@command(app, "show", examples=("medias show MEDIA-ID", "medias show MEDIA-ID --json"))
def show(run: CommandContext, media_id: MediaId) -> None:
    """Show all fields of a media."""
    media = run.client.medias.get(media_id)
    run.out.print_item(fields(media), document(media))


@command(app, "create", examples=("medias create https://example.com/film.mp4 --name 'My film' --wait",))
def create(
    run: CommandContext,
    source_url: Annotated[
        str, typer.Argument(metavar="SOURCE-URL", help="The URL of the file, which the service fetches.")
    ],
    *,
    name: NameOption = None,
    description: DescriptionOption = None,
    wait: options.WaitOption = False,
    timeout: options.WaitTimeoutOption = None,
) -> None:
    """Create a media from a URL that the service fetches.

    `medias upload` sends a file of this machine.
    """
    seconds = options.wait_seconds(timeout, WAIT_SECONDS, wait=wait)
    media = run.client.medias.create(source_url=source_url, name=name, description=description)
    if seconds is not None:
        with run.mention_created_on_error("media", media.id):
            media = _wait(run, media.id, seconds)
    run.out.print_item(fields(media), document(media))


@command(app, "update", examples=("medias update MEDIA-ID --name 'Final cut'",))
def update(
    run: CommandContext, media_id: MediaId, *, name: NameOption = None, description: DescriptionOption = None
) -> None:
    """Change a media's name, description or both."""
    if name is None and description is None:
        raise CommandError(ExitCode.USAGE, "Nothing to change: pass --name, --description or both.")
    media = run.client.medias.update(media_id, name=name, description=description)
    run.out.print_item(fields(media), document(media))


@command(app, "delete", examples=("medias delete MEDIA-ID --yes",))
def delete(run: CommandContext, media_ids: MediaIds, *, yes: options.YesOption = False) -> None:
    """Delete medias and their clips. This cannot be undone."""
    run.delete_each("media", media_ids, run.client.medias.delete, yes=yes)


@command(
    app,
    "upload",
    examples=(
        "medias upload film.mp4 --name 'My film'",
        "medias upload *.mp4 --wait --checkpoint-dir uploads",
        "medias upload *.mp4 --job summer --identify description",
    ),
)
def upload(
    run: CommandContext,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Video or audio files of at most 5 GiB.")],
    *,
    name: Annotated[str | None, typer.Option("--name", "-n", metavar="TEXT", help=_UPLOAD_NAME_HELP)] = None,
    description: DescriptionOption = None,
    wait: options.WaitOption = False,
    timeout: options.WaitTimeoutOption = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=32, metavar="N", help="Number of uploads at the same time.")
    ] = 4,
    checkpoint_dir: Annotated[Path | None, typer.Option(metavar="FOLDER", help=_CHECKPOINT_HELP)] = None,
    job: JobOption = None,
    identify: Annotated[str | None, typer.Option(metavar="WHERE", help=_IDENTIFY_HELP)] = None,
) -> None:
    """Upload files and create a media from each.

    Prints the id of each new media and its file, separated by a tab. A file that fails does not stop the others. The
    exit code is 0 only if every file succeeded, and 14 if some failed. After a 402 (usage limit) no upload is started.

    If it is unknown whether a media was created, the exit code is 13: `medias resolve` settles that.

    With --job, several machines that run the same command share the work: each file is uploaded by one of them. They
    need the same files under the same paths, and CONTENTGROOVE_CHECKPOINTS, the conninfo of a PostgreSQL database.
    """
    from contentgroove._core.identity import IDENTIFY_DESCRIPTION

    from .upload_batch import BatchUpload, expand_patterns, item_of, open_job, refuse_urls

    if identify is not None and identify != IDENTIFY_DESCRIPTION:
        raise typer.BadParameter(f"--identify must be {IDENTIFY_DESCRIPTION}, not {identify!r}.")
    seconds = options.wait_seconds(timeout, WAIT_SECONDS, wait=wait)
    refuse_urls(files)
    unique = list({file.absolute(): file for file in expand_patterns(files)}.values())
    if name is not None and len(unique) > 1:
        raise CommandError(ExitCode.USAGE, f"--name is for a single file, not for {len(unique)}.")
    if job is not None and checkpoint_dir is not None:
        raise CommandError(ExitCode.USAGE, "Pass either --checkpoint-dir or --job, not both.")
    items = [item_of(file, name, description, checkpoint_dir) for file in unique]
    with contextlib.nullcontext() if job is None else open_job(job) as shared:
        batch = BatchUpload(run.out, items, concurrency, checkpoint_dir, shared, seconds, identify)
        raise typer.Exit(batch.run(run.async_client()))


@command(
    app,
    "resolve",
    examples=("medias resolve uploads/film.mp4.json --media MEDIA-ID", "medias resolve film.json --not-created"),
)
def resolve(
    run: CommandContext,
    checkpoint: Annotated[
        str, typer.Argument(metavar="CHECKPOINT", help="The file named in the upload's error; with --job, the key.")
    ],
    *,
    media: Annotated[str | None, typer.Option(metavar="MEDIA-ID", help=_MEDIA_HELP)] = None,
    not_created: Annotated[bool, typer.Option("--not-created", help=_NOT_CREATED_HELP)] = False,
    job: JobOption = None,
) -> None:
    """Settle an upload that ended with exit code 13: it is unknown whether its media was created.

    Compare the medias that the error names with your file first, because what is stated here is believed. The same
    `medias upload` then continues. After --not-created it creates a media, possibly a second one.
    """
    if (media is None) is not not_created:
        raise CommandError(ExitCode.USAGE, "Pass either --media MEDIA-ID or --not-created.")
    from .upload_batch import open_job

    with contextlib.nullcontext() if job is None else open_job(job) as checkpoints:
        found = run.client.medias.resolve(
            checkpoint if checkpoints is None else checkpoints.store(checkpoint), media_id=media
        )
    data = {"checkpoint": checkpoint, "media": None if found is None else document(found)}
    run.out.print_item({"checkpoint": checkpoint, "media": "none" if found is None else found.id}, data)
    run.out.print_note("Repeat the same upload: it continues from the checkpoint.")


@command(
    app, "results", examples=("medias results --job summer", "medias results --job summer --json"), needs_client=False
)
def results(run: CommandContext, *, job: Annotated[str, typer.Option("--job", metavar="NAME", help=_JOB_HELP)]) -> None:
    """Show how far the files of a shared job are: file, state, media, and the last error or who uploads it.

    States are new, prepared, sent (the store has the file), creating, created and finished.
    """
    from .upload_batch import RESULT_COLUMNS, open_job, result_json

    with open_job(job) as shared:
        run.out.table([shared.results()], RESULT_COLUMNS, result_json, f"The job {job} has no files.")


@command(app, "wait", examples=("medias wait MEDIA-ID --timeout 7200", "medias wait MEDIA-ID --inbox events.db"))
def wait(
    run: CommandContext,
    media_ids: MediaIds,
    *,
    timeout: options.TimeoutOption = WAIT_SECONDS,
    inbox: options.InboxOption = None,
) -> None:
    """Wait until medias are processed.

    The time limit applies to each media. With --inbox, the API is polled when a receiver has recorded a media's
    webhook in that inbox, and once a minute.
    """
    with contextlib.nullcontext() if inbox is None else options.open_inbox(inbox, create=False) as opened:

        def act(media_id: str) -> None:
            media = _wait(run, media_id, timeout, opened)
            run.out.line(document(media), (media.id, state(media), getattr(media, "name", UNREADABLE)))

        run.for_each_id(media_ids, act)


def _wait(run: CommandContext, media_id: str, timeout: float, inbox: Inbox | None = None) -> Media:
    with wait_spinner(run.out, f"{media_id} queued", timeout) as show:
        return run.client.medias.wait(
            media_id, timeout=timeout, on_update=lambda media: show(f"{media.id} {state(media)}"), inbox=inbox
        )


def _size(media: Media) -> str | None:
    return f"{media.source_file_width} x {media.source_file_height}" if media.source_file_width else None


_DETAILS: list[Column[Media]] = [
    Column("id", lambda media: media.id),
    Column("name", lambda media: media.name),
    Column("description", lambda media: media.description),
    Column("state", state),
    Column("length", _duration),
    Column("size", _size),
    Column("type", lambda media: media.source_file_content_type),
    Column("created", lambda media: media.created_at.isoformat(timespec="seconds")),
    Column("source", lambda media: media.source_url),
    Column("picture", lambda media: media.source_file_preview_image_url),
    Column("clips", lambda media: ", ".join(media.clip_ids) or None),
    Column("transcription", lambda media: media.transcription_id),
]


def fields(media: Media) -> dict[str, str | None]:
    """Return the fields of a media, by label."""
    return texts_of(media, _DETAILS)
