from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_mock import Fault

from tests.tools.conftest import KEY, Service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contentgroove.tools import ToolRegistry

pytestmark = pytest.mark.anyio

NOWHERE = "00000000-0000-4000-8000-000000000000"
URL = "https://hooks.example.com/a"


def attributes(**values: Any) -> dict[str, Any]:
    """Make a body."""
    return {"data": {"attributes": values}}


async def media(service: Service) -> str:
    """Create a media."""
    return await service.new_media()


async def clip(service: Service) -> str:
    """Create a clip."""
    made = await service.client.clips.create(media_id=await service.new_media(), name="c", start_time=0, end_time=1)
    return made.id


async def subscription(service: Service) -> str:
    """Create a subscription."""
    return (await service.client.webhook_subscriptions.create(url=URL)).id


async def nothing(_service: Service) -> str:
    """Prepare nothing."""
    return ""


# The tool; what it needs; its arguments, given the id of that; what must be seen of its result.
SUCCESSES: list[
    tuple[str, Callable[[Service], Awaitable[str]], Callable[[str], dict[str, Any]], Callable[[Any], Any], Any]
] = [
    ("clips.getApiV1Clips", clip, lambda _: {"page": {"size": 1}}, lambda data: len(data["data"]), 1),
    (
        "clips.postApiV1Clips",
        media,
        lambda found: {"body": attributes(media_id=found, name="cut", start_time=1, end_time=2)},
        lambda data: data["data"]["attributes"]["name"],
        "cut",
    ),
    ("clips.getApiV1ClipsId", clip, lambda found: {"id": found}, lambda data: data["data"]["type"], "clips"),
    (
        "clips.putApiV1ClipsId",
        clip,
        lambda found: {"id": found, "body": attributes(name="new")},
        lambda data: data["data"]["attributes"]["name"],
        "new",
    ),
    ("clips.deleteApiV1ClipsId", clip, lambda found: {"id": found}, lambda data: data, None),
    (
        "directUploads.getApiV1DirectUploads",
        nothing,
        lambda _: {},
        lambda data: sorted(data["data"]["attributes"]),
        ["upload_id", "upload_url"],
    ),
    (
        "medias.getApiV1Medias",
        media,
        lambda _: {"filter": {"name_in": ["Film", "Other"]}, "sort": "-created_at", "page": {"number": 1, "size": 5}},
        lambda data: [item["attributes"]["name"] for item in data["data"]],
        ["Film"],
    ),
    (
        "medias.postApiV1Medias",
        nothing,
        lambda _: {"body": attributes(source_url="https://example.com/a.mp4", name="A")},
        lambda data: data["data"]["attributes"]["name"],
        "A",
    ),
    ("medias.getApiV1MediasId", media, lambda found: {"id": found}, lambda data: data["data"]["type"], "medias"),
    (
        "medias.putApiV1MediasId",
        media,
        lambda found: {"id": found, "body": attributes(description="D")},
        lambda data: data["data"]["attributes"]["description"],
        "D",
    ),
    ("medias.deleteApiV1MediasId", media, lambda found: {"id": found}, lambda data: data, None),
    (
        "webhookSubscriptions.getApiV1WebhookSubscriptions",
        subscription,
        lambda _: {"filter": {"url_eq": URL}},
        lambda data: [item["attributes"]["url"] for item in data["data"]],
        [URL],
    ),
    (
        "webhookSubscriptions.postApiV1WebhookSubscriptions",
        nothing,
        lambda _: {"body": attributes(url=URL, subscribed_events=["*"])},
        lambda data: data["data"]["attributes"]["url"],
        URL,
    ),
    (
        "webhookSubscriptions.getApiV1WebhookSubscriptionsId",
        subscription,
        lambda found: {"id": found},
        lambda data: data["data"]["attributes"]["url"],
        URL,
    ),
    (
        "webhookSubscriptions.deleteApiV1WebhookSubscriptionsId",
        subscription,
        lambda found: {"id": found},
        lambda data: data,
        None,
    ),
]


