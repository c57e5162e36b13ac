"""Transports: what they send, which libraries can observe it, and which authorities they trust."""

from __future__ import annotations

import base64
import logging
import os
import socket
import ssl
import subprocess
import sys
import weakref
import zlib
from typing import TYPE_CHECKING, Any

import certifi
import httpcore
import httpx
import pytest
import respx
from contentgroove import APIConnectionError, APIError, APITimeoutError, ConfigurationError, UploadError, __version__
from contentgroove._core.responses import Headers
from contentgroove._core.secret import Secret
from contentgroove._core.settings import resolve_settings
from contentgroove._io import connections
from contentgroove._io.http import MAX_PIECE, Decompression, InvalidUrlError, build_api_request, parse_url
from contentgroove._io.proxies import environment_proxy
from contentgroove_api.types import Request
from contentgroove_mock import Simulator, sample_video, serve

from .conftest import BASE, KEY, STORE, media_json, one
from .servers import GOOD, http_response, says, server
from .test_uploads import MP4, Api

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove._core.io import Timeouts

    from .conftest import Maker

SYNC = """
from contentgroove import ContentGroove
with ContentGroove({key!r}, {url!r}) as client:
    media = client.medias.upload({file!r})
    print(client.medias.get(media.id).id == media.id)
"""
ASYNC = """
import asyncio
from contentgroove import AsyncContentGroove
async def main():
    async with AsyncContentGroove({key!r}, {url!r}) as client:
        media = await client.medias.upload({file!r})
        print((await client.medias.get(media.id)).id == media.id)
asyncio.run(main())
"""


@pytest.mark.process
@pytest.mark.parametrize("code", [SYNC, ASYNC], ids=["sync", "async"])
def test_neither_calls_nor_uploads_import_httpx(code: str) -> None:
    """A program that does not use httpx itself never waits for its import."""
    with serve(Simulator()) as simulated:
        script = code.format(key=KEY, url=simulated.base_url, file=os.fspath(sample_video()))
        script += "import sys; print('httpx' in sys.modules)"
        done = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True, timeout=60
        )
    assert done.stdout.split() == ["True", "False"]


@pytest.mark.usefixtures("way")
def test_what_a_call_sends(make: Maker) -> None:
    """Each byte of a request is the same with every transport."""
    # The server closes after each response and must announce it, or a POST might use a connection that is about to end.
    with server(says(http_response(GOOD, "200 OK", "Connection: close"))) as (base_url, received):
        client = make(base_url=base_url)
        client.medias.get("m-1")
        client.request("POST", "/medias/m-1", query={"a": "b c"}, body={"x": 1})
        client.request("POST", "/medias/m-1")
    port = base_url.partition("127.0.0.1:")[2].partition("/")[0]
    common = (
        f"Host: 127.0.0.1:{port}\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n"
        f"User-Agent: contentgroove-python/{__version__}\r\nAuthorization: Bearer {KEY}\r\n"
    )
    content = 'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"x":1}'
    assert [request.decode() for request in received] == [
        f"GET /api/v1/medias/m-1 HTTP/1.1\r\n{common}\r\n",
        f"POST /api/v1/medias/m-1?a=b%20c HTTP/1.1\r\n{common}{content}",
        f"POST /api/v1/medias/m-1 HTTP/1.1\r\n{common}Content-Length: 0\r\n\r\n",
    ]


@pytest.mark.usefixtures("way")
def test_respx_intercepts_by_default(make: Maker, tmp_path: Path) -> None:
    """A test that is mocked with respx never reaches the network, uploads included."""
    file = tmp_path / "film.mp4"
    file.write_bytes(MP4)
    with respx.mock() as router:
        router.route(url__startswith=BASE).mock(side_effect=Api())
        put = router.put(url__startswith=STORE).respond(200)
        assert make().medias.upload(file).id == "m-1"
    assert put.calls.last.request.content == MP4


