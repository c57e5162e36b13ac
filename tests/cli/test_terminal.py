"""The command line in a real terminal, read from its screen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Fault

from tests.platforms import TERMINALS

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

pytestmark = [TERMINALS, pytest.mark.process]

MIB = 1024 * 1024
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
CURSOR = re.compile(rb"\x1b\[[0-9;?]*[A-HJKlh]")


def creations(cli: CommandLine) -> int:
    """Count the medias that were requested."""
    return sum(record.operation == "createMedia" for record in cli.server.simulator.requests)


def test_a_table_for_people(cli: CommandLine) -> None:
    """A wide terminal shows a heading and a row for each media, with aligned names."""
    first, second = cli.media("One"), cli.media("日本語")
    with cli.terminal("medias", "list", "--sort", "created_at", columns=100) as terminal:
        assert terminal.end() == 0
        lines = terminal.text.splitlines()
    assert lines[0].split() == ["id", "state", "length", "name"]
    assert lines[1].split() == [first, "finished", "00:00:06.000", "One"]
    assert lines[2].startswith(f"{second}  finished    00:00:06.000  日")
    assert COLOUR.search(terminal.raw)


def test_pages_make_one_table(cli: CommandLine) -> None:
    """The heading comes once, however many pages are fetched."""
    for name in ("One", "Two", "Three"):
        cli.media(name)
    with cli.terminal("medias", "list", "--page-size", "1") as terminal:
        assert terminal.end() == 0
    assert len(terminal.text.splitlines()) == 4
    assert terminal.text.count("state") == 1


def test_a_wait_shows_the_state(cli: CommandLine) -> None:
    """A finished media ends it; the spinner is erased."""
    media_id = cli.media("One")
    with cli.terminal("medias", "wait", media_id) as terminal:
        assert terminal.end() == 0
    assert terminal.text == f"{media_id}  finished  One"


def test_long_names_end_in_an_ellipsis(cli: CommandLine) -> None:
    """A row stays a row."""
    cli.media("long " * 40)
    with cli.terminal("medias", "list", columns=90) as terminal:
        assert terminal.end() == 0
    assert len(terminal.text.splitlines()) == 2
    assert terminal.text.endswith("…")


@pytest.mark.parametrize("source", ["window", "COLUMNS"])
def test_a_narrow_terminal_shows_blocks(cli: CommandLine, source: str) -> None:
    """At 40 columns each value has a line, and ids stay whole."""
    media_id = cli.media("One")
    environment = {"COLUMNS": "40"} if source == "COLUMNS" else {}
    columns = 40 if source == "window" else 100
    with cli.terminal("medias", "list", columns=columns, environment=environment) as terminal:
        assert terminal.end() == 0
    assert re.search(r"^name +One$", terminal.text, re.MULTILINE)
    assert media_id in terminal.text.replace("\n", "")
    assert "id      state" not in terminal.text


def test_markup_and_escapes_are_shown(cli: CommandLine) -> None:
    """A name cannot colour, retitle, ring or clear the terminal."""
    media_id = cli.media("[red]x[/red] \x1b[2J\x07 :smile:")
    for command in (("list",), ("show", media_id)):
        with cli.terminal("medias", *command, columns=120) as terminal:
            assert terminal.end() == 0
        assert "[red]x[/red] \\x1b[2J\\x07 :smile:" in terminal.text
        assert b"\x07" not in terminal.raw


def test_a_cut_list_on_the_screen(cli: CommandLine) -> None:
    """A table for programs is exact in a file, and harmless on a screen."""
    media_id = cli.media()
    clip = ("clips", "create", media_id, "--start", "0", "--end", "1", "--name")
    assert cli(*clip, "\x1b[2J").code == 0
    with cli.terminal("clips", "export", media_id, "--format", "csv", columns=200) as terminal:
        assert terminal.end() == 0
    assert f"{media_id},\\x1b[2J,00:00:00.000,00:00:01.000" in terminal.text
    assert b"\x1b" not in terminal.raw
    assert f"{media_id},\x1b[2J,00:00:00.000" in cli("clips", "export", media_id, "--format", "csv").out


def test_urls_stay_whole(cli: CommandLine) -> None:
    """A URL longer than the terminal is wide is not broken by spaces or line feeds."""
    url = "https://files.example/" + "path/" * 30 + "film.mp4"
    with cli.client() as client:
        media = client.medias.create(source_url=url)
    with cli.terminal("medias", "show", media.id, columns=60) as terminal:
        assert terminal.end() == 0
    assert url.encode() in terminal.raw


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(cli: CommandLine, environment: dict[str, str]) -> None:
    """NO_COLOR and a dumb terminal have no colours, in results and in progress."""
    with cli.terminal("medias", "upload", cli.file("a.mp4"), "--wait", environment=environment) as terminal:
        assert terminal.end() == 0
    colours = [code for code in COLOUR.findall(terminal.raw) if re.search(rb"[\[;](3[0-8]|9[0-7])[;m]", code)]
    assert colours == []
    if environment.get("TERM") == "dumb":
        assert b"\x1b" not in terminal.raw


@pytest.mark.parametrize("columns", [100, 40])
def test_ctrl_c_in_mid_upload_and_on(own_cli: CommandLine, columns: int) -> None:
    """The progress is visible, Ctrl-C stops the upload, and the same command finishes it; nothing is created twice."""
    simulator = own_cli.server.simulator
    # The first file is uploaded; of the second the store accepts a part and then sends nothing.
    simulator.add_fault(Fault(kind="latency", operation="upload"))
    simulator.add_fault(Fault(kind="stall", operation="upload", after_bytes=MIB, seconds=600))
    command = ("medias", "upload", own_cli.file("a.mp4"), own_cli.file("b.mp4", 64 * MIB), "--checkpoint-dir", "points")
    with own_cli.terminal(*command, "--concurrency", "1", columns=columns) as terminal:
        if columns == 100:
            screen = terminal.wait_for(r"b\.mp4 .*[1-9]\d*\.\d/67\.1 MB")
            assert re.search(r"1 of 2 files .*[1-9]\d*\.\d/67\.[12] MB +\d+\.\d MB/s +\d:\d\d:\d\d", screen)
        else:
            screen = terminal.wait_for(r"b\.mp4 .*[1-9]\d?%")
        # The terminal breaks the line, not the program.
        assert re.search(r"[0-9a-f-]{36} +a\.mp4", screen.replace("\n", ""))
        terminal.type("\x03")
        assert terminal.end() == 130
    ended = terminal.text.replace("\n", "")
    assert ended.count("1 of 2 files") == 1, "the bars stayed"
    assert "error: Interrupted: 1 of 2 files uploaded" in ended
    assert "Run the same command again: it continues from the checkpoints in points." in ended
    assert "Traceback" not in terminal.text
    assert terminal.raw.rfind(b"\x1b[?25h") > terminal.raw.rfind(b"\x1b[?25l"), "the cursor stayed hidden"
    simulator.clear_faults()
    ran = own_cli(*command)
    assert (ran.code, len(ran.out.splitlines()), creations(own_cli)) == (0, 2, 2)


def test_ctrl_c_in_a_wait(own_cli: CommandLine) -> None:
    """A wait shows its media, and ends at once without a traceback."""
    own_cli.server.simulator.add_fault(Fault(kind="latency", operation="getMediaById", seconds=600, count=9))
    with own_cli.terminal("medias", "wait", "m-1") as terminal:
        terminal.wait_for(r"m-1 queued +0:00:0\d of at most 1:00:00")
        terminal.type("\x03")
        assert terminal.end() == 130
    assert terminal.text.endswith("error: Interrupted.")


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("\x03", 130), ("\x04", 130)])
def test_a_deletion_needs_a_confirmation(cli: CommandLine, typed: str, code: int) -> None:
    """Only a yes deletes."""
    media_id = cli.media()
    with cli.terminal("medias", "delete", media_id) as terminal:
        terminal.wait_for_input(f"Delete media {media_id} and all clips? [y/N]:")
        terminal.type(typed)
        assert terminal.end() == code
    assert cli("medias", "show", media_id).code == (4 if code == 0 else 0)


def test_progress_goes_to_the_terminal_and_results_to_the_file(cli: CommandLine) -> None:
    """With output redirected, bars are still shown, and the file contains results only."""
    with (
        (cli.folder / "results").open("wb") as results,
        cli.terminal("medias", "upload", cli.file("a.mp4", 8 * MIB), "--json", output=results.fileno()) as terminal,
    ):
        assert terminal.end() == 0
    assert CURSOR.search(terminal.raw)
    content = (cli.folder / "results").read_text(encoding="utf-8")
    assert json.loads(content)["file"] == "a.mp4"
    assert "a.mp4" not in terminal.text
