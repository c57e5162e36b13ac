"""The page's server with the simulated service, in process; every exchange is checked against the contract.

What the browser does with it: `tests/browser/test_upload_page.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import upload_page
from contentgroove import AsyncContentGroove
from contentgroove_mock import Fault, factories, sample_video

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from contentgroove_mock import Simulator
    from fastapi import FastAPI

pytestmark = pytest.mark.anyio

ORIGIN = "http://films.test"
VIDEO = sample_video().read_bytes()


class Delivered:
    """Passes webhooks to the tested application, in process."""

    app: FastAPI | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def delivered() -> Delivered:
    return Delivered()


@pytest.fixture
def contentgroove_options(delivered: Delivered) -> dict[str, Any]:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(delivered))
    return {"webhook_client": client, "allow_remote_webhooks": True}


@pytest.fixture
async def app(contentgroove_base_url: str, delivered: Delivered, tmp_path: Path) -> AsyncGenerator[FastAPI]:
    """The running application, which is subscribed to webhooks."""
    async with AsyncContentGroove(base_url=contentgroove_base_url) as client:
        subscription = await client.webhook_subscriptions.create(url=f"{ORIGIN}/contentgroove?token=secret")
        assert subscription.active
        app = upload_page.create_app(client, tmp_path, ORIGIN, "secret")
        delivered.app = app
        async with app.router.lifespan_context(app):
            yield app


@pytest.fixture
async def browser(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Sends requests as the page does."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as browser:
        yield browser


async def upload(browser: httpx.AsyncClient, name: str = "film.mp4", content: bytes = VIDEO) -> httpx.Response:
    """Send a file as the page does."""
    return await browser.post("/films", params={"name": name}, content=content)


async def wait_for_clips(app: FastAPI) -> list[Any]:
    """Return the clips of the newest film, as soon as the pages get them."""
    films: upload_page.Films = app.state.films
    with anyio.fail_after(20):
        async for snapshot in films.snapshots():
            if snapshot and (clips := snapshot[0]["clips"]) is not None:
                return list(clips)
    raise AssertionError


async def test_clips_appear_through_the_webhook(
    app: FastAPI, browser: httpx.AsyncClient, contentgroove_simulator: Simulator
) -> None:
    """The film is listed while it is processed, and then with the clips that the API has."""
    response = await upload(browser)
    assert response.status_code == 201
    media_id = response.json()["id"]
    assert app.state.films.all() == [{"id": media_id, "name": "film.mp4", "clips": None}]
    contentgroove_simulator.finish_media(media_id)
    clips = await wait_for_clips(app)
    async with AsyncContentGroove() as client:
        expected = [[clip.start_time, clip.end_time, clip.text] async for clip in client.clips.list()]
        media = await client.medias.get(media_id)
    assert clips == sorted(expected)
    assert len(clips) > 1
    assert (media.name, media.source_file_duration) == ("film.mp4", 6)


async def test_a_file_that_is_not_a_video_is_sent_nowhere(
    browser: httpx.AsyncClient, contentgroove_simulator: Simulator
) -> None:
    """The server looks into it, whatever its name is."""
    for content, status, problem in ((b"Dear diary", 415, "neither a video"), (b"", 422, "is empty")):
        response = await upload(browser, "diary.mp4", content)
        assert response.status_code == status
        assert response.json()["detail"].startswith(f"diary.mp4 {problem}" if status == 422 else "diary.mp4 is neither")
    assert {request.operation for request in contentgroove_simulator.requests} == {"createWebhookSubscription"}


async def test_a_used_up_quota_is_explained(
    app: FastAPI, browser: httpx.AsyncClient, contentgroove_simulator: Simulator
) -> None:
    """Nothing is listed, and the same film can be uploaded later."""
    contentgroove_simulator.set_quota(medias=0)
    response = await upload(browser)
    assert response.status_code == 402
    assert "quota of this ContentGroove account is used up" in response.json()["detail"]
    assert app.state.films.all() == []
    contentgroove_simulator.set_quota(medias=1)
    assert (await upload(browser)).status_code == 201


async def test_an_outage_is_explained(browser: httpx.AsyncClient, contentgroove_simulator: Simulator) -> None:
    """A short one is survived by the SDK, except while a film is sent: its bytes are no longer here."""
    contentgroove_simulator.add_fault(Fault(kind="status", operation="getUploadUrl", status=503))
    assert (await upload(browser)).status_code == 201
    contentgroove_simulator.add_fault(Fault(kind="status", operation="upload", status=503))
    response = await upload(browser, "second.mp4")
    assert response.status_code == 503
    assert response.json()["detail"] == (
        "ContentGroove accepts no films now. second.mp4 was not uploaded. Try again later."
    )


async def test_a_media_that_may_exist_is_not_called_missing(
    browser: httpx.AsyncClient, contentgroove_simulator: Simulator
) -> None:
    """If the response to its creation is lost, and the list cannot be read either."""
    contentgroove_simulator.add_fault(Fault(kind="reset", operation="createMedia", after_commit=True))
    contentgroove_simulator.add_fault(Fault(kind="status", operation="getMedias", status=503, count=100))
    response = await upload(browser)
    assert response.status_code == 502
    assert "did not confirm it" in response.json()["detail"]


async def test_a_webhook_that_comes_twice_changes_nothing(
    app: FastAPI, browser: httpx.AsyncClient, contentgroove_simulator: Simulator
) -> None:
    """The service delivers at least once."""
    contentgroove_simulator.add_fault(Fault(kind="duplicate", operation="webhook"))
    media_id = (await upload(browser)).json()["id"]
    contentgroove_simulator.finish_media(media_id)
    clips = await wait_for_clips(app)
    await contentgroove_simulator.wait_until_idle()
    assert len(contentgroove_simulator.deliveries) == 2
    assert await app.state.receiver.aprocess_pending() == 0
    assert [film["clips"] for film in app.state.films.all()] == [clips]


async def test_a_webhook_before_the_response(app: FastAPI) -> None:
    """A film is shown as soon as its upload has returned, and with its clips."""
    media = factories.media(name="film.mp4")
    event = factories.media_processing_finished(media, clips=[factories.clip(media_id=media.id)])
    app.state.films.finish(event)
    assert app.state.films.all() == []
    app.state.films.add(media.id, "film.mp4")
    [film] = app.state.films.all()
    assert [clip[2] for clip in film["clips"]] == [clip.text for clip in event.clips]


@pytest.mark.parametrize("token", ["", "?token=wrong"])
async def test_a_forged_webhook_is_refused(app: FastAPI, browser: httpx.AsyncClient, token: str) -> None:
    """Only the service knows the subscribed URL."""
    media_id = (await upload(browser)).json()["id"]
    event = factories.media_processing_finished(factories.media(id=media_id))
    assert (await browser.post(f"/contentgroove{token}", content=event.body)).status_code == 401
    assert await app.state.receiver.aprocess_pending() == 0
    assert app.state.films.all()[0]["clips"] is None


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://films.test.evil.test", None])
async def test_other_pages_upload_nothing(app: FastAPI, contentgroove_simulator: Simulator, origin: str | None) -> None:
    """A browser states from which page a request comes."""
    headers = {} if origin is None else {"Origin": origin}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers) as other:
        response = await upload(other)
    assert response.status_code == 403
    assert "http://films.test/ itself" in response.json()["detail"]
    assert {request.operation for request in contentgroove_simulator.requests} == {"createWebhookSubscription"}


async def test_the_page_has_a_strict_policy(browser: httpx.AsyncClient) -> None:
    """Nothing of others is loaded, and no inline script is run."""
    page = await browser.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for path in ("/static/page.js", "/static/page.css"):
        assert (await browser.get(path)).status_code == 200
        assert path.removeprefix("/") in page.text


async def test_a_restart_keeps_films_and_subscription(
    app: FastAPI, browser: httpx.AsyncClient, contentgroove_simulator: Simulator, tmp_path: Path
) -> None:
    """The token is found in the subscription; a webhook that came while nothing ran is found in the API."""
    async with AsyncContentGroove() as client:
        assert await upload_page.find_token(client, f"{ORIGIN}/contentgroove") == "secret"
        created = await upload_page.find_token(client, "https://films.example/contentgroove")
        assert await upload_page.find_token(client, "https://films.example/contentgroove") == created != "secret"
        contentgroove_simulator.drop_next_webhook(2)
        media_id = (await upload(browser)).json()["id"]
        contentgroove_simulator.finish_media(media_id)
        since = (await client.medias.get(media_id)).created_at
        assert await app.state.receiver.areconcile(client, since=since) == 1
    clips = await wait_for_clips(app)
    after_restart = upload_page.Films(tmp_path / "films.db")
    assert after_restart.all() == [{"id": media_id, "name": "film.mp4", "clips": clips}]
    after_restart.close()


async def test_a_stop_ends_what_is_open(
    app: FastAPI, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server waits for its requests: uploads get some time, and then a response; the pages' streams end at once."""
    monkeypatch.setattr(upload_page, "UPLOAD_GRACE", 0)

    async def unfinished() -> AsyncGenerator[bytes]:
        yield VIDEO + bytes(100_000)
        app.state.stop()
        await anyio.sleep_forever()

    headers = {"Content-Length": "1000000"}
    with anyio.fail_after(20):
        response = await browser.post("/films", params={"name": "film.mp4"}, content=unfinished(), headers=headers)
        assert [snapshot async for snapshot in app.state.films.snapshots()] == []
    assert response.status_code == 503
    assert response.json()["detail"].startswith("This page's server was stopped. film.mp4 was not uploaded.")


@pytest.mark.usefixtures("contentgroove_simulator")
@pytest.mark.parametrize(
    ("key", "arguments", "says"),
    [
        ("", ["--data", "."], "The page cannot start: There is no API key"),
        ("a-key", ["--data", "file"], "The page cannot start: "),
        ("a-key", ["--public-url", "http://films.example"], "The page cannot start: base must start with https://"),
    ],
)
def test_the_command_says_why_it_cannot_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, arguments: list[str], says: str
) -> None:
    """In a sentence; that it starts is tested with a browser."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", key)
    with pytest.raises(SystemExit, match=says):
        upload_page.main(arguments)


def test_the_public_url_is_the_address_of_a_site(capsys: pytest.CaptureFixture[str]) -> None:
    """Its path would not be in the Origin of a browser."""
    with pytest.raises(SystemExit):
        upload_page.main(["--public-url", "https://films.example/upload"])
    assert "--public-url must have no path" in capsys.readouterr().err
