"""`identify="description"`: an upload finds its media by a marker of its own, and removes the marker again."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import CheckpointError, InvalidInputError, OutcomeUnknownError, UploadItem
from contentgroove._core.checkpoints import MARKER_PATTERN

from .creating_service import Service
from .test_checkpoint_files import fill_the_disk
from .test_uploads import MP4, Store, video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Maker

MARKER = re.compile(MARKER_PATTERN)


def marker_of(attributes: dict[str, Any]) -> str:
    """Return the marker at the end of a description that was sent."""
    found = re.search(r"\[[^\[]*\]$", attributes["description"])
    assert found is not None
    assert MARKER.fullmatch(found[0])
    return found[0]


def upload(make: Maker, service: Service, file: Any = MP4, **options: Any) -> Any:
    """Upload with a marker."""
    return make(service, store=Store()).medias.upload(file, identify="description", **options)


@pytest.mark.parametrize("description", [None, "", "About.", "Line\nbreak "])
@pytest.mark.parametrize("step", ["created", "lost", "lost 503", "garbled"])
def test_the_own_media_is_found_and_cleaned(make: Maker, step: str, description: str | None) -> None:
    """By its marker among medias that resemble it; its description is then what the application passed."""
    service = Service(step)
    service.add("before", name="Film", description=description)
    service.add("after", 9, name="Film", description="[sdk-upload 000000000000000000000000]")
    media = upload(make, service, name="Film", description=description)
    marker = marker_of(service.posts[0])
    assert service.posts[0]["description"] == (f"{description} {marker}" if description else marker)
    assert service.uploads == {media.id: "signed-1"}
    assert media.description == (description or "")
    assert service.updates == [{"description": description or ""}]
    assert len(service.posts) == 1


def test_each_upload_has_its_own_marker(make: Maker, tmp_path: Path) -> None:
    """In a batch, too: each file gets its media although all responses are lost and all names are the same."""
    service = Service(*["lost"] * 6)
    files = [UploadItem(video(tmp_path, MP4 + bytes(index), f"{index}.mp4"), name="Same") for index in range(6)]
    client = make(service, store=Store())
    results = list(client.medias.upload_many(files, concurrency=1, identify="description"))
    assert len({marker_of(sent) for sent in service.posts}) == 6
    assert [result.media.id for result in results] == [f"own-{index}" for index in range(1, 7)]
    assert all(media["attributes"]["description"] == "" for media in service.medias)


def test_a_media_on_a_later_page_is_found(make: Maker) -> None:
    """Behind hundreds of newer ones."""
    service = Service("lost")
    handler = service

    def busy(request: Any) -> Any:
        if request.method == "GET" and request.url.path.endswith("/medias") and service.lists == 0:
            for index in range(350):
                service.add(f"new-{index}", 10)
        return handler(request)

    assert make(busy, store=Store()).medias.upload(MP4, identify="description").id == "own-1"


def test_a_media_that_a_list_shows_twice_is_one(make: Maker) -> None:
    """A media that is created while pages are read moves others onto the next page."""
    service = Service("lost")
    service.page_size = 1

    def moving(request: Any) -> Any:
        response = service(request)
        if request.method == "GET" and request.url.path.endswith("/medias"):
            service.add(f"new-{service.lists}", 10)
        return response

    assert make(moving, store=Store()).medias.upload(MP4, identify="description").id == "own-1"


def test_a_list_that_is_late(make: Maker) -> None:
    """The media is searched for again; if it stays hidden, the outcome is unknown and nothing is sent again."""
    service = Service("lost")
    service.hidden_for = 3
    assert upload(make, service).id == "own-1"
    service = Service("lost")
    service.hidden_for = 99
    with pytest.raises(OutcomeUnknownError):
        upload(make, service)
    assert len(service.posts) == 1


def test_nothing_was_created(make: Maker) -> None:
    """Without a media with the marker the outcome is unknown, even if one resembles it."""
    service = Service("never")
    service.add("other")
    with pytest.raises(OutcomeUnknownError) as caught:
        upload(make, service)
    assert [media.id for media in caught.value.candidates] == ["other"]
    assert (len(service.posts), service.updates) == (1, [])


def test_two_medias_with_the_marker(make: Maker) -> None:
    """A service that created it twice is reported with both, whatever else there is."""
    service = Service("twice")
    service.add("other")
    with pytest.raises(OutcomeUnknownError, match="more than once") as caught:
        upload(make, service)
    assert {media.id for media in caught.value.candidates} == {"own-1", "own-2"}


@pytest.mark.parametrize(
    "keep",
    [
        lambda _text: None,
        lambda text: text and text[:-2],
        lambda text: text and text[:20],
        lambda text: text and re.sub(r"\[.*\]", "", text),
    ],
    ids=["dropped", "digits cut", "cut", "without the marker"],
)
def test_a_service_that_drops_the_marker(make: Maker, keep: Callable[[str | None], str | None]) -> None:
    """A marker that does not come back whole proves nothing: the outcome is unknown."""
    service = Service("lost")
    service.keep = keep
    with pytest.raises(OutcomeUnknownError) as caught:
        upload(make, service, description="About.")
    assert [media.id for media in caught.value.candidates] == ["own-1"]


@pytest.mark.parametrize("step", ["created", "lost"])
@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (str.upper, {"About.", "ABOUT."}),
        (lambda text: text.replace("[", "&#91;").replace("]", "&#93;"), {"About."}),
        (lambda text: text.replace("[", "").replace("]", ""), {"About."}),
        (lambda text: text.replace(" ", "\u00a0"), {"About."}),
        (lambda text: text.replace(" ", "&nbsp;"), {"About."}),
        (lambda text: text.replace(" ", "  "), {"About."}),
        (lambda text: text.replace("[sdk-upload ", "[sdk-upload&#x20;"), {"About."}),
    ],
    ids=["in capitals", "escaped", "without brackets", "hard spaces", "entities", "two spaces", "escaped space"],
)
def test_a_marker_that_the_service_writes_in_another_way(
    make: Maker, step: str, keep: Callable[[str], str], left: set[str]
) -> None:
    """Its digits prove enough, and it is removed as a whole."""
    service = Service(step)
    service.keep = lambda text: None if text is None else keep(text)
    media = upload(make, service, description="About.")
    assert media.id == "own-1"
    assert media.description in left
    assert len(service.posts) == 1


@pytest.mark.parametrize("identify", [None, "description"])
def test_a_media_with_the_marker_of_another_upload_is_no_candidate(make: Maker, identify: Any) -> None:
    """Whatever else it has in common; one whose marker is a part of the own description may still be it."""
    foreign = "[sdk-upload 0123456789abcdef01234567]"
    service = Service("lost")
    service.keep = lambda _text: f"About {foreign}"
    service.add("other", name="Film", description=foreign.replace("0", "f"))
    with pytest.raises(OutcomeUnknownError) as caught:
        make(service, store=Store()).medias.upload(MP4, identify=identify, name="Film", description=f"About {foreign}")
    assert [media.id for media in caught.value.candidates] == ["own-1"]


@pytest.mark.parametrize(
    ("keep", "updates"),
    [
        (lambda text: text and text[:20], [{"description": "About."}]),
        (lambda text: text and text.upper(), [{"description": "About."}]),
        (lambda text: text and text.strip(), [{"description": "About."}]),
        (lambda _text: None, []),
    ],
    ids=["cut", "in capitals", "stripped", "dropped"],
)
def test_what_such_a_service_left_of_the_marker_is_removed(
    make: Maker, keep: Callable[[str | None], str | None], updates: list[dict[str, str]]
) -> None:
    """If the response came: it is the proof."""
    service = Service()
    service.keep = keep
    assert upload(make, service, description="About.").id == "own-1"
    assert service.updates == updates


@pytest.mark.parametrize("failure", [500, 404, 422, "kept"])
def test_a_marker_that_cannot_be_removed(
    make: Maker, tmp_path: Path, caplog: pytest.LogCaptureFixture, failure: Any
) -> None:
    """The media is returned as it is, the log says what to do, and the same call with a checkpoint removes it."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service()
    client = make(service, store=Store())
    if failure == "kept":
        service.keep = lambda text: text or service.medias[0]["attributes"]["description"]
    else:
        service.update_status = failure
    with caplog.at_level(logging.WARNING, "contentgroove"):
        media = client.medias.upload(path, checkpoint=checkpoint, identify="description")
    marker = marker_of(service.posts[0])
    assert (media.id, media.description) == ("own-1", marker)
    (record,) = caplog.records
    assert "own-1 was created" in record.getMessage()
    assert marker in record.getMessage()
    service.update_status, service.keep = 200, lambda text: text
    assert client.medias.upload(path, checkpoint=checkpoint, identify="description").description == ""
    assert json.loads(checkpoint.read_bytes()).get("marker") is None
    assert len(service.posts) == 1


