"""Help: nothing is cut, values have one style, exit codes and choices are named, examples can be pasted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.cli.app import GROUPS, app
from contentgroove.cli.help_pages import wrap_line
from typer.main import get_command

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

CLI_PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def commands() -> dict[str, Any]:
    """Return every command of the program, those of other packages included, by its path."""
    found: dict[str, Any] = {}

    def collect(group: Any, path: tuple[str, ...]) -> None:
        context = group.context_class(group, info_name="contentgroove")
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if hasattr(command, "list_commands"):
                collect(command, (*path, name))
            else:
                found[" ".join((*path, name))] = command

    collect(get_command(app), ())
    return found


COMMANDS = commands()
PAGES = ["", *GROUPS, "spec", *COMMANDS]


def documented_values() -> set[str]:
    """Return the values that docs/cli.md explains."""
    table = CLI_PAGE.read_text(encoding="utf-8").partition("## Values")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))


def test_every_command_is_looked_at() -> None:
    """The commands of groups and of extras are found."""
    assert {"medias upload", "webhooks listen", "mock", "mcp", "doctor", "spec diff"} <= COMMANDS.keys()


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("page", PAGES)
def test_help_is_not_cut(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, page: str, columns: int) -> None:
    """Each line fits, and no sentence ends in dots, with and without a terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = cli(*page.split(), "--help")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= min(columns, 100)
    assert not [line for line in lines if re.search(r"[a-z]\.\.\.|(?<!=)…", line)]


def test_summaries_are_sentences(cli: CommandLine) -> None:
    """The list of commands has the first sentence of each in full."""
    text = " ".join(cli("spec").out.split())
    assert "diff Show what changed between two versions of the API's document, and what breaks." in text
    assert "Show how many events an inbox has, how old the oldest pending one is, and when a worker was last seen." in (
        " ".join(cli("webhooks").out.split())
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_values_have_one_style(name: str) -> None:
    """Each value in a help page is in the table of docs/cli.md, in capitals, and no option is named by it."""
    command = COMMANDS[name]
    context = command.context_class(command)
    for parameter in command.params:
        assert all(option == option.lower() for option in parameter.opts), parameter.opts
        if not getattr(parameter, "is_flag", False):
            value = parameter.make_metavar(ctx=context).removesuffix("...")
            assert re.fullmatch(r"[A-Z]+(?:-[A-Z]+)*(?:[=:][A-Z]+)?", value), value
            assert value in documented_values()


@pytest.mark.parametrize("name", COMMANDS)
def test_choices_are_named(cli: CommandLine, name: str) -> None:
    """The help of an option lists each value that it accepts."""
    text = cli(*name.split(), "--help").out
    for parameter in COMMANDS[name].params:
        for choice in getattr(parameter.type, "choices", ()):
            assert re.search(rf"\b{getattr(choice, 'value', choice)}\b", text), (name, parameter.name, choice)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples(cli: CommandLine, name: str) -> None:
    """An example starts with the command; in a narrow terminal it is continued as shells read it."""
    examples = cli(*name.split(), "--help").out.partition("Examples:\n")[2].partition("\n\n")[0]
    assert f"contentgroove {name}" in " ".join(examples.split())


@pytest.mark.parametrize(
    "line", ["  contentgroove medias upload film.mp4 --name 'My long film' --wait > out.txt", "  contentgroove mock"]
)
@pytest.mark.parametrize("width", [20, 40, 60, 100])
def test_a_wrapped_example_is_the_same_command(line: str, width: int) -> None:
    """A shell joins lines that end with a backslash."""
    wrapped = wrap_line(line, width)
    assert shlex.split(wrapped.replace("\\\n", "")) == shlex.split(line)
    assert all(len(row) <= max(width, 30) for row in wrapped.splitlines())


def test_special_exit_codes(cli: CommandLine) -> None:
    """A command whose exit code means something of its own says so, and so does the page."""
    text = CLI_PAGE.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    for name in ("spec diff", "webhooks status", "webhooks trigger", "doctor", "medias upload"):
        assert f"`{name}`" in text
    for name in ("spec diff", "webhooks status", "webhooks trigger"):
        assert re.search(r"^Exit codes:\n +\d+  ", cli(*name.split(), "--help").out, re.MULTILINE)
