"""`contentgroove webhooks trigger`, and `replay` of bodies that could not be read."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.cli.webhook_trigger import EVENTS, example_event
from contentgroove.webhooks import MediaProcessingFinished, parse_event, unreadable
from contentgroove_mock.contract import Checker

from tests.cli.schemas import check
from tests.cli.webhooks.application import Application, application
from tests.cli.webhooks.folder import KEY, inbox_with
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import CommandLine

FINISHED = "media.processing_finished"


@pytest.fixture
def app() -> Iterator[Application]:
    """An application that receives."""
    with application() as served:
        yield served


def printed(cli: CommandLine, *arguments: str) -> Any:
    """Return the body that `trigger --print` prints, with what is on standard error."""
    ran = cli("webhooks", "trigger", FINISHED, "--print", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out), ran.err


def test_the_example_fits_the_contract() -> None:
    """It has no violation and nothing unreadable, and every attribute that the contract names."""
    event = example_event("m-1", dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    assert Checker().check_webhook(json.dumps(event).encode(), {"content-type": "application/json"}) == []
    parsed = parse_event(event)
    assert isinstance(parsed, MediaProcessingFinished)
    assert FINISHED in EVENTS
    assert (parsed.event, parsed.media.id, parsed.media.missing) == (FINISHED, "m-1", frozenset())
    assert parsed.media.clip_ids == tuple(clip.id for clip in parsed.clips)
    assert parsed.transcription is not None
    assert parsed.media.transcription_id == parsed.transcription.id


def test_an_event_is_sent_as_the_service_would(
    cli: CommandLine, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the token; each is another event, and only 200 means delivered."""
    monkeypatch.setenv("CONTENTGROOVE_WEBHOOK_TOKEN", "canary-token")
    ran = cli("webhooks", "trigger", FINISHED, "--to", app.url, "--json")
    check("Posted", ran.lines[0])
    assert (ran.code, ran.lines[0]["status"], "canary-token" in ran.out + ran.err) == (0, 200, False)
    assert (app.paths, app.headers[0]["content-type"]) == (["/hook?token=canary-token"], "application/json")
    assert app.headers[0]["user-agent"].startswith("contentgroove-cli/")
    assert cli("webhooks", "trigger", FINISHED, "--to", app.url).code == 0
    assert len({parse_event(content).dedupe_key for content in app.bodies}) == 2


@pytest.mark.parametrize("status", [201, 204, 302, 500])
def test_any_other_status_is_a_failure(cli: CommandLine, app: Application, status: int) -> None:
    """A redirect is not followed, and its credentials are not shown."""
    app.status = status
    ran = cli("webhooks", "trigger", FINISHED, "--to", app.url)
    assert (ran.code, f"\t{status}\tnot delivered" in ran.out, f"returned {status}" in ran.err) == (10, True, True)
    assert ("was not followed" in ran.err, "canary-location" in ran.err) == (status == 302, False)
    assert len(app.bodies) == 1


def test_fields_are_chosen(cli: CommandLine) -> None:
    """By path, from the payload or from the body, as JSON or as text."""
    event, err = printed(
        cli, "--media-id", "m-7", "--name", "Film", "--set", "data.attributes.has_fetch_error=true",
        "--set", "payload.data.attributes.description=3 a=b", "--set", "included.0.attributes.rank=7",
        "--set", 'included.1.attributes={"text": null}', "--set", "data.relationships.clips.data=null",
    )  # fmt: skip
    data, included = event["payload"]["data"], event["payload"]["included"]
    assert (data["id"], data["attributes"]["name"], data["attributes"]["has_fetch_error"]) == ("m-7", "Film", True)
    assert (data["attributes"]["description"], data["relationships"]["clips"]["data"]) == ("3 a=b", None)
    assert (included[0]["attributes"]["rank"], included[1]["attributes"], err) == (7, {"text": None}, "")
    assert included[0]["relationships"]["media"]["data"]["id"] == "m-7"
    typed, err = printed(cli, "--set", "data.attributes.nmae=Film", "--set", "data.new.part=1")
    assert typed["payload"]["data"]["new"] == {"part": 1}
    assert err.count("is not a field of the event in the contract") == 2


