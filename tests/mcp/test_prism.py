"""A second real API: its document added as a source, and called through Prism."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_mock.prism import Prism

if TYPE_CHECKING:
    from tests.mcp.conftest import Start

pytestmark = [pytest.mark.anyio, pytest.mark.process]

DOCUMENT = Path(__file__).parent / "documents" / "nexmo-application.json"
CREDENTIALS = {"api_key": "k", "api_secret": "s"}
ID = {"app_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}


async def test_another_api(start: Start) -> None:
    """Every operation is a tool; calls and their responses match the document, as Prism checks; errors are reported."""
    with Prism.mock(DOCUMENT) as prism:
        async with start("--allow-destructive") as session:
            spec = {"spec": DOCUMENT.read_text("utf-8")}
            preview = await session.good("openapi_previewSpec", spec)
            assert (preview["title"], preview["operationCount"]) == ("Nexmo Application API", 5)
            assert preview["servers"] == ["https://api.nexmo.com/v1/applications"]
            added = await session.good("openapi_addSource", {**spec, "namespace": "nexmo", "baseUrl": prism.base_url})
            assert added == {"sourceId": "nexmo", "toolCount": 5}
            listed = {tool.name for tool in (await session.client.list_tools()).tools}
            assert {name for name in listed if name.startswith("nexmo")} == {
                "nexmo_applications_getV1Applications",
                "nexmo_applications_postV1Applications",
                "nexmo_applications_getV1ApplicationsAppId",
                "nexmo_applications_putV1ApplicationsAppId",
                "nexmo_applications_deleteV1ApplicationsAppId",
            }
            found = await session.good("nexmo.applications.getV1Applications", {**CREDENTIALS, "page_size": 1})
            assert isinstance(found["_embedded"]["applications"], list)
            body = await made_body(session.client)
            created = await session.call("nexmo.createApplication", {"body": body})
            assert created.structured_content is not None
            assert created.structured_content["http"] == {"status": 201}
            assert await session.good("nexmo.deleteApplication", ID) is None
            assert await session.bad("nexmo.retrieveApplications", {"page_size": 1}) == "invalid_input"
            assert await session.bad("nexmo.createApplication", {"body": {}}) == "invalid_input"


async def made_body(client: Any) -> dict[str, Any]:
    """Make a body that has what the tool's schema demands."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    schema = tools["nexmo_applications_postV1Applications"].input_schema["properties"]["body"]
    known = {
        "type": "voice",
        "name": "mine",
        "answer_url": "https://example.com/a",
        "event_url": "https://example.com/e",
    }
    return {name: known.get(name, "x") for name in schema["required"]}
