"""`contentgroove clips`, for people, pipes and programs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Fault

from tests.cli.schemas import check

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.slow

MISSING = "9b9a2e82-5b47-4f59-831d-4c239824b983"


@pytest.fixture
def media_id(cli: CommandLine) -> str:
    """A media with the three clips that the simulator suggests."""
    return cli.media()


def test_list_prints_time_codes_and_text(cli: CommandLine, media_id: str) -> None:
    """In a pipe: id, start, end, name and text."""
    ran = cli("clips", "list", "--filter", f"media_id_eq={media_id}", "--limit", "1")
    _, start, end, _, text = ran.out.rstrip("\n").split("\t")
    assert (start, end) == ("00:00:00.000", "00:00:02.000")
    assert text == "A small lamp lights up before the coloured bars begin to move."


def test_list_prints_json_lines(cli: CommandLine, media_id: str) -> None:
    """Each line is a documented clip."""
    ran = cli("clips", "list", "--media", media_id, "--json")
    assert cli("clips", "list", "--media", MISSING, "--json").out == ""
    assert [clip["media_id"] for clip in ran.lines] == [media_id] * 3
    for clip in ran.lines:
        check("Clip", clip)


def test_create_show_update_wait_delete(cli: CommandLine, media_id: str) -> None:
    """A clip's whole life."""
    created = cli(
        "clips", "create", media_id, "--name", "Opening", "--start", "0.5", "--end", "0:02.25", "--wait", "--json"
    )
    check("Clip", created.document)
    clip_id = created.document["id"]
    assert (created.document["start_time"], created.document["end_time"]) == (0.5, 2.25)
    assert created.document["is_processing"] is False

    values = dict(line.split("\t", 1) for line in cli("clips", "show", clip_id).out.splitlines())
    assert (values["start"], values["end"], values["media"]) == ("00:00:00.500", "00:00:02.250", media_id)
    assert values["file"].startswith("http://127.0.0.1")

    updated = cli("clips", "update", clip_id, "--end", "00:00:03.500", "--json").document
    check("Clip", updated)
    assert (updated["name"], updated["end_time"]) == ("Opening", 3.5)

    waited = cli("clips", "wait", clip_id, "--json")
    check("Clip", waited.lines[0])

    deleted = cli("clips", "delete", clip_id, "--yes", "--json")
    check("Deleted", deleted.lines[0])
    assert cli("clips", "show", clip_id).code == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "m", "--name", "x", "--start", "2", "--end", "1"),
        ("create", "m", "--name", "x", "--start", "soon", "--end", "1"),
        ("create", "m", "--start", "0", "--end", "1"),
        ("update", "c"),
        ("delete", "c"),
        ("export", "m"),
        ("export", "m", "--format", "edl"),
        ("export", "m", "--format", "srt", "--json"),
        ("export", "m", "--format", "csv", "--lines", "1"),
        ("export", "m", "--json", "--line-length", "1"),
        ("export", "m", "--format", "srt", "--raw-cells"),
        ("export", "m", "--format", "srt", "--lines", "-1"),
        ("export", "m", "--format", "csv", "--encoding", "latin-1"),
        ("wait",),
    ],
)
def test_wrong_usage_sends_nothing(own_cli: CommandLine, arguments: tuple[str, ...]) -> None:
    """Each has code 2 and a line or two, before a request."""
    ran = own_cli("clips", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert 1 <= len(ran.err.splitlines()) <= 2
    assert own_cli.server.simulator.requests == []


def test_wait_ends_in_time(own_cli: CommandLine) -> None:
    """A wait that is too short prints how to wait longer for this clip."""
    media = own_cli.media()
    with own_cli.client() as client:
        clip = client.clips.create(media_id=media, name="x", start_time=0, end_time=1)
    own_cli.server.simulator.add_fault(Fault(kind="status", status=503, operation="getClipById", count=1000))
    ran = own_cli("clips", "wait", clip.id, "--timeout", "0.05")
    assert ran.code == 9
    assert f"contentgroove clips wait {clip.id} --timeout" in ran.err


def test_export_srt(cli: CommandLine, media_id: str) -> None:
    """A media's clips become numbered captions in the order of their times, in lines of equal length."""
    ran = cli("clips", "export", media_id, "--format", "srt")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "1\n00:00:00,000 --> 00:00:02,000\nA small lamp lights up before\nthe coloured bars begin to move.\n\n"
        "2\n00:00:02,000 --> 00:00:04,000\nWith every second the tone climbs\none step and the counter follows.\n\n"
        "3\n00:00:04,000 --> 00:00:06,000\nWhoever cuts this film well will\nfind the steps still in order.\n"
    )


def test_export_vtt_of_a_clip(cli: CommandLine, media_id: str) -> None:
    """A single clip is exported by its own id."""
    clip = cli("clips", "list", "--filter", f"media_id_eq={media_id}", "--sort", "created_at", "--json").lines[0]
    ran = cli("clips", "export", clip["id"], "--format", "vtt", "--line-length", "0")
    assert ran.out == (
        f"WEBVTT\n\n{clip['id']}\n00:00:00.000 --> 00:00:02.000\n"
        "A small lamp lights up before the coloured bars begin to move.\n"
    )


