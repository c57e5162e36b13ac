"""The contract checker, rule by rule: correct exchanges pass, and each single change is found at its location."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from contentgroove_mock.contract import Checker, Violation
from contentgroove_mock.contract.conventions import CONVENTIONS

from tests.contract.exchanges import DOCUMENT, KEY, example, request, response, webhook
from tests.sdk_calls import IDS, SDK_METHODS

MEDIA = "/api/v1/medias/9b9a2e82-5b47-4f59-831d-4c239824b983"
MEDIAS = "/api/v1/medias"
CREATE = {"data": {"attributes": {"source_url": "https://films.example/one.mp4"}}}


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


def found(violations: list[Violation]) -> list[tuple[str, str]]:
    """Return rules and locations."""
    return [(violation.rule, violation.location) for violation in violations]


def documented() -> list[Any]:
    """List every documented response of every operation."""
    return [
        pytest.param(operation["operationId"], method, path, int(status), id=f"{operation['operationId']}-{status}")
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        for status in operation["responses"]
    ]


@pytest.mark.parametrize(("operation", "method", "path", "status"), documented())
def test_each_documented_response_passes(checker: Checker, operation: str, method: str, path: str, status: int) -> None:
    """The contract's own examples break no rule."""
    sent = SDK_METHODS[operation].attributes(IDS)
    documented_request = request(
        method.upper(),
        f"/api/v1{re.sub(r'{[^{}]+}', 'some-id', path)}",
        {"data": {"attributes": sent}} if sent else None,
    )
    documented_response = response(status, None if status == 204 else example(path, method, status))
    assert checker.check(documented_request, documented_response) == []


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/api/v1/media", ("unknown-path", "request.path")),
        ("GET", "/api/v2/medias", ("unknown-path", "request.path")),
        ("GET", "/medias", ("unknown-path", "request.path")),
        ("GET", "/api/v1medias", ("unknown-path", "request.path")),
        ("GET", "/api/v1/medias/", ("unknown-path", "request.path")),
        ("GET", "/api/v1/medias/%2e%2E", ("path-parameter", "request.path.id")),
        ("GET", "/api/v1/medias/a/b", ("unknown-path", "request.path")),
        ("PATCH", MEDIA, ("unknown-method", "request.method")),
        ("POST", MEDIA, ("unknown-method", "request.method")),
        ("GET", f"{MEDIAS}?limit=3", ("unknown-parameter", "request.query.limit")),
        ("GET", f"{MEDIAS}?page=3", ("unknown-parameter", "request.query.page")),
        ("GET", f"{MEDIA}?page[number]=3", ("unknown-parameter", "request.query.page[number]")),
        ("GET", f"{MEDIAS}?page[offset]=3", ("unknown-key", "request.query.page[offset]")),
        ("GET", f"{MEDIAS}?page[size]=0", ("parameter-value", "request.query.page[size]")),
        ("GET", f"{MEDIAS}?page[size]=many", ("parameter-value", "request.query.page[size]")),
        ("GET", f"{MEDIAS}?page[size]=1.5", ("parameter-value", "request.query.page[size]")),
        ("GET", f"{MEDIAS}?page[size]=1&page[size]=2", ("parameter-value", "request.query.page[size]")),
        ("GET", f"{MEDIAS}?page[number][]=1", ("parameter-value", "request.query.page[number]")),
        ("GET", f"{MEDIAS}?filter[name_is]=x", ("unknown-key", "request.query.filter[name_is]")),
        ("GET", f"{MEDIAS}?filter[colour_eq]=x", ("unknown-key", "request.query.filter[colour_eq]")),
        ("GET", f"{MEDIAS}?filter[text_eq]=x", ("unknown-key", "request.query.filter[text_eq]")),
        ("GET", f"{MEDIAS}?filter=x", ("unknown-parameter", "request.query.filter")),
        ("GET", f"{MEDIAS}?sort=rank", ("parameter-value", "request.query.sort")),
        ("GET", f"{MEDIAS}?sort=name&sort=-name", ("parameter-value", "request.query.sort")),
    ],
)
def test_a_wrong_request_is_found(checker: Checker, method: str, target: str, expected: tuple[str, str]) -> None:
    """Paths, methods and queries that the contract does not have."""
    assert found(checker.check_request(request(method, target))) == [expected]


