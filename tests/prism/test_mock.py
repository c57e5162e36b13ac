"""Prism answers every operation of the contract with the examples of the contract."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from contentgroove import ContentGroove
from contentgroove.webhooks import MediaProcessingFinished, parse_event

from tests.prism.conftest import DOCUMENT, KEY, SECONDS, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx
    from contentgroove_mock.prism import Prism

ID = "9b9a2e82-5b47-4f59-831d-4c239824b983"
# Prism delivers webhooks to the URL of a subscription; the discard port of this machine takes none.
NOWHERE = "http://127.0.0.1:9/hook"
BODIES: dict[str, Json] = {
    "createClip": {"media_id": ID, "name": "Opening", "start_time": 0, "end_time": 2.5},
    "updateClipById": {"name": "Closing"},
    "createMedia": {"upload_id": "an-upload"},
    "updateMediaById": {"name": "Film"},
    "createWebhookSubscription": {"url": NOWHERE},
}
CASES = [
    pytest.param(method, path, operation["operationId"], int(status), answer, id=f"{operation['operationId']}-{status}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
    for status, answer in operation["responses"].items()
]


class QuietHandler(WSGIRequestHandler):
    """The standard library's handler without its log lines."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.mark.parametrize(("method", "path", "operation", "status", "answer"), CASES)
def test_every_documented_answer(
    http: httpx.Client, method: str, path: str, operation: str, status: int, answer: Json
) -> None:
    """Each operation gives each status that the contract documents for it, with the contract's example."""
    body = {"data": {"attributes": BODIES[operation]}} if operation in BODIES else None
    response = http.request(method, path.replace("{id}", ID), json=body, headers={"Prefer": f"code={status}"})
    assert response.status_code == status
    if status == 204:
        assert response.content == b""
    else:
        assert response.json() == answer["content"]["application/json"]["example"]


def test_the_cases_cover_the_service() -> None:
    """There are fifteen operations, and each has a success and a 401, a 429 and a 500."""
    statuses: dict[str, set[int]] = {}
    for case in CASES:
        _, _, operation, status, _ = case.values
        statuses.setdefault(str(operation), set()).add(int(str(status)))
    assert len(statuses) == 15
    assert all({401, 429, 500} < found for found in statuses.values())


@pytest.mark.parametrize("attributes", [{}, {"upload_id": "a", "source_url": "https://example.com/a.mp4"}])
def test_requests_that_break_the_contract_are_refused(http: httpx.Client, attributes: Json) -> None:
    """A media from neither or from both sources gets a 422, which shows that Prism reads the schemas."""
    assert http.post("/medias", json={"data": {"attributes": attributes}}).status_code == 422


def test_a_request_without_a_key_is_refused(http: httpx.Client) -> None:
    """No key, no answer."""
    del http.headers["Authorization"]
    assert http.get("/medias").status_code == 401


def test_the_sdk_reads_the_examples(prism: Prism) -> None:
    """What the contract gives as examples are models to the SDK."""
    listed, shown = (
        DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]["data"]
        for path in ("/medias", "/medias/{id}")
    )
    with ContentGroove(KEY, prism.base_url, max_retries=0) as client:
        assert [media.id for media in client.medias.list(limit=1)] == [listed[0]["id"]]
        assert client.medias.get(ID).id == shown["id"]
        client.medias.delete(ID)


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