def test_an_event_can_begin_with_a_file(cli: CommandLine, app: Application) -> None:
    """Such as one that was printed; it need not be readable, which is reported."""
    (cli.folder / "body.json").write_bytes(b"\xef\xbb\xbf" + body(finished("m-1")))
    event, err = printed(cli, "--file", "body.json", "--name", "Other")
    assert (event["payload"]["data"]["attributes"]["name"], err) == ("Other", "")
    ran = cli(
        "webhooks", "trigger", FINISHED, "--file", "body.json", "--set", "data.id=null", "--to", app.url, "--json"
    )
    assert (ran.code, ran.lines[0]["key"], "A receiver cannot read this event" in ran.err) == (0, None, True)
    check("Posted", ran.lines[0])


def test_an_unknown_event_needs_an_option(cli: CommandLine) -> None:
    """The names of the contract are suggested; it is sent with a warning."""
    refused = cli("webhooks", "trigger", "media.finished", "--print")
    assert (refused.code, refused.out) == (2, "")
    assert f"Did you mean {FINISHED!r}?" in refused.err
    assert f"It has: {', '.join(EVENTS)}." in cli("webhooks", "trigger", "zzz", "--print").err
    ran = cli("webhooks", "trigger", "clip.exported", "--any-event", "--print")
    assert (ran.document["event"], "warning: The contract has no event" in ran.err) == ("clip.exported", True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "--to URL or --print"),
        (("--print", "--to", "http://127.0.0.1:1/"), 2, "--to URL or --print"),
        (("--to", "http://app:8000/"), 2, "--allow-http"),
        (("--to", "http://127.0.0.1:99999/"), 2, "not valid"),
        (("--to", "http://127.0.0.1:1/"), 7, "Cannot reach"),
        (("--to", "http://127.0.0.1:1/", "--allow-http"), 7, "Cannot reach"),
        (("--print", "--set", "name"), 2, "is not PATH=VALUE"),
        (("--print", "--set", "data..name=1"), 2, "is not PATH=VALUE"),
        (("--print", "--set", "included.9.id=1"), 2, "included has 2 items"),
        (("--print", "--set", "included.x.id=1"), 2, "included has 2 items"),
        (("--print", "--set", "data.id.more=1"), 2, "payload.data.id is neither an object nor an array"),
        (("--print", "--file", "missing.json"), 12, "Cannot read missing.json"),
        (("--print", "--file", "list.json"), 12, "must contain a JSON object"),
        (("--print", "--file", "deep.json"), 12, "more than 100 levels"),
        (("--print", "--file", "nan.json"), 12, "NaN is not a number of JSON"),
    ],
)
def test_wrong_usage(cli: CommandLine, arguments: tuple[str, ...], code: int, words: str) -> None:
    """Each mistake is named before anything is sent."""
    for name, text in (("list", "[]"), ("deep", "[" * 9_000), ("nan", '{"a": NaN}')):
        (cli.folder / f"{name}.json").write_text(text, encoding="utf-8")
    ran = cli("webhooks", "trigger", FINISHED, *arguments)
    assert (ran.code, ran.out, words in ran.err, "Traceback" in ran.err) == (code, "", True, False), ran.err


def test_bodies_are_read_again(cli: CommandLine) -> None:
    """By key or all of them: those that this version can read are pending, the others stay with a reason."""
    with inbox_with(cli) as inbox:
        readable = unreadable.keep(inbox, body(finished("m-1")), "an older release could not read it")
        again = unreadable.keep(inbox, body(finished("m-2")), "an older release could not read it")
        broken = unreadable.keep(inbox, b"{", "it is not JSON")
        (line,) = cli("webhooks", "replay", readable, "--inbox", "events.db", "--json").lines
        check("Replayed", line)
        assert line["key"] == KEY
        failed = cli("webhooks", "replay", broken, "--inbox", "events.db")
        assert (failed.code, failed.out, "still cannot be read" in failed.err) == (10, "", True)
        ran = cli("webhooks", "replay", "--unreadable", "--inbox", "events.db")
        assert (ran.code, ran.out.count("replayed\n"), "1 of 2 bodies" in ran.err) == (14, 1, True)
        states = {event.key: event.state for event in inbox.events()}
        assert [states[key] for key in (readable, again, broken, KEY)] == ["done", "done", "dead", "pending"]
    for arguments in ((), ("x", "--unreadable")):
        assert cli("webhooks", "replay", *arguments, "--inbox", "events.db").code == 2
