"""`medias.resolve`: the application settles an upload in doubt, and the same call continues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import (
    CheckpointError,
    InvalidInputError,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExceededError,
    UnprocessableEntityError,
)
from contentgroove._io.checkpoint_store import FileCheckpointStore

from .conftest import BASE
from .creating_service import Service
from .test_checkpoint_files import fill_the_disk
from .test_uploads import Store, video

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Maker


class Doubt:
    """An upload in doubt, with its client, file and checkpoint."""

    def __init__(self, make: Maker, folder: Path, step: str, identify: str | None = None) -> None:
        self.service, self.store = Service(step), Store()
        self.path, self.checkpoint = video(folder), folder / "c.json"
        self.identify = identify
        self.client = make(self.service, store=self.store)
        self.service.hidden_for = 99
        with pytest.raises(OutcomeUnknownError):
            self.upload()
        self.service.hidden_for = 0

    def upload(self) -> Any:
        """Repeat the same call."""
        return self.client.medias.upload(self.path, name="Film", checkpoint=self.checkpoint, identify=self.identify)

    def resolve(self, media_id: str | None) -> Any:
        """Settle it."""
        return self.client.medias.resolve(self.checkpoint, media_id=media_id)

    @property
    def written(self) -> dict[str, Any]:
        """The checkpoint."""
        found: dict[str, Any] = json.loads(self.checkpoint.read_bytes())
        return found


@pytest.fixture(params=[None, "description"])
def identify(request: pytest.FixtureRequest) -> str | None:
    """With and without a marker."""
    value: str | None = request.param
    return value


def test_the_media_is_named(make: Maker, tmp_path: Path, identify: str | None) -> None:
    """The same call returns it, and removes its marker; nothing is sent again."""
    doubt = Doubt(make, tmp_path, "lost", identify)
    assert doubt.resolve("own-1").id == "own-1"
    assert doubt.written["state"] == "created"
    media = doubt.upload()
    assert (media.id, media.description or "") == ("own-1", "")
    assert (len(doubt.service.posts), len(doubt.store.requests)) == (1, 1)


def test_nothing_was_created(make: Maker, tmp_path: Path, identify: str | None) -> None:
    """The same call sends the creation again, and not the file."""
    doubt = Doubt(make, tmp_path, "never", identify)
    assert doubt.resolve(None) is None
    assert doubt.upload().id == "own-1"
    assert [sent["upload_id"] for sent in doubt.service.posts] == ["signed-1"] * 2
    assert len(doubt.store.requests) == 1


@pytest.mark.parametrize("status", [409, 422])
def test_a_second_creation_that_is_refused_as_taken(
    make: Maker, tmp_path: Path, identify: str | None, status: int
) -> None:
    """The first one may have succeeded: the upload is in doubt again, and a marker finds its media."""
    doubt = Doubt(make, tmp_path, "lost", identify)
    doubt.resolve(None)
    doubt.service.script = [status]
    # Old enough to be listed by now.
    doubt.service.lists += 100
    if identify:
        assert doubt.upload().id == "own-1"
        return
    with pytest.raises(OutcomeUnknownError) as caught:
        doubt.upload()
    assert [media.id for media in caught.value.candidates] == ["own-1"]
    assert getattr(caught.value.__cause__, "status_code", None) == status
    assert doubt.written["state"] == "creating"
    doubt.resolve("own-1")
    assert doubt.upload().id == "own-1"
    assert len(doubt.service.posts) == 2


def test_another_refusal_of_a_second_creation(make: Maker, tmp_path: Path) -> None:
    """A 402 is raised, and the call can be repeated; the statement can also be corrected."""
    doubt = Doubt(make, tmp_path, "lost")
    doubt.resolve(None)
    doubt.service.script = [402]
    with pytest.raises(QuotaExceededError):
        doubt.upload()
    assert doubt.written["state"] == "sent"
    assert doubt.resolve("own-1").id == "own-1"
    assert doubt.upload().id == "own-1"
    assert len(doubt.service.posts) == 2


def test_a_second_creation_that_is_lost(make: Maker, tmp_path: Path) -> None:
    """It is in doubt as the first one was."""
    doubt = Doubt(make, tmp_path, "never")
    doubt.resolve(None)
    doubt.service.script = ["lost"]
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            doubt.upload()
    assert len(doubt.service.posts) == 2


def test_a_first_creation_that_is_refused_is_final(make: Maker, tmp_path: Path) -> None:
    """A 422 leaves no doubt if nothing was sent before."""
    service = Service(422)
    client = make(service, store=Store())
    with pytest.raises(UnprocessableEntityError):
        client.medias.upload(video(tmp_path), checkpoint=tmp_path / "c.json")
    with pytest.raises(InvalidInputError, match="not in doubt"):
        client.medias.resolve(tmp_path / "c.json", media_id=None)


@pytest.mark.parametrize(
    ("seconds", "attributes", "words"),
    [
        (5, {"source_url": "https://e.com/a.mp4"}, "fetched it from its source_url"),
        (-600, {}, "before the upload was prepared"),
    ],
)
def test_a_media_that_cannot_be_it(
    make: Maker, tmp_path: Path, seconds: float, attributes: dict[str, Any], words: str
) -> None:
    """It is refused, and the upload stays in doubt."""
    doubt = Doubt(make, tmp_path, "lost")
    doubt.service.add("wrong", seconds, **attributes)
    before = doubt.checkpoint.read_bytes()
    with pytest.raises(InvalidInputError, match=words) as caught:
        doubt.resolve("wrong")
    assert "wrong" in caught.value.message
    assert "Nothing was changed" in caught.value.message
    assert doubt.checkpoint.read_bytes() == before


def test_a_media_that_does_not_exist(make: Maker, tmp_path: Path) -> None:
    """The upload stays in doubt."""
    doubt = Doubt(make, tmp_path, "lost")
    with pytest.raises(NotFoundError):
        doubt.resolve("missing")
    for wrong in (7, "", "a/b"):
        with pytest.raises(InvalidInputError, match="id"):
            doubt.resolve(wrong)  # type: ignore[arg-type]
    assert doubt.written["state"] == "creating"


@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        ("new", {"upload_id": None}, "no media was requested yet"),
        ("prepared", {}, "no media was requested yet"),
        ("sent", {}, "no media was requested yet"),
        ("created", {"media_id": "m-1"}, "names its media already: m-1"),
        ("finished", {"media_id": "m-1"}, "names its media already: m-1"),
        ("creating", {"base_url": f"{BASE}/v2"}, "belongs to an upload to"),
        ("creating", {"version": 3}, "another version"),
        ("creating", {"version": "x"}, "not an upload checkpoint"),
    ],
)
@pytest.mark.parametrize("media_id", [None, "own-1"])
def test_what_is_not_in_doubt(
    make: Maker, tmp_path: Path, state: str, changes: dict[str, Any], words: str, media_id: str | None
) -> None:
    """It is refused with the reason, and not changed."""
    doubt = Doubt(make, tmp_path, "lost")
    doubt.checkpoint.write_text(json.dumps({**doubt.written, "state": state, **changes}), encoding="utf-8")
    before = doubt.checkpoint.read_bytes()
    with pytest.raises(InvalidInputError, match=words):
        doubt.resolve(media_id)
    assert doubt.checkpoint.read_bytes() == before


@pytest.mark.parametrize("location", ["missing.json", "missing/c.json", "", 7, "\0"])
def test_a_path_without_a_checkpoint(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: Any
) -> None:
    """It is named, and nothing is created in its folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError, match="checkpoint"):
        make(Service()).medias.resolve(location, media_id=None)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_in_use(make: Maker, tmp_path: Path) -> None:
    """An upload that is running is not in doubt."""
    doubt = Doubt(make, tmp_path, "lost")
    with FileCheckpointStore(doubt.checkpoint).lock(), pytest.raises(InvalidInputError, match="Another upload"):
        doubt.resolve(None)


@pytest.mark.parametrize("media_id", [None, "own-1"])
def test_a_full_disk(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media_id: str | None) -> None:
    """Nothing is changed, and it can be resolved again."""
    doubt = Doubt(make, tmp_path, "lost")
    with monkeypatch.context() as patch:
        fill_the_disk(patch, after=0)
        with pytest.raises(CheckpointError, match="Nothing was changed") as caught:
            doubt.resolve(media_id)
    assert caught.value.media_id == media_id
    assert doubt.written["state"] == "creating"
    doubt.resolve(media_id)


def test_the_media_id_must_be_given(make: Maker, tmp_path: Path) -> None:
    """That nothing was created is a statement, not a default."""
    with pytest.raises(TypeError, match="media_id"):
        make(Service()).medias.resolve(tmp_path / "c.json")
