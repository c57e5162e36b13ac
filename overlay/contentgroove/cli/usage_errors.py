"""Wrong usage in the style of all other errors: what is wrong, with what was probably meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .command import OPTION_NAMES
from .exit_codes import ErrorReport, ExitCode
from .help_pages import GroupWithHelp
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer

_SENTENCES = (
    (re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", re.DOTALL), r"Unexpected argument: \1."),
    (re.compile(r"Missing (?:argument|option) '(.*)'\."), r"\1 is missing."),
    (re.compile(r"Option '(.*)' requires"), r"\1 needs a value."),
    (re.compile(r"Option '(.*)' does not take a value"), r"\1 takes no value."),
)
"""What typer says, and how it is said here."""

_CHOICES = re.compile(r"(?P<value>'.*') is not one of (?P<choices>'[^']*'(?:, '[^']*')*)\.")
_TYPES = {"int range": "a whole number", "int": "a whole number", "float range": "a number", "float": "a number"}
_TYPE = re.compile(rf"is not a valid ({'|'.join(_TYPES)})\.")
_RANGE = re.compile(
    r"(?P<value>\S+) is not in the range (?:(?P<low>\S+)<=)?x(?:>=(?P<least>\S+?))?(?:<=(?P<most>\S+?))?\.$"
)
_INVALID = re.compile(r"Invalid value for (?P<parameter>.*?): ", re.DOTALL)


def usage_report(error: typer.TyperException, program: str) -> ErrorReport:
    """Return how an error of typer is shown."""
    context: Any = getattr(error, "ctx", None)
    path: str | None = getattr(context, "command_path", None)
    hint = f"Help: {path} --help" if path else ""
    option: str | None = getattr(error, "option_name", None)
    if option in OPTION_NAMES and isinstance(getattr(context, "command", None), GroupWithHelp):
        example = f"{program} medias list" if path == program else f"{path} list"
        message = f"{option} is an option of each command."
        return ErrorReport(ExitCode.USAGE, message, f"Put it after the command: {example} {OPTION_NAMES[option]}")
    return ErrorReport(ExitCode.USAGE, _message(error, option, context), hint)


def _message(error: typer.TyperException, option: str | None, context: Any) -> str:
    message = error.format_message()
    if message.startswith("No such option"):
        return f"There is no option {option}.{did_you_mean(option or '', _options(context))}"
    for pattern, sentence in _SENTENCES:
        if found := pattern.match(message):
            return found.expand(sentence)
    message = _RANGE.sub(_range_text, message)
    message = _TYPE.sub(lambda found: f"is not {_TYPES[found[1]]}.", message)
    message = _INVALID.sub(lambda found: f"{found['parameter'].replace(chr(39), '')}: ", message)
    message = message.removeprefix("Invalid value: ")
    if choices := _CHOICES.search(message):
        names = re.findall(r"'([^']*)'", choices["choices"])
        known = ", ".join(names)
        return f"{message[: choices.start()]}{choices['value']} is not one of {known}." + did_you_mean(
            choices["value"].strip("'"), names
        )
    return message


def _range_text(found: re.Match[str]) -> str:
    least, most = found["low"] or found["least"], found["most"]
    limits = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    return f"must be {' and '.join(limits)}, not {found['value']}."


def _options(context: Any) -> Iterable[str]:
    command: Any = getattr(context, "command", None)
    if isinstance(command, GroupWithHelp):
        # Those of its commands, which are then said to belong after the command.
        yield from (name for name in OPTION_NAMES if name.startswith("--"))
    for parameter in getattr(command, "params", ()):
        yield from (name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--"))
    yield "--help"
