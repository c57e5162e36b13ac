"""Tests of Highlights with the simulated service; every exchange is checked against the contract.

Run `pytest examples/highlights --contentgroove-coverage=contract.html` to see which parts of the API the application
uses.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove_mock import Fault, sample_video
from highlights import Highlights

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove import ContentGroove
    from contentgroove_mock import Simulator


class Delivered:
    """Passes webhooks to the tested application, in process."""

    app: Highlights | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        assert self.app is not None
        await self.app.receiver.asgi(scope, receive, send)


@pytest.fixture
def delivered() -> Delivered:
    return Delivered()


@pytest.fixture
def contentgroove_options(delivered: Delivered) -> dict[str, Any]:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(delivered))
    return {"webhook_client": client, "allow_remote_webhooks": True}


@pytest.fixture
def app(contentgroove_client: ContentGroove, delivered: Delivered, tmp_path: Path) -> Highlights:
    contentgroove_client.webhook_subscriptions.create(url="https://highlights.example/hook")
    delivered.app = Highlights(contentgroove_client, tmp_path)
    return delivered.app


def test_a_film_becomes_a_cut_list(app: Highlights, contentgroove_simulator: Simulator, tmp_path: Path) -> None:
    """The upload does not wait; the webhook brings the result."""
    media_id = app.hand_in(sample_video())
    assert media_id is not None
    assert not list(tmp_path.glob("*.csv"))
    contentgroove_simulator.finish_media(media_id)
    app.receiver.process_pending()
    with (tmp_path / f"{media_id}.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["start", "end", "text"]
    assert 1 <= len(rows) <= 3
    assert [float(row[0]) for row in rows] == sorted(float(row[0]) for row in rows)


def test_a_webhook_that_comes_twice_is_handled_once(
    app: Highlights, contentgroove_simulator: Simulator, tmp_path: Path
) -> None:
    """The service delivers at least once."""
    contentgroove_simulator.add_fault(Fault(kind="duplicate", operation="webhook"))
    media_id = app.hand_in(sample_video())
    assert media_id is not None
    contentgroove_simulator.finish_media(media_id)
    assert app.receiver.process_pending() == 1
    assert len(contentgroove_simulator.deliveries) == 2
    assert len(list(tmp_path.glob("*.csv"))) == 1


def test_an_outage_is_survived(app: Highlights, contentgroove_simulator: Simulator) -> None:
    """The SDK retries failed requests."""
    contentgroove_simulator.add_fault(Fault(kind="status", operation="getUploadUrl", status=503, count=2))
    contentgroove_simulator.add_fault(Fault(kind="status", operation="upload", status=500))
    assert app.hand_in(sample_video())


def test_a_used_up_quota_is_reported(app: Highlights, contentgroove_simulator: Simulator) -> None:
    """The film can be uploaded next month."""
    contentgroove_simulator.set_quota(medias=0)
    assert app.hand_in(sample_video()) is None
    contentgroove_simulator.set_quota(medias=1)
    assert app.hand_in(sample_video())
