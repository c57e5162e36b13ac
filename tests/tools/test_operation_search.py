"""Documents with many operations: a choice of them, and a search in their stead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.tools import Access, NetworkPolicy, SpecSources, open_tools
from contentgroove.tools.operation_search import MAX_SCHEMAS
from contentgroove.tools.source_documents import MAX_DESCRIBED, MAX_LEFT_OUT

from tests.tools.servers import Response, serve
from tests.tools.test_sources import document, opened

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove.tools import ToolRegistry

pytestmark = pytest.mark.anyio


def large(count: int = 150, **operation: Any) -> str:
    """Write a document with many operations: each reads or deletes one kind of thing."""
    paths: dict[str, Any] = {}
    for number in range(count // 2):
        parameters = [{"name": "size", "in": "query", "schema": {"type": "integer"}}]
        paths[f"/things{number}"] = {
            "get": {
                "summary": f"list things number {number}",
                "operationId": f"list{number}",
                "parameters": parameters,
            },
            "delete": {"operationId": f"drop{number}", "tags": ["Danger"]},
        } | operation
    paths["/invoices"] = {
        "get": {"summary": "Find invoices", "tags": ["billing"], "description": "Unpaid ones, too."},
        "post": {"operationId": "createInvoice", "tags": ["billing"], "description": "Bill a customer."},
    }
    return json.dumps(document(paths=paths, info={"title": "Many"}))


async def added(tools: ToolRegistry, spec: str, **arguments: Any) -> Any:
    """Add a source; return the result."""
    result = await tools.call("openapi.addSource", {"spec": spec, "namespace": "m"} | arguments)
    return result["data"] if result["ok"] else result["error"]


def names(tools: ToolRegistry) -> set[str]:
    """Return the names of the listed tools of the source."""
    return {tool.name for tool in tools.list_tools() if tool.source == "m"}


async def found(tools: ToolRegistry, query: str, **arguments: Any) -> list[str]:
    """Search; return the names of what was found."""
    result = await tools.call("m.searchOperations", {"query": query, **arguments})
    return [operation["name"] for operation in result["data"]["operations"]]


async def test_a_search_instead_of_many_tools() -> None:
    """Two tools are listed; the operations are found by words, and can still be called by their own names."""
    tools = opened()
    data = await added(tools, large())
    assert data == {"sourceId": "m", "toolCount": 152, "search": ["m.searchOperations", "m.callOperation"]}
    assert names(tools) == {"m.searchOperations", "m.callOperation"}
    assert await found(tools, "unpaid invoice") == ["m.billing.getV2Invoices", "m.billing.postV2Invoices"]
    assert (await found(tools, "bill customer"))[0] == "m.billing.postV2Invoices"
    assert (await found(tools, "things number 7"))[0] == "m.things7.getV2Things7"
    assert (await found(tools, "createInvoice"))[0] == "m.billing.postV2Invoices"
    assert len(await found(tools, "things")) == 10
    assert len(await found(tools, "things", limit=3)) == 3
    assert await found(tools, "zebra") == []
    by_name = await tools.call("m.searchOperations", {"query": "m.things7.getV2Things7", "limit": 1})
    (operation,) = by_name["data"]["operations"]
    assert (operation["readOnly"], operation["destructive"]) == (True, False)
    assert operation["inputSchema"]["properties"] == {"size": {"type": "integer"}}
    assert tools.find("m.list7") is not None


@pytest.mark.parametrize(
    ("count", "limit", "listed"), [(98, 100, 100), (100, 100, 2), (98, 99, 2), (2, 0, 2), (2, 4, 4)]
)
async def test_the_number_of_tools_is_an_option(count: int, limit: int, listed: int) -> None:
    """A source with as many is listed whole."""
    tools = opened(max_tools=limit)
    await added(tools, large(count))
    assert len(names(tools)) == listed


@pytest.mark.parametrize(
    "name", ["m.things7.getV2Things7", "things7.getV2Things7", "m_things7_getV2Things7", "list7", "m.list7"]
)
async def test_calling_what_was_found(name: str) -> None:
    """By any of its names; the arguments are checked as those of a tool."""
    tools = opened()
    with serve(secure=False) as served:
        served.responses["/things7"] = Response(200, {}, b"yes")
        await added(tools, large(), baseUrl=str(served.origin))
        result = await tools.call("m.callOperation", {"name": name, "arguments": {"size": 3}})
        assert result == {"ok": True, "data": "yes", "http": {"status": 200}}
        wrong = await tools.call("m.callOperation", {"name": name, "arguments": {"size": "x"}})
        assert (wrong["error"]["code"], "size" in wrong["error"]["message"]) == ("invalid_input", True)
        unknown = await tools.call("m.callOperation", {"name": "list700"})
        assert (unknown["error"]["code"], "list700" in unknown["error"]["message"]) == ("unknown_tool", True)
        misspelt = await tools.call("m.callOperation", {"name": "billing.createInvoices"})
        assert "Did you mean m.billing.postV2Invoices" in misspelt["error"]["message"]
        builtin = await tools.call("m.callOperation", {"name": "openapi.previewSpec", "arguments": {"spec": "{}"}})
        assert builtin["error"]["code"] == "unknown_tool"
        assert [request.path for request in served.requests] == ["/things7?size=3"]


def access_tools(access: Access) -> ToolRegistry:
    """Open tools with an access."""
    return open_tools(pytest.fail, access=access)


async def test_the_search_is_no_way_around() -> None:
    """What a caller may not call, it may not call this way; the tool's own marks say what can happen."""
    tools = access_tools(Access())
    await added(tools, large())
    error = (await tools.call("m.callOperation", {"name": "drop7"}))["error"]
    assert (error["code"], "--allow-destructive" in error["message"]) == ("not_allowed", True)
    marks = tools.find("m.callOperation")
    assert marks is not None
    assert (marks.is_read_only, marks.is_destructive) == (False, False)
    tools = access_tools(Access(allow_destructive=True))
    await added(tools, large())
    marks = tools.find("m.callOperation")
    assert marks is not None
    assert marks.is_destructive
    with pytest.raises(AssertionError):
        assert (await tools.call("m.callOperation", {"name": "drop7"}))["error"]["code"] == "not_allowed"


