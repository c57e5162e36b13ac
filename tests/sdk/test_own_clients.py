"""What an application's own HTTP client has applies to calls, and only its proxy to uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ConfigurationError
from httpx_aiohttp import AiohttpTransport

from .conftest import KEY, media_json, one
from .servers import http_response, says, server
from .test_uploads import MP4, Api

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Maker

STORE = "store.localhost"


def own(make: Maker, **options: Any) -> Any:
    """Create an application's client of the right kind."""
    client: Any = (httpx.Client if make.kind == "sync" else httpx.AsyncClient)(**options)
    make.opened.append(client)
    return client


def line(request: bytes, name: str) -> list[str]:
    """Return the lines of a header."""
    head = request.partition(b"\r\n\r\n")[0].decode()
    return [each for each in head.split("\r\n")[1:] if each.lower().startswith(f"{name.lower()}:")]


def test_its_headers_parameters_and_cookies_are_sent(make: Maker) -> None:
    """Except those that this client sets itself; what a response sets is sent back."""
    with server(says(http_response(http_response().partition(b"\r\n\r\n")[2], "200 OK", "Set-Cookie: seen=1"))) as (
        base_url,
        received,
    ):
        client = own(
            make,
            headers={"X-Trace": "t", "User-Agent": "studio/1", "Accept": "text/html", "Authorization": "Basic x"},
            params={"tenant": "a b", "page[size]": "99"},
            cookies={"session": "s"},
            base_url="http://elsewhere.invalid/x",
            timeout=0.001,
        )
        api = make(base_url=base_url, http_client=client)
        api.medias.get("m-1")
        api.request("GET", "/medias/m-1", query={"page": {"size": 5}})
    first, second = received
    assert first.startswith(b"GET /api/v1/medias/m-1?tenant=a+b&page%5Bsize%5D=99 HTTP/1.1\r\n")
    target = second.split(b" ")[1].decode()
    assert httpx.URL(target).params.multi_items() == [("page[size]", "5"), ("tenant", "a b")]
    assert line(first, "X-Trace") == ["X-Trace: t"]
    assert line(first, "User-Agent") == ["User-Agent: studio/1"]
    assert line(first, "Accept") == ["Accept: application/json"]
    assert line(first, "Authorization") == [f"Authorization: Bearer {KEY}"]
    assert line(first, "Cookie") == ["Cookie: session=s"]
    assert sorted(line(second, "Cookie")[0].removeprefix("Cookie: ").split("; ")) == ["seen=1", "session=s"]


def test_defaults_of_httpx_are_not_its_own_headers(make: Maker) -> None:
    """A client without settings changes nothing of what the service gets."""
    with server(says(http_response())) as (base_url, received):
        make(base_url=base_url, http_client=own(make)).medias.get("m-1")
    assert line(received[0], "User-Agent")[0].startswith("User-Agent: contentgroove-python/")
    assert line(received[0], "Accept-Encoding") == ["Accept-Encoding: gzip"]
    assert received[0].startswith(b"GET /api/v1/medias/m-1 HTTP/1.1\r\n")


def test_its_event_hooks_are_called(make: Maker) -> None:
    """For requests and responses, as httpx calls them."""
    seen: list[str] = []

    def note(what: Any) -> None:
        seen.append(type(what).__name__)

    async def anote(what: Any) -> None:
        note(what)

    hook: Callable[[Any], Any] = note if make.kind == "sync" else anote
    with server(says(http_response())) as (base_url, _):
        client = own(make, event_hooks={"request": [hook], "response": [hook]})
        make(base_url=base_url, http_client=client).medias.get("m-1")
    assert seen == ["Request", "Response"]


def test_its_mounts_decide_which_proxy_is_used(make: Maker) -> None:
    """A transport for a pattern, as httpx chooses it."""
    kind: Any = httpx.HTTPTransport if make.kind == "sync" else httpx.AsyncHTTPTransport
    with (
        server(says(http_response())) as (proxy, asked_of_proxy),
        server(says(http_response())) as (base_url, asked_directly),
    ):
        mounted = own(make, mounts={"http://": kind(proxy=origin(proxy))})
        make(base_url=base_url, http_client=mounted).medias.get("m-1")
        assert (len(asked_of_proxy), len(asked_directly)) == (1, 0)
        excluded = own(make, mounts={"http://": kind(proxy=origin(proxy)), "http://127.0.0.1": None})
        make(base_url=base_url, http_client=excluded).medias.get("m-1")
        assert (len(asked_of_proxy), len(asked_directly)) == (1, 1)


def origin(base_url: str) -> str:
    return base_url.removesuffix("/api/v1")


