from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.tools import Access, NetworkPolicy, ToolRegistry, open_tools, origin_of
from contentgroove.tools.sources import MAX_SOURCES

from tests.sdk_calls import SDK_METHODS
from tests.tools.conftest import KEY
from tests.tools.servers import LocalServer, Response, serve

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.tools.conftest import Service

pytestmark = pytest.mark.anyio

SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "user": {"type": "http", "scheme": "basic"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "sign_in": {"type": "oauth2", "flows": {}},
}


def document(**changes: Any) -> dict[str, Any]:
    """Describe an API of films."""
    identified = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}
    body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    paths = {
        "/films": {
            "get": {"summary": "list films", "operationId": "getFilms", "tags": ["films"], "parameters": [
                {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
            ]},
            "post": {"operationId": "addFilm", "tags": ["films"], "requestBody": body},
        },
        "/films/{id}": identified | {"delete": {"operationId": "dropFilm", "tags": ["films"]}},
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": "Film Store", "version": "1.2"},
        "servers": [{"url": "https://films.example.com/v2"}],
        "paths": paths,
        "tags": [{"name": "films"}, {"name": "others"}],
        "components": {"securitySchemes": SCHEMES},
    } | changes


SPEC = json.dumps(document())


def opened(**options: Any) -> ToolRegistry:
    """Open tools without a client: sources need none."""

    def no_client() -> Any:
        raise AssertionError("a source requested the API's client")

    return open_tools(no_client, access=Access(allow_destructive=True), **options)


@pytest.fixture
def films() -> Generator[LocalServer]:
    """Run a server over plain http."""
    with serve(secure=False) as served:
        yield served


async def added(tools: ToolRegistry, **arguments: Any) -> dict[str, Any]:
    """Add a source; return the result."""
    return await tools.call("openapi.addSource", {"spec": SPEC} | arguments)


async def code(tools: ToolRegistry, **arguments: Any) -> str:
    """Add a source that is refused; return the error's code."""
    result = await added(tools, **arguments)
    assert result["ok"] is False, result
    kind: str = result["error"]["code"]
    return kind


async def test_preview() -> None:
    """A document's title, version, servers, operations, tags, and how it authenticates."""
    result = await opened().call("openapi.previewSpec", {"spec": SPEC})
    data = result["data"]
    assert (data["title"], data["version"], data["operationCount"]) == ("Film Store", "1.2", 3)
    assert data["servers"] == ["https://films.example.com/v2"]
    assert data["tags"] == ["films", "others"]
    assert data["operations"][0] == {
        "name": "films.getV2Films",
        "operationId": "getFilms",
        "method": "GET",
        "path": "/films",
        "summary": "list films",
    }
    assert data["securitySchemes"] == SCHEMES
    assert {strategy["scheme"]: strategy["headers"] for strategy in data["authStrategies"]} == {
        "token": {"Authorization": "Bearer <token>"},
        "user": {"Authorization": "Basic <base64 of user:password>"},
        "header": {"X-Key": "<key>"},
        "query": None,
        "cookie": {"Cookie": "session=<key>"},
        "sign_in": {"Authorization": "Bearer <access token>"},
    }


async def test_a_scheme_that_cannot_be_read() -> None:
    """It hides no other scheme, and a document with it can be added."""
    broken = document()
    broken["components"] = {"securitySchemes": SCHEMES | {"broken": {"$ref": "#/nowhere"}}}
    data = (await opened().call("openapi.previewSpec", {"spec": json.dumps(broken)}))["data"]
    assert data["securitySchemes"] == SCHEMES | {"broken": {}}
    result = await added(opened(), spec=json.dumps(broken), credentials={"token": "s3cret"})
    assert result["data"]["toolCount"] == 3


async def test_yaml_is_read(contract: str) -> None:
    """The API's own contract, as YAML, has its operations."""
    result = await opened().call("openapi.previewSpec", {"spec": contract})
    assert result["data"]["operationCount"] == len(SDK_METHODS)
    assert {strategy["type"] for strategy in result["data"]["authStrategies"]} == {"bearer", "apiKey"}


async def test_adding_and_calling(films: LocalServer) -> None:
    """Every operation is a tool at once, and its calls go to the base URL with the headers given, and no others."""
    tools = opened()
    before = len(tools.list_tools())
    films.responses["/films"] = Response(200, {"Content-Type": "application/json"}, b'{"films": []}')
    films.responses["/films/a%2Fb"] = Response(204)
    result = await added(tools, baseUrl=f"{films.origin}/", headers={"X-Key": "mine"})
    assert result["data"] == {"sourceId": "film-store", "toolCount": 3}
    assert len(tools.list_tools()) == before + 3
    for name in ("film-store.films.getV2Films", "film-store_films_getV2Films", "film-store.getFilms"):
        called = await tools.call(name, {"tag": ["a", "b c"]})
        assert called == {"ok": True, "data": {"films": []}, "http": {"status": 200}}
    assert (await tools.call("film-store.addFilm", {"body": {"name": "n"}}))["ok"] is True
    assert (await tools.call("film-store.dropFilm", {"id": "a/b"}))["data"] is None
    assert [(request.method, request.path) for request in films.requests] == [
        ("GET", "/films?tag=a&tag=b%20c"),
        ("GET", "/films?tag=a&tag=b%20c"),
        ("GET", "/films?tag=a&tag=b%20c"),
        ("POST", "/films"),
        ("DELETE", "/films/a%2Fb"),
    ]
    assert films.requests[3].content == b'{"name":"n"}'
    for request in films.requests:
        assert request.headers["x-key"] == "mine"
        assert "authorization" not in request.headers


async def test_other_responses(films: LocalServer) -> None:
    """Text is text, bytes are base64, broken JSON is what came, and errors keep their body."""
    tools = opened()
    await added(tools, baseUrl=str(films.origin))
    for content_type, content, data in (
        ("text/csv", b"a,b", "a,b"),
        ("image/png", b"\xff\x00", {"contentType": "image/png", "base64": "/wA="}),
        ("application/problem+json", b'{"a":1}', {"a": 1}),
        ("application/json", b'{"a":', '{"a":'),
    ):
        films.responses["/films"] = Response(200, {"Content-Type": content_type}, content)
        assert (await tools.call("film-store.getFilms"))["data"] == data
    for status, kind, retryable in (
        (404, "not_found", False),
        (429, "rate_limited", True),
        (503, "server_error", True),
    ):
        films.responses["/films"] = Response(status, {}, b"no")
        error = (await tools.call("film-store.getFilms"))["error"]
        assert (error["code"], error["status"], error["retryable"]) == (kind, status, retryable)
        assert error["details"] == {"body": "no"}
    error = (await tools.call("film-store.addFilm", {"body": {}}))["error"]
    assert (error["code"], error["retryable"]) == ("server_error", False)
    films.responses["/films"] = Response(302, {"Location": "https://evil.test/"})
    error = (await tools.call("film-store.getFilms"))["error"]
    assert "Redirects are not followed" in error["message"]


async def test_arguments_of_sources_are_checked(films: LocalServer) -> None:
    """Nothing wrong is sent to a source either."""
    tools = opened()
    await added(tools, baseUrl=str(films.origin))
    assert (await tools.call("film-store.getFilms", {"tag": 3, "x": 1}))["error"]["code"] == "invalid_input"
    assert (await tools.call("film-store.dropFilm"))["error"]["code"] == "invalid_input"
    assert not films.requests


async def test_namespaces() -> None:
    """Two sources have two names; none is that of built-in tools, and none hides one."""
    tools = opened()
    assert (await added(tools))["ok"] is True
    assert await code(tools) == "source_exists"
    empty = {"spec": json.dumps(document(paths={})), "namespace": "empty"}
    assert (await added(tools, **empty))["data"] == {"sourceId": "empty", "toolCount": 0}
    assert await code(tools, **empty) == "source_exists"
    assert (await added(tools, namespace="Other_2"))["data"]["sourceId"] == "Other_2"
    assert tools.find("Other_2.films.getV2Films") is not None
    for taken in ("clips", "medias", "directUploads", "webhookSubscriptions", "openapi", "upload_media"):
        assert await code(tools, namespace=taken) == "source_exists", taken
    for wrong in ("a.b", "", "-a", "a b", "x" * 33):
        assert await code(tools, namespace=wrong) == "invalid_input", wrong
    nameless = json.dumps(document(info={"title": "映画"}))
    assert await code(tools, spec=nameless) == "invalid_input"
    assert (await added(tools, spec=nameless, namespace="eiga"))["ok"] is True
    hiding = document()
    hiding["paths"]["/films"]["get"]["operationId"] = "getMedias"
    await added(tools, spec=json.dumps(hiding), namespace="hiding")
    found = tools.find("getMedias")
    assert found is not None
    assert found.name == "medias.getApiV1Medias"


async def test_too_many_sources() -> None:
    """Their number is limited."""
    tools = opened()
    for number in range(MAX_SOURCES):
        assert (await added(tools, namespace=f"n{number}"))["ok"] is True
    assert await code(tools, namespace="more") == "not_allowed"


async def test_servers() -> None:
    """The first usable one: not a picture, no open variables; otherwise baseUrl is required."""
    tools = opened()
    servers: list[Any] = [
        {"url": "https://example.com/logo.svg"},
        {"url": "https://{unknown}.example.com"},
        "nonsense",
        {"url": "/relative"},
        {"url": "https://{where}.example.com/v9/", "variables": {"where": {"default": "eu"}}},
    ]
    await added(tools, spec=json.dumps(document(servers=servers)), namespace="a")
    found = tools.find("a.getFilms")
    assert found is not None
    assert found.name == "a.films.getV9Films"
    assert "https://eu.example.com/v9" in found.description
    for nothing in ([], servers[:4]):
        assert await code(tools, spec=json.dumps(document(servers=nothing)), namespace="b") == "invalid_input"


@pytest.mark.parametrize(
    "base_url",
    [
        "http://example.com", "http://10.0.0.1", "https://10.0.0.1", "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/", "https://[64:ff9b::7f00:1]", "ftp://example.com", "https://u:p@example.com", "x",
    ],
)  # fmt: skip
async def test_base_urls_that_are_refused(base_url: str) -> None:
    """Calls go by https to public addresses, whether the caller or the document names the address."""
    tools = opened()
    assert await code(tools, baseUrl=base_url) == "fetch_refused"
    # A document's server that is none at all is passed over, and then there is none.
    expected = "fetch_refused" if base_url.startswith("http") else "invalid_input"
    assert await code(tools, spec=json.dumps(document(servers=[{"url": base_url}]))) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_this_machine_is_named_by_the_caller_only(host: str) -> None:
    """A document cannot send calls to this machine; a caller can, by one of its plain names."""
    tools = opened()
    spec = json.dumps(document(servers=[{"url": f"https://{host}:9/"}]))
    assert await code(tools, spec=spec) == "fetch_refused"
    result = await added(tools, baseUrl=f"http://{host}:9")
    assert result["ok"] is (host in {"127.0.0.1", "localhost", "[::1]"})


async def test_long_descriptions_are_cut() -> None:
    """A model reads the descriptions of operations, so their length is limited."""
    long = document()
    long["paths"]["/films"]["get"]["description"] = "x" * 100_000
    tools = opened()
    await added(tools, spec=json.dumps(long))
    found = tools.find("film-store.getFilms")
    assert found is not None
    assert found.description.startswith("list films\n\nxxx")
    assert len(found.description) < 3000


async def test_base_urls_with_a_query() -> None:
    """Paths could not be added to them."""
    assert await code(opened(), baseUrl="https://example.com/a?b=c") == "invalid_input"


async def test_names_with_loopback_addresses_are_refused_at_each_call() -> None:
    """A source on a public name that turns private gets no calls."""
    addresses = iter([["127.0.0.1"]])

    async def resolve(_host: str, _port: int) -> list[str]:
        return next(addresses)

    tools = opened(policy=NetworkPolicy(resolve=resolve))
    assert (await added(tools))["ok"] is True
    assert (await tools.call("film-store.getFilms"))["error"]["code"] == "fetch_refused"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "a"}, {"content-length": "1"}, {"a b": "c"}, {"A": "b\r\nc"}, {"A": "ü"}, {"A": 1}, {"": "a"}],
)
async def test_headers_that_are_refused(headers: Any) -> None:
    """What the client sets, or what would break out of a header."""
    assert await code(opened(), headers=headers) == "invalid_input"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"swagger": "2.0"}', "Swagger 2.0"),
        ('{"openapi": "2.0"}', "not an OpenAPI 3.x"),
        ('{"openapi": 3}', "not an OpenAPI 3.x"),
        ('{"openapi": "3.0.0"}', "no info.title"),
        ('{"openapi": "3.0.0", "info": {"title": "T"}, "paths": []}', "paths that are not an object"),
        ('{"openapi": "3.0.0", "info": {"title": "T", "title": "U"}}', "'title' occurs twice"),
    ],
)
async def test_invalid_documents_are_refused(text: str, message: str) -> None:
    """Anything that is not an OpenAPI 3.x document is an error with the reason."""
    result = await opened().call("openapi_previewSpec", {"spec": text})
    assert result["error"]["code"] == "invalid_spec"
    assert message in result["error"]["message"]


