"""Calls of added sources: which server gets them, with which credentials, and what the result says."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.tools import NetworkPolicy, Origin, ToolRegistry

from tests.tools.servers import LocalServer, Response, serve
from tests.tools.test_sources import opened

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.anyio


@pytest.fixture
def first() -> Generator[LocalServer]:
    """Run the server of a document."""
    with serve(secure=False) as served:
        yield served


@pytest.fixture
def second() -> Generator[LocalServer]:
    """Run the server of some of its operations."""
    with serve(secure=False) as served:
        yield served


def spec(servers: Any = (), own: Any = None, item: Any = None, **operation: Any) -> str:
    """Write a document with an operation `general` and an operation `special`, which can have its own servers."""
    special = {"operationId": "special", **operation} | ({} if own is None else {"servers": own})
    paths = {
        "/general": {"get": {"operationId": "general", **operation}},
        "/special": {"get": special} | ({} if item is None else {"servers": item}),
    }
    schemes = {
        "inQuery": {"type": "apiKey", "in": "query", "name": "api key"},
        "inHeader": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "inCookie": {"type": "apiKey", "in": "cookie", "name": "session"},
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "Basic"},
        "digest": {"type": "http", "scheme": "custom"},
        "oauth": {"type": "oauth2", "flows": {}},
        "tls": {"type": "mutualTLS"},
        "broken": {"type": "apiKey"},
    }
    content = {
        "openapi": "3.1.0",
        "info": {"title": "T"},
        "servers": [{"url": url} for url in servers],
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }
    return json.dumps(content)


def allowing(*servers: LocalServer) -> ToolRegistry:
    """Open tools that may call these servers."""
    return opened(policy=NetworkPolicy(allowed=frozenset(server.origin for server in servers)))


async def added(tools: ToolRegistry, document: str, **arguments: Any) -> Any:
    """Add a source; return the result's data."""
    result = await tools.call("openapi.addSource", {"spec": document, "namespace": "t"} | arguments)
    assert result["ok"] is True, result
    return result["data"]


async def code(tools: ToolRegistry, document: str, **arguments: Any) -> tuple[str, str]:
    """Add a source that is refused; return the error's code and message."""
    result = await tools.call("openapi.addSource", {"spec": document, "namespace": "t"} | arguments)
    assert result["ok"] is False, result
    return result["error"]["code"], result["error"]["message"]


def paths(server: LocalServer) -> list[str]:
    """Return the paths of the requests that a server received."""
    return [request.path for request in server.requests]


async def test_servers_of_paths_and_operations(first: LocalServer, second: LocalServer) -> None:
    """An operation's own servers come before those of its path, and these before the document's."""
    tools = allowing(first, second)
    data = await added(tools, spec([f"{first.origin}/v1"], own=[{"url": f"{second.origin}/own/"}]))
    assert data == {"sourceId": "t", "toolCount": 2, "servers": [f"{first.origin}/v1", f"{second.origin}/own"]}
    await tools.call("t.general")
    await tools.call("t.special")
    item = [{"url": f"{second.origin}/item"}]
    await added(tools, spec([f"{first.origin}/v1"], item=item), namespace="u")
    await tools.call("u.special")
    both = spec([f"{first.origin}/v1"], item=item, own=[{"url": f"{second.origin}/own"}])
    await added(tools, both, namespace="w")
    await tools.call("w.special")
    assert paths(first) == ["/v1/general"]
    assert paths(second) == ["/own/special", "/item/special", "/own/special"]
    found = tools.find("u.special")
    assert found is not None
    assert found.name == "u.item.getItemSpecial"
    assert f"of {second.origin}/item" in found.description


async def test_servers_of_a_document_that_has_moved(first: LocalServer, second: LocalServer) -> None:
    """They are relative to the URL that the document was fetched from at last."""
    tools = allowing(first, second)
    first.responses["/short"] = Response(302, {"Location": f"{second.origin}/docs/a.json"})
    second.responses["/docs/a.json"] = Response(content=spec(["../v1"], own=[{"url": "own"}]).encode())
    await added(tools, f"{first.origin}/short")
    await tools.call("t.general")
    await tools.call("t.special")
    assert paths(first) == ["/short"]
    assert paths(second) == ["/docs/a.json", "/v1/general", "/docs/own/special"]


