"""A creation whose response is lost: without proof the outcome is unknown, and nothing is sent again."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    APIConnectionError,
    APIError,
    Media,
    OutcomeUnknownError,
    QuotaExceededError,
    ServerOutcomeUnknownError,
    UploadItem,
)
from contentgroove._core.identity import MAX_PAGES

from .conftest import KEY
from .creating_service import Service
from .test_uploads import MP4, Store, video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import FakeClock, Maker

LOST = ["lost", "lost 503", "garbled", "never"]


def unknown(make: Maker, service: Service, file: Any = MP4, **options: Any) -> OutcomeUnknownError:
    """Upload, and return the error of the unknown outcome."""
    with pytest.raises(OutcomeUnknownError) as caught:
        make(service, store=Store()).medias.upload(file, **options)
    return caught.value


def ids(error: OutcomeUnknownError) -> set[str]:
    """Return the ids of an error's candidates."""
    return {media.id for media in error.candidates}


@pytest.mark.parametrize("step", LOST)
@pytest.mark.parametrize("name", [None, "Film"])
def test_a_media_that_resembles_the_own_is_never_returned(make: Maker, step: str, name: str | None) -> None:
    """Not even if it is the only one: another process may have uploaded it."""
    service = Service(step)
    service.add("other", name="Film")
    error = unknown(make, service, name=name)
    assert error.upload_id == "signed-1"
    assert ids(error) == {"other", *service.uploads}
    assert all(isinstance(media, Media) for media in error.candidates)
    assert len(service.posts) == 1


def test_the_error_says_what_to_do(make: Maker, tmp_path: Path) -> None:
    """It names the file, the upload, the candidates and the next step, with and without a checkpoint."""
    service = Service("lost")
    without = unknown(make, service, video(tmp_path))
    for words in ("film.mp4 was uploaded", "signed-1", "own-1", "client.medias.create(upload_id='signed-1')"):
        assert words in without.message
    assert without.checkpoint is None
    checkpoint = tmp_path / "c.json"
    service.script = ["lost"]
    with_checkpoint = unknown(make, service, video(tmp_path), checkpoint=checkpoint)
    assert f"client.medias.resolve({str(checkpoint)!r}" in with_checkpoint.message
    assert with_checkpoint.checkpoint == str(checkpoint)
    assert with_checkpoint.request is not None
    for error in (without, with_checkpoint):
        assert "X-Amz" not in error.message
        assert KEY not in error.message


def test_many_candidates_are_all_in_the_error(make: Maker) -> None:
    """The message lists some of them."""
    service = Service("lost")
    for index in range(30):
        service.add(f"other-{index}")
    error = unknown(make, service)
    assert len(error.candidates) == 31
    assert "and 21 more" in error.message


def test_candidates_are_medias_of_the_time_that_were_uploaded(make: Maker) -> None:
    """Not older ones, not fetched ones, not those of another name; but names as a service may have tidied them."""
    service = Service("lost")
    service.add("old", -200, name="My Film")
    service.add("skewed", -100, name="My Film")
    service.add("fetched", name="My Film", source_url="https://e.com/a.mp4")
    service.add("else", name="Else")
    service.add("nameless", name="")
    service.add("cut", name="my  fil")
    assert ids(unknown(make, service, name=" My Film")) == {"own-1", "skewed", "cut"}


def test_candidates_come_from_all_pages_of_the_time(make: Maker) -> None:
    """The own media is found behind hundreds of newer ones, and the pages of earlier times are not read."""
    service = Service("never")
    for index in range(500):
        service.add(f"old-{index}", -1000 + index / 10)
    service.add("early", 1)
    for index in range(350):
        service.add(f"new-{index}", 10, name="Else")
    assert ids(unknown(make, service, name="Chimp")) == {"early"}
    # Four pages of the time, and the first that is wholly older; again in each of the four searches there may be.
    assert service.lists == 5


def test_an_ignored_order_hides_nothing(make: Maker) -> None:
    """Where the service lists the oldest first, reading goes on to the newest."""
    service = Service("never")
    for index in range(250):
        service.medias.append(service_media(f"old-{index}", -1000 + index))
    service.medias.append(service_media("newest", 5))
    assert "newest" in ids(unknown(make, service))


