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
    """A media's clips become numbered captions in the order of their times."""
    ran = cli("clips", "export", media_id, "--format", "srt")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "1\n00:00:00,000 --> 00:00:02,000\nA small lamp lights up before the coloured bars begin to move.\n\n"
        "2\n00:00:02,000 --> 00:00:04,000\nWith every second the tone climbs one step and the counter follows.\n\n"
        "3\n00:00:04,000 --> 00:00:06,000\nWhoever cuts this film well will find the steps still in order.\n"
    )


def test_export_vtt_of_a_clip(cli: CommandLine, media_id: str) -> None:
    """A single clip is exported by its own id."""
    clip = cli("clips", "list", "--filter", f"media_id_eq={media_id}", "--sort", "created_at", "--json").lines[0]
    ran = cli("clips", "export", clip["id"], "--format", "vtt")
    assert ran.out == (
        f"WEBVTT\n\n{clip['id']}\n00:00:00.000 --> 00:00:02.000\n"
        "A small lamp lights up before the coloured bars begin to move.\n"
    )


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
