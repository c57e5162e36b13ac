"""The inspector's page in a real browser: it follows what happens, runs nothing of others, and needs no mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove import ContentGroove
from contentgroove_mock import Policy, Simulator, sample_video, serve
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove_mock import Server
    from playwright.sync_api import Locator, Page

    from tests.browser.sink import Sink
    from tests.browser.watch import Watch

pytestmark = pytest.mark.process

KEY = "canary-key-of-the-browser"
HOSTILE = "</script></title><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='owned'</script></svg>"


@pytest.fixture
def server() -> Generator[Server]:
    """A simulator that processes a media at once."""
    with serve(Simulator(control=True, policy=Policy(queue_seconds=0, processing_seconds=0, clip_seconds=0))) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Generator[ContentGroove]:
    with ContentGroove(KEY, server.base_url) as client:
        yield client


@pytest.fixture
def opened(page: Page, server: Server) -> Generator[Page]:
    """The page, with its updates; it is closed before the server, whose end it would report."""
    page.goto(f"{server.origin}/_mock/")
    expect(page.locator("#connection")).to_have_text("Updates arrive as they happen.")
    yield page
    page.close()


def post(server: Server, path: str, **attributes: object) -> httpx.Response:
    """Create something by a request that no client of ours would send."""
    return httpx.post(
        f"{server.base_url}/{path}",
        json={"data": {"attributes": attributes}},
        headers={"Authorization": f"Bearer {KEY}", "X-Name": HOSTILE.replace("\n", "")},
        trust_env=False,
    )


def section(page: Page, name: str) -> Locator:
    """Return a section of the page."""
    return page.get_by_role("region", name=name, exact=True).first


def test_what_happens_appears_by_itself(opened: Page, client: ContentGroove, sink: Sink) -> None:
    """Medias, requests, webhooks, coverage: without loading the page again."""
    client.webhook_subscriptions.create(url=f"{sink.origin}/hook?token=canary-token")
    media = client.medias.upload(sample_video(), name="A film")
    client.medias.wait(media)
    expect(opened.locator("#medias-list")).to_contain_text("A film ✓ finished", use_inner_text=True)
    expect(opened.locator("#deliveries-list")).to_contain_text("✓ HTTP 200")
    expect(opened.locator("#subscriptions-list")).to_contain_text("token=[redacted]")
    expect(opened.locator("#requests-list")).to_contain_text("POST /api/v1/medias")
    expect(opened.locator("#coverage-list")).to_contain_text("200: 1")
    assert "canary-token" not in opened.content()
    opened.get_by_role("button", name="Reveal the whole URL").click()
    expect(opened.locator("#subscriptions-details")).to_contain_text("canary-token")


def test_a_film_is_previewed_and_its_clips_are_on_the_timeline(opened: Page, client: ContentGroove) -> None:
    """It can be played, and a clip that is made meanwhile appears without loading the film again."""
    media = client.medias.wait(client.medias.upload(sample_video(), name="A film"))
    opened.get_by_role("button", name="A film").click()
    video = opened.locator("video")
    expect(video).to_be_visible()
    opened.wait_for_function("document.querySelector('video').readyState >= 1")
    assert video.evaluate("film => [film.duration > 5, film.videoWidth, film.error]") == [True, 320, None]
    video.evaluate("film => { film.dataset.same = 'yes'; }")
    client.clips.create(media_id=media.id, name="Mine", start_time=1.5, end_time=4.5)
    expect(opened.locator("#media-clips")).to_contain_text("Mine")
    expect(video).to_have_attribute("data-same", "yes")
    timeline = opened.get_by_role("img", name="Timeline of 4 clips over 0:06")
    # Measured at once, because an update may replace the drawing meanwhile.
    whole, bar = timeline.evaluate(
        "drawing => [drawing, drawing.querySelectorAll('rect')[1]].map(part => part.getBoundingClientRect().toJSON())"
    )
    assert bar["x"] - whole["x"] == pytest.approx(whole["width"] / 4, abs=1)
    assert bar["width"] == pytest.approx(whole["width"] / 2, abs=1)


def test_a_violation_is_marked_at_its_field(opened: Page, server: Server) -> None:
    """In the body that was sent, with the rule in words."""
    post(server, "medias", name=5, mood="blue")
    expect(opened.locator("#violations-list")).to_contain_text("violations of the contract so far")
    opened.get_by_label("Only with violations").check()
    opened.get_by_role("button", name="POST /api/v1/medias").click()
    marks = opened.locator("#requests-details pre mark")
    expect(marks).to_have_text(['"attributes": {', '"name": 5,', '"mood": "blue"'])
    expect(opened.locator("#requests-details pre").first).to_contain_text("violates undeclared-field")


def test_the_filter_stays_while_requests_arrive(opened: Page, client: ContentGroove, server: Server) -> None:
    """Neither the text nor the focus is lost."""
    httpx.get(f"{server.base_url}/films", trust_env=False)
    opened.get_by_label("Contains").fill("films")
    expect(opened.locator("#requests-list tbody tr")).to_have_count(1)
    list(client.medias.list())
    expect(opened.locator("#requests-list caption")).to_contain_text("1 of the last 2")
    expect(opened.get_by_label("Contains")).to_be_focused()
    expect(opened.get_by_label("Contains")).to_have_value("films")


def test_nothing_of_others_runs(page: Page, server: Server, client: ContentGroove, sink: Sink, watch: Watch) -> None:
    """Names, descriptions, URLs, headers, paths, payloads and files that would like to be markup or script."""
    post(server, "webhook_subscriptions", url=f"{sink.origin}/<img/src=x/onerror=alert(1)>")
    post(server, "medias", name=HOSTILE, description=HOSTILE, source_url="javascript:alert(1)")
    post(server, "medias", name=HOSTILE, description=HOSTILE, source_url="https://a.example/<script>alert(1)</script>")
    upload = client.direct_uploads.prepare()
    httpx.put(str(upload.upload_url), content=SVG, trust_env=False)
    post(server, "medias", name=f"svg {HOSTILE}", upload_id=upload.upload_id)
    httpx.get(f"{server.base_url}/{HOSTILE}", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)
    page.on("dialog", lambda dialog: watch.problems.append(f"dialog: {dialog.message}"))
    page.goto(f"{server.origin}/_mock/")
    for kind in ("medias", "subscriptions", "deliveries", "requests"):
        openers = page.locator(f"#{kind}-list button")
        expect(openers).not_to_have_count(0)
        for index in range(openers.count()):
            openers.nth(index).click()
            expect(page.locator(f"#{kind}-details article")).to_be_visible()
    assert page.title() == "ContentGroove mock: inspector"
    assert page.locator("main img, main script").count() == 0
    assert watch.problems == []
    # Opened by itself, an uploaded file does not become a page of this origin.
    for media_id in [media.id for media in client.medias.list()]:
        page.goto(f"{server.origin}/_mock/files/{media_id}")
        assert page.evaluate("window.origin") == "null" or "404" in " ".join(watch.problems)
        assert "owned" not in page.title()
    watch.problems.clear()


def test_it_works_by_keyboard_alone(opened: Page, client: ContentGroove) -> None:
    """Details open with Enter and take the focus; closing them gives it back, though the list was loaded again."""
    media = client.medias.wait(client.medias.upload(sample_video(), name="A film"))
    opened.keyboard.press("Tab")
    expect(opened.get_by_role("link", name="Skip to the content")).to_be_focused()
    opener = opened.get_by_role("button", name="A film")
    opener.focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("heading", name="A film")).to_be_focused()
    client.medias.update(media.id, name="Another film")
    expect(opened.locator("#medias-list")).to_contain_text("Another film")
    expect(opened.get_by_role("heading", name="A film")).to_be_focused()
    opened.get_by_role("button", name="Close media").focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_role("button", name="Another film")).to_be_focused()
    expect(opened.locator("#medias-details article")).to_have_count(0)


def test_focus_stays_in_a_list_that_is_loaded_again(opened: Page, client: ContentGroove) -> None:
    """Who reads a table is not thrown out of it by an update."""
    client.medias.create(source_url="https://a.example/a.mp4", name="First")
    opener = opened.get_by_role("button", name="First")
    opener.focus()
    client.medias.create(source_url="https://a.example/b.mp4", name="Second")
    expect(opened.get_by_role("button", name="Second")).to_be_visible()
    expect(opener).to_be_focused()


def test_a_click_is_not_lost_to_an_update(opened: Page, client: ContentGroove) -> None:
    """A list stays as it is between press and release, and is loaded again afterwards."""
    client.medias.create(source_url="https://a.example/a.mp4", name="First")
    box = opened.get_by_role("button", name="First").bounding_box()
    assert box is not None
    opened.mouse.move(box["x"] + 5, box["y"] + 5)
    opened.mouse.down()
    opened.evaluate(
        "document.getElementById('medias-list')"
        ".addEventListener('htmx:beforeSwap', () => { document.body.dataset.came = 'yes'; })"
    )
    client.medias.create(source_url="https://a.example/b.mp4", name="Second")
    expect(opened.locator("body[data-came]")).to_have_count(1)
    assert opened.get_by_role("button", name="Second").count() == 0
    opened.mouse.up()
    expect(opened.get_by_role("heading", name="First")).to_be_visible()
    expect(opened.get_by_role("button", name="Second")).to_be_visible()


def test_a_lost_connection_is_said(page: Page, watch: Watch) -> None:
    """Otherwise an old page would look like the truth."""
    with serve(Simulator(control=True)) as server:
        page.goto(f"{server.origin}/_mock/")
        expect(page.locator("#connection")).to_have_text("Updates arrive as they happen.")
    expect(page.locator("#connection")).to_have_text("Not connected: this may be out of date. Trying again.")
    assert watch.problems
    watch.problems.clear()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window(opened: Page, client: ContentGroove, server: Server, width: int, scheme: str) -> None:
    """With everything open; only tables and bodies scroll inside of it."""
    media = client.medias.wait(client.medias.upload(sample_video(), name="A film" + "m" * 200))
    post(server, "medias", name="x" * 300, unknown="y" * 300)
    opened.set_viewport_size({"width": width, "height": 800})
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened.get_by_role("button", name=str(media.name)).click()
    opened.get_by_role("button", name="POST /api/v1/medias").first.click()
    expect(opened.locator("#requests-details article")).to_be_visible()
    expect(opened.locator("#medias-details article")).to_be_visible()
    assert opened.evaluate("document.documentElement.scrollWidth") == width