async def test_own_servers_of_every_kind(first: LocalServer) -> None:
    """Relative, with variables, without a default, after one that cannot be used, or an empty list."""
    for number, (own, path) in enumerate(
        [
            ([{"url": "/v2"}], "/v2/special"),
            ([{"url": "v2"}], "/v1/v2/special"),
            ([{"url": "/{v}/x", "variables": {"v": {"default": "v3"}}}], "/v3/x/special"),
            ([{"url": "/{v}", "variables": {"v": {"enum": ["v4", "v5"]}}}], "/v4/special"),
            ([{"url": "https://{unknown}.example.com"}, {"url": "/v6"}], "/v6/special"),
            ([], "/v1/special"),
            ([{"url": f"//127.0.0.1:{first.port}/no-scheme"}, {"url": "/v7"}], "/v7/special"),
        ]
    ):
        tools = allowing(first)
        await added(tools, spec([f"{first.origin}/v1"], own=own))
        result = await tools.call("t.special")
        assert result["error"]["code"] == "not_found", (number, result)
        assert paths(first)[-1] == path, number


async def test_documents_by_url(first: LocalServer) -> None:
    """Their relative servers are relative to where the document was, unless the caller names another server."""
    tools = allowing(first)
    first.responses["/docs/openapi.json"] = Response(content=spec(["../api"], own=[{"url": "./own"}]).encode())
    url = f"{first.origin}/docs/openapi.json"
    await added(tools, url)
    await tools.call("t.general")
    await tools.call("t.special")
    with serve(secure=False) as mock:
        await added(tools, url, namespace="u", baseUrl=f"{mock.origin}/mock")
        await tools.call("u.general")
        await tools.call("u.special")
        assert paths(mock) == ["/mock/general", "/mock/own/special"]
    assert paths(first)[-3:-1] == ["/api/general", "/docs/own/special"]


async def test_a_base_url_stands_for_the_documents_servers(first: LocalServer, second: LocalServer) -> None:
    """Also where an operation repeats them; a server of another host stays, and gets no credentials."""
    credentials = {"headers": {"X-Key": "headers-s3cret"}}
    for own, path in (
        ("https://api.example.com/v1", "/mine/special"),
        ("https://api.example.com/v1/", "/mine/special"),
        ("https://api.example.com/v2", "/v2/special"),
        ("/v3", "/v3/special"),
    ):
        tools = opened()
        document = spec(["https://api.example.com/v1"], own=[{"url": own}])
        data = await added(tools, document, baseUrl=f"{first.origin}/mine/", **credentials)
        assert data["toolCount"] == 2
        await tools.call("t.special")
        assert paths(first)[-1] == path
        assert first.requests[-1].headers["x-key"] == "headers-s3cret"
    tools = allowing(second)
    document = spec(["https://api.example.com/v1"], own=[{"url": f"{second.origin}/own"}])
    data = await added(tools, document, baseUrl=f"{first.origin}/mine", **credentials)
    assert data["servers"] == [f"{first.origin}/mine", f"{second.origin}/own"]
    await tools.call("t.special")
    assert "x-key" not in second.requests[-1].headers
    await added(tools, spec([str(second.origin)]), namespace="u", **credentials)
    await tools.call("u.special")
    assert second.requests[-1].headers["x-key"] == "headers-s3cret"


@pytest.mark.parametrize(
    "own",
    ["https://10.0.0.1/", "http://example.com", "https://127.0.0.1:9", "https://169.254.169.254/latest", "ftp://x.y"],
)
async def test_own_servers_that_are_refused(first: LocalServer, own: str) -> None:
    """No document can send calls to this machine or its network; the other operations stay."""
    tools = allowing(first)
    data = await added(tools, spec([str(first.origin)], own=[{"url": own}]))
    assert (data["toolCount"], data["leftOutCount"]) == (1, 1)
    assert (data["leftOut"][0]["method"], data["leftOut"][0]["path"]) == ("GET", "/special")
    assert tools.find("t.special") is None
    await added(tools, spec([str(first.origin)], own=[{"url": own}, {"url": "/good"}]), namespace="u")
    await tools.call("u.special")
    assert paths(first) == ["/good/special"]


async def test_documents_with_only_own_servers(first: LocalServer, second: LocalServer) -> None:
    """Operations without one are left out; a base URL stands for the first of these servers."""
    tools = allowing(second)
    data = await added(tools, spec(own=[{"url": f"{second.origin}/own"}]))
    assert data["toolCount"] == 1
    assert "pass baseUrl" in data["leftOut"][0]["reason"]
    await added(tools, spec(own=[{"url": "https://api.example.com/own"}]), namespace="u", baseUrl=str(first.origin))
    await tools.call("u.special")
    await tools.call("u.general")
    assert paths(first) == ["/special", "/general"]


async def test_the_first_server_that_may_be_called(first: LocalServer) -> None:
    """Plain http comes first in many documents; a host without a scheme is one of https."""
    tools = allowing(first)
    await added(tools, spec(["http://api.example.com", "https://10.0.0.1", f"{first.origin}/ok"]))
    await tools.call("t.general")
    assert paths(first) == ["/ok/general"]
    await added(tools, spec(["api.example.com/v2"]), namespace="u")
    found = tools.find("u.general")
    assert found is not None
    assert "https://api.example.com/v2" in found.description
    assert found.name == "u.general.getV2General"


