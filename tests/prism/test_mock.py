"""Prism answers every operation of the contract with the examples of the contract."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from contentgroove.webhooks import MediaProcessingFinished, parse_event

from tests.prism.conftest import SECONDS
from tests.prism.documented import ANSWERS, ATTRIBUTES, CALLS, ID, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx

    from tests.prism.documented import Json


class QuietHandler(WSGIRequestHandler):
    """The standard library's handler without its log lines."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_every_documented_answer(http: httpx.Client, answer: Answer) -> None:
    """Each operation gives each status that the contract documents for it, with the contract's example."""
    body = {"data": {"attributes": ATTRIBUTES[answer.operation]}} if answer.request_schema else None
    response = http.request(
        answer.method, answer.path.replace("{id}", ID), json=body, headers={"Prefer": f"code={answer.status}"}
    )
    assert response.status_code == answer.status
    if answer.schema is None:
        assert response.content == b""
    else:
        assert response.json() == answer.example


def test_the_answers_cover_the_service() -> None:
    """There are fifteen operations, all called here; each has a success and a 401, a 429 and a 500."""
    statuses: dict[str, set[int]] = {}
    for answer in ANSWERS:
        statuses.setdefault(answer.operation, set()).add(answer.status)
    assert len(statuses) == 15
    assert set(statuses) == set(CALLS)
    assert all({401, 429, 500} < found for found in statuses.values())


@pytest.mark.parametrize("attributes", [{}, {"upload_id": "a", "source_url": "https://example.com/a.mp4"}])
def test_requests_that_break_the_contract_are_refused(http: httpx.Client, attributes: Json) -> None:
    """A media from neither or from both sources gets a 422, which shows that Prism reads the schemas."""
    assert http.post("/medias", json={"data": {"attributes": attributes}}).status_code == 422


def test_a_request_without_a_key_is_refused(http: httpx.Client) -> None:
    """No key, no answer."""
    del http.headers["Authorization"]
    assert http.get("/medias").status_code == 401


def test_a_webhook_is_delivered(http: httpx.Client) -> None:
    """The contract's callback is one that tools can follow: Prism sends the event, and the SDK reads it."""
    bodies: SimpleQueue[bytes] = SimpleQueue()

    def receive(environ: Json, start: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
        bodies.put(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start("200 OK", [("Content-Length", "0")])
        return [b""]

    with make_server("127.0.0.1", 0, receive, handler_class=QuietHandler) as server:
        server.timeout = SECONDS
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        body = {"data": {"attributes": {"url": f"http://127.0.0.1:{server.server_port}/hook"}}}
        assert http.post("/webhook_subscriptions", json=body).status_code == 200
        thread.join()
    event = parse_event(bodies.get_nowait())
    assert isinstance(event, MediaProcessingFinished)
    assert event.media.id == ID
