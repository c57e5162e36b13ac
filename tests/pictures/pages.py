"""Takes pictures of the inspector and of the reports, with a real browser, from real runs."""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from contentgroove import ContentGroove
from contentgroove.webhooks import MemoryInbox, WebhookReceiver
from contentgroove_mock import ManualClock, Simulator, sample_video, serve
from contentgroove_mock.simulator.server import serve_app
from PIL import Image
from playwright.sync_api import expect

from tests.browser.chromium import launched
from tests.browser.screenshots import PUBLISHED, reports, run
from tests.pictures.terminal import SCHEMES
from tests.spec.published_changes import with_names_as_numbers

if TYPE_CHECKING:
    from contentgroove_mock import Server
    from playwright.sync_api import Page

    from tests.pictures.terminal import Scheme

WIDTH, HEIGHT = 1280, 900
SCALE = 1.25
"""Pixels of a picture for each CSS pixel: the pages show it smaller, and screens are finer."""

COLOURS = 96
REPORT_HEIGHTS = {"coverage": 1500, "changes": 900, "changes-for-an-app": 1000}
KEY = "any-key"
PORT, RECEIVER_PORT = 8080, 8000


def save(picture: bytes, path: Path) -> None:
    """Write a picture with few colours, which makes it small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def prepare(client: ContentGroove, server: Server) -> None:
    """Make two medias with clips, webhooks that succeed at the second attempt, and a request that is wrong."""
    simulator = server.simulator
    client.webhook_subscriptions.create(url=f"http://127.0.0.1:{RECEIVER_PORT}/contentgroove")
    film = client.medias.upload(sample_video(), name="Opening night")
    client.medias.create(source_url="https://films.test/interview.mp4", name="Interview")
    # The receiver does not run yet, so the first attempts fail.
    simulator.advance(3)
    client.clips.create(media_id=film.id, name="Applause", start_time=1.5, end_time=4.5)
    with serve_app(WebhookReceiver(MemoryInbox()).asgi, RECEIVER_PORT):
        simulator.advance(3)
    httpx.post(
        f"{server.base_url}/medias",
        json={"data": {"attributes": {"name": 5, "source_url": "https://films.test/talk.mp4", "mood": "blue"}}},
        headers={"Authorization": f"Bearer {KEY}"},
        trust_env=False,
    )


def inspector(page: Page, folder: Path, scheme: Scheme) -> None:
    """Take the pictures of the inspector: a media, a delivery, a violation."""
    page.goto(f"http://127.0.0.1:{PORT}/_mock/")
    page.get_by_role("button", name="Opening night").first.click()
    # Before HAVE_ENOUGH_DATA and NETWORK_IDLE, the player shows that it loads.
    video = page.locator("video")
    video.evaluate("film => { film.currentTime = 2; }")
    for name, value in (("seeking", False), ("readyState", 4), ("networkState", 1)):
        expect(video).to_have_js_property(name, value)
    page.get_by_label("Only with violations").check()
    page.get_by_text("1 of the last").wait_for()
    page.get_by_role("button", name="POST /api/v1/medias").click()
    page.locator("#requests-details mark").first.wait_for()
    # So that no button looks as if the mouse were over it.
    page.mouse.move(0, 0)
    for name in ("deliveries", "requests", "medias"):
        save(page.locator(f"#{name}").screenshot(), folder / f"inspector-{name}-{scheme}.png")


def app_report(folder: Path, coverage: Path) -> Path:
    """Compare the published document with an invented next one, for the app that a coverage report describes."""
    document = json.loads((PUBLISHED / "1.3.17.json").read_text(encoding="utf-8"))
    changed = with_names_as_numbers(document)
    body = changed["paths"]["/medias"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["data"]["properties"]["attributes"]["required"] = ["description"]
    invented, written = folder / "invented.json", folder / "changes-for-an-app.html"
    invented.write_text(json.dumps(changed), encoding="utf-8")
    documents = (str(PUBLISHED / "1.3.17.json"), str(invented))
    run(
        "contentgroove",
        "spec",
        "diff",
        *documents,
        "--format",
        "html",
        "--output",
        str(written),
        "--coverage",
        str(coverage),
    )
    return written


def report(page: Page, path: Path, folder: Path, scheme: Scheme) -> None:
    """Take the picture of a report's beginning."""
    page.goto(path.as_uri())
    page.set_viewport_size({"width": WIDTH, "height": REPORT_HEIGHTS[path.stem]})
    save(page.screenshot(), folder / f"{path.stem}-{scheme}.png")


def write(folder: Path) -> None:
    """Write the pictures of all pages into a folder."""
    with tempfile.TemporaryDirectory() as work, launched() as browser:
        # Figures of the benchmarks are true for one machine only; their report has no picture.
        written = list(itertools.islice(reports(Path(work)), 2))
        written.append(app_report(Path(work), Path(work) / "coverage.json"))
        simulator = Simulator(clock=ManualClock(), seed=1, control=True)
        with serve(simulator, PORT) as server, ContentGroove(KEY, server.base_url) as client:
            prepare(client, server)
            for scheme in SCHEMES:
                context = browser.new_context(
                    viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, device_scale_factor=SCALE
                )
                page = context.new_page()
                inspector(page, folder, scheme)
                for path in written:
                    report(page, path, folder, scheme)
                context.close()
