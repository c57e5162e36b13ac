"""What was sent decides what an error says: nothing, and the call is repeated; a byte, and it may have arrived."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    APIConnectionError,
    APITimeoutError,
    ContentGroove,
    ContentGrooveError,
    OutcomeUnknownError,
)
from contentgroove._io import connections

from tests.platforms import SIGNALS

from .conftest import KEY, media_json, one
from .servers import http_response, says, server
from .test_uploads import MP4, Api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import FakeClock, Maker

HTTPS = "https://service.invalid/api/v1"


@pytest.fixture
def fresh_trust() -> Iterator[None]:
    """Read the file of certificates again."""
    connections.default_ssl_context.cache_clear()
    yield
    connections.default_ssl_context.cache_clear()


def until_closed(connection: socket.socket) -> None:
    """Say nothing, and wait until the client has closed."""
    connection.recv(1)


def create_nothing(client: Any, clock: FakeClock) -> APIConnectionError:
    """Try to create a media; return the error, which must be one of a request that never left and was retried."""
    with pytest.raises(APIConnectionError, match="after 3 attempts") as caught:
        client.medias.create(upload_id="u")
    assert len(clock.sleeps) == 2
    return caught.value


@pytest.mark.usefixtures("way", "fresh_trust")
@pytest.mark.parametrize("kind", ["missing", "a folder", "no certificates"])
def test_a_bad_file_of_certificates(
    make: Maker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    """It is named, and nothing was sent."""
    path = tmp_path / "authorities.pem"
    if kind == "a folder":
        path.mkdir()
    elif kind == "no certificates":
        path.write_text("none", encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(path))
    error = create_nothing(make(base_url=HTTPS, max_retries=2), clock)
    assert f"SSL_CERT_FILE={path}" in str(error)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("host", ["127.0.0.1:1", "name.invalid", f"{'a' * 70}.invalid"])
def test_a_host_that_cannot_be_reached(
    make: Maker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A refused connection, a name that does not exist, and one that cannot exist."""

    def look_up(name: str | bytes, *_: Any, **__: Any) -> Any:
        # As the resolver does, without the network.
        (name if isinstance(name, str) else name.decode()).encode("idna")
        raise socket.gaierror(-2, "Name or service not known")

    if not host.startswith("127."):
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
    create_nothing(make(base_url=f"https://{host}", max_retries=2), clock)


def descriptors_are_used_up(*_: Any, **__: Any) -> Any:
    """Refuse a socket as the system does."""
    raise OSError(24, "Too many open files")


@pytest.mark.usefixtures("way")
def test_no_descriptor_is_left(make: Maker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request never leaves a process with too many open files."""
    client = make(base_url="https://127.0.0.1:1", max_retries=2)
    monkeypatch.setattr(socket.socket, "connect", descriptors_are_used_up)
    monkeypatch.setattr(socket.socket, "connect_ex", descriptors_are_used_up)
    create_nothing(client, clock)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "reply", [http_response(b"", "407 Proxy Authentication Required"), b"nonsense\r\n\r\n", b""], ids=repr
)
def test_a_proxy_that_opens_no_tunnel(
    make: Maker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, reply: bytes
) -> None:
    """Whatever it says instead, the request stayed here."""
    with server(says(reply)) as (url, received):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, url.removesuffix("/api/v1"))
        create_nothing(make(base_url=HTTPS, max_retries=2), clock)
    assert [request.split()[0] for request in received] == [b"CONNECT"] * 3


@pytest.mark.usefixtures("way")
def test_a_proxy_that_is_silent(make: Maker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is a timeout, and the request is sent again."""
    with server(until_closed) as (url, _):
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, url.removesuffix("/api/v1"))
        error = create_nothing(make(base_url=HTTPS, max_retries=2, timeout=0.05), clock)
    assert isinstance(error, APITimeoutError)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "reply", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=repr
)
def test_after_the_first_byte_nobody_knows(make: Maker, reply: bytes) -> None:
    """The service has the request, whatever it says."""
    with server(says(reply)) as (base_url, received), pytest.raises(OutcomeUnknownError):
        make(base_url=base_url, max_retries=2).medias.create(upload_id="u")
    assert len(received) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.ProxyError("no")])
def test_an_own_client_that_never_connected(make: Maker, clock: FakeClock, error: Exception) -> None:
    """The classes of httpx that are certain."""

    def handler(_request: httpx.Request) -> httpx.Response:
        raise error

    create_nothing(make(handler, max_retries=2), clock)