def test_patches_of_httpx_intercept(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-httpx and OpenTelemetry patch httpx's transports, and see calls and uploads pass there."""
    seen: list[str] = []
    api = Api()

    def handle(_transport: object, request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.host}")
        return httpx.Response(200) if request.method == "PUT" else api(request)

    async def ahandle(transport: object, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return handle(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", ahandle)
    file = tmp_path / "film.mp4"
    file.write_bytes(MP4)
    assert make().medias.upload(file).id == "m-1"
    assert seen == ["GET api.contentgroove.test", "PUT store.test", "POST api.contentgroove.test"]


def test_a_hook_of_an_own_client_may_read_responses(make: Maker) -> None:
    """A response that an application has read already is still decoded."""
    body = zlib.compress(one(media_json()).content)

    def handler(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body, headers={"Content-Encoding": "deflate"})

    assert make(handler).medias.get("m-1").id == "m-1"


def test_an_own_client_does_not_follow_redirects(make: Maker) -> None:
    """A client that would follow them does not: the key would be sent with the request."""
    with server(says(http_response(b"", "302 Found", "Location: /elsewhere"))) as (base_url, received):
        kind: Any = httpx.Client if make.kind == "sync" else httpx.AsyncClient
        make.opened.append(kind(follow_redirects=True))
        with pytest.raises(APIError, match="Redirects are not followed"):
            make(base_url=base_url, http_client=make.opened[0], max_retries=0).medias.get("m-1")
    assert len(received) == 1


@pytest.mark.parametrize("own", [False, True])
def test_what_the_libraries_log_is_redacted(
    make: Maker,
    way: str,
    own: bool,  # noqa: FBT001 - a case
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The URLs of requests, which httpx logs, and those in responses' headers, which httpcore logs."""
    for name in ("httpx", "httpcore.http11"):
        # What clients of other tests have set up.
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    monkeypatch.setattr("contentgroove._io.hooks._live", weakref.WeakValueDictionary())
    caplog.set_level(logging.DEBUG)
    echo = f"Location: /elsewhere?api_key={KEY}&X-Amz-Signature=canary-signature"
    with server(says(http_response(b"", "302 Found", echo, f"X-Echo: {KEY}"))) as (base_url, _):
        options: dict[str, Any] = {"auth": "query", "max_retries": 0}
        if own:
            make.opened.append(httpx.Client() if make.kind == "sync" else httpx.AsyncClient())
            options["http_client"] = make.opened[0]
        with pytest.raises(APIError):
            make(base_url=base_url, **options).medias.get("m-1")
    names = {record.name for record in caplog.records}
    assert {"contentgroove", "httpcore.http11"} <= names
    assert ("httpx" in names) is own, way
    assert "/elsewhere?api_key=[redacted]" in caplog.text
    assert KEY not in caplog.text
    assert "canary-signature" not in caplog.text


@pytest.mark.parametrize(("queued", "seconds"), [(True, 600.0), (False, 5.0)])
def test_waiting_for_a_connection_has_its_own_limit(queued: bool, seconds: float) -> None:  # noqa: FBT001 - a case
    """Waiting for the client's own connections has a longer limit; an application's client keeps its own."""
    settings = resolve_settings(
        api_key=Secret(KEY), base_url=Secret(BASE), auth="bearer", version="1", variable=lambda _name: None
    )
    listing = Request(method="GET", path="/medias")
    timeouts: Timeouts = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)
    request = build_api_request(listing, settings, timeouts, None, queued=queued)
    assert request.extensions == {"timeout": {**timeouts, "pool": seconds}}


@pytest.mark.parametrize("user", ["", "user:pass@"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_proxies_of_the_environment(make: Maker, monkeypatch: pytest.MonkeyPatch, scheme: str, user: str) -> None:
    """Calls go through the proxy that HTTP_PROXY names, unless NO_PROXY names the host."""
    with (
        server(says(http_response())) as (url, asked_of_proxy),
        server(says(http_response())) as (base_url, asked_directly),
    ):
        monkeypatch.setenv("HTTP_PROXY", f"{scheme}{user}{url.removeprefix('http://').removesuffix('/api/v1')}")
        monkeypatch.setenv("http_proxy", os.environ["HTTP_PROXY"])
        make(base_url=base_url).medias.get("m-1")
        assert len(asked_of_proxy) == 1
        assert asked_of_proxy[0].startswith(f"GET {base_url}/medias/m-1 HTTP/1.1\r\n".encode())
        credentials = b"Proxy-Authorization: Basic " + base64.b64encode(b"user:pass")
        assert (credentials in asked_of_proxy[0]) is bool(user)
        assert asked_directly == []
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        make(base_url=base_url).medias.get("m-1")
        assert (len(asked_of_proxy), len(asked_directly)) == (1, 1)


@pytest.mark.parametrize("proxy", ["http://proxy.invalid:3128", "proxy.invalid:3128", "socks5://proxy.invalid"])
def test_requests_to_this_machine_use_no_proxy(make: Maker, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Plain http to loopback goes through no proxy elsewhere, which would get the key in clear text."""
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.lower(), proxy)
    with server(says(http_response())) as (base_url, asked_directly):
        make(base_url=base_url, max_retries=0).medias.get("m-1")
    assert len(asked_directly) == 1
    https = httpcore.URL("https://api.contentgroove.test/")
    assert environment_proxy(https) == Secret(proxy if "://" in proxy else f"http://{proxy}")


def test_a_proxy_that_refuses_never_sees_the_key(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """An https call only requests a tunnel from the proxy; without one, nothing has arrived anywhere."""
    with server(says(http_response(b"", "403 Forbidden"))) as (url, received):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, url.removesuffix("/api/v1"))
        with pytest.raises(APIConnectionError, match="cannot connect"):
            make(max_retries=0).medias.create(upload_id="u")
    assert received[0].startswith(b"CONNECT api.contentgroove.test:443 HTTP/1.1\r\n")
    assert KEY.encode() not in received[0]


@pytest.mark.parametrize("proxy", ["ftp://user:hunter2@127.0.0.1:1", "http://user:hunter2@[::1"])
def test_a_proxy_that_is_none(make: Maker, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """A setting that can never work is named, without its password."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        make().medias.get("m-1")
    assert "hunter2" not in str(caught.value) + str(caught.value.__cause__)


def test_failures_contain_the_text_of_the_library(make: Maker, way: str) -> None:
    """The cause of an error is the exception of whichever library met it."""
    library: Any = {"httpcore": httpcore, "httpx": httpx}[way]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        with pytest.raises(APITimeoutError) as late:
            make(base_url=url, max_retries=0, timeout=0.05).medias.get("m-1")
    with pytest.raises(APIConnectionError) as refused:
        make(base_url=url, max_retries=0).medias.get("m-1")
    assert type(late.value.__cause__) is library.ReadTimeout
    assert type(refused.value.__cause__) is library.ConnectError


@pytest.mark.parametrize("timeout", [0.05, httpx.Timeout(30, read=0.05)])
@pytest.mark.usefixtures("way")
def test_both_kinds_of_timeouts(make: Maker, timeout: Any) -> None:
    """A number is the limit of each step; httpx's own type may have one for each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = make(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", max_retries=0, timeout=timeout)
        with pytest.raises(APITimeoutError):
            client.medias.get("m-1")


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A file with one of certifi's authorities."""
    pem = certifi.contents()
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path / "one.pem"
    path.write_text(pem[: pem.index(end) + len(end)], encoding="utf-8")
    return path


@pytest.mark.parametrize("variables", [(), ("SSL_CERT_FILE",), ("SSL_CERT_DIR",), ("SSL_CERT_FILE", "SSL_CERT_DIR")])
def test_trust_is_that_of_httpx(monkeypatch: pytest.MonkeyPatch, authority: Path, variables: tuple[str, ...]) -> None:
    """The authorities that httpx trusts are trusted, with the same checks, and no others."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in variables:
        monkeypatch.setenv(name, os.fspath(authority if name == "SSL_CERT_FILE" else authority.parent))
    connections.default_ssl_context.cache_clear()
    try:
        ours, theirs = connections.default_ssl_context(), httpx.create_ssl_context()
    finally:
        connections.default_ssl_context.cache_clear()
    assert ours.get_ca_certs() == theirs.get_ca_certs()
    assert len(ours.get_ca_certs()) > 100 or variables
    assert (ours.verify_mode, ours.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (theirs.verify_mode, theirs.check_hostname) == (ssl.CERT_REQUIRED, True)
    # Older releases of httpx choose the oldest TLS version themselves.
    default = ssl.create_default_context()
    assert (ours.minimum_version, ours.options) == (default.minimum_version, default.options)


def test_plain_http_trusts_no_authority() -> None:
    """A context that is not meant to be used would refuse everyone."""
    context = connections.ssl_context_for(parse_url("http://127.0.0.1/"), None)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs() == []


@pytest.mark.parametrize(
    "url",
    [
        "https://store.test/key?X-Amz-Signature=a%2Fb&X-Amz-Date=20250101T000000Z",
        "https://store.test:443/a+b~c/%E2%82%AC",
        "https://STORE.test:8443/a;b=c,d:e@f!g$h&i'j(k)*",
        "http://[::1]:8080/x?y=[1]&z=/?",
        "https://store.test",
        "https://store.test?x=1#part",
        "https://store.test/film €.mp4?name=film €",
    ],
)
def test_urls_are_read_as_httpx_reads_them(url: str) -> None:
    """A presigned URL's signature covers each byte of it."""
    ours, theirs = parse_url(url), httpx.URL(url)
    assert (ours.scheme, ours.host, ours.target) == (theirs.raw_scheme, theirs.raw_host, theirs.raw_path)
    assert ours.origin.port == (theirs.port or {b"http": 80, b"https": 443}[ours.scheme])


@pytest.mark.parametrize(
    "url", ["", "https://", "https:///path", "https://[::1/x", "https://h:x/", "https://bücher.test/"]
)
def test_urls_that_cannot_be_requested(url: str) -> None:
    """They are known before anything is sent."""
    with pytest.raises(InvalidUrlError):
        parse_url(url)


@pytest.mark.parametrize("url", ["", "https://", "https://[::1/x", "https://bücher.test/", "ftp://store.test/x"])
@pytest.mark.parametrize("own", [False, True])
def test_an_upload_url_that_is_none(make: Maker, tmp_path: Path, url: str, own: bool) -> None:  # noqa: FBT001 - a case
    """An upload URL that is not a URL is an error of the upload."""
    api = Api()

    def handler(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/direct_uploads"):
            return api(request)
        attributes = {"upload_id": "u", "upload_url": url}
        return httpx.Response(200, json={"data": {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}})

    file = tmp_path / "film.mp4"
    file.write_bytes(MP4)
    store: Any = {"store": lambda _request: httpx.Response(200)} if own and not url.startswith("ftp") else {}
    with pytest.raises(UploadError) as caught:
        make(handler, max_retries=0, **store).medias.upload(file)
    assert caught.value.reason == "connection"
    assert api.posts == []


def test_little_becomes_much_in_pieces() -> None:
    """What a thousandfold compressed response decompresses to is never in memory at once."""
    bomb = zlib.compress(bytes(16 * MAX_PIECE), 9)
    sizes = [len(piece) for piece in Decompression().pieces(bomb)]
    assert sum(sizes) == 16 * MAX_PIECE
    assert max(sizes) <= MAX_PIECE


def test_headers_by_any_name() -> None:
    """Names in any case, repeated ones joined, bytes of old servers readable, credentials not shown."""
    headers = Headers(
        [(b"X-A", b"1"), (b"x-a", b"2"), (b"Old", b"caf\xe9"), (b"New", "café".encode()), (b"Set-Cookie", b"s=1")]
    )
    assert (headers["x-A"], headers["old"], headers["NEW"]) == ("1, 2", "café", "café")
    assert list(headers) == ["x-a", "old", "new", "set-cookie"]
    assert "X-a" in headers
    assert "s=1" not in repr(headers)
