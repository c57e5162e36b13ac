"""The command `contentgroove spec diff`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the signature at run time
from typing import TYPE_CHECKING, Annotated

import typer
from contentgroove._extras import needs
from contentgroove._openapi.documents import DocumentError
from contentgroove.cli.command import group, own_command
from contentgroove.cli.exit_codes import CommandError, ExitCode
from contentgroove.cli.output import multi_line

from . import PipelineError
from .changes import Rating

if TYPE_CHECKING:
    from .changes import Comparison
    from .reports import Section


class Format(StrEnum):
    """Format of a report."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


class FailOn(StrEnum):
    """The changes that end the command with status 1."""

    BREAKING = "breaking"
    ANY = "any"
    NONE = "none"


_EXAMPLES = (
    "spec diff",
    "spec diff 1.3.1 1.3.17",
    "spec diff old.yaml new.yaml --fail-on breaking",
    "spec diff --coverage coverage.json",
    "spec diff --format html --output changes.html",
)


def register(app: typer.Typer) -> None:
    """Add this package's commands to the command line."""
    commands = group("spec", "Show what changed in the API's document.")
    exit_codes = {1: "there are changes that --fail-on names, or the documents cannot be compared"}
    own_command(commands, "diff", examples=_EXAMPLES, exit_codes=exit_codes)(diff)
    # Without a callback, Typer turns a group with one command into that command.
    commands.callback()(_spec)
    app.add_typer(commands)


def _spec() -> None:
    """Show what changed in the API's document."""


def diff(
    old: Annotated[
        str | None, typer.Argument(metavar="OLD", help="A file, a URL, or a release of the npm mirror.")
    ] = None,
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="Another one. Default: the published document.")
    ] = None,
    *,
    coverage: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Report only changes that affect an app: the file of --contentgroove-coverage."
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(metavar="RATING", help="Changes that end in exit code 1: breaking, any or none.")
    ] = FailOn.NONE,
    style: Annotated[
        Format, typer.Option("--format", metavar="FORMAT", help="text, json, markdown or html.")
    ] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report into this file.")] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save NEW to this file if it differs from OLD or the file does not exist."),
    ] = None,
) -> None:
    """Show what changed between two versions of the API's document, and what breaks.

    By default, OLD is the document that this version was made from. --fail-on any ignores changes that affect only
    the documentation.
    """
    with needs("`contentgroove spec diff`", "spec"):
        from .compare import compare
        from .config import default_config
        from .coverage import impact_on_app, read_coverage
        from .documents import canonical_digest, dump_yaml
        from .fetching import fetch, from_file, from_name

    try:
        config = default_config()
        usage = None if coverage is None else read_coverage(coverage)
        before = from_file(config.published) if old is None else from_name(old, config)
        after = fetch(config, mirror=None, file=None, log=_print_note) if new is None else from_name(new, config)
        documents = (before.parse(), after.parse())
        comparison = compare(*documents, old_name=before.source, new_name=after.source)
        if save is not None and (not save.exists() or len({*map(canonical_digest, documents)}) > 1):
            _write(save, dump_yaml(documents[1]))
        sections: tuple[Section, ...] = ()
        if usage is not None:
            comparison, section = impact_on_app(comparison, usage)
            sections = (section,)
        report = write(comparison, sections, Format.JSON if as_json else style)
        if output is None:
            typer.echo(report, nl=False)
        else:
            _write(output, report)
    except (PipelineError, DocumentError) as error:
        raise CommandError(ExitCode.FAILED, multi_line(str(error))) from error
    if fails(comparison, fail_on):
        raise typer.Exit(1)


def write(comparison: Comparison, sections: tuple[Section, ...], style: Format) -> str:
    """Write a report in a format."""
    from . import reports

    match style:
        case Format.TEXT:
            return multi_line(reports.as_text(comparison, sections))
        case Format.JSON:
            return reports.as_json(comparison, sections)
        case Format.MARKDOWN:
            return reports.as_markdown(comparison, sections)
        case Format.HTML:
            return reports.as_html(comparison, sections)


def fails(comparison: Comparison, fail_on: FailOn) -> bool:
    """Return whether a comparison ends in exit status 1."""
    breaking, safe = comparison.rated(Rating.BREAKING), comparison.rated(Rating.SAFE)
    return bool(breaking and fail_on is not FailOn.NONE) or bool(safe and fail_on is FailOn.ANY)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PipelineError(f"Cannot write {path}: {error.strerror}.") from error


def _print_note(line: str) -> None:
    print(multi_line(line), file=sys.stderr)  # noqa: T201 - a command line prints
