"""The operations of a document, with what paths and the document itself add to them."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.operations import METHODS, Operation, base_path, can_be_server, operations, server_urls
from contentgroove._openapi.pointers import ReferenceLoopError


def only(document: dict[str, Any]) -> Operation:
    """Return the one operation of a document."""
    (operation,) = operations(document)
    return operation


def of_item(item: dict[str, Any], **document: Any) -> Operation:
    """Return the one operation of a path."""
    return only({"paths": {"/a/{id}": item}, **document})


def test_every_operation_is_found() -> None:
    """Paths keep the document's order; extensions, and keys of a path that are not methods, are passed over."""
    document: dict[str, Any] = {
        "paths": {
            "/b": {method: {} for method in reversed(METHODS)},
            "x-extension": {"get": {}},
            "/a": {"summary": "S", "parameters": [], "servers": [], "x-get": {}, "post": {"operationId": "do"}},
            "/none": None,
        }
    }
    found = list(operations(document))
    assert [str(operation) for operation in found] == [*(f"{method.upper()} /b" for method in METHODS), "POST /a"]
    assert [operation.operation_id for operation in found] == [*([""] * len(METHODS)), "do"]
    assert found[-1].definition is document["paths"]["/a"]["post"]
    assert list(operations({})) == []


def test_paths_may_be_references() -> None:
    """A path item can be shared (OpenAPI 3.1, "Components Object")."""
    shared = {"get": {"operationId": "shared"}}
    document = {"paths": {"/a": {"$ref": "#/components/pathItems/A"}}, "components": {"pathItems": {"A": shared}}}
    assert only(document).operation_id == "shared"


def test_an_operation_must_be_an_object() -> None:
    """What is not one is an error that names it."""
    with pytest.raises(DocumentError, match=r"GET /a/\{id\} is not an operation"):
        of_item({"get": None})


def test_parameters_of_path_and_operation() -> None:
    """They are merged by name and location; the operation's replace the path's, and references are resolved."""
    identifier = {"name": "id", "in": "path", "required": True}
    shared = [{"$ref": "#/components/parameters/Id"}, {"name": "size", "in": "query"}, {"name": "id", "in": "query"}]
    own = [{"name": "size", "in": "query", "required": True}, {"name": "size", "in": "header"}]
    item = {"parameters": shared, "get": {"parameters": own}}
    operation = of_item(item, components={"parameters": {"Id": identifier}})
    assert operation.parameters == [identifier, own[0], shared[2], own[1]]
    assert of_item({"get": {}}).parameters == []


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"A": {"$ref": "#/components/parameters/A"}}, ReferenceLoopError, "circle"),
        ({}, DocumentError, "nothing at '#/components/parameters/A'"),
    ],
)
def test_a_defect_disturbs_only_who_reads_it(parameters: dict[str, Any], error: type[Exception], message: str) -> None:
    """References are resolved when a part is read, so that the others stay readable."""
    item = {"get": {"parameters": [{"$ref": "#/components/parameters/A"}], "requestBody": {"content": {}}}}
    operation = of_item(item, components={"parameters": parameters})
    assert operation.body == {"content": {}}
    with pytest.raises(error, match=message):
        _ = operation.parameters


def test_bodies_and_responses() -> None:
    """Both can be references; statuses are text, and extensions are not responses."""
    components = {"requestBodies": {"B": {"required": True}}, "responses": {"R": {"description": "not found"}}}
    responses = {200: {"description": "ok"}, "404": {"$ref": "#/components/responses/R"}, "x-other": {}}
    definition = {"requestBody": {"$ref": "#/components/requestBodies/B"}, "responses": responses}
    operation = of_item({"put": definition}, components=components)
    assert operation.body == {"required": True}
    assert operation.responses == {"200": {"description": "ok"}, "404": {"description": "not found"}}
    empty = of_item({"put": {}})
    assert (empty.body, empty.responses) == ({}, {})


def test_security() -> None:
    """The document's requirements apply where an operation has none of its own; an empty list lifts them."""
    common: Any = [{"key": []}]
    own: Any = [{"token": []}]
    assert of_item({"get": {}}, security=common).security == common
    assert of_item({"get": {"security": own}}, security=common).security == own
    assert of_item({"get": {"security": []}}, security=common).security == []
    assert of_item({"get": {}}).security == []


@pytest.mark.parametrize(
    ("own", "of_path", "of_document", "wire_path"),
    [
        ([], [], ["https://a.test/v1/"], "/v1/a/{id}"),
        ([], ["https://a.test/v2"], ["https://a.test/v1"], "/v2/a/{id}"),
        (["/v3"], ["https://a.test/v2"], ["https://a.test/v1"], "/v3/a/{id}"),
        (["https://a.test"], [], ["https://a.test/v1"], "/a/{id}"),
        ([], [], ["https://a.test/logo.svg", "https://a.test/v1"], "/v1/a/{id}"),
        ([], [], [], "/a/{id}"),
    ],
)
def test_paths_on_the_wire(own: list[str], of_path: list[str], of_document: list[str], wire_path: str) -> None:
    """The nearest servers count: the operation's, its path's, the document's."""
    servers = [[{"url": url} for url in urls] for urls in (own, of_path, of_document)]
    definition = {"servers": servers[0]} if own else {}
    item = {"get": definition, **({"servers": servers[1]} if of_path else {})}
    operation = of_item(item, servers=servers[2])
    assert operation.wire_path == wire_path
    assert operation.own_servers == (servers[0] or servers[1])


