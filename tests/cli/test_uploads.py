"""`contentgroove medias upload`: one file, a batch, and its failures."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from contentgroove import RetryPolicy
from contentgroove._io.batches import aupload_batch
from contentgroove._io.checkpoint_store import FileCheckpointStore
from contentgroove_mock import Fault, Policy, Simulator, serve
from msgspec import structs

from tests.cli.conftest import CommandLine, Reader
from tests.cli.schemas import check
from tests.platforms import BYTE_NAMES, PIPES, SIGNALS
from tests.webhooks.postgres_server import postgres_server

pytestmark = pytest.mark.slow


CREATIONS = ("POST", "/api/v1/medias")


def creations(cli: CommandLine) -> int:
    """Count the medias that were requested."""
    return sum((record.method, record.path) == CREATIONS for record in cli.server.simulator.requests)


def puts(cli: CommandLine) -> int:
    """Count the files that were sent."""
    return sum(record.method == "PUT" for record in cli.server.simulator.requests)


def test_one_file(cli: CommandLine) -> None:
    """A media named as the file is created; its id and the file are printed, and nothing else."""
    ran = cli("medias", "upload", cli.file("my film.mp4"))
    media_id, file = ran.out.rstrip("\n").split("\t")
    assert (ran.code, file, ran.err) == (0, "my film.mp4", "")
    assert cli("medias", "show", media_id, "--json").document["name"] == "my film.mp4"


def test_name_and_description(cli: CommandLine) -> None:
    """They are the media's."""
    ran = cli("medias", "upload", cli.file("a.mp4"), "--name", "A", "--description", "B", "--wait", "--json")
    check("Upload", ran.lines[0])
    check("Media", ran.lines[0]["media"])
    media = ran.lines[0]["media"]
    assert (media["name"], media["description"], media["is_processing"]) == ("A", "B", False)


def test_a_name_for_several_files(own_cli: CommandLine) -> None:
    """One name cannot be that of two medias; nothing is sent."""
    ran = own_cli("medias", "upload", own_cli.file("a.mp4"), own_cli.file("b.mp4"), "--name", "A")
    assert ran.code == 2
    assert own_cli.server.simulator.requests == []


def test_a_repeated_file_is_uploaded_once(own_cli: CommandLine) -> None:
    """Two patterns can match the same file."""
    name = own_cli.file("a.mp4")
    ran = own_cli("medias", "upload", name, f"./{name}", str(own_cli.folder / name))
    assert (ran.code, creations(own_cli)) == (0, 1)


def test_patterns(own_cli: CommandLine) -> None:
    """Shells of Windows pass `*.mp4` on as it is; a file whose name looks like a pattern is that file."""
    for name in ("a.mp4", "b.mp4", "film[1].mp4", "film1.mp4"):
        own_cli.file(name)
    ran = own_cli("medias", "upload", "?.mp4", "film[1].mp4", "a.mp4", str(own_cli.folder / "b*"), "--json")
    assert ran.code == 0
    assert sorted(line["file"] for line in ran.lines) == [str(own_cli.folder / "b.mp4"), "a.mp4", "film[1].mp4"]
    assert creations(own_cli) == 3


def test_a_pattern_without_a_match(own_cli: CommandLine) -> None:
    """It is a mistake, so nothing is sent."""
    ran = own_cli("medias", "upload", own_cli.file("a.mp4"), "none*.mp4")
    assert (ran.code, ran.out, ran.err) == (2, "", "error: No file matches none*.mp4.\n  Nothing was sent.\n")
    assert own_cli.server.simulator.requests == []


@BYTE_NAMES
def test_a_file_whose_name_is_not_text(cli: CommandLine) -> None:
    """It is uploaded under a name that is text, also with a checkpoint."""
    file = os.fsdecode(b"film \xff.mp4")
    cli.file(file)
    ran = cli("medias", "upload", file, "--json")
    assert (ran.code, ran.lines[0]["file"], ran.lines[0]["media"]["name"]) == (0, file, "film ?.mp4")
    first, again = (cli("medias", "upload", file, "--checkpoint-dir", "points", "--json") for _ in range(2))
    assert (first.code, again.code) == (0, 0)
    assert again.lines[0]["media"]["id"] == first.lines[0]["media"]["id"]


