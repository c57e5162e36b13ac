from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from contentgroove.webhooks import MediaProcessingFinished, SQLiteInbox, parse_event
from contentgroove_mock import Fault, sample_video

from tests.platforms import LINKS, make_named_pipe

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.conftest import Service

pytestmark = pytest.mark.anyio

FILM = sample_video().read_bytes()
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create an upload root with a film in a folder, and a secret next to it."""
    folder = tmp_path / "root"
    (folder / "films").mkdir(parents=True)
    (folder / "films" / "film.mp4").write_bytes(FILM)
    (tmp_path / "secret.mp4").write_bytes(FILM)
    return folder


async def test_upload(service: Service, root: Path) -> None:
    """A file below the root becomes a media; progress is reported in increasing numbers."""
    tools = service.tools(upload_root=root)
    arguments = {"path": "films/film.mp4", "name": "Film", "description": "D"}
    result = await tools.call("upload_media", arguments, service.report)
    assert result["ok"] is True, result
    assert (result["data"]["name"], result["data"]["description"]) == ("Film", "D")
    assert result["data"]["is_processing"] is None
    done = [done for done, *_ in service.reports]
    assert done == sorted(set(done))
    assert service.reports[-1] == (len(FILM), len(FILM), "100 % sent")
    assert "upload_url" not in str(result)
    assert "X-Amz" not in str(result)


async def test_upload_and_wait(service: Service, root: Path) -> None:
    """With wait, the media is processed when the result is returned, and each change of it was reported."""
    tools = service.tools(upload_root=root)
    path = str(root / "films" / "film.mp4")
    result = await tools.call("upload_media", {"path": path, "wait": True}, service.report)
    assert result["data"]["is_processing"] is False
    assert result["data"]["source_file_content_type"] == "video/mp4"
    assert service.reports[-1][2].endswith("finished")
    done = [done for done, *_ in service.reports]
    assert done == sorted(set(done))


@LINKS
@pytest.mark.parametrize(
    "path",
    [
        "../secret.mp4",
        "films/../../secret.mp4",
        "link.mp4",
        "linked/secret.mp4",
        "films",
        ".",
        "none.mp4",
        "pipe",
        "a\0b",
    ],
)
async def test_files_elsewhere_are_not_sent(service: Service, root: Path, path: str) -> None:
    """Neither by dots nor by links; folders and pipes are not files; and all have the same error."""
    (root / "link.mp4").symlink_to(root.parent / "secret.mp4")
    (root / "linked").symlink_to(root.parent)
    make_named_pipe(root / "pipe")
    for given in (path, f"{root}/{path}"):
        error = (await service.tools(upload_root=root).call("upload_media", {"path": given}))["error"]
        assert error["code"] == "invalid_input"
        assert "no regular file" in error["message"]
    assert not service.simulator.requests


@LINKS
async def test_links_within_the_root_are_followed(service: Service, root: Path) -> None:
    """A link that stays below the root is as good as the file."""
    (root / "link.mp4").symlink_to(root / "films" / "film.mp4")
    assert (await service.tools(upload_root=root).call("upload_media", {"path": "link.mp4"}))["ok"] is True


@LINKS
async def test_a_folder_that_becomes_a_link(service: Service, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Swapped between the check and the opening, it is not followed."""
    (root / "films").rename(root / "real")
    (root.parent / "other").mkdir()
    (root.parent / "other" / "film.mp4").write_bytes(FILM)
    (root / "films").symlink_to(root.parent / "other")
    real = type(root).resolve

    def resolve(path: Path, *, strict: bool = False) -> Path:
        # As it was before the swap.
        return path if path.name == "film.mp4" else real(path, strict=strict)

    monkeypatch.setattr(type(root), "resolve", resolve)
    error = (await service.tools(upload_root=root).call("upload_media", {"path": "films/film.mp4"}))["error"]
    assert error["code"] == "invalid_input"
    assert not service.simulator.requests