def test_a_description_that_was_changed_in_the_meantime_is_kept(make: Maker, tmp_path: Path) -> None:
    """Only the marker is cut out of what a person wrote."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service()
    service.update_status = 500
    client = make(service, store=Store(), max_retries=0)
    client.medias.upload(path, description="Old", checkpoint=checkpoint, identify="description")
    marker = marker_of(service.posts[0])
    service.medias[0]["attributes"]["description"] = f"New {marker} text"
    service.update_status = 200
    media = client.medias.upload(path, description="Old", checkpoint=checkpoint, identify="description")
    assert media.description == "New text"
    assert client.medias.upload(path, description="Old", checkpoint=checkpoint).description == "New text"
    assert len(service.updates) == 2


def test_a_checkpoint_in_doubt_finds_its_media(make: Maker, tmp_path: Path) -> None:
    """In a later call, even without `identify`; the marker is that of the checkpoint."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service("lost")
    service.hidden_for = 4
    client = make(service, store=Store())
    with pytest.raises(OutcomeUnknownError):
        client.medias.upload(path, checkpoint=checkpoint, identify="description")
    written = json.loads(checkpoint.read_bytes())
    assert (written["state"], written["version"], written["marker"]) == ("creating", 2, marker_of(service.posts[0]))
    service.add("other", 7)
    media = client.medias.upload(path, checkpoint=checkpoint)
    assert (media.id, media.description) == ("own-1", "")
    written = json.loads(checkpoint.read_bytes())
    assert (written["state"], written["version"], "marker" in written) == ("created", 1, False)


