"""Each operation sends what the API's document requires and returns a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import Clip, DirectUpload, InvalidInputError, Media, Sort, WebhookSubscription

from .conftest import KEY, clip_json, many, media_json, one, sent_json, subscription_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Maker

CIRCLE: dict[str, Any] = {}
CIRCLE["a"] = CIRCLE

UPLOAD = {
    "id": "u-1",
    "type": "direct_upload_blobs",
    "attributes": {"upload_id": "signed-1", "upload_url": "https://store.test/1?X-Amz-Signature=sig"},
}

CASES: list[tuple[str, Callable[[Any], Any], str, str, Any, httpx.Response, Any]] = [
    (
        "list medias",
        lambda client: list(client.medias.list(page_size=2, limit=1)),
        "GET",
        "/medias?page[size]=2",
        None,
        many([media_json()]),
        list,
    ),
    ("get media", lambda client: client.medias.get("m-1"), "GET", "/medias/m-1", None, one(media_json()), Media),
    (
        "create media of a URL",
        lambda client: client.medias.create(source_url="https://example.com/a.mp4", name="A", description="B"),
        "POST",
        "/medias",
        {"source_url": "https://example.com/a.mp4", "name": "A", "description": "B"},
        one(media_json()),
        Media,
    ),
    (
        "create media of an upload",
        lambda client: client.medias.create(upload_id="signed-1"),
        "POST",
        "/medias",
        {"upload_id": "signed-1"},
        one(media_json()),
        Media,
    ),
    (
        "update media",
        lambda client: client.medias.update("m-1", name="New"),
        "PUT",
        "/medias/m-1",
        {"name": "New"},
        one(media_json()),
        Media,
    ),
    (
        "delete media",
        lambda client: client.medias.delete("m-1"),
        "DELETE",
        "/medias/m-1",
        None,
        httpx.Response(204),
        type(None),
    ),
    (
        "list clips",
        lambda client: list(client.clips.list(sort="-created_at", limit=1)),
        "GET",
        "/clips?sort=-created_at",
        None,
        many([clip_json()]),
        list,
    ),
    ("get clip", lambda client: client.clips.get("c-1"), "GET", "/clips/c-1", None, one(clip_json()), Clip),
    (
        "create clip",
        lambda client: client.clips.create(media_id="m-1", name="C", start_time=1, end_time=2.5),
        "POST",
        "/clips",
        {"media_id": "m-1", "name": "C", "start_time": 1.0, "end_time": 2.5},
        one(clip_json()),
        Clip,
    ),
    (
        "update clip",
        lambda client: client.clips.update("c-1", start_time=0.5),
        "PUT",
        "/clips/c-1",
        {"start_time": 0.5},
        one(clip_json()),
        Clip,
    ),
    (
        "delete clip",
        lambda client: client.clips.delete("c-1"),
        "DELETE",
        "/clips/c-1",
        None,
        httpx.Response(204),
        type(None),
    ),
    (
        "list webhook subscriptions",
        lambda client: list(client.webhook_subscriptions.list(limit=1)),
        "GET",
        "/webhook_subscriptions",
        None,
        many([subscription_json()]),
        list,
    ),
    (
        "get webhook subscription",
        lambda client: client.webhook_subscriptions.get("w-1"),
        "GET",
        "/webhook_subscriptions/w-1",
        None,
        one(subscription_json()),
        WebhookSubscription,
    ),
    (
        "create webhook subscription",
        lambda client: client.webhook_subscriptions.create(
            url="https://example.com/hook", subscribed_events=["media.processing_finished"]
        ),
        "POST",
        "/webhook_subscriptions",
        {"url": "https://example.com/hook", "subscribed_events": ["media.processing_finished"]},
        one(subscription_json()),
        WebhookSubscription,
    ),
    (
        "delete webhook subscription",
        lambda client: client.webhook_subscriptions.delete("w-1"),
        "DELETE",
        "/webhook_subscriptions/w-1",
        None,
        httpx.Response(204),
        type(None),
    ),
    (
        "prepare upload",
        lambda client: client.direct_uploads.prepare(),
        "GET",
        "/direct_uploads",
        None,
        httpx.Response(200, json={"data": UPLOAD}),
        DirectUpload,
    ),
]


@pytest.mark.parametrize(
    ("call", "method", "target", "attributes", "http_response", "kind"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_operation(
    make: Maker,
    call: Callable[[Any], Any],
    method: str,
    target: str,
    attributes: Any,
    http_response: httpx.Response,
    kind: type,
) -> None:
    """Each of the 15 operations sends the documented request and decodes its response."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(http_response.status_code, content=http_response.content, headers=http_response.headers)

    result = call(make(handler))
    assert isinstance(result, kind)
    (request,) = seen
    assert request.method == method
    assert request.url.host == "api.contentgroove.test"
    assert request.url.raw_path.decode() == f"/api/v1{target}"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    if attributes is None:
        assert request.content == b""
        assert "content-type" not in request.headers
    else:
        assert sent_json(request) == {"data": {"attributes": attributes}}
        assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "bad", ["", ".", "..", "...", "a/b", "a b", "a?b", "a#b", "%2e", "é", "a\n", None, 7, "x" * 201]
)
@pytest.mark.parametrize(
    "call",
    [
        lambda client, value: client.medias.get(value),
        lambda client, value: client.medias.update(value, name="n"),
        lambda client, value: client.medias.delete(value),
        lambda client, value: client.medias.wait(value),
        lambda client, value: client.clips.get(value),
        lambda client, value: client.clips.update(value, name="n"),
        lambda client, value: client.clips.delete(value),
        lambda client, value: client.clips.create(media_id=value, name="n", start_time=0, end_time=1),
        lambda client, value: client.webhook_subscriptions.get(value),
        lambda client, value: client.webhook_subscriptions.delete(value),
    ],
    ids=["get", "update", "delete", "wait", "clip", "update clip", "delete clip", "create clip", "hook", "delete hook"],
)
def test_bad_ids_are_never_sent(make: Maker, call: Callable[[Any, Any], Any], bad: Any) -> None:
    """An id that could lead to another endpoint is refused before anything is sent."""

    def handler(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"sent {request.url}")

    with pytest.raises(InvalidInputError, match="Nothing was sent"):
        call(make(handler), bad)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.medias.create(),
        lambda client: client.medias.create(source_url="https://example.com/a", upload_id="b"),
        lambda client: client.medias.create(source_url="ftp://example.com/a"),
        lambda client: client.medias.create(source_url="no url"),
        lambda client: client.medias.create(upload_id="a", name=5),
        lambda client: client.medias.create(upload_id="a", name="\ud800"),
        lambda client: client.medias.update("m-1"),
        lambda client: client.medias.list(page_number=0),
        lambda client: client.medias.list(page_size=True),
        lambda client: client.medias.list(limit=-1),
        lambda client: client.medias.list(sort="size"),
        lambda client: client.clips.list(sort="original_created_at"),
        lambda client: client.medias.list(filter={"name": "no matcher"}),
        lambda client: client.medias.list(filter={"name_in": []}),
        lambda client: client.medias.list(filter={"name_eq": {"a": 1}}),
        lambda client: client.medias.list(filter=["name_eq"]),
        lambda client: client.clips.create(media_id="m-1", name="n", start_time=2, end_time=2),
        lambda client: client.clips.create(media_id="m-1", name="n", start_time=-1, end_time=2),
        lambda client: client.clips.create(media_id="m-1", name="n", start_time=0, end_time=float("inf")),
        lambda client: client.clips.create(media_id="m-1", name="n", start_time=float("nan"), end_time=1),
        lambda client: client.clips.create(media_id="m-1", name="n", start_time=0, end_time=10**5000),
        lambda client: client.medias.list(page_size=10**5000),
        lambda client: client.medias.list(filter={"name_eq": "\ud800"}),
        lambda client: client.medias.list(filter={"name_in": ["a", "\ud800"]}),
        lambda client: client.medias.list(filter={"source_file_width_gt": 10**5000}),
        lambda client: client.medias.list(sort=Sort("\ud800")),
        lambda client: client.clips.update("c-1"),
        lambda client: client.clips.update("c-1", start_time=3, end_time=2),
        lambda client: client.webhook_subscriptions.create(url="example.com/hook"),
        lambda client: client.webhook_subscriptions.create(url="https://e.com", subscribed_events="*"),
        lambda client: client.webhook_subscriptions.create(url="https://e.com", subscribed_events=5),
        lambda client: client.request("TRACE", "/medias"),
        lambda client: client.request("GET", "medias"),
        lambda client: client.request("GET", "/medias/../x"),
        lambda client: client.request("GET", "/medias", headers={"Authorization": "Bearer other"}),
        lambda client: client.request("POST", "/medias", headers={"X-Note": "a\r\nX-Other: b"}),
        lambda client: client.request("POST", "/medias", headers={"X-Note: a\r\nX-Other": "b"}),
        lambda client: client.request("POST", "/medias", headers={"X-Note": 3}),
        lambda client: client.request("POST", "/medias", headers="X-Note: 3"),
        lambda client: client.request("GET", "/medias", headers={"Accept-Encoding": "br"}),
        lambda client: client.request("GET", "/medias/%2e%2E/x"),
        lambda client: client.request("GET", "/medias/a%2f..%5C%2e"),
        lambda client: client.request("GET", "/medias/%zz"),
        lambda client: client.request("GET", "/medias", query="limit=3"),
        lambda client: client.request("GET", "/medias", query={"api_key": KEY}),
        lambda client: client.request("GET", "/medias", query={3: "a"}),
        lambda client: client.request("GET", "/medias", query={"page": {3: "a"}}),
        lambda client: client.request("GET", "/medias", query={"a": "\ud800"}),
        lambda client: client.request("GET", "/medias", query={"\ud800": "a"}),
        lambda client: client.request("GET", "/medias", query={"a": float("nan")}),
        lambda client: client.request("GET", "/medias", query={"a": object()}),
        lambda client: client.request("GET", "/medias", query={"a": [["nested"]]}),
        lambda client: client.request("GET", "/medias", query=CIRCLE),
        lambda client: client.request("POST", "/medias", body=object()),
        lambda client: client.request("POST", "/medias", body=CIRCLE),
        lambda client: client.request("POST", "/medias", body={"a": [float("nan")]}),
        lambda client: client.request("POST", "/medias", body=b'{"written": "already"}'),
        lambda client: client.request("POST", "/medias", body={"a": 10**5000}),
    ],
)
def test_bad_arguments_are_refused_before_sending(make: Maker, call: Callable[[Any], Any]) -> None:
    """An argument that cannot be right is an error, and nothing is sent."""

    def handler(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"sent {request.url}")

    with pytest.raises(InvalidInputError, match="Nothing was sent"):
        call(make(handler))


