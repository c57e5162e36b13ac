"""Checkpoints that an earlier version wrote: an upload continues from each, and this version writes the same bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove import InvalidInputError

from .conftest import media_json, one
from .test_uploads import Api, Store, video

if TYPE_CHECKING:
    import httpx

    from .conftest import Maker

WRITTEN = Path(__file__).with_name("stored_checkpoints.jsonl").read_bytes().splitlines(keepends=True)
"""All that an earlier version wrote during one upload with `wait=True`."""

MODIFIED = 1_750_000_000_123_456_789


class ProcessingApi(Api):
    """An API whose medias are processed at once."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a call."""
        if request.method == "GET" and "/medias/" in request.url.path:
            return one(media_json(request.url.path.rpartition("/")[2], is_processing=False))
        return super().__call__(request)


def stored(state: str) -> bytes:
    """Return the checkpoint of a state."""
    (content,) = (line for line in WRITTEN if json.loads(line)["state"] == state)
    return content


def film(folder: Path) -> Path:
    """Write the file that the checkpoints are about."""
    path = video(folder)
    os.utime(path, ns=(MODIFIED, MODIFIED))
    return path


def test_the_same_bytes_are_written(make: Maker, tmp_path: Path) -> None:
    """The next version, too, must be able to continue what this one began."""
    api, checkpoint = ProcessingApi(), tmp_path / "c.json"
    written: list[bytes] = []

    def keep(*_: object) -> None:
        content = checkpoint.read_bytes()
        if content not in written:
            written.append(content)

    client = make(api, store=Store(), on_request=keep, on_response=keep)
    client.medias.upload(film(tmp_path), name="Märchen", description="Line\nbreak", checkpoint=checkpoint, wait=True)
    keep()
    # Between `sent` and `creating` nothing is requested, so no hook sees the former.
    assert written == [line for line in WRITTEN if json.loads(line)["state"] != "sent"]


@pytest.mark.parametrize(
    ("state", "puts", "posts"),
    [("new", 1, 1), ("prepared", 1, 1), ("sent", 0, 1), ("creating", 0, 1), ("created", 0, 0), ("finished", 0, 0)],
)
def test_an_upload_continues(make: Maker, tmp_path: Path, state: str, puts: int, posts: int) -> None:
    """What was done is not done again; a media that may have been created is searched for first."""
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
    with pytest.raises(InvalidInputError, match="belongs to the upload"):
        make(api, store=Store()).medias.upload(film(tmp_path), checkpoint=checkpoint, name="film.mp4")
