"""The page and its parts: what they show, that names stay texts, and that only this machine can read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove_mock import sample_video

from tests.simulator.driver import KEY

if TYPE_CHECKING:
    from tests.inspector.reader import Reader
    from tests.simulator.driver import Driver

pytestmark = pytest.mark.anyio

HOSTILE = "</script><img src=x onerror=alert(1)>"


async def test_a_media_is_shown_with_its_clips_on_a_timeline(driver: Driver, reader: Reader) -> None:
    """Positions are shares of the media's length; clips that overlap are in lanes of their own."""
    media = await driver.finished(upload_id=await driver.upload(), name="A film")
    await driver.post("/clips", media_id=media["id"], name="Mine", start_time=1.5, end_time=4.5)
    assert "A film ✓ finished 0:06 4" in await reader.text("medias")
    html = await reader.html(f"medias/{media['id']}")
    assert '<svg x="25.0%" y="28" width="50.0%"' in html
    text = await reader.text(f"medias/{media['id']}")
    assert "2. Mine 0:01.50 0:04.50 i queued made by a user" in text
    assert "Uploaded file 84.8 KiB" in text
    assert "4 clips over 0:06" in text
    assert f'<video controls preload="metadata" src="/_mock/files/{media["id"]}"' in html


async def test_the_states_of_a_media_are_shown(driver: Driver, reader: Reader) -> None:
    """From the queue to the end."""
    await driver.media()
    assert "i queued" in await reader.text("medias")
    driver.simulator.advance(1)
    await driver.simulator.wait_until_idle()
    assert "i processing" in await reader.text("medias")
    media = await driver.media(source_url="https://host.invalid/a.mp4")
    driver.simulator.fail_media(media["id"])
    assert "✕ failed" in await reader.text("medias")
    assert "there is no preview" in await reader.text(f"medias/{media['id']}")


async def test_the_preview_is_the_uploaded_file(driver: Driver, reader: Reader) -> None:
    """In its type, in parts, and as nothing that a browser would run."""
    media = await driver.media(upload_id=await driver.upload())
    response = await reader.client.get(f"/_mock/files/{media['id']}", headers={"Range": "bytes=4-7"})
    assert (response.status_code, response.content) == (206, sample_video().read_bytes()[4:8])
    assert response.headers["content-type"] == "video/mp4"
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("content", [b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', b"<html><script/>"])
async def test_what_is_no_film_is_not_served(driver: Driver, reader: Reader, content: bytes) -> None:
    """A file is what someone has uploaded; only films and sounds have a preview."""
    media = await driver.media(upload_id=await driver.upload(content))
    assert (await reader.client.get(f"/_mock/files/{media['id']}")).status_code == 404
    assert "<video" not in await reader.html(f"medias/{media['id']}")


async def test_names_stay_texts(driver: Driver, reader: Reader) -> None:
    """Whatever a client sends: names, descriptions, URLs, paths, headers and bodies."""
    unchecked, headers = reader.client, {"Authorization": f"Bearer {KEY}", "X-Name": HOSTILE}
    url = "http://127.0.0.1/<img/src=x/onerror=alert(1)>"
    for path, attributes in (
        ("webhook_subscriptions", {"url": url}),
        ("medias", {"name": HOSTILE, "description": HOSTILE, "source_url": url}),
    ):
        await unchecked.post(f"/api/v1/{path}", json={"data": {"attributes": attributes}}, headers=headers)
    media_id = next(iter(driver.simulator._context._service.state.medias))
    driver.simulator.finish_media(media_id)
    await driver.simulator.wait_until_idle()
    clip = {"media_id": media_id, "name": HOSTILE, "start_time": 0, "end_time": 1}
    await unchecked.post("/api/v1/clips", json={"data": {"attributes": clip}}, headers=headers)
    await unchecked.get(f"/api/v1/{HOSTILE}?{HOSTILE}=1", headers=headers)
    (delivery,) = driver.simulator.deliveries
    pages = [
        (await reader.client.get("/_mock/")).text,
        await reader.html(f"medias/{media_id}"),
        await reader.html(f"deliveries/{delivery.id}"),
        await reader.html(f"subscriptions/{delivery.subscription_id}"),
        *[await reader.html(f"requests/{number}") for number in range(1, 5)],
    ]
    assert [page for page in pages if "<img" in page or "alert(1)>" in page] == []
    assert sum("&lt;img src=x onerror=alert(1)&gt;" in page for page in pages) >= 7


async def test_every_attempt_of_a_delivery_is_shown(driver: Driver, reader: Reader) -> None:
    """With its time and result, the next attempt and the body."""
    driver.simulator._context.sender._client = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(503))
    )
    await driver.subscribe("http://127.0.0.1/hook?token=canary-token")
    media = await driver.finished(name="A film")
    await driver.simulator.wait_until_idle()
    assert "media.processing_finished 2026-01-01 00:00:00.000 i pending ✕ HTTP 503" in await reader.text("deliveries")
    text = await reader.text(f"deliveries/{driver.simulator.deliveries[0].id}")
    assert "Next attempt 2026-01-01 00:00:01.000" in text
    assert "1 2026-01-01 00:00:00.000 ✕ HTTP 503" in text
    assert f'"id": "{media["id"]}"' in text


