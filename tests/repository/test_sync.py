"""The sync client is generated from the async one: same methods, same signatures, same documentation."""

from __future__ import annotations

import inspect
import re
import shutil
from typing import TYPE_CHECKING, Any

import make_sync
import pytest
from contentgroove._async import base as async_base
from contentgroove._async import client as async_client
from contentgroove._async import clips as async_clips
from contentgroove._async import medias as async_medias
from contentgroove._async import webhook_subscriptions as async_subscriptions
from contentgroove._sync import base, client, clips, medias, webhook_subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = [
    (async_base, base),
    (async_client, client),
    (async_clips, clips),
    (async_medias, medias),
    (async_subscriptions, webhook_subscriptions),
]
CLASSES = [
    (cls, getattr(module, name.removeprefix("Async")))
    for origin, module in MODULES
    for name, cls in vars(origin).items()
    if name.startswith("Async") and inspect.isclass(cls) and cls.__module__ == origin.__name__
]


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """List the public members that a class defines, and its constructor."""
    for name, member in vars(cls).items():
        if not name.startswith("_") or name == "__init__":
            yield name.replace("aclose", "close"), member


PAIRS = [
    pytest.param(member, dict(members(cls)).get(name), id=f"{cls.__name__}.{name}")
    for async_class, cls in CLASSES
    for name, member in members(async_class)
]


def test_all_classes_are_compared() -> None:
    """A class that only one side has fails here."""
    assert {cls.__name__ for _, cls in CLASSES} >= {
        "ContentGroove",
        "Pager",
        "Medias",
        "RawMedias",
        "Clips",
        "RawClips",
        "DirectUploads",
        "RawDirectUploads",
        "WebhookSubscriptions",
        "RawWebhookSubscriptions",
    }
    for async_class, cls in CLASSES:
        assert [name for name, _ in members(async_class)] == [name for name, _ in members(cls)]


@pytest.mark.parametrize(("async_member", "member"), PAIRS)
def test_members_have_the_same_signature(async_member: Any, member: Any) -> None:
    """Parameters, defaults and types are the same, except for `Async` and awaiting."""
    assert type(async_member) is type(member)
    if not inspect.isfunction(member):
        return
    signature = inspect.signature(member)
    expected = inspect.signature(async_member)
    parameters = [
        parameter.replace(annotation=in_sync(parameter.annotation)) for parameter in expected.parameters.values()
    ]
    assert signature == inspect.Signature(parameters, return_annotation=in_sync(expected.return_annotation))
    assert not inspect.iscoroutinefunction(member)


def in_sync(annotation: Any) -> Any:
    """Write an annotation as the sync side must have it."""
    if not isinstance(annotation, str):
        return annotation
    return annotation.replace("Async", "").replace("Awaitable[object]", "object")


@pytest.mark.parametrize(("async_member", "member"), [*CLASSES, *PAIRS])
def test_both_have_the_same_documentation(async_member: Any, member: Any) -> None:
    """Each line that only the async side has is about async code, and at most one line replaces it."""
    async_lines = (inspect.getdoc(async_member) or "").splitlines()
    lines = (inspect.getdoc(member) or "").splitlines()
    assert lines or member.__name__ == "__init__" or member.__qualname__.startswith("Raw")
    only_async = [line for line in async_lines if line not in lines]
    assert all("async" in line.lower() for line in only_async), only_async
    assert len([line for line in lines if line not in async_lines]) <= len(only_async)
    assert not re.search(r"async|await", "\n".join(lines), re.IGNORECASE)


@pytest.mark.parametrize("path", sorted(make_sync.TARGET.glob("*.py")), ids=lambda path: path.name)
def test_generated_modules_name_their_source(path: Path) -> None:
    """In their first line."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == f"# Generated from _async/{path.name} by overlay/make_sync.py: edit that file and run `make sync`."


def test_a_translation() -> None:
    """Keywords, names and types are translated; layout, comments and words in texts stay."""
    text = '''
class AsyncThing(AsyncBase):  # a comment
    """Reads `AsyncFile`s, waiting for each."""

    size = 1  # async only

    async def __aenter__(self, call: Callable[[int], Awaitable[list[int]]]) -> AsyncIterator[int]:
        await (await self.open()).aclose()  # noqa: ASYNC100 - a reason
        return [item async for item in await self.items()]
'''
    assert (
        make_sync.translate(text, "anything")
        == '''
class Thing(Base):  # a comment
    """Reads `File`s, waiting for each."""


    def __enter__(self, call: Callable[[int], list[int]]) -> Iterator[int]:
        (self.open()).close()
        return [item for item in self.items()]
'''
    )


@pytest.mark.parametrize(
    "text",
    [
        '"""A text about an async function."""\n',
        "import asyncio\n",
        "# Only for those who await it.\n",
        "def call(function: Awaitable) -> None: ...\n",
    ],
)
def test_remains_of_async_code_are_an_error(text: str) -> None:
    """Nothing async is left in silence, nor are words taken out of sentences."""
    with pytest.raises(make_sync.TranslationError, match="not translated"):
        make_sync.translate(text, "anything")


def test_a_stale_text_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of the table that no longer occurs in its module is reported."""
    monkeypatch.setattr(make_sync, "TEXTS", (("clips", "two tasks", "two threads"), ("medias", "tasks", "threads")))
    assert make_sync.translate("# Shared by two tasks\n", "clips") == "# Shared by two threads\n"
    with pytest.raises(make_sync.TranslationError, match=r"clips: .*'two tasks'"):
        make_sync.translate("# Shared by three tasks\n", "clips")


@pytest.mark.process
def test_check_and_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Differences are reported without writing; writing repairs them and removes modules that lost their source."""
    target = tmp_path / "_sync"
    shutil.copytree(make_sync.TARGET, target)
    monkeypatch.setattr(make_sync, "TARGET", target)
    assert make_sync.main(["--check"]) == 0
    changed, missing, extra = target / "clips.py", target / "client.py", target / "extra.py"
    original = changed.read_text(encoding="utf-8")
    changed.write_text(original.replace("Fetch one clip.", "Edited by hand."), encoding="utf-8")
    missing.unlink()
    extra.touch()
    assert make_sync.main(["--check"]) == 1
    report = capsys.readouterr().out
    assert '-        """Edited by hand.' in report
    assert "client.py" in report
    assert "extra.py" in report
    assert not missing.exists()
    assert make_sync.main([]) == 0
    assert changed.read_text(encoding="utf-8") == original
    assert missing.exists()
    assert not extra.exists()