def service_media(media_id: str, seconds: float) -> dict[str, Any]:
    """Write a media of a time."""
    scratch = Service()
    scratch.add(media_id, seconds)
    return scratch.medias[0]


def test_an_endless_list_ends(make: Maker) -> None:
    """After the maximum of pages the error says that there are more medias."""
    service = Service("never")
    service.page_size = 1
    for index in range(MAX_PAGES + 5):
        service.add(f"m-{index}")
    error = unknown(make, service)
    assert len(error.candidates) == MAX_PAGES
    assert f"Only {MAX_PAGES:,} medias were read" in error.message


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_list_that_fails_hides_no_outcome(make: Maker, status: int) -> None:
    """The error is that of the creation, and says that the medias could not be read."""
    service = Service("lost")
    service.list_statuses = [status] * 500
    error = unknown(make, service)
    assert error.candidates == ()
    assert "Not all medias could be read" in error.message
    assert str(status) in error.message
    assert isinstance(error.__cause__, OutcomeUnknownError)


def test_a_list_that_fails_later_keeps_what_was_read(make: Maker) -> None:
    """The candidates of the first page are in the error."""
    service = Service("lost")
    service.page_size = 1
    service.add("other", -1)
    handler = failing_second_page(service)
    with pytest.raises(OutcomeUnknownError, match="Not all medias could be read") as caught:
        make(handler, store=Store()).medias.upload(MP4)
    assert ids(caught.value) == {"own-1"}


def failing_second_page(service: Service) -> Any:
    """Let each second page fail."""

    def respond(request: httpx.Request) -> httpx.Response:
        if b"page%5Bnumber%5D=2" in request.url.query or b"page[number]=2" in request.url.query:
            return httpx.Response(500)
        return service(request)

    return respond


def test_a_list_that_is_late(make: Maker, clock: FakeClock) -> None:
    """Several lists, with time between, before the error has no candidates; nothing is created a second time."""
    service = Service("lost")
    service.hidden_for = 2
    assert ids(unknown(make, service)) == {"own-1"}
    assert clock.sleeps == [0.5, 1.0, 2.0]
    service = Service("lost")
    service.hidden_for = 99
    assert "lists can be late" in unknown(make, service).message
    assert (len(service.posts), service.lists) == (1, 4)


@pytest.mark.parametrize("step", LOST)
def test_a_checkpoint_in_doubt_stays_in_doubt(make: Maker, tmp_path: Path, step: str) -> None:
    """The same call sends nothing, however often and by whichever client, and has the same error."""
    path, checkpoint, store = video(tmp_path), tmp_path / "c.json", Store()
    service = Service(step)
    for _ in range(3):
        with pytest.raises(OutcomeUnknownError) as caught:
            make(service, store=store).medias.upload(path, checkpoint=checkpoint)
        assert (caught.value.upload_id, ids(caught.value)) == ("signed-1", set(service.uploads))
    assert (len(service.posts), len(store.requests)) == (1, 1)
    assert json.loads(checkpoint.read_bytes())["state"] == "creating"


@pytest.mark.parametrize(
    ("step", "words"),
    [(504, "creation was 504"), (302, "creation was 302"), ("never", "creation was lost"), ("garbled", "not be read")],
)
def test_the_error_says_why(make: Maker, step: str | int, words: str) -> None:
    """And speaks of candidates only if there are any."""
    error = unknown(make, Service(step), MP4)
    assert f"{words}. " in error.message
    assert ("one of them" in error.message) == bool(error.candidates) == (step == "garbled")
    assert ("in the list of medias later. If it is not there" in error.message) == (not error.candidates)


