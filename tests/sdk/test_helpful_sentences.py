"""Frequent mistakes: each gets the sentence that says what to do instead, and no secret."""

from __future__ import annotations

import os
import ssl
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme
from contentgroove import (
    APIConnectionError,
    ContentGroove,
    NotFoundError,
    ResponseDecodeError,
    UploadError,
)

from tests.platforms import LINKS

from .conftest import KEY, Maker
from .test_uploads import MP4, Api, Store, video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HTML = "<!DOCTYPE html><html><body>Not found</body></html>"
ORIGIN = "https://api.contentgroove.test"


@pytest.mark.parametrize(
    ("base_url", "response", "error", "says"),
    [
        (ORIGIN, httpx.Response(404), NotFoundError, "base_url has no path"),
        (f"{ORIGIN}/", httpx.Response(404, json={"errors": []}), NotFoundError, "base_url has no path"),
        (ORIGIN, httpx.Response(404, html=HTML), NotFoundError, "a web page, not the API's: check base_url"),
        (f"{ORIGIN}/api", httpx.Response(404, html=HTML), NotFoundError, "a web page, not the API's: check base_url"),
        (ORIGIN, httpx.Response(200, html=HTML), ResponseDecodeError, "a web page, not the API's: check base_url"),
        (ORIGIN, httpx.Response(200, text=""), ResponseDecodeError, "base_url has no path"),
    ],
)
def test_a_base_url_without_its_path(
    make: Maker, base_url: str, response: httpx.Response, error: type[Exception], says: str
) -> None:
    """The error that follows names it; it is not refused, because a mock may have no path."""
    client = make(lambda _request: httpx.Response(response.status_code, content=response.content), base_url=base_url)
    with pytest.raises(error, match=says) as caught:
        client.medias.get("m-1")
    assert "/api/v1" in str(caught.value)


def test_a_404_of_the_api_is_about_the_id(make: Maker) -> None:
    """With the right base URL, base_url is not mentioned."""
    with pytest.raises(NotFoundError, match="Check the id") as caught:
        make(lambda _request: httpx.Response(404, json={"errors": []})).medias.get("medias")
    assert "base_url" not in str(caught.value)


SECRET = "https://example.com/film.mp4?X-Amz-Signature=s3cr3t&name=" + "a" * 300


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://example.com/film.mp4", r"https://example.com/film.mp4 is a URL.*medias.create\(source_url=…\)"),
        ("HTTP://example.com/film.mp4", r"medias.create\(source_url=…\)"),
        (SECRET, r"medias.create\(source_url=…\)"),
        ("s3://bucket/film.mp4", r"s3://bucket/film.mp4 is a URL.*fsspec.open"),
        ("file:///home/film.mp4", "pass the path in it"),
    ],
)
def test_a_url_is_no_path(make: Maker, url: str, says: str) -> None:
    """The sentence says which call takes it, and shows no signature, nor does what Python prints of its causes."""
    api = Api()
    with pytest.raises(UploadError, match=says) as caught:
        make(api).medias.upload(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cr3t" not in f"{error} {error.__dict__}"
        error = error.__cause__ or error.__context__
    assert api.prepared == 0


TEXTS: dict[str, tuple[bytes, str, str]] = {
    "letter": ("Dear Grüße, it is not a film.\n".encode(), "film.mp4", "its content is text"),
    "cut in a character": (("aü" * 3000).encode(), "film.mp4", "its content is text"),
    "no suffix": (b"To do: buy milk", "notes", "its content is text"),
    "captions": (b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "film.srt", "its content is text"),
    "playlist": (b"#EXTM3U\n#EXT-X-VERSION:3\nsegment0.ts\n", "film.m3u8", "its content is text"),
    "JSON": (b'{"errors":[{"title":"none"}]}', "film.mp4", "its content is text"),
    "UTF-16": ("Dear friend, it is not a film.".encode("utf-16"), "film.mp4", "its content is text"),
    "byte order mark": ("Dear friend, no film.".encode("utf-8-sig"), "film.mp4", "its content is text"),
    "HTML": (HTML.encode(), "film.mp4", "its content is an HTML page"),
    "HTML with space": (f"\n  {HTML}".encode(), "film.mp4", "its content is an HTML page"),
}


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.parametrize("as_bytes", [True, False])
def test_a_text_is_no_film(make: Maker, tmp_path: Path, case: str, *, as_bytes: bool) -> None:
    """It is called that, whatever its name says."""
    content, name, says = TEXTS[case]
    api = Api()
    with pytest.raises(UploadError, match=f"is not audio or video: {says}") as caught:
        make(api).medias.upload(content if as_bytes else video(tmp_path, content, name))
    assert (caught.value.reason, api.prepared) == ("not_audio_or_video", 0)


@pytest.mark.parametrize(
    "content",
    [MP4, b"0123", b"\0" * 100, b"x" * 100, bytes(range(256)), b"YUV4MPEG2 W4 H4 F25:1\nFRAME\n" + bytes(range(64))],
    ids=["film", "digits", "zeros", "x", "bytes", "y4m"],
)
def test_what_may_be_a_film_is_sent(make: Maker, content: bytes) -> None:
    """Only what is certainly text is refused."""
    store = Store()
    make(Api(), store=store).medias.upload(content)
    assert store.bodies == [content]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("interveiw.mp4", r"does not exist. Did you mean .*interview\.mp4\?"),
        ("Interview.MP4", r"does not exist. Did you mean .*interview\.mp4\?"),
        ("interview.mov", r"does not exist. Did you mean .*interview\.mp4\?"),
        ("else.wav", r"else\.wav does not exist\. Nothing"),
        ("missing/interview.mp4", r"interview\.mp4 does not exist\. Nothing"),
    ],
)
def test_a_missing_file_may_have_a_similar_name(make: Maker, tmp_path: Path, wrong: str, says: str) -> None:
    """The one that is there is named, if there is one."""
    video(tmp_path, name="interview.mp4")
    path = tmp_path / wrong
    if path.exists():  # on a file system that ignores case
        path.unlink()
        video(tmp_path, name="interview.mp4")
        return
    with pytest.raises(UploadError, match=says) as caught:
        make(Api()).medias.upload(path)
    assert caught.value.reason == "missing"


