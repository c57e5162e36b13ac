"""Responses that differ from the contract: commands print what can be read, and say what cannot be."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_mock import Simulator, serve

from tests.cli.conftest import CommandLine
from tests.cli.schemas import check
from tests.sdk.conftest import clip_json, media_json, subscription_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ODD_MEDIA = media_json("m-1", has_fetch_error="odd", created_at=[], is_processing={}, source_file_duration="long")
ODD_CLIP = clip_json("c-1", start_time="early", text=["x"], created_at=None)
ODD_SUBSCRIPTION = subscription_json("w-1")
ODD_SUBSCRIPTION["attributes"] |= {"url": ["secret"], "active": "odd", "created_at": "0001-01-01T00:00:00+23:59"}
RESOURCES = {"medias": (ODD_MEDIA, media_json("m-2")), "clips": (ODD_CLIP, clip_json("c-2", text="Hello"))}
RESOURCES["webhook_subscriptions"] = (ODD_SUBSCRIPTION, subscription_json("w-2"))


async def app(scope: Any, _receive: Any, send: Any) -> None:
    """Return the odd resources: one by its id, or two and an item without an id as a list."""
    _, _, name, *ids = scope["path"].removeprefix("/api").split("/")
    odd, good = RESOURCES[name]
    data: Any = (odd if ids == [odd["id"]] else good) if ids else [odd, {"type": name}, good]
    if b"size%5D=7" in scope["query_string"] or b"size]=7" in scope["query_string"]:
        data = [5]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps({"data": data, "links": {"next": None}}).encode()})


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Run commands against a service whose responses are odd."""
    folder: Path = tmp_path_factory.mktemp("cli")
    with serve(Simulator(), app=app) as server:
        yield CommandLine(server, folder)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("medias", "list"),
            ["m-1\t(unreadable)\t(unreadable)\tChimp", "m-2\tqueued\t\tChimp"],
        ),
        (
            ("clips", "list"),
            ["c-1\t(unreadable)\t00:00:02.000\tClip\t(unreadable)", "c-2\t00:00:01.000\t00:00:02.000\tClip\tHello"],
        ),
        (
            ("webhooks", "list"),
            [
                "w-1\t(unreadable)\t*\t(unreadable)",
                "w-2\tactive\t*\thttps://example.com/hook?token=[redacted]",
            ],
        ),
    ],
)
def test_lists_show_what_can_be_read(cli: CommandLine, arguments: tuple[str, ...], expected: list[str]) -> None:
    """One odd item spoils no list; a cell that cannot be read says so."""
    ran = cli(*arguments)
    assert (ran.code, ran.out.splitlines()) == (0, expected)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_page_of_odd_items_prints_nothing(cli: CommandLine, form: tuple[str, ...]) -> None:
    """Not even an empty line."""
    ran = cli("medias", "list", "--page-size", "7", *form)
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize(
    ("command", "odd", "good"), [("medias", "m-1", "m-2"), ("clips", "c-1", "c-2"), ("webhooks", "w-1", "w-2")]
)
def test_every_item_is_shown(cli: CommandLine, command: str, odd: str, good: str) -> None:
    """As values by label and as JSON; only what cannot be read is marked."""
    values = dict(line.split("\t", 1) for line in cli(command, "show", odd).out.splitlines())
    assert values["id"] == odd
    assert "(unreadable)" in values.values()
    assert "secret" not in str(values)
    assert "(unreadable)" not in cli(command, "show", good).out
    assert "missing" not in cli(command, "show", good, "--json").document


def test_json_has_all_keys(cli: CommandLine) -> None:
    """What cannot be read is null, and named in `missing`."""
    document = cli("medias", "show", "m-1", "--json").document
    missing = ["created_at", "has_fetch_error", "is_processing", "source_file_duration"]
    assert document["missing"] == missing
    assert [document[name] for name in missing] == [None] * 4
    whole = cli("medias", "show", "m-2", "--json").document
    assert document.keys() == whole.keys() | {"missing"}
    check("Media", {**document, **{name: whole[name] for name in missing}})
    listed = cli("clips", "list", "--json").lines
    assert [item.get("missing") for item in listed] == [["created_at", "start_time", "text"], None]
    subscription = cli("webhooks", "show", "w-1", "--json").document
    assert subscription["created_at"].startswith("0001-01-01")


def test_clips_without_times_are_exported_where_that_is_possible(cli: CommandLine) -> None:
    """A cut list has empty cells; captions leave the clip out and say how many were."""
    rows = list(csv.DictReader(cli("clips", "export", "m-2", "--format", "csv").out.splitlines()))
    assert [(row["clip_id"], row["start"], row["text"]) for row in rows] == [
        ("c-2", "00:00:01.000", "Hello"),
        ("c-1", "", ""),
    ]
    ran = cli("clips", "export", "m-2", "--format", "srt")
    assert (ran.code, ran.out) == (0, "1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    assert "1 of 2 clips" in ran.err
