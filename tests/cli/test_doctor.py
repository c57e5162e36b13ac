"""`contentgroove doctor` with a service that is as documented, has drifted, or cannot be used."""

from __future__ import annotations

import datetime as dt
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import RetryPolicy
from contentgroove.cli import doctor
from contentgroove.cli.app import run
from contentgroove_mock import Fault, Simulator, serve
from contentgroove_mock.simulator.core.faults import API_OPERATIONS

from tests.sdk_calls import LISTS

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove_mock import Server
    from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.slow

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.UTC)


class Drifted:
    """A service whose medias have grown a field and a new kind; its clock is an hour late."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Change the responses of the simulator."""
        started: list[Message] = []

        async def changing(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            body = json.loads(message["body"])
            for item in body["data"]:
                item["attributes"]["mood"] = "https://store.example/f?X-Amz-Signature=canary"
                item["type"] = "films"
            content = json.dumps(body).encode()
            late = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
            headers.append((b"date", late.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()))
            await send({**started[0], "headers": headers})
            await send({"type": "http.response.body", "body": content})

        await self.simulator(scope, receive, changing)


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(api_keys=["right-key"])


@pytest.fixture
def server(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Generator[Server]:
    with serve(simulator) as server:
        monkeypatch.setenv("CONTENTGROOVE_BASE_URL", server.base_url)
        monkeypatch.setenv("CONTENTGROOVE_API_KEY", "right-key")
        yield server


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RetryPolicy, "backoff", lambda *_: 0.0)


def diagnosed(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    """Run it; returns the exit code and the checks by name."""
    code = run(["doctor", "--json", *options])
    found = json.loads(capsys.readouterr().out)
    return code, {check["name"]: check for check in found["checks"]} | {"ok": found["ok"]}


@pytest.mark.usefixtures("server")
def test_a_service_as_documented(capsys: pytest.CaptureFixture[str], simulator: Simulator) -> None:
    """Everything is fine, nothing was created, and the key is nowhere."""
    assert run(["doctor"]) == 0
    printed = capsys.readouterr()
    cells = [line.split("\t") for line in printed.out.splitlines()]
    lists = [path for path, methods in API_OPERATIONS.items() if methods.get("GET") in LISTS]
    assert [state for state, _, _ in cells] == [*["ok"] * (4 + len(lists)), "skipped"]
    assert [f"/{name}" for _, name, _ in cells][4:] == [*lists, "/not checked"]
    assert cells[-2][2].endswith(" ms; this response, with no items, is as documented.")
    assert cells[-1][2].startswith("Single items, further pages, filters, everything that creates")
    assert "right-key" not in printed.out + printed.err
    assert {record.method for record in simulator.requests} == {"GET"}
    assert [record.path for record in simulator.requests] == [f"/api/v1{path}" for path in lists]
    make_media(simulator)
    code, checks = diagnosed(capsys, "--strict")
    assert (code, checks["ok"]) == (0, True)
    assert checks["medias"]["message"].endswith(" ms; this response, with 1 item, is as documented.")


def test_a_service_that_has_drifted(capsys: pytest.CaptureFixture[str], simulator: Simulator) -> None:
    """New fields and values are named with their location, calls do not fail, and --strict fails."""
    with serve(simulator, app=Drifted(simulator)) as server:
        options = ("--base-url", server.base_url)
        key = pytest.MonkeyPatch()
        with key.context() as environment:
            environment.setenv("CONTENTGROOVE_API_KEY", "right-key")
            make_media(simulator)
            code, checks = diagnosed(capsys, *options)
            strict, _ = diagnosed(capsys, *options, "--strict")
    assert (code, strict) == (0, 1)
    assert checks["ok"] is True
    medias = checks["medias"]
    assert medias["state"] == "warning"
    assert "2 differences" in medias["message"]
    locations = " ".join(medias["details"])
    assert "response.body#/data/0/attributes/mood: undeclared-field" in locations
    assert "response.body#/data/0/type: enum" in locations
    assert "canary" not in json.dumps(checks)
    assert checks["clips"]["state"] == "ok"
    assert checks["clock"]["state"] == "warning"
    assert "ahead of the service's" in checks["clock"]["message"]


def make_media(simulator: Simulator) -> None:
    """Create one media in the account of the key."""
    from contentgroove import ContentGroove

    with serve(simulator) as plain, ContentGroove("right-key", plain.base_url) as client:
        client.medias.create(source_url="https://films.example/one.mp4")


@pytest.mark.usefixtures("server", "no_pauses")
@pytest.mark.parametrize(
    ("status", "code", "name"), [(402, 5, "clips"), (500, 11, "clips"), (404, 4, "clips"), (401, 3, "key")]
)
def test_a_resource_that_fails(
    capsys: pytest.CaptureFixture[str], simulator: Simulator, status: int, code: int, name: str
) -> None:
    """The exit code is that of the failure; the other resources are still checked."""
    simulator.add_fault(Fault(kind="status", operation="getClips", status=status, count=9))
    exit_code, checks = diagnosed(capsys)
    assert exit_code == code
    assert checks["ok"] is False
    assert checks["medias"]["state"] == "ok"
    assert checks[name]["state"] == "failed"
    assert checks[name]["hint"]
    assert ("webhook_subscriptions" in checks) == (name == "clips")
    left = checks["not checked"]["message"]
    assert left.startswith("Single items" if name == "clips" else "The lists of clips, webhook_subscriptions")


@pytest.mark.usefixtures("server")
def test_a_wrong_key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is reported, once."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "wrong-key")
    code = run(["doctor"])
    out = capsys.readouterr().out
    assert code == 3
    assert out.count("failed") == 1
    assert "wrong-key" not in out
    assert out.splitlines()[-1].startswith("skipped\tnot checked\tThe lists of medias, clips, webhook_subscriptions")


@pytest.mark.usefixtures("server")
def test_a_variable_that_is_mistyped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named while the right one is not set, also where the key is missing."""
    monkeypatch.setenv("CONTENTGROOVE_APIKEY", "canary")
    assert "environment" not in diagnosed(capsys)[1]
    monkeypatch.delenv("CONTENTGROOVE_API_KEY")
    code, checks = diagnosed(capsys)
    assert code == 3
    assert checks["environment"]["state"] == "warning"
    assert checks["environment"]["message"] == "The variable CONTENTGROOVE_APIKEY is not used."
    assert checks["environment"]["hint"] == "Did you mean CONTENTGROOVE_API_KEY?"
    assert run(["medias", "list"]) == 3
    err = capsys.readouterr().err
    assert "  The environment has CONTENTGROOVE_APIKEY. Did you mean CONTENTGROOVE_API_KEY?\n" in err
    assert "canary" not in err + str(checks)


@pytest.mark.parametrize(
    ("base_url", "proxy", "words"),
    [
        ("http://films.example/api/v1", None, "clear text"),
        ("films.example", None, "not an http or https URL"),
        ("https://films.example/api/v1", "bogus://proxy", "proxy in the environment cannot be used"),
    ],
)
def test_a_setting_that_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, base_url: str, proxy: str | None, words: str
) -> None:
    """It is said once, of the connection and not of the key, and nothing counts as checked."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "any-key")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
        if proxy is not None:
            monkeypatch.setenv(name, proxy)
    code, checks = diagnosed(capsys, "--base-url", base_url)
    assert code == 2
    assert words in checks["connection"]["message"]
    assert [name for name in checks if checks[name] is not False and checks[name]["state"] == "failed"] == [
        "connection"
    ]
    assert checks["not checked"]["message"].startswith("The lists of medias, clips, webhook_subscriptions")


def test_another_address_than_that_of_the_service(capsys: pytest.CaptureFixture[str], server: Server) -> None:
    """A list that does not exist says that the URL is wrong, not an id."""
    code, checks = diagnosed(capsys, "--base-url", f"{server.base_url}/nothing")
    assert code == 4
    assert checks["medias"]["hint"].startswith("Check --base-url or CONTENTGROOVE_BASE_URL")
    assert run(["medias", "list", "--base-url", f"{server.base_url}/nothing"]) == 4
    assert "Check --base-url" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--yes",), ("--timeout", "5"), ("--callback-port", "5"), ("--report", "x"), ("--file", "x")], ids=str
)
def test_options_that_need_another(capsys: pytest.CaptureFixture[str], option: tuple[str, ...]) -> None:
    """They are not silently ignored."""
    assert run(["doctor", *option]) == 2
    assert capsys.readouterr().err == f"error: {option[0]} needs --verify.\n"


def test_no_key_and_no_service(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The missing key or service is named, with the next step."""
    monkeypatch.delenv("CONTENTGROOVE_API_KEY", raising=False)
    code, checks = diagnosed(capsys)
    assert code == 3
    assert "CONTENTGROOVE_API_KEY" in checks["key"]["message"]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "any-key")
    code, checks = diagnosed(capsys, "--base-url", f"http://127.0.0.1:{port}/api/v1")
    assert code == 7
    assert checks["connection"]["state"] == "failed"
    assert "medias" not in checks
    assert checks["not checked"]["message"].startswith("The lists of medias, clips, webhook_subscriptions")


@pytest.mark.usefixtures("server")
def test_without_the_checker(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, everything else is checked, and the hint names the extra."""
    from contentgroove._io import contract_monitor

    monkeypatch.setattr(contract_monitor, "GROUP", "contentgroove.nothing")
    contract_monitor._checker.cache_clear()
    code, checks = diagnosed(capsys)
    contract_monitor._checker.cache_clear()
    assert code == 0
    assert checks["contract"]["state"] == "skipped"
    assert checks["medias"]["state"] == "ok"
    assert checks["medias"]["message"].endswith(" ms; not compared with the API's document.")


@pytest.mark.parametrize("columns", [40, 63, 64, 80, 200])
def test_lines_fit_the_terminal(columns: int) -> None:
    """A message stays beside or below its check, and none of its words is broken."""
    message = "Pages, filters, everything that creates or changes were not requested. --verify checks more."
    lines = ["  ".join(cells) for cells in doctor.aligned(("skipped", "not checked", message), columns)]
    assert max(map(len, lines)) <= columns
    assert " ".join(" ".join(lines).split()) == f"skipped not checked {message}"
    assert all(line.startswith("  ") for line in lines[1:])
    # A terminal that does not know its width.
    assert len(list(doctor.aligned(("ok", "key", message), 0))) > 5
    url = "https://films.example/" + "x" * 200
    assert [cells[-1] for cells in doctor.aligned(("", "", url), columns)] == [url]


@pytest.mark.parametrize(
    ("date", "state", "message"),
    [
        ("Sun, 01 Mar 2026 12:00:30 GMT", "ok", "Within 60 s"),
        ("Sun, 01 Mar 2026 11:59:00 GMT", "ok", "Within 60 s"),
        ("Sun, 01 Mar 2026 11:58:00 GMT", "warning", "120 s ahead of"),
        ("Sun, 01 Mar 2026 13:00:00 GMT", "warning", "3,600 s behind"),
        ("soon", "skipped", "no Date"),
        (None, "skipped", "no Date"),
    ],
)
def test_the_clock(date: str | None, state: str, message: str) -> None:
    """A minute either way is harmless."""
    check = doctor.check_clock(date, NOW)
    assert check.state == state
    assert message in check.message