@LINKS
def test_links_that_lead_nowhere(make: Maker, tmp_path: Path) -> None:
    """A link to a missing file, and one to itself."""
    broken, loop = tmp_path / "broken.mp4", tmp_path / "loop.mp4"
    broken.symlink_to(tmp_path / "gone.mp4")
    loop.symlink_to(loop)
    with pytest.raises(UploadError, match="is a link to a file that does not exist"):
        make(Api()).medias.upload(broken)
    with pytest.raises(UploadError, match="cannot be read: Too many levels"):
        make(Api()).medias.upload(loop)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("~/film.mp4", "~ is not expanded here, but by Path.expanduser"),
        ("\0\0\0 ftyp", "A string is taken for a path: pass content as bytes"),
        ("x" * 100_000, "A string is taken for a path: pass content as bytes"),
        (".", "is a folder; pass the path of a video or audio file"),
    ],
)
def test_strings_that_are_no_paths(make: Maker, file: str, says: str) -> None:
    """The sentence is short, and says what a string is taken for."""
    with pytest.raises(UploadError, match=says) as caught:
        make(Api()).medias.upload(file)
    assert len(str(caught.value)) < 1000


class Refusing:
    """A TLS server whose certificate no machine trusts."""

    def __init__(self, folder: Path, host: str) -> None:
        import socket

        authority = trustme.CA()
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(os.fspath(self.authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._context = context
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                try:
                    self._context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    continue

    def close(self) -> None:
        """Stop."""
        import socket

        # Closing alone would not wake up the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.mark.parametrize(
    ("host", "trusted", "says"),
    [
        ("127.0.0.1", False, "SSL_CERT_FILE.*http_client="),
        ("elsewhere.test", True, "The certificate is that of another host: check base_url"),
    ],
)
def test_a_certificate_that_is_refused(tmp_path: Path, host: str, says: str, *, trusted: bool) -> None:
    """An unknown authority, such as a company's, and the certificate of another host have different remedies."""
    server = Refusing(tmp_path, host)
    try:
        context = ssl.create_default_context(cafile=server.authority) if trusted else None
        with (
            httpx.Client(verify=context or True) as own,
            ContentGroove(
                KEY,
                f"https://127.0.0.1:{server.port}/api/v1",
                max_retries=0,
                http_client=own if trusted else None,
            ) as client,
            pytest.raises(APIConnectionError, match=says),
        ):
            client.medias.get("m-1")
    finally:
        server.close()


def refuse(request: httpx.Request) -> httpx.Response:
    """Fail as a store with an unknown certificate does."""
    raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer certificate", request=request)


def test_a_store_with_an_unknown_certificate(make: Maker, tmp_path: Path) -> None:
    """The sentence is the same, with the client that uploads use."""
    with pytest.raises(UploadError, match=r"SSL_CERT_FILE.*upload_http_client="):
        make(Api(), store=refuse).medias.upload(video(tmp_path))


@pytest.mark.parametrize("file", [None, float("nan"), 5, object(), {"file": "film.mp4"}, ["film.mp4"], ("a", "b")])
def test_values_that_are_no_files(make: Maker, file: Any) -> None:
    """They are named by their types, such as the NaN of a table's empty cell."""
    with pytest.raises(ValueError, match=f"not {type(file).__name__}"):
        make(Api()).medias.upload(file)


def test_every_sentence_is_one(make: Maker, tmp_path: Path) -> None:
    """No message has two full stops, or none at its end."""
    build: list[Callable[[], Any]] = [
        lambda: tmp_path / "missing.mp4",
        lambda: "https://example.com/film.mp4",
        lambda: b"Dear friend, it is not a film.",
        lambda: tmp_path,
        lambda: "\0",
    ]
    for create in build:
        with pytest.raises(UploadError) as caught:
            make(Api()).medias.upload(create())
        assert str(caught.value).endswith("Nothing was sent.")
        assert ".." not in str(caught.value)