@pytest.mark.parametrize("case", SUCCESSES, ids=lambda case: case[0])
async def test_success(service: Service, case: tuple[str, Any, Any, Any, Any]) -> None:
    """Each of the 15 operations does what its name says, and returns the response unchanged with its status."""
    name, prepare, arguments, seen, expected = case
    found = await prepare(service)
    result = await service.tools().call(name, arguments(found))
    assert result["ok"] is True, result
    assert result["http"] == {"status": 204 if "delete" in name else 200}
    assert seen(result["data"]) == expected


def failing() -> list[tuple[str, dict[str, Any]]]:
    """Give calls that name what does not exist, and calls that fail by a fault."""
    cases: list[tuple[str, dict[str, Any]]] = []
    for name, _, arguments, *_ in SUCCESSES:
        made = arguments(NOWHERE)
        cases.append((name, made))
    return cases


@pytest.mark.parametrize(("name", "arguments"), failing(), ids=lambda value: value if isinstance(value, str) else "")
async def test_failure(service: Service, name: str, arguments: dict[str, Any]) -> None:
    """Each of them fails with the service's error: an unknown id, or a fault of the service."""
    tools = service.tools()
    names_something = NOWHERE in str(arguments)
    if not names_something:
        service.simulator.add_fault(Fault(kind="status", status=401))
    error = (await tools.call(name, arguments))["error"]
    assert (error["code"], error["status"]) == (("not_found", 404) if names_something else ("unauthorized", 401))
    assert error["retryable"] is False
    assert error["details"]["errors"]


async def code_after(service: Service, tools: ToolRegistry, fault: Fault | None, name: str) -> dict[str, Any]:
    """Call a tool after a fault; return its error."""
    if fault is not None:
        service.simulator.add_fault(fault)
    body = attributes(source_url="https://example.com/a.mp4")
    result = await tools.call(name, {"body": body} if "post" in name else {})
    error: dict[str, Any] = result["error"]
    return error


async def test_kinds_of_failure(service: Service) -> None:
    """Quotas, limits, outages: each has a code, and tells whether a second try can help."""
    tools = service.tools()
    service.simulator.set_quota(medias=0)
    error = await code_after(service, tools, None, "medias.postApiV1Medias")
    assert (error["code"], error["status"], error["retryable"]) == ("quota_exceeded", 402, False)
    service.simulator.set_quota(medias=None)
    error = await code_after(service, tools, Fault(kind="status", status=500), "medias.postApiV1Medias")
    assert (error["code"], error["retryable"]) == ("outcome_unknown", False)
    service.simulator.set_rate_limit(0)
    error = await code_after(service, tools, None, "medias.getApiV1Medias")
    assert (error["code"], error["status"], error["retryable"]) == ("rate_limited", 429, True)
    assert error["details"]["retry_after"] > 0


async def test_wire(service: Service) -> None:
    """Structured arguments are what the service documents, and the key is sent with them."""
    await service.tools().call("getMedias", {"filter": {"name_cont": "a b"}, "page": {"number": 1, "size": 5}})
    (request,) = service.simulator.requests
    assert request.path.endswith("/medias")
    assert request.query == [("filter[name_cont]", "a b"), ("page[number]", "1"), ("page[size]", "5")]


async def test_ids_lead_nowhere_else(service: Service) -> None:
    """An id that is a path is sent as one segment, or not at all."""
    tools = service.tools()
    assert (await tools.call("getMediaById", {"id": "a/clips"}))["error"]["code"] == "not_found"
    assert (await tools.call("getMediaById", {"id": "../clips"}))["error"]["code"] == "invalid_input"
    assert (await tools.call("getMediaById", {"id": ".."}))["error"]["code"] == "invalid_input"
    assert [request.path for request in service.simulator.requests if request.operation == "getClips"] == []


async def test_the_key_shows_nowhere(service: Service) -> None:
    """Not even in the error of a service that does not take it."""
    tools = service.tools()
    service.simulator.add_fault(Fault(kind="status", status=401))
    for name in ("getMedias", "getUploadUrl"):
        assert KEY not in str(await tools.call(name))
