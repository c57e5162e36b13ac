"""Proxies of the environment: which hosts they are for, and what is said if one refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpcore
import pytest
from contentgroove import APIConnectionError, UploadError
from contentgroove._core.secret import Secret
from contentgroove._io.proxies import environment_proxy, is_excluded

from .servers import http_response, says, server
from .test_own_clients import api_of, origin
from .test_uploads import MP4

if TYPE_CHECKING:
    from .conftest import Maker


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("no_proxy", "url", "excluded"),
    [
        ("", "https://api.test", False),
        ("*", "https://api.test", True),
        ("other.test, *", "https://api.test", True),
        ("api.test", "https://api.test", True),
        ("API.Test", "https://api.TEST", True),
        ("api.test", "https://v1.api.test", True),
        (".api.test", "https://v1.api.test", True),
        (".api.test", "https://api.test", True),
        ("*.api.test", "https://v1.api.test", True),
        ("api.test", "https://myapi.test", False),
        ("pi.test", "https://api.test", False),
        ("api.test.", "https://api.test", True),
        ("api.test", "https://api.test.", True),
        ("api", "https://api.test", False),
        ("a.test  b.test,,c.test", "https://b.test", True),
        ("api.test:443", "https://api.test", True),
        ("api.test:8443", "https://api.test", False),
        ("api.test:8443", "https://api.test:8443", True),
        ("api.test:80", "http://api.test", True),
        ("https://api.test", "https://api.test", True),
        ("http://api.test", "https://api.test", False),
        ("all://api.test", "https://api.test", True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.1.2.3/8", "https://10.9.9.9", True),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:8443", "https://10.1.2.3", False),
        ("10.1.2.3:8443", "https://10.1.2.3:8443", True),
        ("0.1.2.3", "https://10.1.2.3", False),
        ("10.0.0.0/99", "https://10.1.2.3", False),
        ("fd00::/8", "https://[fd12::1]", True),
        ("[fd00::]/8", "https://[fd12::1]", True),
        ("::1", "https://[::1]", True),
        ("[::1]", "https://[0:0:0:0:0:0:0:1]", True),
        ("[::1]:8443", "https://[::1]", False),
        ("[::1]:8443", "https://[::1]:8443", True),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]", True),
        ("localhost", "http://127.0.0.1", False),
        (".", "https://api.test", False),
        ("://", "https://api.test", False),
        ("[", "https://api.test", False),
    ],
)
def test_hosts_that_no_proxy_names(no_proxy: str, url: str, excluded: bool) -> None:  # noqa: FBT001 - a case
    """Domains, addresses, networks and ports, as curl reads them."""
    parsed = httpcore.URL(url)
    host = parsed.host.decode().strip("[]")
    port = parsed.port or {b"https": 443, b"http": 80}[parsed.scheme]
    assert is_excluded(parsed.scheme.decode(), host, port, no_proxy) is excluded


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:2"}, "http://q:2"),
        ({"HTTPS_PROXY": "http://p:1", "https_proxy": ""}, None),
        ({"ALL_PROXY": "socks5://p:1"}, "socks5://p:1"),
        ({"ALL_PROXY": "http://p:1", "https_proxy": "http://q:2"}, "http://q:2"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"HTTPS_PROXY": "p:1", "NO_PROXY": "api.test:444"}, "http://p:1"),
        ({"HTTPS_PROXY": "p:1", "NO_PROXY": "api.test:443"}, None),
        ({"HTTPS_PROXY": "p:1", "NO_PROXY": "api.test", "no_proxy": "other.test"}, "http://p:1"),
        ({"NO_PROXY": "*"}, None),
    ],
)
def test_variables_have_a_precedence(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], proxy: str | None
) -> None:
    """Lower case before upper case, the scheme's own before that for all."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(httpcore.URL("https://api.test/x")) == (None if proxy is None else Secret(proxy))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("own", ["calls", "uploads"])
def test_a_proxy_that_wants_a_password(make: Maker, monkeypatch: pytest.MonkeyPatch, own: str) -> None:
    """The error says what it wants and where to write that, and never the wrong one that is there."""
    with server(says(http_response(b"", "407 Proxy Authentication Required"))) as (url, received):
        monkeypatch.setenv("HTTPS_PROXY", origin(url).replace("http://", "http://user:hunter2@"))
        error: type[Exception] = APIConnectionError if own == "calls" else UploadError
        client = make(None if own == "calls" else api_of("https://store.test"), max_retries=0)
        with pytest.raises(error, match=r"407.*user and a password") as caught:
            client.medias.get("m-1") if own == "calls" else client.medias.upload(MP4)
    assert b"Proxy-Authorization: Basic dXNlcjpodW50ZXIy" in received[0]
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__!r}"


def test_uploads_use_the_proxy_of_the_environment(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless NO_PROXY names the store and its port."""
    with (
        server(says(http_response(b""))) as (proxy, asked_of_proxy),
        server(says(http_response(b""))) as (store, asked_directly),
    ):
        monkeypatch.setenv("HTTP_PROXY", origin(proxy))
        make(api_of(origin(store))).medias.upload(MP4)
        assert (len(asked_of_proxy), len(asked_directly)) == (1, 0)
        monkeypatch.setenv("NO_PROXY", origin(store).removeprefix("http://"))
        make(api_of(origin(store))).medias.upload(MP4)
    assert (len(asked_of_proxy), len(asked_directly)) == (1, 1)
