from __future__ import annotations

import contextlib
import gzip
import socket
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
import pytest
from contentgroove.tools import NetworkPolicy, Origin, ToolError
from contentgroove.tools.network import MAX_REDIRECTS, fetch, resolve_with_os, send

from tests.tools.servers import HOST, LocalServer, Response, serve

if TYPE_CHECKING:
    from collections.abc import Generator
    from http.server import BaseHTTPRequestHandler

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def secure() -> Generator[LocalServer]:
    """Run a server over TLS."""
    with serve(secure=True) as served:
        yield served


@pytest.fixture
def plain() -> Generator[LocalServer]:
    """Run a server over plain http."""
    with serve(secure=False) as served:
        yield served


async def refusal(url: str, policy: NetworkPolicy) -> ToolError:
    """Fetch a URL that must be refused; return the error."""
    with pytest.raises(ToolError) as caught:
        await fetch(url, policy)
    return caught.value


async def test_a_name_is_resolved_once(secure: LocalServer) -> None:
    """The connection goes to the address that was checked, and the request names the host."""
    resolved: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> list[str]:
        resolved.append((host, port))
        return ["127.0.0.1"]

    secure.responses["/a"] = Response(content=b"x")
    response = await fetch(f"{secure.origin}/a?b=c#d", secure.policy(resolve=resolve))
    assert (response.status, response.content) == (200, b"x")
    assert resolved == [(HOST, secure.port)]
    (request,) = secure.requests
    assert request.path == "/a?b=c"
    assert request.headers["host"] == f"{HOST}:{secure.port}"
    assert request.headers["accept-encoding"].startswith("gzip, deflate")
    assert not {"authorization", "x-api-key", "cookie"} & request.headers.keys()


async def test_a_name_with_a_loopback_address_is_refused(secure: LocalServer) -> None:
    """A public name with a loopback address gets no connection."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    error = await refusal(f"{secure.origin}/a", NetworkPolicy(resolve=resolve, tls=secure.tls))
    assert error.code == "fetch_refused"
    assert "not public" in error.message
    assert not secure.requests


async def test_rebinding(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a name is public when it is checked and private afterwards, the checked address is used."""
    addresses = [["203.0.112.1"], ["127.0.0.1"]]
    connected: list[str] = []

    async def resolve(_host: str, _port: int) -> list[str]:
        return addresses.pop(0)

    async def connect_tcp(_self: object, host: str, *_: Any) -> None:
        connected.append(host)
        raise httpcore.ConnectError("nothing is sent from tests")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    error = await refusal("https://rebinding.test/a", NetworkPolicy(resolve=resolve))
    assert error.code == "connection_failed"
    assert error.retryable
    assert connected == ["203.0.112.1"]
    assert (await refusal("https://rebinding.test/a", NetworkPolicy(resolve=resolve))).code == "fetch_refused"
    assert connected == ["203.0.112.1"]