def test_a_marker_is_not_added_to_a_creation_in_doubt(make: Maker, tmp_path: Path) -> None:
    """What was sent without one cannot be found by one."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service("lost")
    client = make(service, store=Store())
    for identify in (None, "description"):
        with pytest.raises(OutcomeUnknownError):
            client.medias.upload(path, checkpoint=checkpoint, identify=identify)
    assert json.loads(checkpoint.read_bytes())["version"] == 1
    assert len(service.posts) == 1


@pytest.mark.parametrize("before", [None, "description"])
@pytest.mark.parametrize("after", [None, "description"])
def test_the_last_call_before_the_creation_decides(
    make: Maker, tmp_path: Path, before: str | None, after: str | None
) -> None:
    """As long as nothing is in doubt, a marker is sent only if the call asks for it."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service(402)
    client = make(service, store=Store())
    with pytest.raises(Exception, match="402"):
        client.medias.upload(path, checkpoint=checkpoint, identify=before)
    client.medias.upload(path, checkpoint=checkpoint, identify=after)
    assert ["description" in sent for sent in service.posts] == [before is not None, after is not None]


def test_a_full_disk_after_the_creation(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The media is named, and the same call finds it by its marker."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service()
    client = make(service, store=Store())
    with monkeypatch.context() as patch:
        fill_the_disk(patch, after=4)
        with pytest.raises(CheckpointError, match="own-1"):
            client.medias.upload(path, checkpoint=checkpoint, identify="description")
    assert client.medias.upload(path, checkpoint=checkpoint, identify="description").id == "own-1"
    assert len(service.posts) == 1


@pytest.mark.parametrize("marker", ["", "x", "[sdk-upload ]", 7, None])
def test_a_checkpoint_with_an_impossible_marker(make: Maker, tmp_path: Path, marker: Any) -> None:
    """It is not a checkpoint: an empty marker would be in every description."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service("lost")
    client = make(service, store=Store())
    with pytest.raises(OutcomeUnknownError):
        client.medias.upload(path, checkpoint=checkpoint)
    written = json.loads(checkpoint.read_bytes())
    checkpoint.write_text(json.dumps({**written, "version": 2, "marker": marker}), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="not an upload checkpoint"):
        client.medias.upload(path, checkpoint=checkpoint)


@pytest.mark.parametrize("identify", ["name", "", True, 7, ["description"]])
def test_other_values_are_refused(make: Maker, identify: Any) -> None:
    """Before anything is sent."""
    service = Service()
    with pytest.raises(InvalidInputError, match="identify must be 'description'"):
        make(service, store=Store()).medias.upload(MP4, identify=identify)
    assert service.posts == []


@pytest.mark.parametrize("description", [7, b"text", "\ud800", ["a"]])
def test_a_bad_description_costs_no_upload(make: Maker, description: Any) -> None:
    """It is refused before anything is sent, and not turned into text."""
    service, store = Service(), Store()
    with pytest.raises(InvalidInputError, match="description"):
        make(service, store=store).medias.upload(MP4, description=description, identify="description")
    assert (service.posts, store.requests) == ([], [])


def test_no_marker_without_identify(make: Maker) -> None:
    """The description is sent as it is."""
    service = Service()
    make(service, store=Store()).medias.upload(MP4, description="D")
    assert (service.posts, service.updates) == ([{"upload_id": "signed-1", "description": "D"}], [])
