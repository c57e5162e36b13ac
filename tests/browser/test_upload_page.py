"""The example of a page for uploads in a real browser: from the choice of a file to its clips."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove import ContentGroove
from contentgroove_mock import Fault, ManualClock, Policy, Simulator, factories, sample_video, serve
from playwright.sync_api import expect

from tests.browser.upload_page import KEY, running

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from contentgroove_mock import Server
    from playwright.sync_api import Page, Response

    from tests.browser.upload_page import RunningPage
    from tests.browser.watch import Watch

pytestmark = pytest.mark.process

HOSTILE = "</h3><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>.mp4"
VIDEO = sample_video()
PART = re.compile(r"^[1-9]\d?%$")
STALLED_BYTES = 4 * 1024 * 1024
BIG = 64 * 1024 * 1024
"""More than all buffers between the browser and a store that does not read."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Generator[Server]:
    """A simulator on a clock that the test moves; a media is processed until the test finishes it."""
    with serve(Simulator(clock=clock, policy=Policy(processing_seconds=None))) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Generator[ContentGroove]:
    with ContentGroove(KEY, server.base_url) as client:
        yield client


@pytest.fixture
def example(server: Server, tmp_path: Path) -> Generator[RunningPage]:
    with running(server, tmp_path / "data") as page:
        yield page


@pytest.fixture
def opened(page: Page, example: RunningPage) -> Page:
    page.goto(example.url)
    expect(page.get_by_text("No film was uploaded yet.")).to_be_visible()
    return page


@pytest.fixture
def big_film(tmp_path: Path) -> Path:
    """A film that takes its time."""
    path = tmp_path / "big.mp4"
    path.write_bytes(VIDEO.read_bytes())
    with path.open("r+b") as file:
        file.truncate(BIG)
    return path


def choose(page: Page, path: Path) -> None:
    """Choose a file and upload it."""
    page.get_by_label("Video or audio file").set_input_files(path)
    page.get_by_role("button", name="Upload").click()


def finish(server: Server, client: ContentGroove) -> None:
    """Let the service finish its newest media; the webhook has arrived when this returns."""
    [media] = client.medias.list(sort="-created_at", limit=1)
    server.simulator.finish_media(media.id)


def test_a_film_is_uploaded_processed_and_cut(
    opened: Page, server: Server, client: ContentGroove, clock: ManualClock, big_film: Path
) -> None:
    """The bar shows how far the upload is; the clips appear without a reload, and survive one."""
    server.simulator.add_fault(Fault(kind="stall", operation="upload", after_bytes=STALLED_BYTES, seconds=60))
    choose(opened, big_film)
    bar = opened.get_by_role("progressbar", name="Upload")
    expect(bar).to_be_visible()
    expect(opened.locator("#percent")).to_have_text(PART)
    assert 0 < bar.evaluate("bar => bar.value") < 1
    expect(opened.get_by_role("button", name="Upload")).to_be_disabled()
    clock.advance(60)
    expect(opened.get_by_text("big.mp4 was uploaded.")).to_be_visible()
    expect(bar).to_be_hidden()
    film = opened.get_by_role("listitem").filter(has=opened.get_by_role("heading", name="big.mp4"))
    expect(film).to_contain_text("Being processed…")
    finish(server, client)
    expect(opened.get_by_role("status").get_by_text("The clips of big.mp4 are ready.")).to_be_visible()
    texts = [clip.text for clip in client.clips.list(sort="created_at")]
    for text in texts:
        expect(film).to_contain_text(str(text))
    expect(film).to_contain_text(f"{len(texts)} clips")
    expect(film).to_contain_text("0:02 to 0:04")
    opened.reload()
    expect(film).to_contain_text(f"{len(texts)} clips")
    expect(opened.get_by_text("No film was uploaded yet.")).to_be_hidden()


def test_an_upload_can_be_cancelled(
    opened: Page, server: Server, client: ContentGroove, clock: ManualClock, big_film: Path
) -> None:
    """Nothing is created, and the next upload works."""
    server.simulator.add_fault(Fault(kind="stall", operation="upload", after_bytes=STALLED_BYTES, seconds=60))
    choose(opened, big_film)
    expect(opened.locator("#percent")).to_have_text(PART)
    opened.get_by_role("button", name="Cancel").click()
    expect(opened.get_by_text("big.mp4 was not uploaded: you cancelled it.")).to_be_visible()
    clock.advance(60)
    choose(opened, VIDEO)
    expect(opened.get_by_text("sample.mp4 was uploaded.")).to_be_visible()
    assert [media.name for media in client.medias.list()] == ["sample.mp4"]


