"""`contentgroove doctor --verify`: what is printed, written and returned."""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from contentgroove.verification.ledger import read_ledger
from contentgroove_mock import Fault, Simulator, serve

from tests.cli.conftest import DEADLINE, QUICK, CommandLine
from tests.platforms import SIGNALS, TERMINALS
from tests.verification.proxy import Proxy, Request, Response, on_request
from tests.verification.turned import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

LEDGER = read_ledger()
READING = [name for name, entry in LEDGER.items() if entry.check == "reading"]


@pytest.fixture
def turned(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line with a service whose page 0 is page 1."""
    simulator = Simulator(policy=QUICK)
    with serve(simulator, app=Proxy(simulator, RULES["page-zero"])) as server:
        cli = CommandLine(server, tmp_path)
        cli.media()
        yield cli


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_reading_only(own_cli: CommandLine) -> None:
    """A line for each entry: verdict, id, what was seen; the reasons for what was not tried; nothing is created."""
    own_cli.media()
    own_cli.server.simulator.clear_requests()
    ran = own_cli("doctor", "--verify")
    assert ran.code == 0
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert [row[1] for row in rows] == list(LEDGER)
    found = {row[1]: (row[0], row[2]) for row in rows}
    assert found["key-bearer"] == ("confirmed", "GET /medias returned 200 with the key in that form.")
    assert found["key-query"] == ("not tried", "It costs a media: pass --writes.")
    assert found["retry-after"] == ("not tried", LEDGER["retry-after"].untried)
    assert "refuted" not in {row[0] for row in rows}
    counts = [sum(row[0] == verdict for row in rows) for verdict in ("confirmed", "refuted", "not tried")]
    assert ran.err == f"{counts[0]} confirmed, 0 refuted, {counts[2]} not tried.\n"
    assert counts[0] > 40
    assert {record.method for record in own_cli.server.simulator.requests} == {"GET"}
    assert own_cli.key not in ran.out + ran.err


def test_writes_with_webhooks(own_cli: CommandLine) -> None:
    """Everything but long lists is confirmed in an empty account; the plan is printed before, the report is JSON."""
    url = f"http://127.0.0.1:{free_port()}/hook?token=canary"
    ran = own_cli("doctor", "--verify", "--writes", "--yes", "--json", "--report", "report.json", "--callback-url", url)
    assert ran.code == 0, ran.err
    assert ran.err.startswith(f"This creates at {own_cli.server.base_url}: a media of a video of 6 seconds")
    document = ran.document
    assert document == json.loads((own_cli.folder / "report.json").read_text(encoding="utf-8"))
    assert document["base_url"] == own_cli.server.base_url
    found = {item["id"]: item["verdict"] for item in document["results"]}
    assert [name for name, verdict in found.items() if verdict != "confirmed" and LEDGER[name].check != "none"] == [
        "page-default-size",
        "page-size-capped",
        "order-default",
    ]
    assert document["left"] == []
    assert "canary" not in json.dumps(document)
    with own_cli.client() as client:
        assert list(client.medias.list()) == list(client.webhook_subscriptions.list()) == []


def test_a_refuted_entry(turned: CommandLine) -> None:
    """The exit code is 1; what was assumed and what breaks are printed, and the report has the exchange."""
    ran = turned("doctor", "--verify", "--report", "report.json", "--only", "page-zero", "--only", "page-beyond-end")
    assert ran.code == 1
    entry = LEDGER["page-zero"]
    assert [line.split("\t") for line in ran.out.splitlines()] == [
        ["confirmed", "page-beyond-end", "GET /clips returned 200 for page 1000000, data: 0 items."],
        ["refuted", "page-zero", "GET /clips returned 200 for page 0."],
        ["", "", f"Assumed: {entry.statement}"],
        ["", "", f"So: {entry.if_wrong}"],
    ]
    report = json.loads((turned.folder / "report.json").read_text(encoding="utf-8"))
    exchange = report["results"][1]["exchanges"][0]
    assert (exchange["request"]["url"], exchange["response"]["status"]) == ("/clips?page[number]=0", 200)
    assert turned.key not in json.dumps(report)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--verify", "--writes"], "This needs a confirmation"),
        (["--writes"], "--writes needs --verify."),
        (["--report", "x.json"], "--report needs --verify."),
        (["--verify", "--yes"], "--yes needs --writes."),
        (["--verify", "--file", "x.mp4"], "--file needs --writes."),
        (["--verify", "--callback-url", "http://127.0.0.1:1/"], "--callback-url needs --writes."),
        (["--verify", "--writes", "--callback-port", "80"], "--callback-port needs --callback-url."),
        (["--verify", "--writes", "--callback-url", "ftp://127.0.0.1:1/"], "--callback-url must be"),
        (["--verify", "--writes", "--callback-url", "https://app.example/"], "--callback-port the port"),
        (["--verify", "--writes", "--callback-url", "http://127.0.0.1:1/#a"], "without a fragment"),
        (["--verify", "--only", "no-entry"], "There is no assumption 'no-entry'."),
        (["--verify", "--only", "page-zerro"], "Did you mean 'page-zero'?"),
    ],
)
def test_wrong_usage(cli: CommandLine, options: list[str], message: str) -> None:
    """The exit code is 2, and nothing is sent."""
    before = len(cli.server.simulator.requests)
    ran = cli("doctor", *options)
    assert ran.code == 2
    assert message in ran.err
    assert len(cli.server.simulator.requests) == before


def test_other_files(cli: CommandLine) -> None:
    """A file that is missing or too large is named before anything is sent."""
    long = cli.file("long.mp4", size=200 * 1024 * 1024)
    for name, message in ((long, "pass a file of a few seconds"), ("missing.mp4", "Cannot read missing.mp4")):
        ran = cli("doctor", "--verify", "--writes", "--yes", "--file", name)
        assert ran.code == 12
        assert message in ran.err


def test_a_port_in_use(cli: CommandLine) -> None:
    """It is named, with the option to choose another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        ran = cli("doctor", "--verify", "--writes", "--yes", "--callback-url", url)
    assert ran.code == 1
    assert "Cannot listen on port" in ran.err
    assert "--callback-port" in ran.err


def test_what_cannot_be_deleted(own_cli: CommandLine) -> None:
    """The exit code is 14, and each is named."""
    for operation in ("deleteMediaById", "deleteClipById"):
        own_cli.server.simulator.add_fault(Fault(kind="status", operation=operation, status=500, count=99))
    ran = own_cli("doctor", "--verify", "--writes", "--yes", "--only", "create-returns-200")
    assert ran.code == 14
    assert ran.err.count("was created and could not be deleted. Delete it.") == 4
    with own_cli.client() as client:
        for media in client.medias.list():
            assert f"warning: /medias/{media.id} was created" in ran.err


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401}, 3),
        ({"status": 404}, 11),
        ({"status": 503}, 7),
        ({"status": 429, "retry_after": "9999"}, 6),
    ],
)
def test_a_service_that_cannot_be_used(own_cli: CommandLine, fault: dict[str, object], code: int) -> None:
    """The exit code says why nothing was checked, and a hint what to do."""
    own_cli.server.simulator.add_fault(
        Fault(kind="status", operation="getMedias", count=99, **fault)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )
    ran = own_cli("doctor", "--verify")
    assert ran.code == code
    assert ran.out == ""
    assert [line[:7] for line in ran.err.splitlines()] == ["error: ", "  Try a" if code == 6 else "  Check"]


