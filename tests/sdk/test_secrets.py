"""Secrets: no error, whatever reports it, shows a key, a presigned URL or a password."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import io
import json
import logging
import pickle
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from contentgroove import ConfigurationError, ContentGrooveError, InvalidInputError, UploadError
from contentgroove._core.secret import SecretBytes
from contentgroove._core.tracebacks import drop_frames
from contentgroove._io.http import parse_url
from contentgroove.types import Secret
from rich import inspect as rich_inspect
from rich.console import Console
from rich.pretty import pretty_repr

from tests.shown import chain_of, frames_of, shown_by

from .conftest import BASE, KEY, many, media_json, one
from .servers import http_response, says, server
from .test_uploads import MP4, Api, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Maker

SIGNED = "https://store.test/1?se=canary-a&sig=canary%2Bb&GoogleAccessId=canary-c#canary-d"


class SigningApi(Api):
    """Mints URLs that are signed in a way that no list knows."""

    upload_url = SIGNED

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Return a call."""
        response = super().__call__(request)
        if request.url.path.endswith("/direct_uploads"):
            data = response.json()
            data["data"]["attributes"]["upload_url"] = self.upload_url
            return httpx.Response(200, json=data, headers=response.headers)
        return response


def raised_by(call: Callable[[], object]) -> BaseException:
    """Return the documented error of a call."""
    with pytest.raises(ContentGrooveError) as caught:
        call()
    return caught.value


@dataclasses.dataclass
class Holder:
    """An application's object with a secret."""

    secret: Secret


def test_a_secret_shows_nothing() -> None:
    """Not in any text that Python, rich, JSON or a debugger makes of it; only `reveal` returns it."""
    secret = Secret("canary-key")
    console = Console(file=io.StringIO(), width=1000)
    rich_inspect(secret, console=console, all=True)
    texts = [
        repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", "%s" % secret, ascii(secret),  # noqa: UP031 - a case
        pretty_repr([secret]), pretty_repr(Holder(secret)), repr(dataclasses.asdict(Holder(secret))),
        repr(getattr(secret, "_reveal")), console.file.getvalue(),  # type: ignore[attr-defined]  # a StringIO  # noqa: B009 - a case
        repr(copy.copy(secret)), repr(copy.deepcopy([secret])), repr(dir(secret)),
    ]  # fmt: skip
    assert "canary" not in "".join(texts)
    assert secret.reveal() == "canary-key"
    for write in (pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins, vars):
        with pytest.raises(TypeError) as caught:
            write(secret)
        assert "canary" not in str(caught.value)


def test_secrets_are_compared_by_their_text() -> None:
    """Equal ones have equal hashes; a string is never equal to one."""
    assert Secret("a") == Secret("a")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é\ud800") == Secret("é\ud800")


def test_bytes_for_libraries_show_nothing() -> None:
    """Not when they are shortened, either; their content is that of bytes."""
    field = SecretBytes(b"Bearer canary")
    texts = [repr(field), str(field), f"{field}", f"{field!r}", repr(field[:9]), pretty_repr([field], max_string=9)]
    assert "canary" not in "".join(texts)
    assert (field[0], field, b"%b" % field) == (66, b"Bearer canary", b"Bearer canary")
    with pytest.raises(TypeError, match="credential"):
        pickle.dumps(field)


SETTINGS: list[dict[str, Any]] = [
    {"api_key": "canary\nkey"},
    {"api_key": "canary key"},
    {"api_key": b"canary"},
    {"api_key": ["canary"]},
    {"api_key": "canary", "base_url": "http://elsewhere.test"},
    {"api_key": "canary", "base_url": "https://user:canary@api.test/"},
    {"api_key": "canary", "base_url": "https://user:canary@api.test:port/"},
    {"api_key": "canary", "base_url": "https://api.test/?sig=canary"},
    {"api_key": "canary", "base_url": "https://api.test/#canary"},
    {"api_key": "canary", "base_url": b"https://user:canary@api.test"},
    {"api_key": "canary", "base_url": "canary"},
    {"api_key": "canary", "auth": "canary-basic"},
    {"api_key": "canary", "timeout": -1},
    {"api_key": "canary", "max_retries": -1},
    {"api_key": "canary", "http_client": object()},
    {"api_key": "canary", "on_request": 5},
    {"api_key": "canary", "on_contract_violation": "sometimes"},
]


