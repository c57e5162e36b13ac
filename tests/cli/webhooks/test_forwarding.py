"""`contentgroove webhooks listen --forward-to`: processes, terminals and an application that fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove.webhooks import parse_event

from tests.cli.schemas import check
from tests.cli.webhooks.application import Application, application
from tests.cli.webhooks.conftest import TOKEN
from tests.cli.webhooks.folder import KEY, inbox_with, saved
from tests.platforms import PIPES, SIGNALS, TERMINALS
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import CommandLine
    from tests.cli.webhooks.conftest import Listener

pytestmark = [PIPES, SIGNALS, pytest.mark.process]


@pytest.fixture
def app() -> Iterator[Application]:
    """An application that receives."""
    with application() as served:
        yield served


def test_events_are_forwarded_as_they_came(cli: CommandLine, app: Application, listen: Callable[..., Listener]) -> None:
    """Bytes, type and token; the sender gets its 200 whatever the application returns, and both are printed."""
    listener = listen("--inbox", "events.db", "--json", "--forward-to", app.url)
    content = b" " + body(finished()) + b"\n"
    app.status = 302
    sent = httpx.post(
        f"{listener.url}?token={TOKEN}", content=content, headers={"Content-Type": "application/json; v=1"}
    )
    assert sent.status_code == 200
    arrived, forwarded = (json.loads(line) for line in listener.out.wait_for(r"\n.*\n").splitlines())
    check("Arrived", arrived)
    check("Forwarded", forwarded)
    assert (forwarded["key"], forwarded["status"], forwarded["delivered"]) == (KEY, 302, False)
    assert "was not followed" in forwarded["reason"]
    assert (app.bodies, app.paths) == ([content], [f"/hook?token={TOKEN}"])
    assert app.headers[0]["content-type"] == "application/json; v=1"
    assert httpx.post(f"{listener.url}?token={TOKEN}", content=b"{").status_code == 400
    assert listener.stop() == 0
    assert len(app.bodies) == 1
    assert [event.state for event in inbox_with(cli).events()] == ["dead", "pending"]
    assert TOKEN not in listener.out.text + listener.err.rest()


def test_an_application_that_cannot_be_reached(cli: CommandLine, listen: Callable[..., Listener]) -> None:
    """The failure is printed, and listening goes on."""
    listener = listen("--forward-to", "http://127.0.0.1:1/")
    for _ in range(2):
        assert cli("webhooks", "replay", saved(cli), "--to", listener.url).code == 0
    assert "not delivered\tno response" in listener.out.wait_for("(?s)forwarded.*forwarded.*\n")
    assert listener.stop() == 0


@TERMINALS
def test_the_last_event_is_forwarded_again(cli: CommandLine, app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a key in a terminal, and at the start with --replay-last; a narrow terminal without colours is enough."""
    monkeypatch.setenv("CONTENTGROOVE_WEBHOOK_TOKEN", TOKEN)
    inbox_with(cli, "m-1", "m-2").close()
    with cli.terminal(
        "webhooks", "listen", "--inbox", "events.db", "--forward-to", app.url, "--replay-last",
        columns=60, environment={"NO_COLOR": "1"},
    ) as terminal:  # fmt: skip
        terminal.wait_for("forwarded  delivered")
        terminal.type("x\nr\n")
        terminal.wait_for("(?s)forwarded  delivered.*forwarded  delivered")
        terminal.type("\x03")
        assert terminal.end() == 0
    assert [parse_event(content).dedupe_key.split(":")[2] for content in app.bodies] == ["m-2", "m-2"]
    assert "\x1b[3" not in terminal.raw.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--replay-last",), "need --forward-to"),
        (("--allow-http",), "need --forward-to"),
        (("--replay-last", "--forward-to", "http://127.0.0.1:1/"), "needs --inbox"),
        (("--forward-to", "http://app:8000/"), "--allow-http"),
        (("--forward-to", "nonsense"), "not an http or https URL"),
    ],
)
def test_wrong_usage(cli: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    """It is named before anything listens."""
    ran = cli("webhooks", "listen", *arguments)
    assert (ran.code, words in ran.err, "Listening" in ran.err) == (2, True, False)
