"""The examples in the package's documentation, run unchanged in each framework."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from contentgroove import webhooks
from contentgroove.webhooks import MemoryInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    Send = Callable[..., tuple[int, str]]

TOKEN = "canary-token"
PATH = "/contentgroove"


def documented(framework: str, **names: Any) -> dict[str, Any]:
    """Run the documentation's example of a framework; returns the names that it defines."""
    assert webhooks.__doc__ is not None
    found = re.search(rf"^{framework}.*::\n\n((?:    .*\n|\n)+)", webhooks.__doc__, re.MULTILINE)
    assert found is not None
    names["__name__"] = "example"
    exec(re.sub("^    ", "", found[1], flags=re.MULTILINE), names)  # noqa: S102 - the package's own documentation
    return names


@pytest.fixture
def receiver() -> WebhookReceiver:
    return WebhookReceiver(MemoryInbox(), secret_token=TOKEN)


def asgi_sender(app: Any) -> Send:
    async def call(method: str, path: str, content: bytes) -> tuple[int, str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            response = await client.request(method, path, content=content)
            return response.status_code, response.text

    return lambda *arguments: anyio.run(call, *arguments)


def fastapi_app(receiver: WebhookReceiver) -> Send:
    from fastapi import FastAPI

    return asgi_sender(documented("FastAPI", app=FastAPI(), receiver=receiver)["app"])


def starlette_app(receiver: WebhookReceiver) -> Send:
    from starlette.applications import Starlette

    return asgi_sender(documented("FastAPI, Starlette", app=Starlette(), receiver=receiver)["app"])


def flask_app(receiver: WebhookReceiver) -> Send:
    from flask import Flask

    client = documented("Flask", app=Flask("example"), receiver=receiver)["app"].test_client()

    def send(method: str, path: str, content: bytes) -> tuple[int, str]:
        response = client.open(path, method=method, data=content)
        return response.status_code, response.text

    return send


def django_app(receiver: WebhookReceiver) -> Send:
    # Django ships no types.
    django: Any = import_module("django")
    settings: Any = import_module("django.conf").settings
    test: Any = import_module("django.test")
    if not settings.configured:
        middleware = ["django.middleware.csrf.CsrfViewMiddleware"]
        settings.configure(ALLOWED_HOSTS=["*"], MIDDLEWARE=middleware, USE_TZ=True)
        django.setup()
    names = documented(
        "Django",
        receiver=receiver,
        HttpResponse=import_module("django.http").HttpResponse,
        path=import_module("django.urls").path,
        csrf_exempt=import_module("django.views.decorators.csrf").csrf_exempt,
        require_POST=import_module("django.views.decorators.http").require_POST,
    )
    client = test.Client(enforce_csrf_checks=True)

    class Urls:
        """Replaces the module that ROOT_URLCONF names."""

        urlpatterns = names["urlpatterns"]

    def send(method: str, path: str, content: bytes) -> tuple[int, str]:
        with test.override_settings(ROOT_URLCONF=Urls):
            response = client.generic(method, path, content, content_type="application/json")
        return response.status_code, response.content.decode()

    return send


def aiohttp_app(receiver: WebhookReceiver) -> Send:
    from aiohttp import web
    from aiohttp.test_utils import TestClient, TestServer

    async def call(method: str, path: str, content: bytes) -> tuple[int, str]:
        app = documented("aiohttp", app=web.Application(), receiver=receiver, web=web)["app"]
        async with TestClient(TestServer(app)) as client:
            response = await client.request(method, path, data=content)
            return response.status, await response.text()

    return lambda *arguments: anyio.run(call, *arguments)


@pytest.fixture(params=[fastapi_app, starlette_app, flask_app, django_app, aiohttp_app])
def send(request: pytest.FixtureRequest, receiver: WebhookReceiver) -> Send:
    """Send a request to an app that follows the documentation."""
    made: Send = request.param(receiver)
    return made


def test_webhooks_are_received(send: Send, receiver: WebhookReceiver) -> None:
    """Recorded once, with status 200 and without a redirect, only at the exact path; the rest is refused."""
    events: list[Any] = []
    receiver.on("*")(events.append)
    content = body(finished())
    for _ in range(2):
        assert send("POST", f"{PATH}?token={TOKEN}", content)[0] == 200
    status, text = send("POST", f"{PATH}?token=wrong", content)
    assert (status, "token" in text) == (401, True)
    assert send("POST", f"{PATH}?token={TOKEN}", b"{")[0] == 400
    assert send("GET", f"{PATH}?token={TOKEN}", b"")[0] == 405
    assert receiver.process_pending() == 1
    assert [event.media.id for event in events] == ["m-1"]


@pytest.mark.anyio
async def test_a_worker_lives_as_long_as_an_app() -> None:
    """Its context is a lifespan."""
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from starlette.routing import Route

    receiver = WebhookReceiver(MemoryInbox())
    handled = anyio.Event()

    @receiver.on("media.processing_finished")
    async def handle(_: Any) -> None:
        await anyio.lowlevel.checkpoint()
        handled.set()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with receiver.worker(poll_interval=3_600):
            yield

    app = FastAPI(lifespan=lifespan)
    app.router.routes.append(Route(PATH, receiver.asgi))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        assert (await client.post(PATH, content=body(finished()))).status_code == 200
        with anyio.fail_after(10):
            await handled.wait()