@pytest.mark.parametrize(
    "query",
    [
        "page[number]=2&page[size]=50",
        "sort=-created_at",
        "filter[name_eq]=chimp%20into%20space",
        "filter[id_in]=a&filter[id_in]=b",
        "filter[id_in][]=a",
        "filter[name_or_description_cont]=x&filter[is_processing_true]=1",
        "page%5Bnumber%5D=2&filter%5Bname_cont%5D=%C3%A9",
        "filter[name_eq]=",
    ],
)
def test_right_queries_pass(checker: Checker, query: str) -> None:
    """Queries of the documentation are not violations, percent-encoded or not."""
    assert checker.check_request(request("GET", f"{MEDIAS}?{query}")) == []


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": "Bearer k"}, ""),
        ({"authorization": "bearer k"}, ""),
        ({"X-API-KEY": "k"}, ""),
        ({}, "?api_key=k"),
    ],
)
def test_each_way_to_authenticate_passes(checker: Checker, headers: dict[str, str], query: str) -> None:
    """A bearer token, the API's own header, or the query."""
    assert checker.check_request(request("GET", MEDIA + query, headers=headers)) == []


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"Authorization": "Bearer"}, ""),
        ({"Authorization": "Bearer  "}, ""),
        ({"Authorization": "Basic canary-key"}, ""),
        ({"Authorization": "canary-key"}, ""),
        ({"X-API-KEY": ""}, ""),
        ({"X-API-TOKEN": "canary-key"}, ""),
        ({}, "?api_key="),
    ],
)
def test_a_request_without_a_key_is_found(checker: Checker, headers: dict[str, str], query: str) -> None:
    """Not one of the three ways, or one without a key; a key at the wrong location is not shown."""
    violations = checker.check_request(request("GET", MEDIA + query, headers=headers))
    assert found(violations) == [("auth", "request.auth")]
    assert "canary-key" not in str(violations[0])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, ("missing-body", "request.body")),
        (b'{"data":', ("json", "request.body")),
        (b'{"data": NaN}', ("json", "request.body")),
        (b"\xff\xfe", ("json", "request.body")),
        (b"[" * 200_000, ("json", "request.body")),
        ([], ("type", "request.body#")),
        ({}, ("missing-field", "request.body#/data")),
        ({"data": {}}, ("missing-field", "request.body#/data/attributes")),
        (
            {"data": {"attributes": CREATE["data"]["attributes"] | {"nom": "x"}}},
            ("undeclared-field", "request.body#/data/attributes/nom"),
        ),
        (
            {"data": {"attributes": CREATE["data"]["attributes"] | {"name": 3}}},
            ("type", "request.body#/data/attributes/name"),
        ),
        ({"data": {"attributes": {"source_url": "no url"}}}, ("format", "request.body#/data/attributes/source_url")),
        ({"data": {"attributes": {}}}, ("schema", "request.body#/data/attributes")),
        ({**CREATE, "meta": {}}, ("undeclared-field", "request.body#/meta")),
    ],
    ids=str,
)
def test_a_wrong_body_is_found(checker: Checker, body: object, expected: tuple[str, str]) -> None:
    """Each error in a body is one violation, at its JSON pointer."""
    assert found(checker.check_request(request("POST", MEDIAS, body))) == [expected]