@pytest.mark.parametrize("options", SETTINGS, ids="-".join)
def test_wrong_settings_do_not_show_the_key(make: Maker, options: dict[str, Any]) -> None:
    """The key is a secret before anything else is checked."""
    shown = shown_by(raised_by(lambda: make(None, **options)))
    # What a wrong `auth` is, is not shown in the message; the caller passed it as a setting that is not secret.
    assert "canary" not in shown.replace("canary-basic", "")


@pytest.mark.parametrize("key", ["canary\nkey", "canary"])
def test_wrong_settings_do_not_show_the_environment(make: Maker, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Each variable is read by itself, so that no frame has them all."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", key)
    monkeypatch.setenv("CONTENTGROOVE_BASE_URL", "https://user:canary@api.test")
    monkeypatch.setenv("ANOTHER_SYSTEMS_PASSWORD", "canary")
    assert "canary" not in shown_by(raised_by(lambda: make(api_key=None, base_url="")))


@pytest.mark.parametrize("auth", ["bearer", "header", "query"])
@pytest.mark.parametrize("source", ["string", "secret", "function", "environment"])
def test_an_echoed_key_is_not_shown(
    make: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, auth: str, source: str
) -> None:
    """A server may echo its request in any part of its response, in any writing, for any status."""
    caplog.set_level(logging.DEBUG)
    key = "canary+/key=1"
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", key)
    keys: dict[str, Any] = {"string": key, "secret": Secret(key), "function": lambda: key, "environment": None}
    encoded = base64.b64encode(f"user:{key}".encode()).decode()
    echoes = [
        "canary+/key=1",
        r"canary+\/KEY\u003d1",
        "canary%2B%2fkey%3D1",
        "canary&#43;&#x2F;key=1",
        "canary%252B/key=1",
    ]
    heard: list[object] = []
    for status in (401, 302, 500, 200):

        def handler(_request: httpx.Request, status: int = status) -> httpx.Response:
            body = json.dumps({"errors": [{"detail": echo, "title": encoded} for echo in echoes]}).encode()
            return httpx.Response(status, content=body, headers={"X-Echo": f"Bearer {key}", "Location": f"/?k={key}"})

        client = make(
            handler, auth=auth, api_key=keys[source], max_retries=0, on_request=heard.append, on_response=heard.append
        )
        error: Any = raised_by(partial(client.medias.get, "m-1"))
        shown = shown_by(error) + repr(dict(getattr(error, "headers", {}))) + repr(heard) + caplog.text
        assert "canary" not in shown.lower()
        assert encoded[8:-6] not in shown


def test_a_key_that_was_replaced_is_not_shown(make: Maker) -> None:
    """A response to a call that is older than the current key may echo the older one."""
    keys = iter(["canary-1", "canary-2"])
    client = make(lambda _request: httpx.Response(401, text="canary-1 canary-2"), api_key=lambda: next(keys))
    for _ in range(2):
        assert "canary" not in shown_by(error := raised_by(lambda: client.medias.get("m-1"))).replace("canary-2", "")
    assert "canary" not in error.body  # type: ignore[attr-defined]  # an APIError


def refused(_client: Any) -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"//127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("auth", ["bearer", "header", "query"])
@pytest.mark.usefixtures("way")
def test_broken_connections_do_not_show_the_key(make: Maker, auth: str) -> None:
    """No frame of the HTTP libraries stays in the traceback; the note of where it was raised does."""
    scripts = [says(), says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), says(b"canary-key-1234567890\r\n\r\n")]
    for script in scripts:
        with server(script) as (base_url, received):
            client = make(base_url=base_url, auth=auth, max_retries=0)
            for call in (partial(client.medias.get, "m-1"), partial(client.medias.create, upload_id="u")):
                shown = shown_by(raised_by(call))
                assert "canary" not in shown
                assert "Raised at " in shown or "illegal" in shown
        assert KEY.encode() in received[0]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        late = make(base_url=f"http://{address}", auth=auth, max_retries=0, timeout=0.05)
        assert "canary" not in shown_by(raised_by(lambda: late.medias.get("m-1")))
        no_tls = make(base_url=f"https://{address}", auth=auth, max_retries=0, timeout=0.05)
        assert "canary" not in shown_by(raised_by(lambda: no_tls.medias.get("m-1")))
    gone = make(base_url=f"http://{address}", auth=auth, max_retries=0)
    assert "canary" not in shown_by(raised_by(lambda: gone.medias.get("m-1")))