def test_the_layout_of_captions(cli: CommandLine, media_id: str) -> None:
    """Shorter or fewer lines make more captions in the same time."""
    two = cli("clips", "export", media_id, "--format", "vtt", "--line-length", "20").out.splitlines()
    # 28 of the 59 columns of its text, in two seconds.
    assert [line for line in two if " --> " in line][:2] == [
        "00:00:00.000 --> 00:00:00.949",
        "00:00:00.949 --> 00:00:02.000",
    ]
    assert two[4:6] == ["A small lamp", "lights up before"]
    one = cli("clips", "export", media_id, "--format", "srt", "--lines", "1").out
    assert [len(block.splitlines()) for block in one.split("\n\n")] == [3] * 6


def set_texts(cli: CommandLine, media_id: str, text: str) -> None:
    """Let the service have another text and name for each clip of a media."""
    with cli.server.simulator._context.locked_service() as service:
        for clip in service.state.clips.values():
            if clip.media_id == media_id:
                clip.text = clip.name = text


@pytest.mark.parametrize("kind", ["srt", "vtt", "csv"])
def test_marks_of_direction_stay_in_files(cli: CommandLine, media_id: str, kind: str) -> None:
    """In a pipe and in a file, no letter of a text is escaped."""
    text = "\u202b\u05e9\u05dc\u05d5\u05dd\u202c \u200e\u2066a\u2069 \u65e5\u672c e\u0301 \u200f"
    set_texts(cli, media_id, text)
    printed = cli("clips", "export", media_id, "--format", kind).out
    assert printed.count(text.rstrip() if kind == "csv" else text) == (6 if kind == "csv" else 3)
    assert cli("clips", "export", media_id, "--format", kind, "--output", "file") == (0, "", "")
    assert (cli.folder / "file").read_bytes() == printed.encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_encoding_of_files(cli: CommandLine, media_id: str, encoding: str) -> None:
    """utf-8-sig starts with the mark by which Excel knows UTF-8; line endings are the format's on every system."""
    set_texts(cli, media_id, "\u00e9")
    assert cli("clips", "export", media_id, "--format", "csv", "--encoding", encoding, "--output", "f").code == 0
    content = (cli.folder / "f").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfclip_id," if encoding == "utf-8-sig" else b"clip_id,")
    assert content.count(b"\r\n") == content.count(b"\n") == 4
    assert content.decode(encoding).count("\u00e9") == 6


def test_cells_that_a_spreadsheet_would_run(cli: CommandLine, media_id: str) -> None:
    """They get an apostrophe, unless raw cells are asked for."""
    set_texts(cli, media_id, "=1+1")
    for arguments, cell in (((), "'=1+1"), (("--raw-cells",), "=1+1")):
        rows = csv.DictReader(io.StringIO(cli("clips", "export", media_id, "--format", "csv", *arguments).out))
        assert [row["text"] for row in rows] == [cell] * 3


def test_a_file_that_cannot_be_written(cli: CommandLine, media_id: str) -> None:
    """The error names it."""
    ran = cli("clips", "export", media_id, "--format", "csv", "--output", "no/where.csv")
    assert (ran.code, ran.err) == (1, "error: Cannot write no/where.csv: No such file or directory.\n")


def test_export_csv_of_several(cli: CommandLine, media_id: str) -> None:
    """A cut list contains all clips of several medias, each one once."""
    other = cli.media()
    ran = cli("clips", "export", media_id, other, media_id, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert sorted(row["media_id"] for row in rows) == sorted([media_id, other] * 3)
    first = next(row for row in rows if row["media_id"] == media_id)
    assert (first["start"], first["end_seconds"], first["rank"]) == ("00:00:00.000", "2.000", "0")
    assert first["url"].startswith("http://127.0.0.1")


def test_export_json(cli: CommandLine, media_id: str) -> None:
    """--json alone means --format json: a list of documented clips."""
    for arguments in (("--format", "json"), ("--json",)):
        document = cli("clips", "export", media_id, *arguments).document
        assert [clip["start_time"] for clip in document] == [0.0, 2.0, 4.0]
        for clip in document:
            check("Clip", clip)


def test_captions_of_several_medias(cli: CommandLine, media_id: str) -> None:
    """Times of several medias cannot be combined."""
    ran = cli("clips", "export", media_id, cli.media(), "--format", "srt")
    assert (ran.code, ran.out) == (2, "")
    assert "each media by itself" in ran.err


def test_export_of_nothing_that_exists(cli: CommandLine) -> None:
    """An id of neither a media nor a clip is named."""
    ran = cli("clips", "export", MISSING, "--format", "srt")
    assert ran.code == 4
    assert MISSING in ran.err