def test_debugging(cli: CommandLine) -> None:
    """--debug shows each request, without the key."""
    ran = cli("doctor", "--verify", "--debug", "--only", "page-zero", "--only", "error-401")
    assert "debug: GET /medias?page[size]=1 -> 200" in ran.err
    assert "debug: GET /medias?page[size]=1 -> 401" in ran.err
    assert cli.key not in ran.err


@pytest.mark.process
@SIGNALS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_deletes_what_was_created(own_cli: CommandLine, number: signal.Signals) -> None:
    """While the run waits for the media, Ctrl-C or SIGTERM ends it, and nothing stays."""
    slow = Simulator()
    with serve(slow) as server:
        cli = CommandLine(server, own_cli.folder)
        with cli.started("doctor", "--verify", "--writes", "--yes", "--debug") as child:
            assert child.stderr is not None
            created = 0
            for line in child.stderr:
                created += line.startswith("debug: POST /medias -> 200")
                if created == 3:
                    break
            child.send_signal(number)
            child.stderr.read()
            assert child.wait(DEADLINE) == 130
        with cli.client() as client:
            assert list(client.medias.list()) == []


def test_a_login_page(own_cli: CommandLine) -> None:
    """One sentence says what responds instead of the API; nothing is judged."""

    def page(request: Request) -> Response:
        echo = request.headers["authorization"]
        return Response(200, {"content-type": f"text/html; for={echo}"}, b"<!DOCTYPE html><title>Login</title>")

    with serve(Simulator(), app=Proxy(Simulator(), on_request(page))) as server:
        ran = CommandLine(server, own_cli.folder)("doctor", "--verify", "--writes", "--yes", key=own_cli.key)
    assert own_cli.key not in ran.err
    assert (ran.code, ran.out) == (11, "")
    assert f"error: What responds at {server.base_url} is not this API: GET /medias returned 200" in ran.err
    assert "login page" in ran.err