class RawFace:
    """A client whose resources return raw responses."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name).with_raw_response


@pytest.mark.parametrize(
    ("call", "http_response", "kind"),
    [(case[1], case[5], case[6]) for case in CASES if case[6] is not list],
    ids=[case[0] for case in CASES if case[6] is not list],
)
def test_each_operation_returns_its_raw_response(
    make: Maker, call: Callable[[Any], Any], http_response: httpx.Response, kind: type
) -> None:
    """With `with_raw_response`, each call returns its response, also a deletion, and decodes it on demand."""
    client = make(
        lambda _request: httpx.Response(
            http_response.status_code, content=http_response.content, headers={"X-Request-Id": "r-9"}
        )
    )
    raw = call(RawFace(client))
    assert (raw.status_code, raw.content) == (http_response.status_code, http_response.content)
    assert raw.headers["x-request-id"] == "r-9"
    assert isinstance(raw.parse(), kind)


def test_raw_response(make: Maker) -> None:
    """`with_raw_response` returns status, headers and, on demand, the model."""
    client = make(lambda _request: httpx.Response(200, json=one(media_json()).json(), headers={"X-Request-Id": "r-9"}))
    raw = client.medias.with_raw_response.get("m-1")
    assert raw.status_code == 200
    assert raw.headers["x-request-id"] == "r-9"
    assert raw.parse() == client.medias.get("m-1")


def test_custom_request(make: Maker) -> None:
    """`request` reaches endpoints that the library does not know, with the key and the query's encoding."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"ok": [1]})

    raw = make(handler).request("post", "/exports/7", query={"page": {"number": 2}}, body={"a": None})
    assert raw.status_code == 201
    assert raw.parse() == {"ok": [1]}
    assert seen[0].method == "POST"
    assert seen[0].url.query == b"page[number]=2"
    assert seen[0].content == b'{"a":null}'
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_callers_headers_replace_the_clients(make: Maker) -> None:
    """One header of a name, in whatever case the caller writes it."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    headers = {"accept": "text/vtt", "USER-AGENT": "captions/1", "Content-type": "application/vnd.api+json"}
    make(handler).request("POST", "/medias", body={"a": "é"}, headers=headers)
    for name, value in headers.items():
        assert seen[0].headers.get_list(name) == [value]
    assert seen[0].content == '{"a":"é"}'.encode()