FAILURES: list[Callable[[httpx.Request], Exception]] = [
    lambda request: httpx.ConnectError(f"cannot reach {request.url}", request=request),
    lambda request: httpx.ReadTimeout("", request=request),
    lambda request: RuntimeError(f"{list(request.headers.items())} of {request.url!r}"),
    lambda request: ssl.SSLError(1, f"certificate of {request.url}"),
]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("auth", ["bearer", "header", "query"])
def test_a_transport_that_quotes_the_request(
    make: Maker, auth: str, failure: Callable[[httpx.Request], Exception]
) -> None:
    """A cause whose message has the key is not kept; the error has its redacted message."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise failure(request) from ValueError(str(request.headers.items()))

    client = make(handler, auth=auth, max_retries=0)
    assert "canary" not in shown_by(raised_by(lambda: client.medias.get("m-1")))


def test_an_exception_that_the_application_handles_is_left_alone(make: Maker) -> None:
    """A call inside an `except` block fails: the application's own exception keeps its traceback."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("broken", request=request)

    client = make(handler, max_retries=0)
    errors: list[BaseException] = []

    def call_while_handling(settings: dict[str, str]) -> None:
        try:
            settings["own"]
        except KeyError:
            errors.append(raised_by(lambda: client.medias.get("m-1")))
            raise

    with pytest.raises(KeyError) as caught:
        call_while_handling({})
    assert caught.value in chain_of(errors[0])
    assert caught.traceback[-1].name == "call_while_handling"
    assert not hasattr(caught.value, "__notes__")


WRONG: list[Callable[[Any], object]] = [
    lambda client: client.medias.create(source_url="ftp://u:canary@films.test/a?sig=canary"),
    lambda client: client.medias.create(source_url="https://[films.test/a?sig=canary"),
    lambda client: client.medias.create(source_url=b"https://films.test/a?sig=canary"),
    lambda client: client.medias.create(source_url="https://films.test/\ud800?sig=canary"),
    lambda client: client.medias.create(source_url="https://films.test/a?sig=canary", name=5),
    lambda client: client.medias.create(source_url="https://films.test/a?sig=canary", upload_id="u"),
    lambda client: client.medias.create(source_url=Secret("https://films.test/a?sig=canary"), name=5),
    lambda client: client.webhook_subscriptions.create(url="hook?token=canary"),
    lambda client: client.webhook_subscriptions.create(url="https://a.test/?token=canary", subscribed_events="x"),
    lambda client: client.webhook_subscriptions.create(url="https://a.test/?token=canary", subscribed_events=[5]),
]


@pytest.mark.parametrize("call", WRONG)
def test_wrong_arguments_do_not_show_signed_urls(make: Maker, call: Callable[[Any], object]) -> None:
    """Neither the message nor a variable of the functions that check them has the URL."""
    error = raised_by(lambda: call(make()))
    assert isinstance(error, InvalidInputError)
    assert "canary" not in shown_by(error)


MISTAKEN: list[Callable[[Any], object]] = [
    lambda client: client.medias.get("https://films.test/a?sig=canary"),
    lambda client: client.medias.list(filter={"source_url_eq": {"a": "https://films.test/a?sig=canary"}}),
    lambda client: client.medias.list(page_size="https://films.test/a?sig=canary"),
    lambda client: client.request("GET", "/medias?sig=canary"),
    lambda client: client.request("https://films.test/a?sig=canary", "/medias"),
    lambda client: client.request("GET", "/medias", headers={"X-Token": "canary\n"}),
    lambda client: client.request("GET", "/medias", query={"filter": {"a_eq": {"b": "https://u:canary@films.test"}}}),
]


@pytest.mark.parametrize("call", MISTAKEN)
def test_messages_about_wrong_arguments_show_no_credentials(make: Maker, call: Callable[[Any], object]) -> None:
    """A URL in the wrong argument is shown like any other."""
    error = raised_by(lambda: call(make()))
    assert isinstance(error, InvalidInputError)
    assert "canary" not in str(error)