@pytest.mark.parametrize("path", ["", "/", "/hooks/in", "/hooks/in/", "/?token=canary"])
def test_every_form_of_a_callback_url(own_cli: CommandLine, path: str) -> None:
    """Webhooks arrive and are judged, whether the URL has a path, a slash at its end, a query, or nothing of these."""
    url = f"http://127.0.0.1:{free_port()}{path}"
    names = ["subscription-url-verbatim", "webhook-keeps-query"]
    only = [word for name in names for word in ("--only", name)]
    ran = own_cli("doctor", "--verify", "--writes", "--yes", "--json", "--callback-url", url, *only)
    assert ran.code == 0, ran.err
    assert [(item["id"], item["verdict"]) for item in ran.document["results"]] == [
        (name, "confirmed") for name in names
    ]
    with own_cli.client() as client:
        assert list(client.webhook_subscriptions.list()) == []


def test_a_report_that_cannot_be_written(cli: CommandLine) -> None:
    """It is said before anything is sent."""
    before = len(cli.server.simulator.requests)
    for path in ("missing/report.json", "."):
        ran = cli("doctor", "--verify", "--report", path)
        assert ran.code == 1
        assert f"Cannot write {path}: " in ran.err
        assert "Nothing was sent." in ran.err
    assert len(cli.server.simulator.requests) == before


def test_a_refused_run_leaves_no_report(cli: CommandLine) -> None:
    """Whether it can be written is tried without a trace; an earlier report is kept until there is a new one."""
    cli.server.simulator.add_fault(Fault(kind="status", operation="getMedias", status=404))
    assert cli("doctor", "--verify", "--report", "new.json").code == 11
    assert not (cli.folder / "new.json").exists()
    (cli.folder / "old.json").write_text("{}", encoding="utf-8")
    cli.server.simulator.add_fault(Fault(kind="status", operation="getMedias", status=404))
    assert cli("doctor", "--verify", "--report", "old.json").code == 11
    assert (cli.folder / "old.json").read_text(encoding="utf-8") == "{}"


def test_a_run_that_ends_early(own_cli: CommandLine) -> None:
    """A warning says why the rest was not tried."""
    own_cli.server.simulator.add_fault(
        Fault(kind="status", operation="getMediaById", status=429, retry_after="3600", count=9)
    )
    ran = own_cli("doctor", "--verify", "--only", "key-bearer", "--only", "error-404", "--only", "page-zero")
    assert ran.code == 0
    assert [line.partition("\t")[0] for line in ran.out.splitlines()] == ["confirmed", "not tried", "not tried"]
    assert (
        "warning: The run ended early, and the rest was not tried: The service asked for a pause of 3,600 s" in ran.err
    )


@pytest.mark.process
@TERMINALS
@pytest.mark.parametrize("columns", [40, 100])
def test_in_a_terminal(turned: CommandLine, columns: int) -> None:
    """Lines fit into its width: below each other if it is narrow."""
    with turned.terminal("doctor", "--verify", "--only", "page-zero", columns=columns) as terminal:
        assert terminal.end() == 1
        lines = [line.rstrip() for line in terminal.text.splitlines()]
    assert lines[0].split()[:2] == ["refuted", "page-zero"]
    assert max(len(line) for line in lines) < columns
    assert "\x1b" not in "".join(lines)
    assert LEDGER["page-zero"].if_wrong in " ".join(" ".join(lines).split())