def test_a_checkpoint_of_the_first_release(cli: CommandLine) -> None:
    """It named medias without the suffix: the same command finds its checkpoint, and creates nothing again."""
    file = cli.file("film.mp4")
    earlier = cli("medias", "upload", file, "--name", "film", "--checkpoint-dir", "points", "--json")
    again = cli("medias", "upload", file, "--checkpoint-dir", "points", "--json")
    assert again.lines[0]["media"]["id"] == earlier.lines[0]["media"]["id"]
    assert again.lines[0]["media"]["name"] == "film"


@pytest.mark.parametrize("url", ["https://example.com/film.mp4?token=s3cr3t", "http://example.com/" + "a" * 300])
def test_a_url_is_for_another_command(own_cli: CommandLine, url: str) -> None:
    """The hint names it; nothing is sent, and no secret is shown."""
    ran = own_cli("medias", "upload", own_cli.file("a.mp4"), url)
    assert ran.code == 2
    assert f"{url.partition('?')[0]}" in ran.err
    assert "contentgroove medias create SOURCE-URL" in ran.err
    assert "s3cr3t" not in ran.err
    assert own_cli.server.simulator.requests == []


def test_a_checkpoint_folder_that_cannot_be_created(cli: CommandLine) -> None:
    """It is named, and nothing is uploaded."""
    ran = cli("medias", "upload", cli.file("a.mp4"), "--checkpoint-dir", "a.mp4")
    assert ran.code == 2
    assert ran.err == "error: Cannot create --checkpoint-dir a.mp4: File exists. Nothing was sent.\n"
    assert cli("medias", "list").out == ""