async def test_further_addresses_are_tried(secure: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the first address refuses the connection, the next one is used."""

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]

    real: Any = getattr(httpcore.AnyIOBackend, "connect_tcp")  # noqa: B009 - untyped in httpcore

    tried: list[str] = []

    async def connect_tcp(self: Any, host: str, *rest: Any) -> Any:
        tried.append(host)
        if host == "127.0.0.9":
            raise httpcore.ConnectError("refused")
        return await real(self, host, *rest)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    assert (await fetch(f"{secure.origin}/a", secure.policy(resolve=resolve))).status == 404
    assert tried == ["127.0.0.9", "127.0.0.1"]


async def test_redirects_are_followed(secure: LocalServer) -> None:
    """Within what is allowed, relative ones too."""
    secure.responses["/a"] = Response(302, {"Location": "b"})
    secure.responses["/b"] = Response(content=b"x")
    assert (await fetch(f"{secure.origin}/a", secure.policy())).content == b"x"


@pytest.mark.parametrize(
    "location", ["http://docs.test/a", "https://127.0.0.1/a", "https://evil.test/a", "file:///etc/passwd", "//[::1]/a"]
)
async def test_redirects_are_checked_again(secure: LocalServer, location: str) -> None:
    """A redirect to plain http, to this machine, to a name with its address or to a file is refused."""
    secure.responses["/a"] = Response(302, {"Location": location})
    error = await refusal(f"{secure.origin}/a", secure.policy())
    assert error.code == "fetch_refused"
    assert len(secure.requests) == 1


async def test_redirects_end(secure: LocalServer) -> None:
    """A loop ends after a few redirects."""
    secure.responses["/a"] = Response(302, {"Location": "/a"})
    error = await refusal(f"{secure.origin}/a", secure.policy())
    assert "redirects" in error.message
    assert len(secure.requests) == MAX_REDIRECTS + 1


async def test_calls_follow_no_redirects(secure: LocalServer) -> None:
    """A request to one URL is not sent to another."""
    secure.responses["/a"] = Response(307, {"Location": "/b"})
    assert (await send("POST", f"{secure.origin}/a", {}, b"x", secure.policy())).status == 307
    assert len(secure.requests) == 1


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("DELETE", None)])
async def test_requests_without_a_body(plain: LocalServer, method: str, length: str | None) -> None:
    """They say so where a server may wait for one."""
    await send(method, f"{plain.origin}/a", {}, None, plain.policy())
    assert plain.requests[-1].headers.get("content-length") == length


async def test_large_responses(secure: LocalServer) -> None:
    """A response is not read beyond the limit."""
    secure.responses["/a"] = Response(content=b"x" * 11)
    assert len((await fetch(f"{secure.origin}/a", secure.policy(max_bytes=11))).content) == 11
    error = await refusal(f"{secure.origin}/a", secure.policy(max_bytes=10))
    assert error.code == "unexpected_answer"
    assert "more than 10 bytes" in error.message


async def test_compressed_responses(secure: LocalServer) -> None:
    """They are decompressed up to the limit, which a few compressed bytes can exceed; a damaged one is an error."""
    content = gzip.compress(b"x" * 100_000)
    secure.responses["/a"] = Response(headers={"Content-Encoding": "gzip"}, content=content)
    assert (await fetch(f"{secure.origin}/a", secure.policy())).content == b"x" * 100_000
    assert len(content) < 1000
    assert "more than 1,000 bytes" in (await refusal(f"{secure.origin}/a", secure.policy(max_bytes=1000))).message
    secure.responses["/a"] = Response(headers={"Content-Encoding": "gzip"}, content=b"x")
    error = await refusal(f"{secure.origin}/a", secure.policy())
    assert (error.code, "damaged" in error.message) == ("unexpected_answer", True)


async def test_headers_of_equal_names(secure: LocalServer) -> None:
    """They are one list, as if they had been one header."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(204)
        handler.send_header("Link", "</a>; rel=next")
        handler.send_header("link", "</b>; rel=prev")
        handler.end_headers()

    secure.responses["/a"] = respond
    response = await send("GET", f"{secure.origin}/a", {"accept": "text/csv"}, None, secure.policy())
    assert response.headers["link"] == "</a>; rel=next, </b>; rel=prev"
    (request,) = secure.requests
    assert request.headers["accept"] == "text/csv"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_slow_responses(secure: LocalServer, method: str) -> None:
    """Each byte is in time and the whole is not: the exchange ends, and the outcome of a POST is unknown."""

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x")

    secure.responses["/a"] = trickle
    with pytest.raises(ToolError) as caught, anyio.fail_after(20):
        await send(method, f"{secure.origin}/a", {}, None, secure.policy(seconds=0.5))
    assert caught.value.code == {"GET": "timed_out", "POST": "outcome_unknown"}[method]
    assert caught.value.retryable is (method == "GET")


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_connections_that_break(secure: LocalServer, method: str) -> None:
    """Without a response, an idempotent call may be repeated, and another has an unknown outcome."""

    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    secure.responses["/a"] = hang_up
    with pytest.raises(ToolError) as caught:
        await send(method, f"{secure.origin}/a", {}, b"x", secure.policy())
    assert caught.value.code == {"PUT": "connection_failed", "POST": "outcome_unknown"}[method]


async def test_certificates_are_checked(secure: LocalServer) -> None:
    """A certificate for another name or from an unknown authority ends the call before anything is sent."""
    other = Origin("https", "other.test", secure.port)
    for url, policy in (
        (f"{other}/a", secure.policy(other)),
        (f"{secure.origin}/a", NetworkPolicy(allowed=frozenset({secure.origin}), resolve=secure.policy().resolve)),
    ):
        error = await refusal(url, policy)
        assert error.code == "connection_failed"
    assert not secure.requests


async def test_plain_http(plain: LocalServer) -> None:
    """It must be allowed, and then it needs no TLS."""
    plain.responses["/a"] = Response(content=b"x")
    assert (await refusal(f"{plain.origin}/a", NetworkPolicy())).code == "fetch_refused"
    assert not plain.requests
    assert (await fetch(f"{plain.origin}/a", NetworkPolicy(allowed=frozenset({plain.origin})))).content == b"x"


async def test_plain_http_is_refused_without_a_name_server() -> None:
    """It is refused whatever its address is."""

    async def resolve(_host: str, _port: int) -> list[str]:
        raise AssertionError("a name was resolved")

    assert "plain http" in (await refusal("http://public.test/a", NetworkPolicy(resolve=resolve))).message


async def test_proxies_of_the_environment_are_not_used(plain: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name itself, unchecked."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert (await fetch(f"{plain.origin}/a", NetworkPolicy(allowed=frozenset({plain.origin})))).status == 404


async def test_names_that_cannot_be_resolved() -> None:
    """A name without an address, or too long for one, is an error that can be read."""

    async def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = await refusal("https://nowhere.test/a?token=s3cret", NetworkPolicy(resolve=resolve))
    assert error.code == "connection_failed"
    assert error.message.startswith("https://nowhere.test/a: cannot connect")
    assert (await refusal(f"https://{'a' * 70}.test/", NetworkPolicy())).code == "connection_failed"


async def test_the_systems_resolver() -> None:
    """An address is its own address."""
    assert await resolve_with_os("127.0.0.1", 80) == ["127.0.0.1"]