@pytest.mark.parametrize("error", [httpx.ReadError("no"), httpx.LocalProtocolError("no"), ConnectionResetError("no")])
def test_an_own_client_that_may_have_sent(make: Maker, error: Exception) -> None:
    """Any other failure of a transport that cannot be observed."""

    def handler(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(OutcomeUnknownError):
        make(handler, max_retries=2).medias.create(upload_id="u")


ERRORS = [
    ValueError("no"),
    OSError("no"),
    TimeoutError(),
    httpx.ConnectError("no"),
    APIConnectionError("no"),
    OutcomeUnknownError("no"),
]


def use(client: Any, way_of_use: str, file: Path) -> None:
    """Call, wait or upload."""
    if way_of_use == "upload":
        client.medias.upload(file)
    elif way_of_use == "wait":
        client.medias.wait("m-1")
    else:
        client.medias.get("m-1")


@pytest.mark.parametrize("way_of_use", ["get", "wait", "upload"])
@pytest.mark.parametrize("hook", ["on_request", "on_response"])
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_what_a_hook_raises_is_the_applications(
    make: Maker, clock: FakeClock, tmp_path: Path, error: Exception, hook: str, way_of_use: str
) -> None:
    """Of any class: it is neither retried nor taken for the service's."""
    calls: list[object] = []

    def raising(info: object) -> None:
        calls.append(info)
        raise error

    file = tmp_path / "film.mp4"
    file.write_bytes(MP4)
    options: dict[str, Any] = {hook: raising}
    client = make(Api(), store=lambda _request: httpx.Response(200), **options)
    with pytest.raises(type(error)) as caught:
        use(client, way_of_use, file)
    assert caught.value is error
    assert (len(calls), clock.sleeps) == (1, [])


class Caller:
    """A hook as a method and as an object."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def method(self, *_: object) -> None:
        """Raise."""
        raise self._error

    def __call__(self, *_: object) -> None:
        """Raise."""
        raise self._error


class AsyncCaller:
    """A hook that is awaited."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def method(self, *_: object) -> None:
        """Raise."""
        raise self._error

    async def __call__(self, *_: object) -> None:
        """Raise."""
        raise self._error


def hook_of(kind: str, form: str, error: Exception) -> Callable[..., Any]:
    """Return a hook that raises."""
    caller: Any = (Caller if kind == "sync" else AsyncCaller)(error)
    forms: dict[str, Callable[..., Any]] = {
        "method": caller.method,
        "partial": functools.partial(caller.method, 1),
        "object": caller,
    }
    return forms[form]


@pytest.mark.parametrize("form", ["method", "partial", "object"])
@pytest.mark.parametrize("event", ["request", "response"])
@pytest.mark.parametrize("error", [*ERRORS, httpx.ReadTimeout("no")], ids=repr)
def test_what_an_own_clients_hook_raises_is_the_applications(
    make: Maker, clock: FakeClock, error: Exception, event: str, form: str
) -> None:
    """Also a class of httpx, which its transport might have raised."""
    kind: Any = httpx.Client if make.kind == "sync" else httpx.AsyncClient
    own = kind(
        transport=httpx.MockTransport(lambda _request: one(media_json())),
        event_hooks={event: [hook_of(make.kind, form, error)]},
    )
    make.opened.append(own)
    with pytest.raises(type(error)) as caught:
        make(http_client=own).medias.get("m-1")
    assert caught.value is error
    assert clock.sleeps == []


def test_an_own_client_that_raises_for_statuses(make: Maker) -> None:
    """Httpx's own exception for a status is one that the application asked for."""
    kind: Any = httpx.Client if make.kind == "sync" else httpx.AsyncClient

    def raise_for_status(response: httpx.Response) -> None:
        response.raise_for_status()

    async def araise_for_status(response: httpx.Response) -> None:
        response.raise_for_status()

    hook = raise_for_status if make.kind == "sync" else araise_for_status
    transport = httpx.MockTransport(lambda _request: httpx.Response(503))
    make.opened.append(kind(transport=transport, event_hooks={"response": [hook]}))
    with pytest.raises(httpx.HTTPStatusError):
        make(http_client=make.opened[0]).medias.get("m-1")


class OwnError(Exception):
    """An application's."""


def test_what_an_own_transport_raises(make: Maker) -> None:
    """An exception of the application's own class says nothing about a connection."""
    error = OwnError("no")

    def handler(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(OwnError) as caught:
        make(handler).medias.get("m-1")
    assert caught.value is error


@pytest.mark.parametrize("error", [OSError("no"), TimeoutError(), ValueError("no"), KeyError("no")], ids=repr)
def test_what_an_own_transport_raises_of_pythons(make: Maker, error: Exception) -> None:
    """One of Python's own classes is a failure of the transport, and a documented error."""

    def handler(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(APIConnectionError):
        make(handler, max_retries=0).medias.get("m-1")


def test_an_exception_that_was_being_handled_is_not_raised_again(make: Maker) -> None:
    """An application may call in its own `except`."""

    def handler(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broken")

    client = make(handler, max_retries=0)
    with contextlib.ExitStack() as handling:
        # What an `except` of an application does: it runs while the exception is handled.
        handling.push(lambda *_: call_in_vain(client))
        raise OwnError("of before")


def call_in_vain(client: Any) -> bool:
    """Call, and see that the error is the call's own."""
    with pytest.raises(ContentGrooveError, match="broken"):
        client.medias.get("m-1")
    return True


def send_signal(connection: socket.socket) -> None:
    """Send this process a signal, and wait until the client has closed."""
    os.kill(os.getpid(), signal.SIGALRM)
    connection.recv(1)


@SIGNALS
def test_a_signal_handlers_exception_within_an_own_client() -> None:
    """It passes, although httpx would take it for its own."""
    error = TimeoutError("the time is up")

    def handle(_signum: int, _frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with server(send_signal) as (base_url, _), httpx.Client() as own, pytest.raises(TimeoutError) as caught:
            ContentGroove(KEY, base_url, http_client=own).medias.get("m-1")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught.value is error