def test_callbacks() -> None:
    """They are operations with a name and an expression; security and servers of the document are not theirs."""
    payload: Any = {"content": {"application/json": {}}}
    shared = {"{$request.body#/url}": {"post": {"requestBody": payload, "callbacks": {"inner": {"x": {"put": {}}}}}}}
    definition = {"callbacks": {"done": {"$ref": "#/components/callbacks/Done"}, "x-note": {}, "gone": {"u": None}}}
    document = {
        "components": {"callbacks": {"Done": shared}},
        "security": [{"key": []}],
        "servers": [{"url": "https://a.test/v1"}],
    }
    (callback,) = of_item({"post": definition}, **document).callbacks
    assert (callback.callback, str(callback)) == ("done", "POST {$request.body#/url}")
    assert (callback.body, callback.security, callback.wire_path) == (payload, [], "{$request.body#/url}")
    assert [(inner.callback, str(inner)) for inner in callback.callbacks] == [("inner", "PUT x")]
    assert of_item({"get": {}}).callbacks == []


@pytest.mark.parametrize(
    ("server", "document_url", "urls"),
    [
        ({"url": " https://a.test/v1 "}, None, ["https://a.test/v1"]),
        ({"url": "/v1"}, None, ["/v1"]),
        ({"url": "/v1"}, "https://a.test/docs/openapi.json", ["https://a.test/v1"]),
        ({"url": "../v1"}, "https://a.test/docs/openapi.json", ["https://a.test/v1"]),
        ({"url": "https://{h}/{v}", "variables": {"h": {"default": "a.test"}, "v": {}}}, None, ["https://a.test/{v}"]),
        ({"url": "https://a.test:{p}", "variables": {"p": {"default": 8443}}}, None, ["https://a.test:8443"]),
        ({"url": "https://a.test/{p}", "variables": {"p": {"default": "/v1"}}}, None, ["https://a.test/v1"]),
        ({"url": "https://a.test{p}", "variables": {"p": {"default": "/v1"}}}, None, ["https://a.test/v1"]),
        ({"url": 1}, None, []),
        ("https://a.test", None, []),
    ],
)
def test_servers(server: Any, document_url: str | None, urls: list[str]) -> None:
    """Variables have their defaults, and relative URLs are relative to the document's."""
    assert server_urls({"servers": [server]}, document_url) == urls


def test_without_servers_there_is_the_root() -> None:
    """It is that of the document's URL (OpenAPI 3.0.4, "OpenAPI Object"), which must be known for that."""
    assert server_urls({}, "https://a.test/docs/openapi.json") == ["https://a.test/"]
    assert server_urls({"servers": []}) == []


@pytest.mark.parametrize("url", ["https://a.test/logo.svg", "https://a.test/x.PNG/", "readme.md", "http://[a"])
def test_files_are_not_servers(url: str) -> None:
    """Documents name logos, pages and files among their servers; requests cannot go there."""
    assert not can_be_server(url)
    assert base_path([url, "https://a.test/v1/", "/v2"]) == "/v1"
    assert base_path([url]) == ""


@pytest.mark.parametrize(
    ("url", "document_url", "expected"),
    [
        ("api.example.com/v1", None, "https://api.example.com/v1"),
        ("api.example.com:8443", None, "https://api.example.com:8443"),
        ("{region}.example.com/v1", None, "https://eu.example.com/v1"),
        ("//api.example.com/v1", None, "https://api.example.com/v1"),
        ("//api.example.com/v1", "http://a.test/b", "http://api.example.com/v1"),
        ("api.example.com/v1", "http://a.test/b", "https://api.example.com/v1"),
        ("/v1", None, "/v1"),
        ("/v1", "https://a.test/b/c", "https://a.test/v1"),
        ("v1.0/api", "https://a.test/b/c", "https://a.test/b/v1.0/api"),
        ("logo.svg", None, "logo.svg"),
        ("openapi.json", "https://a.test/b/c", "https://a.test/b/openapi.json"),
        ("https://a.test/{first}", None, "https://a.test/one"),
        ("https://[bad", "https://a.test/b", "https://[bad"),
    ],
)
def test_servers_without_a_scheme(url: str, document_url: str | None, expected: str) -> None:
    """A host is one of https, as it is meant; a path stays one; a variable without a default has its first value."""
    variables = {"region": {"default": "eu"}, "first": {"enum": ["one", "two"]}}
    assert server_urls({"servers": [{"url": url, "variables": variables}]}, document_url) == [expected]


def test_an_empty_list_of_servers() -> None:
    """It says nothing: the servers of the path apply."""
    item = {"servers": [{"url": "/item"}], "get": {"servers": []}, "put": {"servers": [{"url": "/own"}]}, "post": {}}
    found = {each.method: each.base_path for each in operations({"paths": {"/a": item}, "servers": [{"url": "/root"}]})}
    assert found == {"GET": "/item", "PUT": "/own", "POST": "/item"}


def test_what_cannot_be_read_can_be_left_out() -> None:
    """Each with its method, its path and the error; without that choice, it is raised."""
    document = {"paths": {"/a": {"$ref": "#/no"}, "/b": {"get": 3, "put": {}}}}
    left: list[tuple[str, str, str]] = []
    found = operations(document, lambda method, path, error: left.append((method, path, error.message)))
    assert [str(operation) for operation in found] == ["PUT /b"]
    assert [entry[:2] for entry in left] == [("", "/a"), ("GET", "/b")]
    assert "nothing at '#/no'" in left[0][2]
    with pytest.raises(DocumentError):
        list(operations(document))