async def test_tokens_are_shown_on_demand(driver: Driver, reader: Reader) -> None:
    """The list hides what may be one; a button reveals one URL."""
    subscription = await driver.subscribe("http://127.0.0.1/hook?token=canary-token")
    assert "canary-token" not in await reader.html("subscriptions")
    assert "canary-token" in await reader.html(f"subscriptions/{subscription['id']}")


@pytest.mark.parametrize("path", ["medias/1", "subscriptions/1", "deliveries/1", "requests/1"])
async def test_what_is_gone_says_so(reader: Reader, path: str) -> None:
    """In words, because scripts of the page show no error response."""
    assert "There is no" in await reader.text(path)


@pytest.mark.parametrize("path", ["", "/", "/events", "/static/style.css", "/files/1", "/inspector/medias"])
@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"Origin": "http://evil.test"}])
async def test_pages_of_others_read_nothing(reader: Reader, path: str, headers: dict[str, str]) -> None:
    """Neither by a name of their own that leads here, nor from another origin."""
    response = await reader.client.get(f"/_mock{path}", headers=headers)
    assert response.status_code == 400


async def test_the_page_runs_only_its_own_scripts_and_is_small(driver: Driver, reader: Reader) -> None:
    """No part of it is a script or a style of its own, and all that it loads comes from here."""
    await driver.finished()
    page = await reader.client.get("/_mock/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert " on" + "click" not in page.text
    assert page.text.count("<script") == page.text.count('<script src="/_mock/static/')
    names = ["style.css", "inspector.css", "inspector.js", "htmx.min.js", "sse.min.js", "icon.svg"]
    loaded = [await reader.client.get(f"/_mock/static/{name}") for name in names]
    assert [response.status_code for response in loaded] == [200] * 6
    assert all(f"static/{name}" in page.text for name in names)
    assert len(page.content) + sum(len(response.content) for response in loaded) < 120_000


@pytest.mark.parametrize("name", ["../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "missing.js", ""])
async def test_only_its_own_files_are_static(reader: Reader, name: str) -> None:
    """No path leads out of the folder."""
    assert (await reader.client.get(f"/_mock/static/{name}")).status_code in {404, 405}


async def test_reading_the_page_changes_nothing_on_it(driver: Driver, reader: Reader) -> None:
    """Otherwise two open pages would load each other's sections without end."""
    await driver.finished()
    inspector = driver.simulator._inspector
    assert inspector is not None
    before = inspector.sections.digests()
    await reader.client.get("/_mock/")
    await reader.html("medias")
    assert inspector.sections.digests() == before
    await driver.media()
    changed = {name for name, digest in inspector.sections.digests().items() if before[name] != digest}
    assert changed == {"overview", "coverage", "medias", "requests", "controls"}


async def test_reading_the_page_wakes_no_page(driver: Driver, reader: Reader) -> None:
    """Else an open page would look at the state again and again, because it looks by reading."""
    media = await driver.finished()
    woken: list[int] = []
    driver.simulator._context.on_change = lambda: woken.append(1)
    await reader.client.get("/_mock/")
    await reader.html(f"medias/{media['id']}")
    for section in ("overview", "medias", "subscriptions", "deliveries", "requests", "coverage", "controls"):
        await reader.html(section)
    inspector = driver.simulator._inspector
    assert inspector is not None
    inspector.sections.digests()
    assert woken == []
    await driver.media()
    assert woken != []


async def test_other_sections_are_not_found(reader: Reader) -> None:
    """Only the page's own."""
    assert (await reader.client.get("/_mock/inspector/films")).status_code == 404
