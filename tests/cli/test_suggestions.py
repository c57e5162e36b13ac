"""What was probably meant by a mistyped id, filter or event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove.cli.suggestions import similar
from contentgroove_mock import Fault

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("media", "medias"),
        ("LIST", "list"),
        ("lsit", "list"),
        ("upda", "update"),
        ("x", None),
        ("", None),
        ("delte", "delete"),
    ],
)
def test_similar(word: str, found: str | None) -> None:
    """A slip, an abbreviation and another case are recognised."""
    assert similar(word, ["list", "update", "upload", "medias", "delete"]) == found


def typo(id_: str) -> str:
    """Return an id with two characters exchanged."""
    return id_[:9] + id_[10] + id_[9] + id_[11:] if id_[9] != id_[10] else id_[:-1]


@pytest.mark.parametrize("command", [("show",), ("update", "--name", "x"), ("delete", "--yes"), ("wait",)])
def test_a_mistyped_id(own_cli: CommandLine, command: tuple[str, ...]) -> None:
    """The error names the media that was probably meant, for one more request."""
    media_id = own_cli.media()
    own_cli.media()
    own_cli.server.simulator.clear_requests()
    ran = own_cli("medias", command[0], typo(media_id), *command[1:])
    assert ran.code == 4
    assert ran.err.splitlines()[1:] == [f"  Did you mean {media_id}?"]
    assert [record.operation for record in own_cli.server.simulator.requests][1:] == ["getMedias"]


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_filter(own_cli: CommandLine, value: str) -> None:
    """It may list everything, which a script whose variable is empty must be told; an empty id is refused."""
    own_cli.media()
    ran = own_cli("medias", "list", "--filter", f"name_eq={value}", "--json")
    assert ran.code == 0
    assert len(ran.lines) == 1
    assert ran.err == "warning: --filter name_eq has no value; the service may ignore it, and list everything.\n"
    own_cli.server.simulator.clear_requests()
    ran = own_cli("clips", "list", "--media", value)
    assert ran.code == 2
    assert "--media is empty" in ran.err
    assert own_cli.server.simulator.requests == []


def test_a_part_of_an_id_and_a_name(cli: CommandLine) -> None:
    """The start of an id, and the name of a media or a clip, are recognised, too."""
    media_id = cli.media("film.mp4")
    clip = cli("clips", "list", "--media", media_id, "--limit", "1", "--json").lines[0]
    assert f"Did you mean {media_id}?" in cli("medias", "show", media_id[:8]).err
    assert f"Did you mean {media_id}, which has this name?" in cli("medias", "show", "film.mp4").err
    assert f"Did you mean {media_id}?" in cli("clips", "export", typo(media_id), "--format", "srt").err
    assert f"Did you mean {clip['id']}?" in cli("clips", "show", typo(clip["id"])).err
    ran = cli("clips", "create", typo(media_id), "--name", "x", "--start", "0", "--end", "1")
    assert (ran.code, ran.err) == (4, f"error: No media has the id {typo(media_id)}.\n  Did you mean {media_id}?\n")


def test_an_id_that_resembles_none(cli: CommandLine) -> None:
    """The usual hint is shown."""
    cli.media()
    ran = cli("medias", "show", "00000000-0000-0000-0000-000000000000")
    assert (ran.code, "Did you mean" in ran.err) == (4, False)
    assert ran.err.splitlines()[1] == "  Check the id, and that it belongs to the account of this API key."


def test_a_search_that_fails(own_cli: CommandLine) -> None:
    """The error of the id is shown, not that of the search."""
    media_id = own_cli.media()
    own_cli.server.simulator.add_fault(Fault(kind="status", status=403, operation="getMedias"))
    ran = own_cli("medias", "show", typo(media_id))
    assert (ran.code, "404 Not Found" in ran.err, "403 " in ran.err) == (4, True, False)


@pytest.mark.parametrize(
    ("group", "name", "found"),
    [
        ("medias", "nme_cont", "name_cont"),
        ("clips", "media_ideq", "media_id_eq"),
        ("webhooks", "ulr_cont", "url_cont"),
    ],
)
def test_a_filter_that_is_not_documented(own_cli: CommandLine, group: str, name: str, found: str) -> None:
    """It is sent, because a newer service may know it, with a warning, because a service may ignore it."""
    ran = own_cli(group, "list", "--filter", f"{name}=x")
    assert (
        f"warning: The API's document has no filter '{name}'; the service may ignore it. Did you mean '{found}'?"
        in ran.err
    )
    assert (f"filter[{name}]", "x") in own_cli.server.simulator.requests[0].query
    assert "warning" not in own_cli(group, "list", "--filter", "id_eq=x").err


def test_an_event_that_is_not_documented(own_cli: CommandLine) -> None:
    """It is sent with a warning."""
    ran = own_cli("webhooks", "create", "https://app.example/hook", "--event", "media.processing_finishd")
    assert "no event 'media.processing_finishd'. Did you mean 'media.processing_finished'?" in ran.err