def test_it_works_by_keyboard_alone(opened: Page, server: Server, client: ContentGroove) -> None:
    """The focus stays where the next step is."""
    opened.keyboard.press("Tab")
    expect(opened.get_by_label("Video or audio file")).to_be_focused()
    with opened.expect_file_chooser() as chosen:
        opened.keyboard.press("Enter")
    chosen.value.set_files(VIDEO)
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    expect(opened.get_by_text("sample.mp4 was uploaded.")).to_be_visible()
    expect(opened.get_by_label("Video or audio file")).to_be_focused()
    finish(server, client)
    expect(opened.get_by_text("The clips of sample.mp4 are ready.")).to_be_visible()


def test_what_others_wrote_is_text(page: Page, example: RunningPage, client: ContentGroove) -> None:
    """Names of files, and what is spoken in clips. The key reaches no page."""
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))  # noqa: PLW0108  # playwright sets attributes of it
    page.goto(example.url)
    film = {"name": HOSTILE, "mimeType": "video/mp4", "buffer": VIDEO.read_bytes()}
    page.get_by_label("Video or audio file").set_input_files(film)  # type: ignore[arg-type]  # a FilePayload
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    [media], [subscription] = client.medias.list(), client.webhook_subscriptions.list()
    finished = factories.media(id=media.id)
    event = factories.media_processing_finished(finished, clips=[factories.clip(media_id=media.id, text=HOSTILE)])
    assert httpx.post(subscription.url, content=event.body, trust_env=False).status_code == 200
    expect(page.get_by_text("1 clip", exact=True)).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text=HOSTILE).last).to_be_visible()
    expect(page).to_have_title("Upload a film")
    assert page.locator("img, h3 script, li script").count() == 0
    token = subscription.url.partition("token=")[2]
    assert token
    shown = [page.content(), *(response.text() for response in responses if not response.url.endswith("/events"))]
    assert len(shown) > 3
    assert not [text for text in shown if KEY in text or token in text]


def test_a_file_that_is_not_a_film_is_refused(opened: Page, tmp_path: Path, server: Server, watch: Watch) -> None:
    """By its type before anything is sent, and by its content before anything is sent to the service."""
    before = len(server.simulator.requests)
    for name in ("notes.txt", "notes.mp4"):
        path = tmp_path / name
        path.write_text("Dear diary, nothing happens today.", encoding="utf-8")
        choose(opened, path)
        problem = opened.get_by_text(f"{name} is neither a video nor an audio file. Choose another file.")
        expect(problem).to_have_class("problem")
    assert len(server.simulator.requests) == before
    # Chromium reports each response with such a status; the first file was not even sent.
    assert [problem for problem in watch.problems if "415" in problem] == watch.problems
    assert len(watch.problems) == 1
    watch.problems.clear()


def test_problems_are_in_plain_english(opened: Page, server: Server, watch: Watch) -> None:
    """A used up quota, a service that is away; then the same film works."""
    server.simulator.set_quota(medias=0)
    choose(opened, VIDEO)
    expect(opened.get_by_text("The quota of this ContentGroove account is used up.")).to_be_visible()
    server.simulator.set_quota(medias=None)
    server.simulator.add_fault(Fault(kind="status", operation="upload", status=503))
    opened.get_by_role("button", name="Upload").click()
    expect(opened.get_by_text("ContentGroove accepts no films now. sample.mp4 was not uploaded.")).to_be_visible()
    opened.get_by_role("button", name="Upload").click()
    expect(opened.get_by_text("sample.mp4 was uploaded.")).to_be_visible()
    assert len(watch.problems) == 2
    watch.problems.clear()


def test_a_server_that_stops_is_noticed(opened: Page, example: RunningPage, watch: Watch) -> None:
    """An open page does not keep it from stopping, and says that it hears nothing any longer."""
    example.process.send_signal(signal.SIGINT)
    assert example.process.wait(timeout=10) == 0
    expect(opened.get_by_text("The connection to this page's server is lost.")).to_be_visible()
    opened.goto("about:blank")
    watch.problems.clear()
