"""Colours follow NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM in help, errors, tables and progress."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from contentgroove.cli.output import wants_colour

from tests.platforms import TERMINALS

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM")
CASES = [
    ({}, True, False),
    ({"NO_COLOR": "1"}, False, False),
    ({"NO_COLOR": ""}, True, False),
    ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
    ({"FORCE_COLOR": "1"}, True, True),
    ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
    ({"FORCE_COLOR": "0"}, False, False),
    ({"CLICOLOR_FORCE": "1"}, True, True),
    ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True, True),
    ({"CLICOLOR": "0"}, False, False),
    ({"TERM": "dumb"}, False, False),
]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(("environment", "terminal", "pipe"), CASES, ids=str)
def test_when_colours_are_used(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, terminal: bool, pipe: bool
) -> None:
    """In terminals, unless the environment says otherwise; in pipes only if it asks for them."""
    monkeypatch.setattr(sys, "platform", "linux")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    assert (wants_colour(Terminal()), wants_colour(io.StringIO())) == (terminal, pipe)


@TERMINALS
@pytest.mark.process
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=str)
def test_a_terminal(cli: CommandLine, environment: dict[str, str]) -> None:
    """Help, errors and tables agree."""
    media_id = cli.media()
    for command in (("--help",), ("medias", "lst"), ("medias", "show", media_id)):
        with cli.terminal(*command, environment=environment) as terminal:
            terminal.end()
        assert (b"\x1b[" in terminal.raw) is (environment == {}), (command, terminal.raw)


def test_results_in_pipes_are_never_coloured(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs read them; help and errors are for people."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    media_id = cli.media()
    for command in (("medias", "list"), ("medias", "show", media_id), ("medias", "list", "--json")):
        assert "\x1b" not in cli(*command).out
    assert "\x1b[1mOptions:\x1b[0m" in cli("--help").out
    assert cli("medias", "lst").err.startswith("\x1b[1;31merror:\x1b[0m There is no command")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in cli("--help").out
    assert "\x1b" not in cli("medias", "lst").err
