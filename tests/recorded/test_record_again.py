"""Recording again creates the same files, byte by byte, with and without Prism in between."""

from __future__ import annotations

import difflib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock.recording.__main__ import main
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, Request, read, save, write
from contentgroove_mock.recording.targets import record

from tests.recorded.recordings import CONTRACT, FOLDER, RECORDINGS

if TYPE_CHECKING:
    from pathlib import Path

ORIGINS = ("simulator", "spec example")


def differences(fresh: dict[str, str]) -> list[str]:
    """Return how the committed recordings differ from fresh ones, and what to do."""
    there = {
        path.stem: path.read_text(encoding="utf-8")
        for path in FOLDER.glob("*.json")
        if RECORDINGS[path.stem].origin in ORIGINS
    }
    found: list[str] = []
    for name in sorted(there.keys() | fresh.keys()):
        old, new = there.get(name, "").splitlines(), fresh.get(name, "").splitlines()
        lines = list(difflib.unified_diff(old, new, "committed", "recorded now", n=1, lineterm=""))
        if lines:
            found.append("\n".join((f"{name} is stale. Run make record, and review the diff:", *lines[:20])))
    return found


@pytest.mark.parametrize(
    "through_prism",
    [pytest.param(False, id="direct"), pytest.param(True, id="prism", marks=pytest.mark.process)],
)
def test_nothing_changes(*, through_prism: bool) -> None:
    """Recording now creates the committed files; if not, this shows the first lines that differ."""
    fresh = record(CONTRACT, through_prism=through_prism)
    assert "\n\n".join(differences({recording.name: write(recording) for recording in fresh})) == ""


def test_a_changed_file_is_reported() -> None:
    """The comparison reports which file differs, how, and what to do."""
    fresh = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    fresh["getMediaById-401"] = fresh["getMediaById-401"].replace("sign in or sign up", "log in")
    del fresh["getMediaById-404"]
    gone, changed = sorted(differences(fresh), key=lambda text: "404" not in text)
    assert gone.startswith("getMediaById-404 is stale. Run make record")
    assert changed.startswith("getMediaById-401 is stale. Run make record")
    assert "before continuing" in changed
    assert "log in" in changed


@pytest.mark.process
def test_the_command_leaves_git_nothing_to_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a repository with the recordings, git shows no changes after the command."""
    folder = tmp_path / "exchanges"
    save(folder, RECORDINGS.values(), replacing=())
    git("init", "--quiet", folder=tmp_path)
    git("add", ".", folder=tmp_path)
    assert main([str(folder), "--without-prism"]) == 0
    assert capsys.readouterr().out == f"{len(RECORDINGS)} recordings, 0 of them changed\n"
    assert git("diff", "--stat", folder=tmp_path) == ""
    assert git("ls-files", "--others", folder=tmp_path) == ""


def test_the_command_repairs_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing files are created, superfluous and unreadable ones deleted, wrong ones corrected; live ones stay."""
    live = Recording(
        operation="getMedias",
        status=200,
        variant="live",
        origin="live",
        contract={},
        request=Request(method="GET", path="/medias"),
        response=RecordedResponse(body={"data": []}),
    )
    left_over = read(write(RECORDINGS["getMedias-500"]).replace('"status": 500', '"status": 599'), "getMedias-599")
    save(tmp_path, [*RECORDINGS.values(), live, left_over], replacing=())
    (tmp_path / "getMedias-401.json").unlink()
    (tmp_path / "getMedias-429.json").write_text("{", encoding="utf-8")
    (tmp_path / "unreadable.json").write_bytes(b"\xff")
    assert main([str(tmp_path), "--without-prism"]) == 0
    assert "4 of them changed" in capsys.readouterr().out
    there = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.json")}
    assert there == {name: write(item) for name, item in RECORDINGS.items()} | {"getMedias-200-live": write(live)}


def test_files_are_written_one_way() -> None:
    """A committed file is the text that `write` returns, so that a diff shows only changes."""
    assert {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == {
        name: write(recording) for name, recording in RECORDINGS.items()
    }


def test_nothing_volatile_or_secret_is_in_a_file() -> None:
    """No host of this machine, no port, no signature, no key, and no time except placeholders."""
    for path in FOLDER.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        for word in ("127.0.0.1", "localhost", "uthorization", "Bearer", "prism"):
            assert word not in text, path.name
        if RECORDINGS[path.stem].origin == "simulator":
            assert "X-Amz-Signature=scrubbed" in text or "X-Amz" not in text


def git(*arguments: str, folder: Path) -> str:
    """Run git in a folder, without this machine's settings."""
    return subprocess.run(  # noqa: S603 - git
        ["git", "-c", "core.autocrlf=false", *arguments],  # noqa: S607 - found on PATH
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    ).stdout