@pytest.mark.parametrize(
    "reference", ["other.yaml#/a", "https://example.com/a.json", "file:///etc/passwd", "/etc/passwd", "a"]
)
async def test_references_to_other_documents_are_not_followed(reference: str) -> None:
    """Neither files nor other documents are read; only what needs them is left out."""
    other = document()
    other["paths"]["/films"]["post"]["requestBody"]["content"]["application/json"]["schema"] = {"$ref": reference}
    data = (await opened().call("openapi_previewSpec", {"spec": json.dumps(other)}))["data"]
    assert [operation["operationId"] for operation in data["operations"]] == ["getFilms", "dropFilm"]
    assert data["leftOutCount"] == 1
    assert (data["leftOut"][0]["method"], data["leftOut"][0]["path"]) == ("POST", "/films")
    assert "leads to another document that was not read" in data["leftOut"][0]["reason"]


@pytest.mark.parametrize("tool", ["openapi.previewSpec", "openapi.addSource"])
async def test_documents_by_url(films: LocalServer, tool: str) -> None:
    """Fetched only where that is allowed, and calls go relative to where the document was."""
    url = f"{films.origin}/api/openapi.json"
    films.responses["/api/openapi.json"] = Response(content=b"\xef\xbb\xbf" + json.dumps(document(servers=[])).encode())
    refused = await opened().call(tool, {"spec": url})
    assert refused["error"]["code"] == "fetch_refused"
    assert not films.requests
    tools = opened(policy=NetworkPolicy(allowed=frozenset({origin_of(url)})))
    assert (await tools.call(tool, {"spec": f" {url}\n"}))["ok"] is True
    films.responses["/films"] = Response(content=b"1")
    if tool == "openapi.addSource":
        assert (await tools.call("film-store.getFilms"))["data"] == "1"
    for reply, kind in (
        (Response(404), "not_found"),
        (Response(500), "server_error"),
        (Response(content=b"\xff"), "invalid_spec"),
        (Response(content=b"<html>"), "invalid_spec"),
        (Response(302, {"Location": "http://127.0.0.1:9/"}), "fetch_refused"),
    ):
        films.responses["/api/openapi.json"] = reply
        assert (await tools.call(tool, {"spec": url}))["error"]["code"] == kind


@pytest.mark.parametrize(
    "spec", ["file:///etc/passwd", "/etc/passwd", "http://example.com/a", "ftp://example.com/a", "https://localhost/a"]
)
async def test_urls_that_are_never_fetched(spec: str) -> None:
    """No files, no plain http, not this machine."""
    for tool in ("openapi.previewSpec", "openapi.addSource"):
        error = (await opened().call(tool, {"spec": spec}))["error"]
        assert error["code"] in {"fetch_refused", "invalid_spec"}
        assert "root:" not in error["message"]


async def test_the_key_goes_to_no_source(service: Service, films: LocalServer) -> None:
    """A source is called without it, also by tools that have a client with it."""
    tools = service.tools()
    await tools.call("getMedias")
    await added(tools, baseUrl=str(films.origin))
    await tools.call("film-store.getFilms")
    (request,) = films.requests
    assert KEY not in str(request)


async def test_a_source_that_echoes_the_key(service: Service, films: LocalServer) -> None:
    """The key is redacted in a source's responses as well."""
    tools = service.tools()
    await added(tools, baseUrl=str(films.origin))
    films.responses["/films"] = Response(content=f"<{KEY}>".encode())
    assert (await tools.call("film-store.getFilms"))["data"] == "<[redacted]>"