def test_a_body_of_another_type_is_found(checker: Checker) -> None:
    """A form is not JSON, nor is JSON with a charset other than UTF-8."""
    for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin-1", None):
        posted = request("POST", MEDIAS, CREATE)
        posted.headers.update({"Content-Type": kind} if kind else {})
        if kind is None:
            del posted.headers["Content-Type"]
        assert found(checker.check_request(posted)) == [("media-type", "request.headers.content-type")]
    for kind in ("application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'):
        posted = request("POST", MEDIAS, CREATE)
        posted.headers["Content-Type"] = kind
        assert checker.check_request(posted) == []


def test_an_unexpected_body_is_found(checker: Checker) -> None:
    """GET and 204 have no body."""
    assert found(checker.check_request(request("GET", MEDIA, CREATE))) == [("unexpected-body", "request.body")]
    violations = checker.check(request("DELETE", MEDIA), response(204, b"gone"))
    assert found(violations) == [("unexpected-body", "response.body")]


def changed(**attributes: object) -> dict[str, Any]:
    """Return the example of a media with other attributes."""
    body = example("/medias/{id}")
    body["data"]["attributes"].update(attributes)
    return body


def without(*names: str) -> dict[str, Any]:
    """Return the example of a media without some attributes."""
    body = example("/medias/{id}")
    for name in names:
        del body["data"]["attributes"][name]
    return body


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (418, {}, ("unknown-status", "response.status")),
        (422, {"errors": []}, ("unknown-status", "response.status")),
        (200, b"", ("missing-body", "response.body")),
        (200, b"{", ("json", "response.body")),
        (200, b"\xef\xbb\xbf{}", ("json", "response.body")),
        (200, changed(colour="red"), ("undeclared-field", "response.body#/data/attributes/colour")),
        (200, changed(created_at="yesterday"), ("format", "response.body#/data/attributes/created_at")),
        (200, changed(has_fetch_error="no"), ("type", "response.body#/data/attributes/has_fetch_error")),
        (200, changed(name=None), ("type", "response.body#/data/attributes/name")),
        (200, changed(source_file_duration=[]), ("schema", "response.body#/data/attributes/source_file_duration")),
        (200, without("is_processing"), ("missing-field", "response.body#/data/attributes/is_processing")),
        (401, {"errors": [{"message": 3}]}, ("type", "response.body#/errors/0/message")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_response_is_found(checker: Checker, status: int, body: object, expected: tuple[str, str]) -> None:
    """Statuses, bodies and fields that the contract does not have."""
    assert found(checker.check(request("GET", MEDIA), response(status, body))) == [expected]


def test_a_renamed_field_is_both_missing_and_undeclared(checker: Checker) -> None:
    """Each half of a renaming is reported."""
    body = without("is_processing")
    body["data"]["attributes"]["processing"] = False
    assert sorted(found(checker.check(request("GET", MEDIA), response(200, body)))) == [
        ("missing-field", "response.body#/data/attributes/is_processing"),
        ("undeclared-field", "response.body#/data/attributes/processing"),
    ]


def test_a_response_of_another_type_is_found(checker: Checker) -> None:
    """HTML with status 200 is not a response of the API."""
    html = response(200, b"<html>", {"Content-Type": "text/html"})
    assert found(checker.check(request("GET", MEDIA), html)) == [("media-type", "response.headers.content-type")]


def test_an_item_deep_in_a_list_is_found(checker: Checker) -> None:
    """The pointer leads to the one item of a hundred."""
    body = example("/medias")
    body["data"] = [json.loads(json.dumps(body["data"][0])) for _ in range(100)]
    assert checker.check(request("GET", MEDIAS), response(200, body)) == []
    body["data"][73]["type"] = "films"
    violations = checker.check(request("GET", MEDIAS), response(200, body))
    assert found(violations) == [("enum", "response.body#/data/73/type")]
    assert violations[0].actual == "films"
    assert violations[0].message == "one of medias"


def test_a_fault_may_cause_an_undocumented_status(checker: Checker) -> None:
    """Undocumented statuses that the simulator marks as faults are ignored; documented ones are checked."""
    marked = {"X-ContentGroove-Fault": "status", "Content-Type": "application/json"}
    assert checker.check(request("GET", MEDIA), response(503, {"errors": []}, marked)) == []
    broken = checker.check(request("GET", MEDIA), response(500, {"error": "x"}, marked))
    assert {rule for rule, _ in found(broken)} == {"missing-field", "undeclared-field"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda body: body.update(event="media.deleted"), ("unknown-event", "webhook.body#/event")),
        (lambda body: body.pop("event"), ("unknown-event", "webhook.body#/event")),
        (lambda body: body.pop("payload"), ("missing-field", "webhook.body#/payload")),
        (lambda body: body.update(id=1), ("undeclared-field", "webhook.body#/id")),
        (
            lambda body: body["payload"]["data"]["attributes"].pop("name"),
            ("missing-field", "webhook.body#/payload/data/attributes/name"),
        ),
        (
            lambda body: body["payload"]["included"][0]["attributes"].update(name=3),
            ("type", "webhook.body#/payload/included/0/attributes/name"),
        ),
    ],
)
def test_a_wrong_webhook_is_found(checker: Checker, change: Any, expected: tuple[str, str]) -> None:
    """Webhooks are checked against the contract's callbacks, including their included resources."""
    body = webhook()
    headers = {"content-type": "application/json"}
    assert checker.check_webhook(json.dumps(body).encode(), headers) == []
    change(body)
    assert found(checker.check_webhook(json.dumps(body).encode(), headers)) == [expected]


def test_a_webhook_without_json_is_found(checker: Checker) -> None:
    """Neither its bytes nor its type are JSON; and a list is not an event."""
    assert found(checker.check_webhook(b"[]")) == [("type", "webhook.body#")]
    assert found(checker.check_webhook(b"{")) == [("json", "webhook.body")]
    body = json.dumps(webhook()).encode()
    assert found(checker.check_webhook(body, {"content-type": "text/plain"})) == [
        ("media-type", "webhook.headers.content-type")
    ]


@pytest.mark.parametrize(
    ("headers", "actual"), [({}, "nothing"), ({"content-type": "text/plain"}, "text/plain")], ids=["missing", "wrong"]
)
def test_the_media_type_of_a_webhook(checker: Checker, headers: dict[str, str], actual: str) -> None:
    """Headers that are known are checked; without any, the media type may be right."""
    body = json.dumps(webhook()).encode()
    for violations in (checker.check_webhook(body, headers), checker.check_delivery(body, headers, 200)):
        assert found(violations) == [("media-type", "webhook.headers.content-type")]
        assert violations[0].actual == actual
    assert checker.check_webhook(body) == []