async def test_the_search_of_those_who_only_read(tmp_path: Path) -> None:
    """They find and call what reads, and nothing else."""
    sources = SpecSources(NetworkPolicy())
    tools = open_tools(pytest.fail, access=Access(read_only=True), sources=sources)
    (tmp_path / "a.json").write_text(large(), encoding="utf-8")
    await sources.add({"namespace": "m"}, tmp_path / "a.json")
    assert names(tools) == {"m.searchOperations", "m.callOperation"}
    assert await found(tools, "invoice") == ["m.billing.getV2Invoices"]
    for name in ("createInvoice", "drop7"):
        assert (await tools.call("m.callOperation", {"name": name}))["error"]["code"] == "unknown_tool"


async def test_large_schemas_are_left_out_of_results() -> None:
    """The first one is there in any case, and a search for a name makes it the first."""
    parameters = [{"name": "a", "in": "query", "schema": {"type": "string", "description": "x" * (MAX_SCHEMAS // 2)}}]
    tools = opened()
    await added(tools, large(parameters=parameters))
    result = await tools.call("m.searchOperations", {"query": "list"})
    assert ["inputSchema" in operation for operation in result["data"]["operations"]] == [True] + [False] * 9
    result = await tools.call("m.searchOperations", {"query": "list9"})
    first = result["data"]["operations"][0]
    assert (first["name"], "inputSchema" in first) == ("m.things9.getV2Things9", True)


@pytest.mark.parametrize(
    ("arguments", "operations"),
    [
        ({"tags": ["BILLING"]}, {"m.billing.getV2Invoices", "m.billing.postV2Invoices"}),
        ({"tags": ["billing"], "methods": ["get"]}, {"m.billing.getV2Invoices"}),
        ({"paths": ["/invoices"]}, {"m.billing.getV2Invoices", "m.billing.postV2Invoices"}),
        ({"paths": ["/inv*", "/things7"], "methods": ["GET"]}, {"m.billing.getV2Invoices", "m.things7.getV2Things7"}),
        ({"operationIds": ["list3", "GET /invoices"]}, {"m.things3.getV2Things3", "m.billing.getV2Invoices"}),
        ({"operationIds": ["list3*"], "paths": ["*30"]}, {"m.things30.getV2Things30"}),
    ],
)
async def test_a_choice_of_operations(arguments: Any, operations: set[str]) -> None:
    """By tag, path, method and id, which must all match; one of several of a kind is enough. Previews have it, too."""
    tools = opened()
    data = await added(tools, large(), **arguments)
    assert names(tools) == operations
    assert data["toolCount"] == len(operations)
    preview = await tools.call("openapi.previewSpec", {"spec": large(), **arguments})
    assert {f"m.{operation['name']}" for operation in preview["data"]["operations"]} == operations


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tags": ["bill"]}, "has the tag 'bill'. Did you mean 'billing'?"),
        ({"paths": ["/invoice"]}, "Did you mean '/invoices'"),
        ({"methods": ["PATCH"]}, "has the method 'PATCH'. There are 'DELETE', 'GET', 'POST'."),
        ({"operationIds": ["createInvoices"]}, "Did you mean 'createInvoice'"),
        ({"tags": ["billing"], "methods": ["DELETE"]}, "matches all of the conditions"),
        ({"tags": []}, "tags: "),
        ({"tags": "billing"}, "tags: "),
    ],
)
async def test_choices_that_match_nothing(arguments: Any, message: str) -> None:
    """Nothing is added, and the error names what is similar."""
    tools = opened()
    error = await added(tools, large(), **arguments)
    assert error["code"] == "invalid_input"
    assert message in error["message"]
    assert names(tools) == set()


async def test_choosing_is_by_what_the_document_has() -> None:
    """What was not chosen is not looked at, and so is not reported as left out."""
    tools = opened()
    broken = json.loads(large(2))
    broken["paths"]["/broken/{a}"] = {"get": {"operationId": "broken"}}
    data = await added(tools, json.dumps(broken))
    assert data["leftOutCount"] == 1
    tools = opened()
    data = await added(tools, json.dumps(broken), tags=["billing"])
    assert "leftOut" not in data


async def test_long_reports_are_cut() -> None:
    """Of thousands of operations, some are described, and the number is of all."""
    paths: dict[str, Any] = {f"/a{number}": {"get": {}} for number in range(MAX_DESCRIBED + 5)}
    paths |= {f"/b{number}/{{x}}": {"get": {}} for number in range(MAX_LEFT_OUT + 5)}
    tools = opened()
    spec = json.dumps(document(paths=paths))
    data = (await tools.call("openapi.previewSpec", {"spec": spec}))["data"]
    assert (data["operationCount"], len(data["operations"])) == (MAX_DESCRIBED + 5, MAX_DESCRIBED)
    assert "choose by tags" in data["note"]
    assert (data["leftOutCount"], len(data["leftOut"])) == (MAX_LEFT_OUT + 5, MAX_LEFT_OUT)
    data = await added(tools, spec)
    assert (data["toolCount"], data["leftOutCount"]) == (MAX_DESCRIBED + 5, MAX_LEFT_OUT + 5)


async def test_documents_of_which_nothing_is_left() -> None:
    """They are an error with the first reason, not a source without tools."""
    error = await added(opened(), json.dumps(document(paths={"/a/{x}": {"get": {}}})))
    assert error["code"] == "invalid_spec"
    assert "GET /a/{x}" in error["message"]
    assert "does not describe" in error["message"]


async def test_files_may_be_large(tmp_path: Path) -> None:
    """A document that a user names may be larger than one that comes over the network."""
    sources = SpecSources(NetworkPolicy())
    tools = open_tools(pytest.fail, sources=sources)
    padded = large(10)[:-1] + f', "x-padding": "{"x" * 33 * 1024 * 1024}"}}'
    error = (await tools.call("openapi.addSource", {"spec": padded}))["error"]
    assert (error["code"], "larger than 33,554,432 bytes" in error["message"]) == ("invalid_spec", True)
    (tmp_path / "a.json").write_text(padded, encoding="utf-8")
    assert (await sources.add({"namespace": "m"}, tmp_path / "a.json"))["toolCount"] == 12