KEY = "s3cret/key+value&x"


@pytest.mark.parametrize(
    ("scheme", "value", "header", "query"),
    [
        ("inQuery", KEY, {}, "api%20key=s3cret%2Fkey%2Bvalue%26x"),
        ("inHeader", KEY, {"x-key": KEY}, ""),
        ("inCookie", KEY, {"cookie": f"session={KEY}"}, ""),
        ("inCookie", "s3cret; key=1", {"cookie": "session=s3cret%3B%20key%3D1"}, ""),
        ("bearer", KEY, {"authorization": f"Bearer {KEY}"}, ""),
        ("bearer", f"Bearer {KEY}", {"authorization": f"Bearer {KEY}"}, ""),
        ("oauth", KEY, {"authorization": f"Bearer {KEY}"}, ""),
        ("basic", f"user:{KEY}", {"authorization": f"Basic {base64.b64encode(f'user:{KEY}'.encode()).decode()}"}, ""),
        ("digest", KEY, {"authorization": f"Custom {KEY}"}, ""),
    ],
)
async def test_credentials(first: LocalServer, scheme: str, value: str, header: dict[str, str], query: str) -> None:
    """Each is sent where its scheme says, only with operations that need it, and is redacted wherever it comes back."""
    tools = opened()
    document = spec(["https://x.example"], security=[{scheme: []}])
    await added(tools, document, baseUrl=str(first.origin), credentials={scheme: value})
    echo = json.dumps({"path": f"/general?{query}", "headers": header, "values": [value, value.rpartition(":")[2]]})
    first.responses["/general"] = Response(200, {"Content-Type": "application/json", "ETag": value}, echo.encode())
    result = await tools.call("t.general")
    (request,) = first.requests
    assert request.path == f"/general{f'?{query}' if query else ''}"
    assert {name: request.headers[name] for name in header} == header
    assert result["ok"] is True
    assert "s3cret" not in json.dumps(result)
    first.responses["/general"] = Response(500, {}, echo.encode())
    assert "s3cret" not in json.dumps(await tools.call("t.general"))
    for tool in tools.list_tools():
        assert "s3cret" not in repr(tool)
    await added(
        tools,
        spec(["https://x.example"], security=[]),
        namespace="u",
        baseUrl=str(first.origin),
        credentials={scheme: value},
    )
    await tools.call("u.general")
    assert first.requests[-1].path == "/general"
    assert not {"authorization", "cookie", "x-key"} & first.requests[-1].headers.keys()


@pytest.mark.parametrize(
    ("header", "echoed"),
    [
        ({"Cookie": 'session=s3cret-1; other="s3cret-2"'}, '{"session": "s3cret-1", "other": "s3cret-2"}'),
        ({"Authorization": f"Basic {base64.b64encode(b'user:s3cret').decode()}"}, '{"user": "user", "with": "s3cret"}'),
        ({"X-Auth": f"basic {base64.b64encode(b'user:s3cret').decode().rstrip('=')}"}, "s3cret"),
        ({"Authorization": "Basic s3cret!"}, "s3cret!"),
    ],
)
async def test_parts_of_headers_are_redacted(first: LocalServer, header: dict[str, str], echoed: str) -> None:
    """A service that has read a cookie or a password from a header may repeat it alone."""
    tools = opened()
    first.responses["/general"] = Response(200, {}, echoed.encode())
    await added(tools, spec(["https://x.example"]), baseUrl=str(first.origin), headers=header)
    text = json.dumps(await tools.call("t.general"))
    assert "[redacted]" in text
    assert "s3cret" not in text


