"""`contentgroove medias wait --inbox`: woken by events that another process receives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import contentgroove._sync.client
import pytest
from contentgroove.webhooks import WebhookReceiver
from contentgroove_mock import Policy, Simulator, serve

from tests.cli.conftest import CommandLine
from tests.cli.webhooks.folder import inbox_with
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line with a simulator whose medias are finished by the test."""
    with serve(Simulator(policy=Policy(processing_seconds=86_400))) as server:
        yield CommandLine(server, tmp_path)


def test_a_webhook_ends_a_wait(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inbox is checked each half second, the API is polled only at the start and after the event."""
    simulator, slept = cli.server.simulator, list[float]()
    with cli.client() as client:
        media = client.medias.create(source_url="https://films.example/a.mp4", name="Film")

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 20:
            simulator.finish_media(media.id)
            with inbox_with(cli) as inbox:
                WebhookReceiver(inbox).receive(body(finished(media.id)))

    monkeypatch.setattr(contentgroove._sync.client, "time", SimpleNamespace(sleep=sleep))
    inbox_with(cli).close()
    ran = cli("medias", "wait", media.id, "--inbox", "events.db")
    assert ran == (0, f"{media.id}\tfinished\tFilm\n", "")
    assert slept == [0.5] * 20
    assert [request.method for request in simulator.requests] == ["POST", "GET", "GET"]


def test_a_missing_inbox(cli: CommandLine) -> None:
    """It is wrong usage, and nothing is sent; an empty inbox is accepted."""
    ran = cli("medias", "wait", "some-id", "--inbox", "events.db")
    assert (ran.code, ran.out, cli.server.simulator.requests) == (2, "", [])
    assert "There is no inbox events.db" in ran.err
    inbox_with(cli).close()
    assert cli("medias", "wait", "some-id", "--inbox", "events.db").code == 4
