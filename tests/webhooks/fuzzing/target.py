"""Fuzz `parse_event`, guided by coverage; run as its own process, because libFuzzer takes over the process.

`python -m tests.webhooks.fuzzing.target [--planted] [libFuzzer's options] CORPUS…`, such as `-max_total_time=600`. It
ends with status 0, or with the input that failed a check and the path of its file.
"""

from __future__ import annotations

import copy
import json
import random
import resource
import sys
from importlib import import_module
from typing import Any

atheris: Any = import_module("atheris")  # which ships no types

with atheris.instrument_imports(include=["contentgroove"]):
    from contentgroove import WebhookPayloadError
    from contentgroove.webhooks import MediaProcessingFinished, UnknownEvent, parse_event

MAX_KEY_LENGTH = 400
MAX_DIGITS = 100
"""Digits of an id that is a number."""

MEMORY = 1 << 30
"""Bytes of address space. libFuzzer's own limit would include the memory of the parent process."""


def check(body: bytes) -> None:
    """Check all guarantees for a body: an event with the content of the body, or `WebhookPayloadError`."""
    try:
        event = parse_event(body)
    except WebhookPayloadError:
        return
    assert event.body in body
    assert 0 < len(event.dedupe_key) <= MAX_KEY_LENGTH
    assert event.dedupe_key.isprintable()
    assert parse_event(event.body) == event
    try:
        raw = event.raw
    except WebhookPayloadError:
        return
    assert raw["event"] == event.event
    if isinstance(event, MediaProcessingFinished):
        _check_finished(event, raw["payload"])
    else:
        assert isinstance(event, UnknownEvent)
        assert event.event != "media.processing_finished"


def _check_finished(event: MediaProcessingFinished, payload: dict[str, Any]) -> None:
    _check_model(event.media, payload["data"])
    included = payload.get("included")
    items = [item for item in included if isinstance(item, dict)] if isinstance(included, list) else []
    clips = [item for item in items if item.get("type") == "clips" and _has_id(item)]
    assert len(clips) == len(event.clips)
    for clip, item in zip(event.clips, clips, strict=True):
        _check_model(clip, item)
    texts = [item for item in items if item.get("type") == "transcriptions" and _has_id(item)]
    assert (event.transcription is None) == (not texts)
    if event.transcription is not None:
        assert event.transcription.id in {str(item["id"]) for item in texts}
        assert event.transcription.missing <= {"text"}
    assert len(event.unreadable) <= (len(included) if isinstance(included, list) else 1)


def _check_model(model: Any, item: dict[str, Any]) -> None:
    """Check the id, and that a name is read or missing; all other attributes can be read or are missing, too."""
    assert model.id == str(item["id"])
    read = model.to_dict()
    assert read.keys().isdisjoint(model.missing)
    assert "name" in model.missing or read["name"] == item["attributes"]["name"]
    assert repr(model)


def _has_id(item: dict[str, Any]) -> bool:
    resource_id = item.get("id")
    return isinstance(resource_id, str) or (
        isinstance(resource_id, int) and not isinstance(resource_id, bool) and len(str(abs(resource_id))) <= MAX_DIGITS
    )


def check_planted(body: bytes) -> None:
    """Fail on a body that is hard to find: a test of the fuzzer itself."""
    try:
        event = parse_event(body)
    except WebhookPayloadError:
        return
    if isinstance(event, MediaProcessingFinished) and event.clips and getattr(event.media, "description", "") is None:
        raise LookupError("planted")


VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1 << 64, 0.5, 1e308, "", "1", "98.865532", "x" * 500, "nul\0", [], {}),
    *("clips", "transcriptions", "chapters", "media.processing_finished", "media.processing_failed"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2025-10-15T13:51:02", "yesterday"),
)


def mutate(body: bytes, longest: int, seed: int) -> bytes:
    """Change a body: its bytes, or a value in its JSON, which stays JSON."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    try:
        value = json.loads(body) if rng.random() < 0.7 else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, (dict, list)) or not value:
        return bytes(atheris.Mutate(body, longest))
    for _ in range(rng.randint(1, 3)):
        _change(value, rng)
    return json.dumps(value).encode()[:longest]


def _change(node: Any, rng: random.Random) -> None:
    """Change one value at any depth: remove it, or replace it by another one or by that of a neighbour."""
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys:
        return
    key = rng.choice(keys)
    if isinstance(node[key], (dict, list)) and rng.random() < 0.8:
        _change(node[key], rng)
        return
    match rng.randrange(4):
        case 0:
            del node[key]
        case 1:
            node[key] = copy.deepcopy(node[rng.choice(keys)])
        case 2 if isinstance(node, dict):
            node[rng.choice(("type", "id", "attributes", "relationships", "transcription", "new"))] = node[key]
        case _:
            node[key] = copy.deepcopy(rng.choice(VALUES))


def main() -> None:
    """Pass control to the fuzzer."""
    if sys.platform == "win32":
        raise NotImplementedError("atheris is made for Linux")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    planted = "--planted" in sys.argv
    arguments = [argument for argument in sys.argv if argument != "--planted"]
    atheris.Setup(arguments, check_planted if planted else check, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
