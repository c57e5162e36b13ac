"""Sources that are named when the server starts: documents, and lists whose credentials are in the environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import ConfigurationError
from contentgroove.mcp.configured_sources import add_sources, read_sources
from contentgroove.tools import NetworkPolicy, SpecSources, open_tools

from tests.tools.servers import LocalServer, serve

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from contentgroove.tools import ToolRegistry

    from tests.mcp.conftest import Start

pytestmark = pytest.mark.anyio

KEY = "canary-key-31e0aa77"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Films"},
    "servers": [{"url": "https://films.example.com"}],
    "security": [{"key": []}],
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "key"}}},
    "paths": {
        "/films": {"get": {"operationId": "list", "tags": ["films"]}, "post": {"operationId": "add"}},
        "/films/{id}": {"get": {"operationId": "broken"}},
    },
}


@pytest.fixture
def films() -> Generator[LocalServer]:
    """Run a server over plain http."""
    with serve(secure=False) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a document."""
    (tmp_path / "films.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return tmp_path


def opened() -> tuple[SpecSources, ToolRegistry]:
    """Open tools without a client."""
    sources = SpecSources(NetworkPolicy())
    return sources, open_tools(pytest.fail, sources=sources)


async def test_a_document(folder: Path) -> None:
    """Its operations are tools; what cannot be one is reported."""
    sources, tools = opened()
    lines = await add_sources(sources, read_sources([str(folder / "films.json")]))
    assert tools.find("films.list") is not None
    (line,) = lines
    assert line.startswith(f"{folder / 'films.json'}: GET /films/{{id}}: ")


async def test_a_list(folder: Path, films: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are relative to it, and its credentials come from the environment."""
    monkeypatch.setenv("FILMS_KEY", KEY)
    monkeypatch.setenv("TENANT", "t1")
    entry = {
        "spec": "films.json",
        "namespace": "mine",
        "baseUrl": str(films.origin),
        "credentials": {"key": "${FILMS_KEY}"},
        "headers": {"X-Tenant": "tenant ${TENANT}", "X-Plain": "$TENANT"},
        "operationIds": ["list"],
    }
    (folder / "sources.yaml").write_text(f"sources:\n- {json.dumps(entry)}\n", encoding="utf-8")
    configured = read_sources([str(folder / "sources.yaml")])
    assert KEY not in repr(configured)
    sources, tools = opened()
    assert await add_sources(sources, configured) == []
    assert tools.find("mine.add") is None
    result = await tools.call("mine.list")
    (request,) = films.requests
    assert request.path == f"/films?key={KEY}"
    assert (request.headers["x-tenant"], request.headers["x-plain"]) == ("tenant t1", "$TENANT")
    assert KEY not in json.dumps(result)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"sources": [{}]}, "sources.json, number 1 has no spec"),
        ({"sources": [{"spec": "none.json"}]}, "number 1 cannot be read: No such file"),
        (
            {"sources": [{"spec": "films.json", "headers": {"A": "${NO_SUCH_VARIABLE}"}}]},
            "NO_SUCH_VARIABLE for headers.A",
        ),
        (
            {"sources": [{"spec": "films.json", "headers": {"A": "${CONTENTGROOVE_API_KEY}"}}]},
            "no other API gets that key",
        ),
        ({"sources": [{"spec": "films.json", "namespaces": "x"}]}, "namespaces: is not known"),
        ({"sources": [{"spec": "films.json", "namespace": "medias"}]}, "belongs to built-in tools"),
        ({"sources": [{"spec": "http://10.0.0.1/a"}]}, "plain http"),
        ({"sources": []}, "lists no sources"),
        ({"sources": {"spec": "films.json"}}, "lists no sources"),
        ({"swagger": "2.0"}, "npx swagger2openapi"),
        ({"other": 1}, "not an OpenAPI 3.x document"),
    ],
)
async def test_sources_that_are_refused(
    folder: Path, content: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file, the entry and the reason."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
    (folder / "sources.json").write_text(json.dumps(content), encoding="utf-8")
    sources, _ = opened()
    with pytest.raises(ConfigurationError) as caught:
        await add_sources(sources, read_sources([str(folder / "sources.json")]))
    assert message in caught.value.message
    assert "sources.json" in caught.value.message
    assert KEY not in caught.value.message


async def test_credentials_in_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL's query is in no line about what is left out, which is on standard error."""
    sources, _ = opened()
    left_out = {"leftOutCount": 1, "leftOut": [{"method": "GET", "path": "/a", "reason": "Why."}]}

    async def add(*_: Any) -> Any:
        return left_out

    monkeypatch.setattr(sources, "add", add)
    (line,) = await add_sources(sources, read_sources([f"https://example.com/a.json?token={KEY}"]))
    assert line == "https://example.com/a.json?token=[redacted]: GET /a: Why."


def test_files_that_do_not_exist(folder: Path) -> None:
    """They are reported before anything is served."""
    with pytest.raises(ConfigurationError, match=r"Cannot read the source .*: No such file"):
        read_sources([str(folder / "none.json")])


@pytest.mark.process
async def test_the_server(folder: Path, start: Start) -> None:
    """Its clients see the tools at once, and the search if there are too many; the report is on standard error."""
    async with start("--source", str(folder / "films.json"), "--max-tools", "1") as session:
        listed = {tool.name for tool in (await session.client.list_tools()).tools}
        assert {name for name in listed if name.startswith("films")} == {
            "films_searchOperations",
            "films_callOperation",
        }
        found = await session.good("films_searchOperations", {"query": "list films"})
        assert found["operations"][0]["name"] == "films.films.getFilms"
        assert await session.bad("films_callOperation", {"name": "list", "arguments": {"x": 1}}) == "invalid_input"
    assert "left out: " in session.errors.read_text(encoding="utf-8")
