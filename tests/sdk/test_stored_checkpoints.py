"""Checkpoints that an earlier version wrote: an upload continues from each, and this version writes the same bytes."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove import InvalidInputError, OutcomeUnknownError

from .conftest import many, media_json, one, sent_json
from .test_uploads import Api, Store, video

if TYPE_CHECKING:
    import httpx

    from .conftest import Maker

WRITTEN = Path(__file__).with_name("stored_checkpoints.jsonl").read_bytes().splitlines(keepends=True)
"""All that an earlier version wrote during one upload with `wait=True`."""

WRITTEN_WITH_MARKER = Path(__file__).with_name("stored_marked_checkpoints.jsonl").read_bytes().splitlines(keepends=True)
"""The same with a marker, which is absent once it is removed; the release before refuses these of version 2."""

MODIFIED = 1_750_000_000_123_456_789


MARKER = "[sdk-upload 0123456789abcdef01234567]"


class ProcessingApi(Api):
    """An API whose medias are processed at once.

    Attributes:
        description: That of a media which is fetched.
    """

    description: str | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a call."""
        media_id = request.url.path.rpartition("/medias/")[2]
        if request.method == "PUT":
            return one(media_json(media_id, **sent_json(request)["data"]["attributes"]))
        if request.method == "GET" and "/medias/" in request.url.path:
            return one(media_json(media_id, is_processing=False, description=self.description))
        response = super().__call__(request)
        if request.method == "POST":
            return one(media_json("m-1", description=self.posts[-1]["description"]))
        return response


def stored(state: str) -> bytes:
    """Return the checkpoint of a state."""
    (content,) = (line for line in WRITTEN if json.loads(line)["state"] == state)
    return content


def film(folder: Path) -> Path:
    """Write the file that the checkpoints are about."""
    path = video(folder)
    os.utime(path, ns=(MODIFIED, MODIFIED))
    return path


@pytest.mark.parametrize(
    ("identify", "expected"), [(None, WRITTEN), ("description", WRITTEN_WITH_MARKER)], ids=["plain", "with marker"]
)
def test_the_same_bytes_are_written(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identify: str | None, expected: list[bytes]
) -> None:
    """The next version, too, must be able to continue what this one began."""
    monkeypatch.setattr("secrets.token_hex", lambda count: "0123456789abcdef01234567"[: 2 * count])
    api, checkpoint = ProcessingApi(), tmp_path / "c.json"
    written: list[bytes] = []

    def keep(*_: object) -> None:
        content = checkpoint.read_bytes()
        if content not in written:
            written.append(content)

    client = make(api, store=Store(), on_request=keep, on_response=keep)
    client.medias.upload(
        film(tmp_path),
        name="Märchen",
        description="Line\nbreak",
        checkpoint=checkpoint,
        wait=True,
        identify=identify,
    )
    keep()
    # Between `sent` and `creating` nothing is requested, so no hook sees the former.
    assert written == [line for line in expected if json.loads(line)["state"] != "sent"]


@pytest.mark.parametrize(
    ("state", "puts", "posts"),
    [("new", 1, 1), ("prepared", 1, 1), ("sent", 0, 1), ("created", 0, 0), ("finished", 0, 0)],
)
def test_an_upload_continues(make: Maker, tmp_path: Path, state: str, puts: int, posts: int) -> None:
    """What was done is not done again."""
    api, store, checkpoint = ProcessingApi(), Store(), tmp_path / "c.json"
    checkpoint.write_bytes(stored(state))
    media = make(api, store=store).medias.upload(
        film(tmp_path), name="Märchen", description="Line\nbreak", checkpoint=checkpoint, wait=True
    )
    assert media.id == "m-1"
    assert (len(store.requests), len(api.posts)) == (puts, posts)
    assert json.loads(checkpoint.read_bytes())["state"] == "finished"


@pytest.mark.parametrize("state", ["new", "sent", "created"])
def test_an_upload_without_a_name_continues_without(make: Maker, tmp_path: Path, state: str) -> None:
    """Earlier versions did not name a media after its file; the same call continues their checkpoints."""
    checkpoint = tmp_path / "c.json"
    content = {**json.loads(stored(state)), "name": None, "description": None}
    checkpoint.write_text(json.dumps(content), encoding="utf-8")
    api = Api()
    media = make(api, store=Store()).medias.upload(film(tmp_path), checkpoint=checkpoint)
    assert media.id == (content["media_id"] or "m-1")
    assert [post.get("name") for post in api.posts] == ([] if state == "created" else [None])
    with pytest.raises(InvalidInputError, match="belongs to another upload"):
        make(api, store=Store()).medias.upload(film(tmp_path), checkpoint=checkpoint, name="film.mp4")


def test_an_upload_in_doubt(make: Maker, tmp_path: Path) -> None:
    """A media that may have been created is not created again until the application asks for it."""
    api, store, checkpoint = ProcessingApi(), Store(), tmp_path / "c.json"
    checkpoint.write_bytes(stored("creating"))
    client = make(api, store=store)
    upload = partial(
        client.medias.upload, film(tmp_path), name="Märchen", description="Line\nbreak", checkpoint=checkpoint
    )
    with pytest.raises(OutcomeUnknownError) as caught:
        upload()
    assert (caught.value.upload_id, api.posts) == ("signed-1", [])
    client.medias.resolve(checkpoint, media_id=None)
    assert upload().id == "m-1"
    assert (len(store.requests), len(api.posts)) == (0, 1)


@pytest.mark.parametrize("line", WRITTEN_WITH_MARKER, ids=lambda line: json.loads(line)["state"])
def test_an_upload_with_a_marker_continues(make: Maker, tmp_path: Path, line: bytes) -> None:
    """From each state, also where the call no longer asks for a marker once it may have been sent."""
    checkpoint = tmp_path / "c.json"
    checkpoint.write_bytes(line)
    api = ProcessingApi()
    if json.loads(line)["version"] == 2:
        api.description = f"Line\nbreak {MARKER}"

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/medias"):
            return many([media_json("m-1", description=api.description)], next=None)
        return api(request)

    media = make(respond, store=Store()).medias.upload(
        film(tmp_path), name="Märchen", description="Line\nbreak", checkpoint=checkpoint, identify="description"
    )
    assert (media.id, media.description in {None, "Line\nbreak"}) == ("m-1", True)
    assert "marker" not in json.loads(checkpoint.read_bytes())
    assert len(api.posts) == (json.loads(line)["state"] in {"new", "prepared", "sent"})
