"""Prism serves every operation of the contract with the examples of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove.webhooks import MediaProcessingFinished, parse_event

from tests.prism.conftest import SECONDS
from tests.prism.documented import ATTRIBUTES, CALLS, ID, RESPONSES, Documented
from tests.prism.upstream import Canned, Upstream

if TYPE_CHECKING:
    import httpx

    from tests.prism.documented import Json

pytestmark = pytest.mark.process


@pytest.mark.parametrize("documented", RESPONSES, ids=str)
def test_every_documented_response(http: httpx.Client, documented: Documented) -> None:
    """Each operation returns each status that the contract documents for it, with the contract's example."""
    body = {"data": {"attributes": ATTRIBUTES[documented.operation]}} if documented.request_schema else None
    response = http.request(
        documented.method,
        documented.path.replace("{id}", ID),
        json=body,
        headers={"Prefer": f"code={documented.status}"},
    )
    assert response.status_code == documented.status
    if documented.schema is None:
        assert response.content == b""
    else:
        assert response.json() == documented.example


def test_the_responses_cover_the_service() -> None:
    """There are fifteen operations, all called here; each has a success and a 401, a 429 and a 500."""
    statuses: dict[str, set[int]] = {}
    for documented in RESPONSES:
        statuses.setdefault(documented.operation, set()).add(documented.status)
    assert len(statuses) == 15
    assert set(statuses) == set(CALLS)
    assert all({401, 429, 500} < found for found in statuses.values())


@pytest.mark.parametrize("attributes", [{}, {"upload_id": "a", "source_url": "https://example.com/a.mp4"}])
def test_requests_that_violate_the_contract_are_rejected(http: httpx.Client, attributes: Json) -> None:
    """A media from neither or from both sources gets a 422, which shows that Prism applies the schemas."""
    assert http.post("/medias", json={"data": {"attributes": attributes}}).status_code == 422


def test_a_request_without_a_key_is_rejected(http: httpx.Client) -> None:
    """Without a key the status is 401."""
    del http.headers["Authorization"]
    assert http.get("/medias").status_code == 401


def test_a_webhook_is_delivered(http: httpx.Client) -> None:
    """The contract's callback is one that tools can follow: Prism sends the event, and the SDK reads it."""
    with Upstream(Canned(200, {}, b"")) as receiver:
        body = {"data": {"attributes": {"url": f"{receiver.origin}/hook"}}}
        assert http.post("/webhook_subscriptions", json=body).status_code == 200
        received = receiver.received.get(timeout=SECONDS)
    assert (received.method, received.target) == ("POST", "/hook")
    event = parse_event(received.content)
    assert isinstance(event, MediaProcessingFinished)
    assert event.media.id == ID