@pytest.mark.parametrize("status", [303, 307, 408, 499, 500, 504])
def test_statuses_that_prove_nothing(make: Maker, tmp_path: Path, status: int) -> None:
    """A gateway's timeout or a redirect says nothing about the media; it is not sent again."""
    service, path = Service(status), video(tmp_path)
    client = make(service, store=Store())
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            client.medias.upload(path, checkpoint=tmp_path / "c.json")
    assert len(service.posts) == 1


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (402, QuotaExceededError),
        ("unsent", APIConnectionError),
        *[(status, APIError) for status in (400, 401, 404, 409, 422, 429)],
    ],
)
def test_a_creation_that_was_refused_or_never_sent_is_not_in_doubt(
    make: Maker, tmp_path: Path, step: str | int, error: type[Exception]
) -> None:
    """The same call sends it."""
    path, checkpoint, store = video(tmp_path), tmp_path / "c.json", Store()
    service = Service(*[step] * 500)
    client = make(service, store=store)
    with pytest.raises(error):
        client.medias.upload(path, checkpoint=checkpoint)
    assert json.loads(checkpoint.read_bytes())["state"] == "sent"
    service.script = []
    assert client.medias.upload(path, checkpoint=checkpoint).id == "own-1"
    assert (service.lists, len(store.requests)) == (0, 1)


def test_a_refusal_that_cannot_be_written_down(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is raised with a note; the next call is in doubt rather than wrong."""
    from .test_checkpoint_files import fill_the_disk

    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    service = Service(402)
    client = make(service, store=Store())
    with monkeypatch.context() as patch:
        fill_the_disk(patch, after=4)
        with pytest.raises(QuotaExceededError) as caught:
            client.medias.upload(path, checkpoint=checkpoint)
    assert "c.json could not be written" in caught.value.__notes__[0]
    with pytest.raises(OutcomeUnknownError):
        client.medias.upload(path, checkpoint=checkpoint)
    assert len(service.posts) == 1


def test_each_result_of_a_batch_leads_to_its_checkpoint(make: Maker, tmp_path: Path) -> None:
    """Two files of one name are two uploads in doubt; neither gets the other's media."""
    files = [UploadItem(video(tmp_path, name=f"{index}.mp4"), name="Same") for index in range(2)]
    service = Service("never", "lost")
    client = make(service, store=Store())
    results = list(client.medias.upload_many(files, concurrency=1, checkpoint_dir=tmp_path / "points"))
    errors = [result.error for result in results]
    assert [type(error) for error in errors] == [OutcomeUnknownError] * 2
    assert {error.checkpoint for error in errors} == {str(path) for path in (tmp_path / "points").iterdir()}
    assert [error.upload_id for error in errors] == ["signed-1", "signed-2"]


@pytest.mark.parametrize(("step", "kind"), [("lost", OutcomeUnknownError), (503, ServerOutcomeUnknownError)])
def test_create_names_its_upload(make: Maker, step: str | int, kind: type[OutcomeUnknownError]) -> None:
    """The error of `create` has the `upload_id` that was passed, with a raw response, too."""
    for raw in (False, True):
        medias = make(Service(step)).medias
        with pytest.raises(OutcomeUnknownError) as caught:
            (medias.with_raw_response if raw else medias).create(upload_id="signed-7")
        assert type(caught.value) is kind
        assert (caught.value.upload_id, caught.value.candidates, caught.value.checkpoint) == ("signed-7", (), None)


def test_other_creations_have_no_upload(make: Maker) -> None:
    """A clip or a subscription with a lost response is in doubt as before."""

    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset", request=request)

    client = make(lost)
    creations: list[Callable[[], object]] = [
        lambda: client.clips.create(media_id="m", name="c", start_time=0, end_time=1),
        lambda: client.webhook_subscriptions.create(url="https://e.com/hook"),
        lambda: client.medias.create(source_url="https://e.com/a.mp4"),
    ]
    for create in creations:
        with pytest.raises(OutcomeUnknownError) as caught:
            create()
        assert (caught.value.upload_id, caught.value.candidates) == (None, ())


def test_the_error_can_be_pickled(make: Maker) -> None:
    """With its candidates, for process pools."""
    error = unknown(make, Service("lost"))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled here
    assert (copy.message, copy.upload_id, copy.candidates) == (error.message, "signed-1", error.candidates)
    assert copy.candidates[0].id == "own-1"
