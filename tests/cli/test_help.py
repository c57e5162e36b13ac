"""Help: nothing is cut, values have one style, exit codes and choices are named, examples can be pasted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._core import names
from contentgroove.cli.app import GROUPS, app
from contentgroove.cli.help_pages import wrap_line
from contentgroove.tools import Access, open_tools
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


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("page", PAGES)
def test_help_is_not_cut(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, page: str, columns: int) -> None:
    """Each line fits, no sentence ends in dots, and no name is broken at its hyphen."""
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = cli(*page.split(), "--help")
    assert ran.code == 0
    lines = ran.out.splitlines()
    # A word that is too long by itself stays whole.
    assert max(len(line) for line in lines if len(line.split()) > 1) <= min(columns, 100)
    assert not [line for line in lines if re.search(r"[a-z]\.\.\.|(?<!=)…|-$", line)]
    assert not re.search(r"x[<>]=|=x|\d\.0[;\]]", ran.out), "limits are in words"


@pytest.mark.parametrize("columns", ["0", "1", "7", "wide", "100000"])
def test_a_width_that_is_odd(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """Help is shown nevertheless."""
    monkeypatch.setenv("COLUMNS", columns)
    ran = cli("clips", "export", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 100


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
            # The ids of a further resource need no row of their own.
            assert value in documented_values() or re.fullmatch(r"[A-Z-]+-ID", value)


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


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The command accepts the options and values of each of its examples, and the API knows their filters."""
    monkeypatch.chdir(tmp_path)
    # The only value that must exist.
    (tmp_path / "videos").mkdir()
    command = COMMANDS[name]
    for example in command.epilog.partition("\n\n")[0].splitlines()[1:]:
        words = shlex.split(re.split(r" [|>] ", example)[0])
        path = name.split()
        assert words[: 1 + len(path)] == ["contentgroove", *path]
        context = command.make_context(name, words[1 + len(path) :])
        if name == "mcp" and (tools := context.params["tools"]):
            # It raises an error for a name that no tool has.
            assert open_tools(pytest.fail, access=Access(only=frozenset(tools.split(","))))


def test_examples_of_filters_are_known() -> None:
    """The help of --filter names one that the API has for these items."""
    filters = {"medias": names.MediaFilter, "clips": names.ClipFilter, "webhooks": names.SubscriptionFilter}
    for group, known in filters.items():
        option = next(each for each in COMMANDS[f"{group} list"].params if each.name == "filter_")
        examples = re.findall(r"(\w+)=", option.help)
        assert len(examples) == 2
        assert set(examples) <= known.__annotations__.keys()


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
