"""The command `contentgroove spec diff`."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from contentgroove._extras import needs
from contentgroove._openapi.documents import DocumentError
from contentgroove.cli.command import group, own_command
from contentgroove.cli.exit_codes import CommandError, ExitCode
from contentgroove.cli.output import Output, is_terminal, multi_line

from . import PipelineError
from .changes import Rating

if TYPE_CHECKING:
    from collections.abc import Generator

    from .fetching import FetchedDocument
    from .reports.lines import Sources
    from .reports.report import Report


class Format(StrEnum):
    """Format of a report."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    SARIF = "sarif"
    GITHUB = "github"


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
    "spec diff old.yaml new.yaml --format github --fail-on breaking",
)

_AS_PUBLISHED = (
    "Both documents as they were published. This package corrects its document, so a change of what it corrects may "
    "change nothing for you; a release that adopts the new document says so in its changelog."
)


LARGE = 10_000_000
"""The bytes of two documents whose comparison takes so long that a person should know that it goes on."""


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
            metavar="FILE",
            help="Say what affects an app, by what its tests used: the file of --contentgroove-coverage.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(metavar="RATING", help="Changes that end in exit code 1: breaking, any or none.")
    ] = FailOn.NONE,
    style: Annotated[
        Format, typer.Option("--format", metavar="FORMAT", help="text, json, markdown, html, sarif or github.")
    ] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report into this file.")] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save NEW to this file if it differs from OLD or the file does not exist."),
    ] = None,
) -> None:
    """Show what changed between two versions of the API's document, and what breaks.

    By default, OLD is the document that this version was made from, as it was published. --fail-on any ignores changes
    that affect only texts. A part that cannot be compared counts as breaking; with --coverage, only what the app uses
    counts.
    """
    with needs("`contentgroove spec diff`", "spec"):
        from .affected import affected_by, summary
        from .compare import compare
        from .config import default_config
        from .coverage import read_coverage
        from .documents import canonical_digest, dump_yaml
        from .fetching import fetch, from_file, from_name, parse_both
        from .reports.report import Report, Section

    # Both documents and all findings are needed until the report is written: looking for garbage among them takes a
    # third of the time of a large comparison.
    with _without_garbage_collection(), _errors_of_commands():
        config = default_config()
        usage = None if coverage is None else read_coverage(coverage)
        before = from_file(config.published) if old is None else from_name(old, config)
        after = fetch(config, mirror=None, file=None, log=_print_note) if new is None else from_name(new, config)
        size = len(before.content) + len(after.content)
        if size > LARGE and is_terminal(sys.stderr):
            _print_note(f"Comparing {size / 1e6:,.0f} MB, which takes some seconds …")
        documents = parse_both(before, after)
        names = _names(before, after)
        comparison = compare(*documents, old_name=names[0], new_name=names[1])
        if save is not None and (not save.exists() or len({*map(canonical_digest, documents)}) > 1):
            _write(save, dump_yaml(documents[1]))
        sections = () if old is not None else (Section("What was compared", _AS_PUBLISHED),)
        report = Report(comparison, sections=sections, sources=_sources(before, after))
        if usage is not None:
            affected = affected_by(comparison, usage, *documents)
            sections = (summary(comparison, affected), *sections)
            report = dataclasses.replace(report, affected=affected, sections=sections)
        write(report, Format.JSON if as_json else style, output)
    if fails(report, fail_on):
        raise typer.Exit(1)


@contextlib.contextmanager
def _errors_of_commands() -> Generator[None]:
    try:
        yield
    except (PipelineError, DocumentError) as error:
        raise CommandError(ExitCode.FAILED, multi_line(str(error))) from error


@contextlib.contextmanager
def _without_garbage_collection() -> Generator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write(report: Report, style: Format, output: Path | None) -> None:
    """Write a report in a format, to a file or to standard output.

    Raises:
        PipelineError: The file cannot be written.
    """
    if output is not None:
        _write(output, in_format(report, style))
    elif style is Format.TEXT and is_terminal(sys.stdout):
        _print_coloured(report)
    else:
        typer.echo(in_format(report, style), nl=False)


def in_format(report: Report, style: Format) -> str:
    """Return a report in a format."""
    # Each format is imported only when it is written.
    match style:
        case Format.TEXT:
            from .reports.text import as_text

            return multi_line(as_text(report))
        case Format.JSON:
            from .reports.json_report import as_json

            return as_json(report)
        case Format.MARKDOWN:
            from .reports.markdown import as_markdown

            return as_markdown(report)
        case Format.HTML:
            from .reports.html import as_html

            return as_html(report)
        case Format.SARIF:
            from .reports.sarif import as_sarif

            return as_sarif(report)
        case Format.GITHUB:
            from .reports.annotations import as_annotations

            return as_annotations(report)


def _names(*documents: FetchedDocument) -> list[str]:
    """Return the names of both documents; files with the same name are told apart by their paths."""
    names = [document.source for document in documents]
    if len({*names}) < len(names):
        names = [document.source if document.path is None else f"file:{document.path}" for document in documents]
    return names


def _sources(before: FetchedDocument, after: FetchedDocument) -> Sources:
    from .reports.lines import Sources, SourceText

    old, new = (
        SourceText(
            source.source if source.path is None else _relative(source.path), source.content, source.path is not None
        )
        for source in (before, after)
    )
    return Sources(old, new)


def _relative(path: Path) -> str:
    """Return a path as it is below this folder, which is the repository's in CI; others stay absolute."""
    here, full = Path.cwd(), path.resolve()
    return (full.relative_to(here) if full.is_relative_to(here) else full).as_posix()


def _print_coloured(report: Report) -> None:
    from rich.text import Text

    from .reports.text import COLOURS, text_lines

    console = Output().console
    for line, level in text_lines(report, console.width):
        console.print(Text(multi_line(line), COLOURS[level] if level else ""), soft_wrap=True)


def fails(report: Report, fail_on: FailOn) -> bool:
    """Return whether a report ends in exit status 1.

    With coverage, only what affects the app counts. A part that could not be compared counts as a breaking change,
    because it may be one.
    """
    if fail_on is FailOn.NONE:
        return False
    found = report.comparison if report.affected is None else report.affected
    ratings = {change.rating for change in found.changes}
    return bool(found.not_compared) or Rating.BREAKING in ratings or (fail_on is FailOn.ANY and Rating.SAFE in ratings)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PipelineError(f"Cannot write {path}: {error.strerror}.") from error


def _print_note(line: str) -> None:
    print(multi_line(line), file=sys.stderr)  # noqa: T201 - a command line prints
