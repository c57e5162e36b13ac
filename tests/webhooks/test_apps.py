"""The ASGI and the WSGI app: one suite of HTTP exchanges for both, then the details of each."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

import anyio
import httpx
import pytest
from contentgroove.webhooks import MemoryInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "canary-token"
LIMIT = 20_000


@pytest.fixture
def inbox() -> MemoryInbox:
    return MemoryInbox()


@pytest.fixture
def receiver(inbox: MemoryInbox) -> WebhookReceiver:
    return WebhookReceiver(inbox, secret_token=TOKEN, max_body_bytes=LIMIT)


@pytest.fixture(params=["asgi", "wsgi"])
def send(request: pytest.FixtureRequest, receiver: WebhookReceiver) -> Callable[..., httpx.Response]:
    """Send a request to either app."""

    def to_wsgi(method: str, url: str, **options: Any) -> httpx.Response:
        # The validator checks all of PEP 3333, such as reading with a size.
        transport = httpx.WSGITransport(validator(receiver.wsgi))
        with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
            return client.request(method, url, **options)

    def to_asgi(method: str, url: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(receiver.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, url, **options)

        return anyio.run(call)

    return to_wsgi if request.param == "wsgi" else to_asgi


def test_a_webhook_is_recorded(send: Callable[..., httpx.Response], inbox: MemoryInbox) -> None:
    """At any path, with the token in the query; exactly 200, again for a duplicate."""
    for path in ("/", "/hooks/contentgroove"):
        response = send("POST", path, params={"token": TOKEN, "tenant": "a"}, content=body(finished()))
        assert (response.status_code, response.text) == (200, "recorded\n")
    assert [event.body for event in inbox.events()] == [body(finished())]


@pytest.mark.parametrize("query", ["", "token=", "token=wrong", "token=%FF", "token", "token=wrong&token=canary-token"])
def test_a_request_without_the_token_gets_401(
    send: Callable[..., httpx.Response], inbox: MemoryInbox, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The response does not contain the right token, nor does the log."""
    # httpx logs the request's URL itself.
    with caplog.at_level(logging.DEBUG, "contentgroove"):
        response = send("POST", f"/?{query}", content=body(finished()))
    assert response.status_code == 401
    own = [record.getMessage() for record in caplog.records if record.name == "contentgroove"]
    assert TOKEN not in response.text + "".join(own)
    assert inbox.events() == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_another_method_gets_405(send: Callable[..., httpx.Response], method: str) -> None:
    """The response names the allowed method."""
    response = send(method, f"/?token={TOKEN}")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_an_invalid_event_gets_400(send: Callable[..., httpx.Response], inbox: MemoryInbox) -> None:
    """The response names the reason; a body with the token is kept if there is one."""
    for content, token in ((b"", TOKEN), (b"{", TOKEN), (b"{", "wrong")):
        response = send("POST", f"/?token={token}", content=content)
        status, reason = (400, "not a ContentGroove webhook") if token == TOKEN else (401, "The token")
        assert (response.status_code, reason in response.text) == (status, True)
    assert [event.body for event in inbox.events()] == [b"{"]


def test_an_oversized_body_gets_413(send: Callable[..., httpx.Response], inbox: MemoryInbox) -> None:
    """The limit itself is allowed."""
    content = body(finished())
    padded = content + b" " * (LIMIT - len(content))
    assert send("POST", f"/?token={TOKEN}", content=padded).status_code == 200
    assert send("POST", f"/?token={TOKEN}", content=padded + b" ").status_code == 413
    assert len(inbox.events()) == 1


async def asgi(receiver: WebhookReceiver, messages: list[dict[str, Any]], **scope: Any) -> tuple[list[Any], int]:
    """Run the ASGI app on raw messages; returns the messages that it sent and the number of unread ones."""
    sent: list[Any] = []
    waiting = list(messages)

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {"type": "http", "method": "POST", "query_string": f"token={TOKEN}".encode(), "headers": [], **scope}
    await receiver.asgi(whole, receive, send)
    return sent, len(waiting)


def part(content: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": content, "more_body": more}


@pytest.mark.anyio
async def test_asgi_stops_reading_at_the_limit(receiver: WebhookReceiver) -> None:
    """An endless body is neither kept nor read further."""
    sent, unread = await asgi(receiver, [part(b"x" * 8_000, more=True)] * 10)
    assert (sent[0]["status"], unread) == (413, 7)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"headers": [(b"content-length", b"20001")]}, 413),
        ({"headers": [(b"content-length", b"9" * 5_000)]}, 413),
        ({"query_string": b"token=wrong"}, 401),
        ({"method": "GET"}, 405),
    ],
)
async def test_asgi_refuses_before_it_reads(receiver: WebhookReceiver, scope: dict[str, Any], status: int) -> None:
    """If the head is enough for a refusal, the body is not read."""
    sent, unread = await asgi(receiver, [part(b"", more=False)], **scope)
    assert (sent[0]["status"], unread) == (status, 1)


@pytest.mark.anyio
async def test_asgi_ignores_a_truncated_request(receiver: WebhookReceiver, inbox: MemoryInbox) -> None:
    """The client has disconnected, and half an event is not an event."""
    messages = [part(body(finished()), more=True), {"type": "http.disconnect"}]
    assert await asgi(receiver, messages) == ([], 0)
    assert inbox.events() == []


@pytest.mark.anyio
async def test_asgi_joins_the_parts_of_a_body(receiver: WebhookReceiver, inbox: MemoryInbox) -> None:
    """Servers deliver a body in several messages."""
    content = body(finished())
    sent, _ = await asgi(receiver, [part(content[:50], more=True), part(content[50:], more=False)])
    assert sent[0]["status"] == 200
    assert [event.body for event in inbox.events()] == [content]


@pytest.mark.anyio
async def test_asgi_lifespan_and_other_protocols(receiver: WebhookReceiver) -> None:
    """A server can start and stop the app by itself; other protocols than http raise."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent, _ = await asgi(receiver, messages, type="lifespan")
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="not websocket"):
        await asgi(receiver, [], type="websocket")


def wsgi(receiver: WebhookReceiver, content: bytes, **environ: Any) -> str:
    """Run the WSGI app on a raw environment; returns the status line."""
    lines: list[str] = []
    whole = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": f"token={TOKEN}",
        "wsgi.input": io.BytesIO(content),
        **environ,
    }
    b"".join(receiver.wsgi(whole, lambda status, _: lines.append(status)))
    return lines[0]


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 400),
        ({"CONTENT_LENGTH": ""}, 400),
        ({"CONTENT_LENGTH": "none"}, 400),
        ({"CONTENT_LENGTH": "-5"}, 400),
        ({"CONTENT_LENGTH": "9" * 5_000}, 413),
        ({"CONTENT_LENGTH": "19999"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}, 200),
    ],
)
def test_wsgi_reads_the_announced_length(
    receiver: WebhookReceiver, inbox: MemoryInbox, environ: dict[str, Any], status: int
) -> None:
    """A truncated body, or one without a length, is refused; a chunked one is read if the server marks its end."""
    assert wsgi(receiver, body(finished()), **environ).startswith(f"{status} ")
    assert len(inbox.events()) == (status == 200)


def test_wsgi_reads_no_endless_body(receiver: WebhookReceiver) -> None:
    """Of a body without a length, at most one byte over the limit is read."""
    stream = io.BytesIO(b"x" * (10 * LIMIT))
    assert wsgi(receiver, b"", **{"wsgi.input": stream, "wsgi.input_terminated": True}).startswith("413")
    assert stream.tell() == LIMIT + 1