def api_of(store: str) -> Callable[[httpx.Request], httpx.Response]:
    """Return a service whose uploads go to a store."""
    api = Api()

    def handler(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/direct_uploads"):
            return api(request)
        attributes = {"upload_id": "u", "upload_url": f"{store}/x?X-Amz-Signature=a%2Fb"}
        return httpx.Response(200, json={"data": {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}})

    return handler


def transport_of(make: Maker, store: str, proxy: str) -> dict[str, Any]:
    """Return the options of a client whose API calls are served here, and that has a proxy for the store."""
    api = httpx.MockTransport(api_of(store))
    kind: Any = httpx.HTTPTransport if make.kind == "sync" else httpx.AsyncHTTPTransport
    return {"mounts": {"https://": api, f"http://{STORE}": kind(proxy=proxy), "http://": api}}


def test_uploads_use_its_proxy_and_nothing_else_of_it(make: Maker) -> None:
    """The proxy gets the presigned URL as it is, without headers, parameters, cookies or credentials."""
    with server(says(http_response(b""))) as (proxy, received):
        store = f"http://{STORE}:1"
        client = own(
            make,
            **transport_of(make, store, origin(proxy)),
            headers={"X-Trace": "t"},
            params={"tenant": "a"},
            cookies={"session": "s"},
            auth=("user", "word"),
        )
        make(http_client=client, default_headers={"X-Tenant": "seven"}).medias.upload(MP4)
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert head.startswith(f"PUT {store}/x?X-Amz-Signature=a%2Fb HTTP/1.1\r\n".encode())
    assert body == MP4
    for name in ("X-Trace", "X-Tenant", "Cookie", "Authorization", "X-API-KEY"):
        assert line(received[0], name) == []
    assert line(received[0], "Content-Length") == [f"Content-Length: {len(MP4)}"]


def test_uploads_go_directly_where_its_rules_say_so(make: Maker) -> None:
    """A host that its mounts exclude from the proxy."""
    with (
        server(says(http_response(b""))) as (proxy, asked_of_proxy),
        server(says(http_response(b""))) as (store, asked_directly),
    ):
        client = own(make, proxy=origin(proxy), mounts={"http://127.0.0.1": None, "https://": served_by(origin(store))})
        make(http_client=client).medias.upload(MP4)
    assert (len(asked_of_proxy), len(asked_directly)) == (0, 1)


def served_by(store: str) -> Any:
    return httpx.MockTransport(api_of(store))


@pytest.mark.parametrize("trust_env", [True, False])
def test_uploads_trust_the_environment_as_it_does(
    make: Maker,
    monkeypatch: pytest.MonkeyPatch,
    trust_env: bool,  # noqa: FBT001 - a case
) -> None:
    """A client without `trust_env` must not send files through the environment's proxy."""
    with (
        server(says(http_response(b""))) as (proxy, asked_of_proxy),
        server(says(http_response(b""))) as (store, asked_directly),
    ):
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, origin(proxy))
        client = own(make, transport=served_by(origin(store)), trust_env=trust_env)
        make(http_client=client).medias.upload(MP4)
    assert (len(asked_of_proxy), len(asked_directly)) == ((1, 0) if trust_env else (0, 1))


def test_the_client_for_uploads_has_precedence(make: Maker) -> None:
    """The proxy of the other one is then for calls alone; nothing of the upload's client is added."""
    seen: list[httpx.Request] = []

    def store(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with server(says(http_response(b""))) as (proxy, received):
        calls = own(make, **transport_of(make, f"http://{STORE}:1", origin(proxy)))
        uploads = own(
            make,
            transport=httpx.MockTransport(store),
            headers={"X-Trace": "t"},
            params={"a": "b"},
            cookies={"session": "s"},
        )
        make(http_client=calls, upload_http_client=uploads).medias.upload(MP4)
    assert received == []
    assert str(seen[0].url) == f"http://{STORE}:1/x?X-Amz-Signature=a%2Fb"
    assert {"x-trace", "cookie"}.isdisjoint(seen[0].headers)


def test_cookies_of_other_hosts_stay_there(make: Maker) -> None:
    """The cookies of a client that the application uses for other services, too."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return one(media_json())

    client = own(make, transport=httpx.MockTransport(handler))
    client.cookies.set("session", "s", domain="other.test")
    make(http_client=client).medias.get("m-1")
    assert "cookie" not in seen[0].headers


@pytest.mark.anyio
async def test_a_proxy_that_cannot_be_used_for_uploads_is_refused() -> None:
    """That transport would change the presigned URL; sending the file around the proxy would be worse."""
    async with httpx.AsyncClient(
        mounts={
            "https://": httpx.MockTransport(api_of(f"http://{STORE}:1")),
            "http://": AiohttpTransport(proxy=httpx.Proxy("http://127.0.0.1:1")),
        }
    ) as client:
        uploading = AsyncContentGroove(KEY, "https://api.contentgroove.test", http_client=client, max_retries=0)
        with pytest.raises(ConfigurationError, match="pass upload_http_client="):
            await uploading.medias.upload(MP4)
