"""The command tree, and how a run ends: errors, exit codes and closed pipes."""

from __future__ import annotations

import functools
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command, get_group

from contentgroove._extras import find_trouble
from contentgroove._version import __version__

from .exit_codes import CommandError, ErrorReport, ExitCode, describe_error
from .help_pages import MAX_WIDTH, GroupWithHelp, epilog, summary
from .output import Output, is_closed_pipe, multi_line, prepare_streams, wants_colour, write_error
from .suggestions import either, similar
from .usage_errors import usage_report

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PROGRAM = "contentgroove"

GROUPS = {
    "medias": "Upload, list, change and delete videos and audios.",
    "clips": "List, cut, export and delete parts of medias.",
    "webhooks": "Subscribe to events, receive, replay and handle them.",
}
"""The groups with their summaries. Each is the module of its name, which is imported when it is used."""


class RootGroup(GroupWithHelp):
    """The groups above, and the commands that installed packages add by entry points."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return all names."""
        del ctx
        return [*GROUPS, *_command_entries()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load one command; raises CommandError if it cannot be loaded."""
        if cmd_name in self.commands:
            pass
        elif cmd_name in GROUPS:
            self.commands[cmd_name] = get_group(import_module(f"{__package__}.{cmd_name.replace('-', '_')}").app)
        elif entry := _command_entries().get(cmd_name):
            try:
                self.commands[cmd_name] = _load(entry)
            except CommandError:
                # A shell that completes a line cannot show an error: the command is not offered.
                if not ctx.resilient_parsing:
                    raise
        return super().get_command(ctx, cmd_name)

    def suggestion(self, ctx: Any, name: str) -> str:
        """Return a sentence with a similar command, or with those of groups if the group was left out."""
        inside = [(group, command) for group in GROUPS for command in self.get_command(ctx, group).commands]
        names = [command for _, command in inside]
        sentence = "" if name in names else super().suggestion(ctx, name)
        return sentence or either(f"{group} {command}" for group, command in inside if command == similar(name, names))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without loading the groups."""
        rows = list(GROUPS.items())
        for name in _command_entries():
            try:
                rows.append((name, summary(self.get_command(ctx, name))))
            except CommandError as error:
                rows.append((name, f"Not usable: {error.failure.hint}"))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@functools.cache
def _command_entries() -> dict[str, EntryPoint]:
    # This searches every installed package, which takes a while.
    from importlib.metadata import entry_points

    entries = sorted(entry_points(group="contentgroove.commands"), key=lambda entry: entry.name)
    return {entry.name: entry for entry in entries if entry.name not in GROUPS}


def _load(entry: EntryPoint) -> Any:
    parent = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    try:
        entry.load()(parent)
    except Exception as error:
        trouble = find_trouble(error)
        if trouble is not None and trouble.reason is None:
            raise CommandError(
                ExitCode.USAGE,
                f"`contentgroove {entry.name}` needs a package that is not installed ({trouble.module}).",
                "pip install 'contentgroove[all]'",
            ) from error
        # A defect of one package must not disable the other commands.
        raise CommandError(
            ExitCode.FAILED,
            f"Cannot load `contentgroove {entry.name}`: {type(error).__name__}: {error}",
            "Reinstall the package that adds it, or report this to its authors.",
        ) from error
    return get_group(parent).commands[entry.name]


_EXAMPLES = (
    "medias upload *.mp4 --wait --checkpoint-dir uploads",
    "clips list --media MEDIA-ID --json",
    "clips export MEDIA-ID --format srt > film.srt",
    "mock --port 8080",
)
_KEY_HELP = """\
The API key is read from the environment variable CONTENTGROOVE_API_KEY, or from a file named by --api-key-file or \
CONTENTGROOVE_API_KEY_FILE.

"""

app = typer.Typer(
    name="contentgroove",
    cls=RootGroup,
    epilog=_KEY_HELP + epilog(_EXAMPLES, {code.value: code.meaning for code in ExitCode}),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": MAX_WIDTH},
)


def _show_version(requested: bool) -> None:  # noqa: FBT001 - typer passes it by position
    if requested:
        typer.echo(f"contentgroove {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Work with the ContentGroove video API."""
    del version


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit code."""
    prepare_streams()
    if sys.stdout is None:
        return _exit_code_for(CommandError(ExitCode.FAILED, "Cannot print: standard output is closed."), arguments)
    try:
        code: object = get_command(app)(
            args=arguments, prog_name=PROGRAM, standalone_mode=False, color=wants_colour(sys.stdout)
        )
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - every error ends in a message and an exit code
        return _exit_code_for(error, arguments)
    if code == ExitCode.INTERRUPTED:
        # typer turns Ctrl-C into this code.
        Output().failure(ErrorReport(ExitCode.INTERRUPTED, "Interrupted."))
    return code if isinstance(code, int) else ExitCode.OK


def _exit_code_for(error: BaseException, arguments: list[str]) -> int:
    # typer turns a closed output pipe into a SystemExit, but not one that the flush above finds. A broken pipe of a
    # socket is wrapped in an error of the library, and so does not count.
    cause = error.__context__ if isinstance(error, SystemExit) else error
    unwritten = _discard_stdout()
    if is_closed_pipe(cause):
        return ExitCode.CLOSED_PIPE
    if unwritten and isinstance(cause, OSError):
        error = CommandError(ExitCode.FAILED, f"Cannot write to standard output: {cause.strerror}.")
    if isinstance(error, SystemExit):
        if isinstance(error.code, str):
            write_error(error.code)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    failure = _report_failure(error)
    # Searched by hand, because parsing the options may be what failed.
    if "--debug" in arguments:
        import traceback

        write_error(multi_line("".join(traceback.format_exception(error)).rstrip()))
    Output().failure(failure)
    return failure.exit


def _discard_stdout() -> bool:
    """Drop what could not be written to standard output; returns True if there was any."""
    if sys.stdout is None:
        return False
    # The interpreter flushes standard output at its end: it would report the error again and change the exit code.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _report_failure(error: BaseException) -> ErrorReport:
    if isinstance(error, KeyboardInterrupt):
        return ErrorReport(ExitCode.INTERRUPTED, "Interrupted.")
    if isinstance(error, typer.Abort):
        return ErrorReport(ExitCode.INTERRUPTED, "Interrupted; nothing was changed.")
    if isinstance(error, typer.TyperException):
        return usage_report(error, PROGRAM)
    return describe_error(error)