def test_custom_requests_show_no_credentials(make: Maker) -> None:
    """Query, body and headers are not variables while the request is sent."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(404)

    client = make(handler)
    body = {"source_url": "https://films.test/?sig=canary"}
    error = raised_by(
        lambda: client.request("POST", "/new", query={"token": "canary"}, body=body, headers={"X-Token": "canary"})
    )
    assert "canary" not in shown_by(error)
    assert (seen[0].url.query, seen[0].headers["X-Token"]) == (b"token=canary", "canary")


@pytest.mark.parametrize("status", [400, 422, 500, 303])
def test_a_refused_source_url_is_not_shown(make: Maker, status: int) -> None:
    """The service repeats the URL in the body and in a header."""
    url = "https://films.test/a.mp4?Policy=canary&Key-Pair-Id=canary&Signature=canary~x__"
    sent: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(status, json={"errors": [{"detail": f"no {url}."}]}, headers={"Location": url})

    client = make(handler, max_retries=0)
    error: Any = raised_by(lambda: client.medias.create(source_url=url))
    assert "canary" not in shown_by(error) + error.headers["Location"]
    assert json.loads(sent[0])["data"]["attributes"]["source_url"] == url


STORE_ERROR = (
    "<?xml version='1.0'?><Error><Code>SignatureDoesNotMatch</Code><Message>At https://store.test/1?sig=canary</Message>"
    "<AWSAccessKeyId>canary</AWSAccessKeyId><StringToSign>canary</StringToSign></Error>"
)


@pytest.mark.parametrize(
    "response", [httpx.Response(403, text=STORE_ERROR), httpx.Response(307, headers={"Location": SIGNED}), 503, 400]
)
def test_a_store_that_refuses_does_not_show_the_url(
    make: Maker, caplog: pytest.LogCaptureFixture, response: Any
) -> None:
    """Neither the error, nor hooks, nor logs, nor pickles have the values of the URL's parameters."""
    caplog.set_level(logging.DEBUG)
    heard: list[object] = []
    store = Store(*[response] * 5)
    client = make(SigningApi(), store=store, max_retries=0, on_request=heard.append, on_response=heard.append)
    error = raised_by(lambda: client.medias.upload(MP4))
    assert isinstance(error, UploadError)
    assert "canary" not in shown_by(error) + repr(heard) + caplog.text
    assert store.requests[0].url.query == b"se=canary-a&sig=canary%2Bb&GoogleAccessId=canary-c"


@pytest.mark.usefixtures("way")
def test_a_store_that_cannot_be_reached_does_not_show_the_url(make: Maker) -> None:
    """The connection is refused or breaks, or the URL is not one."""
    with server(says()) as (base_url, _):
        api = SigningApi()
        for url in (base_url, "http://127.0.0.1:1", "https://[canary", "https:///x", "ftp://store.test/x"):
            api.upload_url = f"{url}?sig=canary"
            client = make(api, max_retries=0)
            assert "canary" not in shown_by(raised_by(partial(client.medias.upload, MP4)))


def test_a_redirected_upload_does_not_show_the_url(make: Maker) -> None:
    """The redirect's Location is signed, too, and the store behind it refuses the file."""
    elsewhere = "https://elsewhere.test/1?sig=canary-e"
    store = Store(httpx.Response(307, headers={"Location": elsewhere}), 403, *[403] * 3)
    error = raised_by(lambda: make(SigningApi(), store=store, max_retries=0).medias.upload(MP4))
    assert "canary" not in shown_by(error)
    assert str(store.requests[1].url) == elsewhere


def test_a_store_transport_that_quotes_the_url(make: Maker) -> None:
    """An application's own client for uploads fails with a message that has the URL."""

    def store(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"broken: {request.url}", request=request)

    client = make(SigningApi(), store=store, max_retries=0)
    assert "canary" not in shown_by(raised_by(lambda: client.medias.upload(MP4)))


@pytest.mark.parametrize("hook", ["on_request", "on_response", "progress"])
@pytest.mark.parametrize("own", [True, False])
def test_callbacks_that_fail_do_not_show_secrets(make: Maker, hook: str, *, own: bool) -> None:
    """Their exception passes through the HTTP libraries, and keeps its own frames only."""

    def fail(*_args: object) -> None:
        raise ZeroDivisionError("own")

    with server(says(http_response(b"", "200 OK"))) as (base_url, _):
        api = SigningApi()
        api.upload_url = f"{base_url}/1?sig=canary"
        options: dict[str, Any] = {} if hook == "progress" else {hook: fail}
        client = make(api, store=Store() if own else None, auth="query", **options)
        with pytest.raises(ZeroDivisionError) as caught:
            client.medias.upload(MP4, **({"progress": fail} if hook == "progress" else {}))
    assert "canary" not in shown_by(caught.value)
    assert caught.traceback[-1].name == "fail"


