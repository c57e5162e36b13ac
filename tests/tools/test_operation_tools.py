from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.tools.operation_tools import PreparedRequest, build_request
from contentgroove.tools.operations import Operation, Parameter
from contentgroove.tools.results import ToolError
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


LIST = ["blue", "a,b &"]
OBJECT = {"R": 100, "G": "x y"}


def sent(arguments: dict[str, Any], *parameters: Parameter, path: str = "/a", body_type: str = "") -> PreparedRequest:
    """Write the call of an operation with these parameters."""
    return build_request(Operation("n", "", "", "", (), "POST", path, parameters, body_type, {}), arguments)


def parameter(location: Any, style: str, *, explode: bool) -> Parameter:
    """Describe a parameter `c`."""
    return Parameter("c", "c", location, style, explode)


# The values are those of the OpenAPI Specification 3.1.1, "Style Examples", with characters to be encoded.
@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("form", True, "a b", "c=a%20b"),
        ("form", True, True, "c=true"),
        ("form", True, LIST, "c=blue&c=a%2Cb%20%26"),
        ("form", False, LIST, "c=blue,a%2Cb%20%26"),
        ("form", True, OBJECT, "R=100&G=x%20y"),
        ("form", False, OBJECT, "c=R,100,G,x%20y"),
        ("spaceDelimited", False, LIST, "c=blue%20a%2Cb%20%26"),
        ("pipeDelimited", False, LIST, "c=blue%7Ca%2Cb%20%26"),
        ("deepObject", True, {"number": 1, "size": 5}, "c[number]=1&c[size]=5"),
        ("deepObject", True, {"in": ["a", "b"]}, "c[in][]=a&c[in][]=b"),
        ("form", True, [], ""),
    ],
)
def test_query(style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """Each style writes values as the specification requires, not as Python does."""
    assert sent({"c": value}, parameter("query", style, explode=explode)).query == written


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("simple", False, "a/b", "/a%2Fb"),
        ("simple", False, LIST, "/blue,a%2Cb%20%26"),
        ("simple", False, OBJECT, "/R,100,G,x%20y"),
        ("simple", True, OBJECT, "/R=100,G=x%20y"),
        ("label", False, "x", "/.x"),
        ("label", True, LIST, "/.blue.a%2Cb%20%26"),
        ("label", True, OBJECT, "/.R=100.G=x%20y"),
        ("matrix", False, "x", "/;c=x"),
        ("matrix", False, LIST, "/;c=blue,a%2Cb%20%26"),
        ("matrix", True, LIST, "/;c=blue;c=a%2Cb%20%26"),
        ("matrix", True, OBJECT, "/;R=100;G=x%20y"),
    ],
)
def test_path(style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """Each style writes values as the specification requires."""
    assert sent({"c": value}, parameter("path", style, explode=explode), path="/{c}").path == written


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_paths_lead_nowhere_else(value: str) -> None:
    """A value that would turn the path into another one is refused."""
    with pytest.raises(ToolError, match="another endpoint"):
        sent({"c": value}, parameter("path", "simple", explode=False), path="/x/{c}")


def test_paths_that_hold_a_query_or_fragment() -> None:
    """What documents add to a path to tell operations apart is not sent."""
    assert sent({}, path="/#X-Target=A").path == "/"
    assert sent({}, path="/a?kind={kind}").path == "/a"


def test_headers_and_cookies() -> None:
    """Headers take lists with commas, cookies are one header, and line breaks are refused."""
    call = sent(
        {"c": LIST, "d": "a b", "e": [1, 2]},
        Parameter("c", "X-C", "header", "simple", explode=False),
        Parameter("d", "d", "cookie", "form", explode=True),
        Parameter("e", "e", "cookie", "form", explode=False),
    )
    assert call.headers == {"X-C": "blue,a,b &", "Cookie": "d=a%20b; e=1,2"}
    for value in ("a\r\nX-Evil: 1", "ü"):
        with pytest.raises(ToolError, match="cannot be in a header"):
            sent({"c": value}, Parameter("c", "X-C", "header", "simple", explode=False))


@pytest.mark.parametrize(
    ("body_type", "body", "content"),
    [
        ("application/json", {"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        ("application/vnd.api+json", None, "null"),
        ("application/x-www-form-urlencoded", {"a": "x y", "b": [1, True], "c": None}, "a=x+y&b=1&b=true"),
        ("text/csv", "a,b", "a,b"),
    ],
)
def test_bodies(body_type: str, body: Any, content: str) -> None:
    """A body is written as its media type requires, with its Content-Type."""
    call = sent({"body": body}, body_type=body_type)
    assert call.content == content.encode()
    assert call.headers == {"Content-Type": body_type}


def test_multipart_bodies() -> None:
    """Fields are parts; no value can end one early, and no name break out of its quotes."""
    call = sent({"body": {'a"b': "x", "c": "--contentgroove-0--"}}, body_type="multipart/form-data")
    assert call.headers == {"Content-Type": "multipart/form-data; boundary=contentgroove-1"}
    assert call.content == (
        b'--contentgroove-1\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\nx\r\n'
        b'--contentgroove-1\r\nContent-Disposition: form-data; name="c"\r\n\r\n--contentgroove-0--\r\n'
        b"--contentgroove-1--\r\n"
    )


def test_bodies_that_cannot_be_written() -> None:
    """A body of an unknown media type must be text; without a body, nothing is sent."""
    with pytest.raises(ToolError, match="must be a string"):
        sent({"body": {"a": 1}}, body_type="application/octet-stream")
    assert sent({}, body_type="application/json").content is None
