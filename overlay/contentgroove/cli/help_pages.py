"""The help of commands: nothing is cut, examples can be pasted from every width, and mistyped commands are guessed.

typer's plain help is used, because it suits narrow and dumb terminals and takes a third of the time of the other.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .exit_codes import CommandError, ExitCode
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MAX_WIDTH = 100
"""Longer lines are hard to read. typer's own limit is 80."""

_NARROW = 60
"""With fewer columns, what an option does is below its name. typer would not go below 50 columns."""

_MARGIN = 2
_MIN_WIDTH = 20
_NARROW_NAMES = 6

_FLOAT_DEFAULT = re.compile(r"(?<=\[default: )(\d+)\.0(?=[];])")
_RANGE = re.compile(r"(?:(?P<least>[\d.]+)<=)?x(?:>=(?P<only>[\d.]+)|<=(?P<most>[\d.]+))(?=\]$)")
_HYPHEN = "\ue000"
"""Stands for a hyphen where lines are broken: the name of an option in two lines can be neither found nor copied."""

_HEADING = re.compile(r"^ {0,2}[A-Z][a-z ]+:(?= |$)", re.MULTILINE)


def epilog(examples: Sequence[str], exit_codes: Mapping[int, str] | None = None) -> str:
    """Return what stands below the options.

    Args:
        examples: Arguments of the program, without its name.
        exit_codes: The codes that mean something special for this command.
    """
    blocks = ["Examples:", *(f"  contentgroove {example}" for example in examples)]
    if exit_codes:
        blocks += ["", "Exit codes:", *(f"  {code:>3}  {meaning}" for code, meaning in exit_codes.items())]
    return "\n".join(blocks)


def wrap_line(line: str, width: int) -> str:
    """Wrap a line of an epilog; a command gets backslashes, so that it can be pasted."""
    import textwrap

    indent = line[: len(line) - len(line.lstrip())]
    code = re.match(r" *\d+ +", line)
    if code is not None:
        indent = " " * len(code[0])
    if not line.startswith("  contentgroove "):
        return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    rows = [indent + "contentgroove"]
    for word in re.findall(r"(?:'[^']*'|\S)+", line)[1:]:
        if len(rows[-1]) + len(word) + 3 > width and rows[-1].strip() != "contentgroove":
            rows[-1] += " \\"
            rows.append(f"{indent}    {word}")
        else:
            rows[-1] += f" {word}"
    return "\n".join(rows)


def summary(command: Any) -> str:
    """Return the first sentence of a command's help, which typer would cut to fit into one line."""
    text = " ".join((command.short_help or command.help or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", text, maxsplit=1)[0]


def _in_words(text: str) -> str:
    """Return the help of an option with its limits in words: typer writes `[default: 4.0; 1<=x<=32]`."""

    def limits(found: re.Match[str]) -> str:
        if found["most"] is None:
            return f"at least {found['only']}"
        return f"at most {found['most']}" if found["least"] is None else f"{found['least']} to {found['most']}"

    return _RANGE.sub(limits, _FLOAT_DEFAULT.sub(r"\1", text))


def _adapted(formatter: Any, columns: int) -> Any:
    """Let typer's formatter fit narrow terminals, write limits in words, and never break a name at its hyphens."""
    table: Callable[..., None] = formatter.write_dl
    usage: Callable[..., None] = formatter.write_usage
    paragraph: Callable[[str], None] = formatter.write_text
    layout: dict[str, int] = {}
    if columns < _NARROW:
        formatter.width = max(columns, _MIN_WIDTH) - _MARGIN
        layout = {"col_max": _NARROW_NAMES}

    def write_table(rows: Iterable[tuple[str, str]]) -> None:
        table([(name, _joined(_in_words(text))) for name, text in rows], **layout)

    def write_usage(program: str, arguments: str = "") -> None:
        usage(program, _joined(arguments))

    def write_text(text: str) -> None:
        paragraph(_joined(text))

    formatter.write_dl, formatter.write_usage, formatter.write_text = write_table, write_usage, write_text
    return formatter


def _joined(text: str) -> str:
    return text.replace("-", _HYPHEN)


class _Help:
    """What groups and commands share."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, whose headings are bold if colours are wanted."""
        formatter = _adapted(ctx.make_formatter(), shutil.get_terminal_size().columns)
        command: Any = self
        command.format_help(ctx, formatter)
        text: str = formatter.getvalue().rstrip("\n").replace(_HYPHEN, "-")
        return _HEADING.sub(lambda heading: f"\x1b[1m{heading[0]}\x1b[0m", text) if ctx.color else text

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the arguments, without the braces by which typer marks those that are needed."""
        parent: Any = super()
        pieces: list[str] = parent.collect_usage_pieces(ctx)
        return [re.sub(r"^\{(.*)\}$", r"\1", piece) for piece in pieces]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; typer does not say whose options those are that lack a value."""
        parent: Any = super()
        try:
            parsed: list[str] = parent.parse_args(ctx, args)
        except typer.TyperException as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]  # an error of usage has it
            raise
        return parsed

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the whole summary, which shells show beside what they complete."""
        del limit
        return summary(self)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write examples and exit codes."""
        del ctx
        text: str = getattr(self, "epilog", None) or ""
        if text:
            lines = [wrap_line(line, formatter.width) for line in text.split("\n")]
            formatter.write("\n" + "\n".join(lines) + "\n")


class CommandWithHelp(_Help, TyperCommand):
    """A command."""


class GroupWithHelp(_Help, TyperGroup):
    """A group that shows its help when it is called alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Treat a call without arguments as --help."""
        return super().parse_args(ctx, args if args or ctx.resilient_parsing else ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that is called, or raise a CommandError that names a similar one."""
        name = args[0]
        if ctx.resilient_parsing or name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        message = f"There is no command {name!r}.{self.suggestion(ctx, name)}"
        raise CommandError(ExitCode.USAGE, message, f"Help: {ctx.command_path} --help")

    def suggestion(self, ctx: Any, name: str) -> str:
        """Return a sentence with a similar command, with a space in front; empty if none is similar."""
        return did_you_mean(name, self.list_commands(ctx))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with whole sentences."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(command)) for name, command in commands])