async def test_logs_contain_no_credentials(first: LocalServer, caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP library logs the headers of responses, in which a service may repeat a key."""
    tools = opened()
    first.responses["/general"] = Response(200, {"X-Echo": "s3cret", "Set-Cookie": "a=s3cret"})
    credentials = {"inHeader": "s3cret"}
    await added(tools, spec(["https://x.example"]), baseUrl=str(first.origin), credentials=credentials)
    with caplog.at_level("DEBUG"):
        await tools.call("t.general")
    assert "X-Echo" in caplog.text
    assert "s3cret" not in caplog.text


async def test_alternatives_of_credentials(first: LocalServer) -> None:
    """The first set that is complete is sent; without security in the document, everything that was passed."""
    tools = opened()
    security: list[Any] = [{"inHeader": [], "inCookie": []}, {"bearer": []}, {"inQuery": []}, {}]
    values = {"inHeader": "header-value", "bearer": "bearer-value", "inQuery": "query-value"}
    base = {"baseUrl": str(first.origin), "credentials": values}
    await added(tools, spec(["https://x.example"], security=security), **base)
    await tools.call("t.general")
    assert first.requests[-1].headers["authorization"] == "Bearer bearer-value"
    assert "x-key" not in first.requests[-1].headers
    assert first.requests[-1].path == "/general"
    await added(tools, spec(["https://x.example"]), namespace="u", **base)
    await tools.call("u.general")
    assert first.requests[-1].headers["authorization"] == "Bearer bearer-value"
    assert first.requests[-1].headers["x-key"] == "header-value"
    assert first.requests[-1].path == "/general?api%20key=query-value"


async def test_missing_credentials(first: LocalServer) -> None:
    """The error of a service that rejects a call without them names them."""
    tools = opened()
    first.responses["/general"] = Response(401)
    document = spec(["https://x.example"], security=[{"inHeader": [], "inQuery": []}, {"bearer": []}])
    await added(tools, document, baseUrl=str(first.origin))
    error = (await tools.call("t.general"))["error"]
    assert error["code"] == "unauthorized"
    assert "inHeader and inQuery or bearer" in error["message"]
    await added(tools, document, namespace="u", baseUrl=str(first.origin), credentials={"bearer": "x"})
    assert "credentials" not in (await tools.call("u.general"))["error"]["message"]


async def test_parameters_that_are_credentials(first: LocalServer) -> None:
    """Documents that declare a key as a required parameter, too, do not ask the caller for it again."""
    tools = opened()
    declared = [
        {"name": "api key", "in": "query", "required": True},
        {"name": "x-KEY", "in": "header", "required": True},
    ]
    document = spec(["https://x.example"], security=[{"inQuery": []}], parameters=declared)
    base = {"baseUrl": str(first.origin)}
    await added(tools, document, **base, credentials={"inQuery": "from-source"}, headers={"X-Key": "k"})
    await tools.call("t.general")
    assert (first.requests[-1].path, first.requests[-1].headers["x-key"]) == ("/general?api%20key=from-source", "k")
    await tools.call("t.general", {"api_key": "mine", "x-KEY": "m"})
    assert (first.requests[-1].path, first.requests[-1].headers["x-key"]) == ("/general?api%20key=mine", "m")
    await added(tools, document, namespace="u", **base)
    assert (await tools.call("u.general"))["error"]["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({"nothing": "s3cret"}, "no scheme 'nothing'; its schemes: basic, bearer"),
        ({"tls": "s3cret"}, "type 'mutualTLS' is not supported"),
        ({"broken": "s3cret"}, "does not say where the key 'broken' goes"),
        ({"basic": "s3cret"}, "must be <user>:<password>"),
        ({"bearer": "s3cret\r\nX: y"}, "not allowed in a header"),
        ({"bearer": ["s3cret"]}, "credentials.bearer: does not match"),
        ("s3cret", "credentials: does not match"),
    ],
)
async def test_credentials_that_are_refused(credentials: Any, message: str) -> None:
    """The error names the scheme, and never the value."""
    kind, text = await code(opened(), spec(["https://x.example"]), credentials=credentials)
    assert kind == "invalid_input"
    assert message in text
    assert "s3cret" not in text


async def test_values_of_headers_are_not_quoted() -> None:
    """Neither are those that are not a text."""
    for headers in ({"Authorization": ["s3cret"]}, {"A": "s3cret\n"}, "s3cret"):
        assert "s3cret" not in (await code(opened(), spec(["https://x.example"]), headers=headers))[1]


async def test_files_of_the_upload_root(first: LocalServer, tmp_path: Any) -> None:
    """A body can be a file below the upload root, and no other."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.bin").write_bytes(b"\xff\x00")
    (tmp_path / "secret").write_bytes(b"s3cret")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "secret")
    document = spec(["https://x.example"], requestBody={"content": {"application/octet-stream": {}}})
    tools = opened(upload_root=tmp_path / "root")
    await added(tools, document, baseUrl=str(first.origin))
    await tools.call("t.general", {"body": {"file": "a.bin"}})
    assert first.requests[-1].content == b"\xff\x00"
    for name in ("../secret", str(tmp_path / "secret"), "link", ".", "none"):
        error = (await tools.call("t.general", {"body": {"file": name}}))["error"]
        assert (error["code"], "no regular file" in error["message"]) == ("invalid_input", True)
    assert len(first.requests) == 1
    tools = opened()
    await added(tools, document, baseUrl=str(first.origin))
    error = (await tools.call("t.general", {"body": {"file": "a.bin"}}))["error"]
    assert (error["code"], "--upload-root" in error["message"]) == ("not_allowed", True)


def test_origins_are_told_apart() -> None:
    """The port is a part of what the caller allows."""
    assert Origin("http", "127.0.0.1", 1) != Origin("http", "127.0.0.1", 2)
