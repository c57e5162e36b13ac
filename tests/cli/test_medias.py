"""`contentgroove medias`, for people, pipes and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Fault

from tests.cli.schemas import check

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.slow

MISSING = "9b9a2e82-5b47-4f59-831d-4c239824b983"


def test_list_prints_a_line_for_each_media(cli: CommandLine) -> None:
    """In a pipe: id, state, length and name between tabs, without a heading."""
    first, second = cli.media("One"), cli.media("Two")
    ran = cli("medias", "list", "--sort", "name")
    assert ran == (0, f"{first}\tfinished\t00:00:06.000\tOne\n{second}\tfinished\t00:00:06.000\tTwo\n", "")


def test_list_prints_json_lines(cli: CommandLine) -> None:
    """Each line is a documented media."""
    ids = [cli.media("One"), cli.media("Two")]
    ran = cli("medias", "list", "--sort", "name", "--json")
    assert [media["id"] for media in ran.lines] == ids
    for media in ran.lines:
        check("Media", media)


def test_list_filters_sorts_and_ends(cli: CommandLine) -> None:
    """--filter, --sort, --limit and --page-size reach the service."""
    for name in ("moon one", "moon two", "moon three", "sun"):
        cli.media(name)
    ran = cli(
        "medias", "list", "--filter", "name_cont=moon", "--sort", "-name", "--limit", "2", "--page-size", "1", "--json"
    )
    assert [media["name"] for media in ran.lines] == ["moon two", "moon three"]


def test_a_repeated_filter_has_both_values(cli: CommandLine) -> None:
    """`--filter name_in=a --filter name_in=b` matches either."""
    for name in ("a", "b", "c"):
        cli.media(name)
    ran = cli("medias", "list", "--filter", "name_in=a", "--filter", "name_in=b", "--sort", "name", "--json")
    assert [media["name"] for media in ran.lines] == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--filter", "name_cont"), "'name_cont' is not FILTER=VALUE"),
        (("--filter", "name=x"), "is not a filter"),
        (("--sort", "rank"), "is not one of created_at"),
        (("--limit", "0"), "--limit"),
        (("--limit", "many"), "--limit"),
        (("--unknown",), "There is no option --unknown"),
    ],
)
def test_wrong_usage_sends_nothing(own_cli: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    """Bad options are rejected with code 2 in a line or two, before a request."""
    ran = own_cli("medias", "list", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert len(ran.err.splitlines()) <= 2
    assert own_cli.server.simulator.requests == []


def test_show_prints_all(cli: CommandLine) -> None:
    """People get labels and values, programs the documented document."""
    media_id = cli.media("Film", description="Of the\tmoon")
    values = dict(line.split("\t", 1) for line in cli("medias", "show", media_id).out.splitlines())
    assert (values["id"], values["name"], values["state"]) == (media_id, "Film", "finished")
    assert (values["length"], values["size"], values["description"]) == ("00:00:06.000", "320 x 180", "Of the moon")
    document = cli("medias", "show", media_id, "--json").document
    check("Media", document)
    assert (document["id"], document["source_file_duration"]) == (media_id, 6.0)


def test_show_of_a_missing_media(cli: CommandLine) -> None:
    """The error names the media and the next step, and has the code of its kind."""
    ran = cli("medias", "show", MISSING)
    assert (ran.code, ran.out) == (4, "")
    assert MISSING in ran.err
    assert "Check the id" in ran.err.splitlines()[1]
    assert len(ran.err.splitlines()) == 2


@pytest.mark.parametrize("media_id", ["..", "a/b", "a?b"])
def test_an_invalid_id(own_cli: CommandLine, media_id: str) -> None:
    """An id that would lead to another endpoint is rejected before it is sent."""
    assert own_cli("medias", "show", media_id).code == 2
    assert own_cli.server.simulator.requests == []


def test_create_from_a_url(cli: CommandLine) -> None:
    """A media of a URL is created and waited for."""
    ran = cli("medias", "create", "https://files.example/film.mp4", "--name", "Film", "--wait", "--json")
    assert ran.code == 0
    check("Media", ran.document)
    assert (ran.document["source_url"], ran.document["is_processing"]) == ("https://files.example/film.mp4", False)


def test_create_from_a_url_that_leads_nowhere(cli: CommandLine) -> None:
    """A file that the service cannot fetch has the code of failed processing."""
    ran = cli("medias", "create", "https://nowhere.invalid/film.mp4", "--wait")
    (media,) = cli("medias", "list", "--json").lines
    assert ran.code == 8
    assert ran.err.startswith(f"warning: Media {media['id']} was created; wait for it: contentgroove medias wait ")
    assert "could not fetch" in ran.err


def test_create_without_a_usable_url(own_cli: CommandLine) -> None:
    """A path is not a URL; nothing is sent."""
    assert own_cli("medias", "create", "film.mp4").code == 2
    assert own_cli.server.simulator.requests == []


def test_update(cli: CommandLine) -> None:
    """Passed values are changed, the others stay."""
    media_id = cli.media("Old", description="Kept")
    document = cli("medias", "update", media_id, "--name", "New", "--json").document
    check("Media", document)
    assert (document["name"], document["description"]) == ("New", "Kept")
    assert cli("medias", "update", media_id, "--description", "").code == 0
    assert not cli("medias", "show", media_id, "--json").document["description"]


def test_update_of_nothing(cli: CommandLine) -> None:
    """A change of nothing is wrong usage."""
    ran = cli("medias", "update", MISSING)
    assert ran.code == 2
    assert "--name" in ran.err


def test_delete_needs_a_confirmation(cli: CommandLine) -> None:
    """Without a terminal and without --yes nothing is deleted."""
    media_id = cli.media()
    ran = cli("medias", "delete", media_id)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert cli("medias", "show", media_id).code == 0


def test_delete_continues_after_a_failure(cli: CommandLine) -> None:
    """The medias that exist are deleted, the missing one is named, and the code is that of a partial failure."""
    first, second = cli.media(), cli.media()
    ran = cli("medias", "delete", first, MISSING, second, "--yes", "--json")
    assert ran.code == 14
    assert [line["id"] for line in ran.lines] == [first, second]
    for line in ran.lines:
        check("Deleted", line)
    assert MISSING in ran.err
    assert cli("medias", "list").out == ""


def test_wait(cli: CommandLine) -> None:
    """Several medias are waited for; each has a documented line."""
    ids = [cli.media("One"), cli.media("Two")]
    assert cli("medias", "wait", *ids).out == f"{ids[0]}\tfinished\tOne\n{ids[1]}\tfinished\tTwo\n"
    ran = cli("medias", "wait", *ids, "--json")
    assert (ran.code, [media["id"] for media in ran.lines]) == (0, ids)
    for media in ran.lines:
        check("Media", media)


def test_wait_ends_in_time(own_cli: CommandLine) -> None:
    """A wait that is too short prints how to wait longer."""
    with own_cli.client() as client:
        media = client.medias.create(source_url="https://files.example/film.mp4")
    own_cli.server.simulator.add_fault(Fault(kind="status", status=503, operation="getMediaById", count=1000))
    ran = own_cli("medias", "wait", media.id, "--timeout", "0.05")
    assert ran.code == 9
    assert f"contentgroove medias wait {media.id} --timeout" in ran.err


@pytest.mark.parametrize(("status", "code"), [(400, 10), (401, 3), (402, 5), (404, 4), (422, 10), (418, 10)])
def test_each_status_has_its_code(own_cli: CommandLine, status: int, code: int) -> None:
    """The status of the response determines the exit code."""
    own_cli.server.simulator.add_fault(Fault(kind="status", status=status, operation="getMedias", count=9))
    ran = own_cli("medias", "list")
    assert ran.code == code
    assert str(status) in ran.err
    assert len(ran.err.splitlines()) == 2


def test_an_empty_list_is_empty(cli: CommandLine) -> None:
    """Nothing is printed, in every format."""
    assert cli("medias", "list") == (0, "", "")
    assert cli("medias", "list", "--json") == (0, "", "")