@pytest.mark.parametrize(
    ("status", "actual"),
    [(204, "204"), (201, "201"), (302, "302"), (400, "400"), (500, "500"), (None, "no response in time")],
)
def test_a_receiver_responds_with_200(checker: Checker, status: int | None, actual: str) -> None:
    """The document has no other response of a receiver, and its prose says that nothing else counts as delivered."""
    body, headers = json.dumps(webhook()).encode(), {"content-type": "application/json"}
    assert checker.check_delivery(body, headers, 200) == []
    violations = checker.check_delivery(body, headers, status, error="no response in time")
    assert found(violations) == [("webhook-response", "webhook.response.status")]
    assert violations[0].operation == "media.processing_finished"
    assert violations[0].actual == actual
    assert "200" in violations[0].message


def test_credentials_are_not_shown(checker: Checker) -> None:
    """A presigned URL in a field, or a key in a query, is not in a report."""
    body = example("/direct_uploads")
    secret = "https://store.example/f?X-Amz-Signature=canary&X-Amz-Credential=canary2"
    body["data"]["attributes"]["location"] = secret
    (violation,) = checker.check(request("GET", "/api/v1/direct_uploads"), response(200, body))
    assert violation.location == "response.body#/data/attributes/location"
    assert "canary" not in str(violation)
    (other,) = checker.check_request(request("GET", f"{MEDIAS}/x/y?api_key=canary", headers={}))
    assert "canary" not in str(other)


def test_another_contract_can_be_checked() -> None:
    """Any document whose references name shared schemas, with a base path from the argument or its servers."""
    document = {
        "openapi": "3.0.0",
        "servers": [{"url": "https://x.example/v7"}],
        "paths": {
            "/things/{n}": {
                "parameters": [{"name": "n", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "get": {
                    "operationId": "getThing",
                    "parameters": [{"name": "q", "in": "query", "required": True, "schema": {"type": "boolean"}}],
                    "responses": {
                        "200": {
                            "headers": {"X-Left": {"required": True, "schema": {"type": "integer"}}},
                            "content": {"application/json": {"schema": {"type": "number"}}},
                        }
                    },
                },
            }
        },
    }
    headers = {"X-Left": "3", "Content-Type": "application/json"}
    checker = Checker(document)
    good = request("GET", "/v7/things/4?q=true", headers={})
    assert checker.check(good, response(200, b"1.5", headers)) == []
    assert Checker(document, base_path="").check_request(request("GET", "/things/4?q=true", headers={})) == []
    bad = checker.check(request("GET", "/v7/things/four?q=maybe", headers={}), response(200, b"1.5", {}))
    assert found(bad) == [
        ("path-parameter", "request.path.n"),
        ("parameter-value", "request.query.q"),
        ("missing-header", "response.headers.x-left"),
        ("media-type", "response.headers.content-type"),
    ]
    wrong = checker.check(
        request("GET", "/v7/things/4", headers={}), response(200, b"1.5", headers | {"X-Left": "few"})
    )
    assert found(wrong) == [("missing-parameter", "request.query.q"), ("header-value", "response.headers.x-left")]


def test_operations_can_be_looked_up(checker: Checker) -> None:
    """By method and target, as coverage reports need it."""
    operation = checker.operation_of("GET", f"{MEDIA}?x=1")
    assert operation is not None
    assert operation.name == "getMediaById"
    assert operation.statuses == ("200", "401", "404", "429", "500")
    assert checker.operation_of("GET", "/elsewhere") is None
    assert {found.name for found in checker.operations.values()} == set(SDK_METHODS)
    assert "media.processing_finished" in checker.event_schemas


def test_the_key_is_not_needed_to_check(checker: Checker) -> None:
    """A checker is shared between threads and stores nothing of the exchanges."""
    posted = httpx.Request("GET", f"https://other.example{MEDIA}", headers=KEY)
    posted.read()
    assert checker.check_request(posted) == []
    assert "canary" not in repr(vars(checker))


@pytest.mark.parametrize("server", ["/api/v1", "http://[broken", "https://{region}.example/v1", ""])
def test_links_of_documents_whose_servers_name_no_host(server: str) -> None:
    """Links must then lead to the host that was called; without one, all to the same."""
    document = {**DOCUMENT, "servers": [{"url": server}]}
    checker = Checker(document, base_path="/api/v1", conventions=CONVENTIONS)
    body = example("/medias/{id}")
    sent = request("GET", MEDIA)
    assert checker.check(sent, response(200, body)) == []
    body["links"]["self"] = "//evil.example/api/v1"
    assert found(checker.check(sent, response(200, body))) == [("link-origin", "response.body#/links/self")]
    del sent.headers["Host"]
    assert checker.check(sent, response(200, body)) == []
    body["links"]["current"] = "https://other.example/"
    assert len(checker.check(sent, response(200, body))) == 2