@LINKS
async def test_systems_that_open_whole_paths_only(
    service: Service, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where files cannot be opened folder by folder, links out of the root are still refused."""
    monkeypatch.setattr(os, "supports_dir_fd", frozenset[object]())
    (root / "link.mp4").symlink_to(root.parent / "secret.mp4")
    tools = service.tools(upload_root=root)
    assert (await tools.call("upload_media", {"path": "link.mp4"}))["error"]["code"] == "invalid_input"
    assert (await tools.call("upload_media", {"path": "films/film.mp4"}))["ok"] is True


async def test_without_an_upload_root(service: Service, root: Path) -> None:
    """Without a folder nothing is sent, and the error names the option."""
    error = (await service.tools().call("upload_media", {"path": str(root / "films/film.mp4")}))["error"]
    assert error["code"] == "not_allowed"
    assert "--upload-root" in error["message"]


async def test_uploads_that_fail(service: Service, root: Path) -> None:
    """A file that is not a film, or that the store refuses, is an error without a presigned URL."""
    (root / "text.txt").write_text("words", encoding="utf-8")
    tools = service.tools(upload_root=root)
    error = (await tools.call("upload_media", {"path": "text.txt"}))["error"]
    assert (error["code"], error["details"]) == ("upload_failed", {"reason": "not_audio_or_video"})
    service.simulator.add_fault(Fault(kind="status", operation="upload", status=400, count=9))
    error = (await tools.call("upload_media", {"path": "films/film.mp4"}))["error"]
    assert error["code"] == "upload_failed"
    assert "Signature" not in str(error)
    assert "X-Amz" not in str(error)


async def test_wait(service: Service) -> None:
    """The result is the finished media, or an error that names it and is retryable."""
    tools = service.tools()
    media = await service.client.medias.create(source_url="https://example.com/a.mp4")
    error = (await tools.call("wait_for_media", {"id": media.id, "timeout": 0.1}))["error"]
    assert (error["code"], error["retryable"], error["details"]) == ("wait_timeout", True, {"media_id": media.id})
    result = await tools.call("wait_for_media", {"id": media.id}, service.report)
    assert result["data"]["is_processing"] is False
    assert service.reports
    assert (await tools.call("wait_for_media", {"id": NOWHERE}))["error"]["code"] == "not_found"
    assert (await tools.call("wait_for_media", {"id": media.id, "timeout": 0}))["error"]["code"] == "invalid_input"


async def test_media_that_cannot_be_fetched(service: Service) -> None:
    """The wait ends with what the service found."""
    media = await service.client.medias.create(source_url="https://nowhere.invalid/a.mp4")
    error = (await service.tools().call("wait_for_media", {"id": media.id}))["error"]
    assert (error["code"], error["details"]) == ("processing_failed", {"media_id": media.id})


async def test_clips(service: Service) -> None:
    """A clip is made, and listed among the media's in the order of their start."""
    tools = service.tools()
    media_id = await service.new_media()
    suggested = [clip.id async for clip in service.client.clips.list(filter={"media_id_eq": media_id})]
    arguments = {"media_id": media_id, "name": "cut", "start_time": 0, "end_time": 0.5}
    made = (await tools.call("create_clip", arguments))["data"]
    assert (made["name"], made["start_time"], made["end_time"]) == ("cut", 0, 0.5)
    listed = (await tools.call("list_media_clips", {"media_id": media_id}))["data"]
    assert {clip["id"] for clip in listed} == {*suggested, made["id"]}
    starts = [clip["start_time"] for clip in listed]
    assert starts == sorted(starts)
    assert (await tools.call("list_media_clips", {"media_id": NOWHERE}))["error"]["code"] == "not_found"
    assert (await tools.call("create_clip", arguments | {"media_id": NOWHERE}))["error"]["code"] == "not_found"
    assert (await tools.call("create_clip", {"media_id": media_id}))["error"]["code"] == "invalid_input"


async def test_transcript_of_clips(service: Service, tmp_path: Path) -> None:
    """Without a webhook it is the clips' text in order, marked partial."""
    media_id = await service.new_media()
    clips = [clip async for clip in service.client.clips.list(filter={"media_id_eq": media_id})]
    expected = [clip.text for clip in sorted(clips, key=lambda clip: clip.start_time) if clip.text]
    assert len(expected) > 1
    for inbox in (None, tmp_path / "not-there.db"):
        data = (await service.tools(inbox=inbox).call("get_transcript", {"media_id": media_id}))["data"]
        assert data["partial"] is True
        assert data["text"] == "\n".join(expected)
        assert [part["text"] for part in data["clips"]] == expected
    assert not (tmp_path / "not-there.db").exists()
    error = (await service.tools().call("get_transcript", {"media_id": NOWHERE}))["error"]
    assert error["code"] == "not_found"


async def test_transcript_of_a_webhook(service: Service, tmp_path: Path) -> None:
    """The transcription that a webhook brought is whole; other events are passed over."""
    await service.client.webhook_subscriptions.create(url="https://hooks.example.com/a")
    media_id = await service.new_media()
    (delivery,) = service.simulator.deliveries
    event = parse_event(delivery.body())
    assert isinstance(event, MediaProcessingFinished)
    assert event.transcription is not None
    with SQLiteInbox(tmp_path / "events.db") as inbox:
        inbox.record("it", delivery.body())
        inbox.record("broken", b"{")
        inbox.record("other", b'{"event": "other", "payload": {"data": {"type": "x", "id": "y"}}}')
    tools = service.tools(inbox=tmp_path / "events.db")
    data = (await tools.call("get_transcript", {"media_id": media_id}))["data"]
    assert data == {"media_id": media_id, "text": event.transcription.text, "partial": False, "from": "webhook"}
    other = await service.new_media("Other")
    assert (await tools.call("get_transcript", {"media_id": other}))["data"]["partial"] is True