def test_a_response_that_cannot_be_decoded_does_not_show_the_url(make: Maker) -> None:
    """A prepared upload without its id: the body has the URL, and is a variable of the decoders."""
    body = {"data": {"id": "u", "type": "direct_upload_blobs", "attributes": {"upload_url": SIGNED}}}
    client = make(lambda _request: httpx.Response(200, json=body))
    for call in (client.direct_uploads.prepare, lambda: client.medias.upload(MP4)):
        assert "canary" not in shown_by(raised_by(call))


def test_parsed_urls_show_nothing() -> None:
    """They are variables of many functions, and the HTTP library needs the whole target."""
    parsed = parse_url(Secret(SIGNED))
    assert "canary" not in f"{parsed!r} {parsed}"
    assert parsed.target == b"/1?se=canary-a&sig=canary%2Bb&GoogleAccessId=canary-c"


def test_a_prepared_upload_is_not_pickled(make: Maker) -> None:
    """Its URL is a credential; copies in memory are allowed, and the attribute has the URL."""
    upload = make(SigningApi()).direct_uploads.prepare()
    with pytest.raises(TypeError, match="presigned"):
        pickle.dumps(upload)
    assert copy.deepcopy(upload).upload_url == copy.copy(upload).upload_url == SIGNED
    assert "canary" not in repr(upload) + f"{upload}"


def test_a_wait_that_fails_does_not_show_the_source_url(make: Maker) -> None:
    """The service could not fetch the file of a signed URL."""
    failed = media_json(has_fetch_error=True, source_url="https://films.test/a.mp4?sig=canary")
    client = make(lambda _request: one(failed))
    error = raised_by(lambda: client.medias.wait("m-1"))
    assert "https://films.test/a.mp4?sig=[redacted]" in str(error)
    assert "canary" not in shown_by(error)


def test_links_that_are_no_urls_are_not_shown(make: Maker) -> None:
    """A page's link may contain the key."""
    page = many([media_json()], next=f"https://[x/?api_key={KEY}")
    client = make(lambda _request: page, auth="query")
    assert "canary" not in shown_by(raised_by(lambda: list(client.medias.list())))


def test_a_closed_client_shows_nothing(make: Maker) -> None:
    """Neither the client of this library nor an application's own."""
    own: Any = httpx.Client() if make.kind == "sync" else httpx.AsyncClient()
    client = make(SigningApi(), upload_http_client=own, auth="query")
    own.close() if make.kind == "sync" else make.loop.run_until_complete(own.aclose())
    assert "canary" not in shown_by(raised_by(lambda: client.medias.upload(MP4)))
    client.close() if make.kind == "sync" else client.aclose()
    assert "canary" not in shown_by(raised_by(lambda: client.medias.get("m-1")))


@pytest.mark.parametrize("proxy", ["ftp://user:canary@127.0.0.1:1", "http://user:canary@[::1", "user:can#ary/canary@h"])
def test_a_proxy_that_is_none_does_not_show_its_password(
    make: Maker, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """Neither httpx's message nor its frames are part of the error."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    error = raised_by(lambda: make(max_retries=0).medias.get("m-1"))
    assert "canary" not in shown_by(error)


def test_interruptions_do_not_show_the_key(make: Maker) -> None:
    """Ctrl-C while a request is sent: no frame of the HTTP libraries stays."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt(str(len(request.content)))

    client = make(handler, auth="query")
    with pytest.raises(KeyboardInterrupt) as caught:
        client.medias.get("m-1")
    ours = [frame for frame in frames_of(caught.value) if "httpx" in frame.f_code.co_filename]
    assert [frame.f_code.co_qualname for frame in ours] == []


def test_dropped_frames_are_named() -> None:
    """The note has the file, the line and the function of each; a group's exceptions have their own."""

    def fail() -> None:
        raise ExceptionGroup("both", [ValueError("one"), OSError("two")])

    with contextlib.suppress(AttributeError):
        fail.attribute  # type: ignore[attr-defined]  # noqa: B018 - an unrelated exception
    with pytest.raises(ExceptionGroup) as caught:
        fail()
    drop_frames(caught.value, None)
    drop_frames(caught.value, None)
    assert [note.partition(":")[0] for note in caught.value.__notes__] == [f"Raised at {__file__}"]
    assert "in fail, called at" in caught.value.__notes__[0]
    assert caught.value.__traceback__ is None


def test_the_error_for_a_wrong_environment_variable_names_it(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to correct, without the value."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "canary key")
    with pytest.raises(ConfigurationError, match="CONTENTGROOVE_API_KEY is not a valid API key"):
        make(api_key=None, base_url=BASE)