def test_a_full_disk_affects_one_file_only(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that cannot be written fails its own upload; the others succeed."""
    write = FileCheckpointStore.write

    def full(store: FileCheckpointStore, content: bytes) -> OSError | None:
        if Path(store.path).name.startswith("a.mp4"):
            return OSError(errno.ENOSPC, "No space left on device")
        return write(store, content)

    monkeypatch.setattr(FileCheckpointStore, "write", full)
    ran = cli("medias", "upload", cli.file("a.mp4"), cli.file("b.mp4"), "--checkpoint-dir", "points")
    assert (ran.code, ran.out.endswith("\tb.mp4\n"), len(ran.out.splitlines())) == (14, True, 1)
    assert "a.mp4" in ran.err
    assert "No space left on device" in ran.err


def test_uploads_at_once(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """--concurrency is the limit of the batch."""
    limits: list[int] = []

    def upload_each(upload_one: Any, items: Any, concurrency: int, recheck: float | None) -> Any:
        limits.append(concurrency)
        return aupload_batch(upload_one, items, concurrency, recheck)

    monkeypatch.setattr("contentgroove.cli.upload_batch.aupload_batch", upload_each)
    assert cli("medias", "upload", cli.file("a.mp4"), "--concurrency", "3").code == 0
    assert cli("medias", "upload", cli.file("a.mp4")).code == 0
    assert limits == [3, 4]


def test_a_batch_with_failures(cli: CommandLine) -> None:
    """The other files are uploaded; each file has its line, and the code is that of a partial failure."""
    (cli.folder / "notes.txt").write_text("not a film", encoding="utf-8")
    ran = cli("medias", "upload", "missing.mp4", cli.file("a.mp4"), "notes.txt", cli.file("b.mp4"), "--wait", "--json")
    assert ran.code == 14
    found = {line["file"]: line for line in ran.lines}
    for line in found.values():
        check("Upload", line)
    assert found["a.mp4"]["media"]["is_processing"] is False
    assert found["b.mp4"]["error"] is None
    assert found["missing.mp4"]["error"]["kind"] == "file"
    assert found["notes.txt"]["media"] is None
    assert "2 of 4 files processed, 2 failed." in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith("error: ")]) == 2


def test_all_files_fail_alike(cli: CommandLine) -> None:
    """The code is that of their kind."""
    assert cli("medias", "upload", "missing.mp4", "gone.mp4").code == 12


def test_quiet_omits_the_summary(cli: CommandLine) -> None:
    """--quiet prints results only."""
    ran = cli("medias", "upload", cli.file("a.mp4"), cli.file("b.mp4"), "-q")
    assert (len(ran.out.splitlines()), ran.err) == (2, "")


def test_a_usage_limit_starts_no_new_upload(own_cli: CommandLine) -> None:
    """After a 402 the other files fail without being sent; the code is that of a partial failure."""
    own_cli.server.simulator.set_quota(medias=1)
    files = [own_cli.file(f"{letter}.mp4") for letter in "abcd"]
    ran = own_cli("medias", "upload", *files, "--concurrency", "1", "--json")
    assert ran.code == 14
    assert [line["error"] and line["error"]["kind"] for line in ran.lines] == [None, "quota", "quota", "quota"]
    assert puts(own_cli) == 2


def test_a_rejected_key_ends_the_batch(own_cli: CommandLine) -> None:
    """With a wrong key no other file is tried; the code is that of the key."""
    own_cli.server.simulator.add_fault(Fault(kind="status", status=401, operation="getUploadUrl", count=9))
    files = [own_cli.file(f"{letter}.mp4") for letter in "abcd"]
    ran = own_cli("medias", "upload", *files, "--concurrency", "1")
    assert (ran.code, len(own_cli.server.simulator.requests)) == (3, 1)
    assert "0 of 4 files uploaded, 1 failed, 3 not started or not finished." in ran.err


def test_the_same_command_uploads_nothing_twice(own_cli: CommandLine) -> None:
    """Checkpoints record what is done; only a new file is sent."""
    command = ("medias", "upload", "--checkpoint-dir", "points", "--wait")
    first = own_cli(*command, own_cli.file("a.mp4"))
    again = own_cli(*command, "a.mp4", own_cli.file("b.mp4"))
    assert (first.code, again.code) == (0, 0)
    assert set(first.out.splitlines()) < set(again.out.splitlines())
    assert (creations(own_cli), puts(own_cli)) == (2, 2)


@pytest.mark.process
@pytest.mark.usefixtures("no_pauses")
def test_a_job_of_several_machines(own_cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command on another machine uploads nothing twice; `--job` settles what is in doubt."""
    with postgres_server() as conninfo:
        monkeypatch.setenv("CONTENTGROOVE_CHECKPOINTS", conninfo)
        command = ("medias", "upload", own_cli.file("a.mp4"), own_cli.file("b.mp4"), "--job", "a job")
        first = own_cli(*command)
        own_cli.server.simulator.advance(1.0)
        second = own_cli(*command)
        assert (first.code, second.code, creations(own_cli), puts(own_cli)) == (0, 0, 2, 2)
        assert sorted(first.out.splitlines()) == sorted(second.out.splitlines())
        own_cli.server.simulator.add_fault(BEFORE)
        doubtful = own_cli("medias", "upload", own_cli.file("c d.mp4"), "--job", "a job")
        assert doubtful.code == 13
        resolve = shlex.split(re.findall("contentgroove (medias resolve .* --job 'a job') --media ID", doubtful.err)[0])
        assert own_cli(*resolve, "--not-created").out == "checkpoint\tc d.mp4\nmedia\tnone\n"
        assert own_cli("medias", "upload", "c d.mp4", "--job", "a job").code == 0
        assert (creations(own_cli), puts(own_cli)) == (4, 3)
        results = own_cli("medias", "results", "--job", "a job")
        rows = [line.split("\t") for line in results.out.splitlines()]
        states = [(name, state, error) for name, state, _, error in rows]
        assert states == [("a.mp4", "finished", ""), ("b.mp4", "finished", ""), ("c d.mp4", "created", "")]
        assert sorted(row[2] for row in rows[:2]) == sorted(line.split("\t")[0] for line in first.out.splitlines())
        for line in own_cli("medias", "results", "--job", "a job", "--json").lines:
            check("Result", line)
        assert own_cli("medias", "results", "--job", "none") == (0, "", "")
        both = own_cli("medias", "upload", "a.mp4", "--job", "a job", "--checkpoint-dir", "points")
        assert (both.code, "not both" in both.err) == (2, True)
    monkeypatch.delenv("CONTENTGROOVE_CHECKPOINTS")
    for arguments in (("upload", "a.mp4"), ("resolve", "a.mp4", "--not-created"), ("results",)):
        ran = own_cli("medias", *arguments, "--job", "a job")
        assert (ran.code, "CONTENTGROOVE_CHECKPOINTS" in ran.err) == (2, True)


LOST = Fault(kind="reset", operation="createMedia", after_commit=True)
BEFORE = Fault(kind="reset", operation="createMedia")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the searches for a lost creation follow each other at once."""
    monkeypatch.setattr(RetryPolicy, "backoff", lambda *_: 0.0)


@pytest.mark.usefixtures("no_pauses")
def test_a_media_that_may_have_been_created(own_cli: CommandLine) -> None:
    """Code 13; the message has the upload and the candidates, the hint is a command that settles it."""
    own_cli.server.simulator.add_fault(LOST)
    command = ("medias", "upload", own_cli.file("a film.mp4"), "--checkpoint-dir", "points", "--json")
    ran = own_cli(*command)
    assert ran.code == 13
    check("Upload", ran.lines[0])
    error = ran.lines[0]["error"]
    with own_cli.client() as client:
        (media,) = client.medias.list()
    assert error["kind"] == "outcome_unknown"
    assert media.id in error["message"]
    resolve = shlex.split(re.findall("contentgroove (medias resolve .* --media) ID", error["hint"])[0])
    assert own_cli(*command).code == 13
    settled = own_cli(*resolve, media.id, "--json")
    check("Resolved", settled.document)
    assert (settled.code, settled.document["media"]["id"]) == (0, media.id)
    again = own_cli(*command)
    assert (again.code, again.lines[0]["media"]["id"], creations(own_cli), puts(own_cli)) == (0, media.id, 1, 1)
    refused = own_cli(*resolve, media.id)
    assert (refused.code, "names its media already" in refused.err) == (2, True)


@pytest.mark.usefixtures("no_pauses")
def test_a_media_that_was_not_created(own_cli: CommandLine) -> None:
    """`--not-created` lets the same command create it; without a checkpoint there is nothing to settle."""
    own_cli.server.simulator.add_fault(BEFORE)
    command = ("medias", "upload", own_cli.file("a.mp4"), "--checkpoint-dir", "points")
    ran = own_cli(*command)
    assert (ran.code, ran.out) == (13, "")
    (point,) = (own_cli.folder / "points").iterdir()
    settled = own_cli("medias", "resolve", str(point), "--not-created")
    assert settled == (0, f"checkpoint\t{point}\nmedia\tnone\n", "")
    assert (own_cli(*command).code, creations(own_cli), puts(own_cli)) == (0, 2, 1)
    own_cli.server.simulator.add_fault(BEFORE)
    ran = own_cli("medias", "upload", "a.mp4")
    assert ran.code == 13
    assert "medias resolve" not in ran.err


@pytest.mark.usefixtures("no_pauses")
def test_identify(own_cli: CommandLine) -> None:
    """A lost creation is found by its marker, among files of the same name, and the marker is removed."""
    own_cli.server.simulator.add_fault(structs.replace(LOST, count=2))
    (own_cli.folder / "b").mkdir()
    files = [own_cli.file("a.mp4"), own_cli.file("b/a.mp4")]
    ran = own_cli("medias", "upload", *files, "--identify", "description", "--description", "D", "--json")
    assert (ran.code, creations(own_cli)) == (0, 2)
    assert {line["media"]["description"] for line in ran.lines} == {"D"}
    assert len({line["media"]["id"] for line in ran.lines}) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resolve", "c.json"), "either --media MEDIA-ID or --not-created"),
        (("resolve", "c.json", "--media", "m", "--not-created"), "either --media MEDIA-ID or --not-created"),
        (("resolve", "missing.json", "--not-created"), "There is no checkpoint missing.json"),
        (("resolve", "a.mp4", "--not-created"), "not an upload checkpoint"),
        (("upload", "a.mp4", "--identify", "name"), "--identify must be description"),
    ],
)
def test_wrong_usage(own_cli: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    """It is refused with code 2 before anything is sent."""
    own_cli.file("a.mp4")
    ran = own_cli("medias", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert own_cli.server.simulator.requests == []


def test_processing_that_takes_too_long(own_cli: CommandLine) -> None:
    """The media exists and is named, the code is that of the wait, and the hint continues it."""
    own_cli.server.simulator.add_fault(Fault(kind="status", status=503, operation="getMediaById", count=1000))
    ran = own_cli("medias", "upload", own_cli.file("a.mp4"), "--wait", "--timeout", "0.05", "--json")
    assert ran.code == 9
    check("Upload", ran.lines[0])
    assert ran.lines[0]["error"]["kind"] == "timeout"
    assert f"contentgroove medias wait {ran.lines[0]['media']['id']}" in ran.err


@SIGNALS
@PIPES
@pytest.mark.process
def test_processing_that_fails_and_a_wait_that_is_interrupted(tmp_path: Path) -> None:
    """A failed media has its error at once; Ctrl-C names the one that is still processed, so that it is not lost."""
    with serve(Simulator(policy=Policy(queue_seconds=0, processing_seconds=600))) as server:
        cli = CommandLine(server, tmp_path)
        with (
            cli.started("medias", "upload", cli.file("a.mp4"), cli.file("b.mp4"), "--wait", "--debug") as process,
            cli.client() as client,
        ):
            assert process.stderr is not None
            reader = Reader(process.stderr.fileno())
            # A wait for several medias polls their list.
            reader.wait_for(r"debug: GET \S+/medias\?")
            ids = {media.name: media.id for media in client.medias.list()}
            server.simulator.fail_media(ids["a.mp4"])
            reader.wait_for(r"error: .*\n")
            process.send_signal(signal.SIGINT)
            err = reader.rest()
            assert process.wait(30) == 130
    assert f"error: a.mp4 (media {ids['a.mp4']}): The service could not process it." in err
    assert "Interrupted: 0 of 2 files processed, 1 failed, 1 not started or not finished." in err
    assert err.endswith(f"contentgroove medias wait {ids['b.mp4']}\n")


@PIPES
@pytest.mark.process
def test_a_media_that_is_deleted_during_the_wait(tmp_path: Path) -> None:
    """Its error names it, and the others are waited for."""
    with serve(Simulator(policy=Policy(queue_seconds=0, processing_seconds=600))) as server:
        cli = CommandLine(server, tmp_path)
        with (
            cli.started("medias", "upload", cli.file("a.mp4"), cli.file("b.mp4"), "--wait", "--debug") as process,
            cli.client() as client,
        ):
            assert process.stderr is not None
            assert process.stdout is not None
            reader = Reader(process.stderr.fileno())
            reader.wait_for(r"debug: GET \S+/medias\?")
            ids = {media.name: media.id for media in client.medias.list()}
            client.medias.delete(ids["a.mp4"])
            reader.wait_for(rf"error: a.mp4 \(media {ids['a.mp4']}\): The service returned 404")
            server.simulator.finish_media(ids["b.mp4"])
            reader.rest()
            assert process.stdout.read() == f"{ids['b.mp4']}\tb.mp4\n"
            assert process.wait(30) == 14


@PIPES
@pytest.mark.process
def test_failed_processing_has_its_code(tmp_path: Path) -> None:
    """For a single file the code is 8, and the JSON line has both the media and the error."""
    with serve(Simulator(policy=Policy(queue_seconds=0, processing_seconds=600))) as server:
        cli = CommandLine(server, tmp_path)
        with (
            cli.started("medias", "upload", cli.file("a.mp4"), "--wait", "--debug", "--json") as process,
            cli.client() as client,
        ):
            assert process.stderr is not None
            assert process.stdout is not None
            reader = Reader(process.stderr.fileno())
            reader.wait_for(r"debug: GET \S+/medias/")
            (media,) = client.medias.list()
            server.simulator.fail_media(media.id)
            reader.rest()
            line = json.loads(process.stdout.read())
            assert process.wait(30) == 8
    check("Upload", line)
    assert (line["media"]["id"], line["error"]["kind"]) == (media.id, "processing_failed")
