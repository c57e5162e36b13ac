"""What Prism misses or cannot do, as limits.md lists it: a failing test shows that Prism has changed."""

from __future__ import annotations

import copy
import json
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Prism, PrismError

from tests.prism.conftest import KEY, SECONDS, Proxied, client_of
from tests.prism.documented import ATTRIBUTES, CONTRACT, DOCUMENT, ID, Json
from tests.prism.upstream import Canned

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

pytestmark = pytest.mark.process

JSON = {"Content-Type": "application/json"}
MEDIA = f"/medias/{ID}"
CLIP = f"/clips/{ID}"


def example(path: str, method: str, status: int = 200) -> Json:
    """Return a copy of the contract's example of a response."""
    documented = DOCUMENT["paths"][path][method]["responses"][str(status)]
    return copy.deepcopy(documented["content"]["application/json"]["example"])


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Generator[httpx.Client]:
    """A client of a Prism whose contract has three faults."""
    document = copy.deepcopy(DOCUMENT)

    def body(path: str) -> Json:
        schema: Json = document["paths"][path]["put"]["requestBody"]["content"]["application/json"]["schema"]
        return schema

    body("/medias/{id}")["properties"]["data"]["properties"]["attributes"]["properties"]["name"]["type"] = "strng"
    del body("/clips/{id}")["required"], body("/clips/{id}")["properties"]["data"]["required"]
    responses = document["paths"]["/medias"]["post"]["responses"]
    del responses["402"]["content"]["application/json"]["schema"]
    contract = tmp_path_factory.mktemp("careless") / "contract.json"
    contract.write_text(json.dumps(document), encoding="utf-8")
    with Prism.mock(contract) as prism, client_of(prism) as http:
        yield http


def test_every_row_has_a_test() -> None:
    """The table and these tests name the same limits, of the version that is pinned."""
    text = Path(__file__).with_name("limits.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(rows) == sorted(
        name.removeprefix("test_")
        for name in globals()
        if name.startswith("test_") and name != "test_every_row_has_a_test"
    )
    package = json.loads((CONTRACT.parents[1] / "mockserver" / "package.json").read_text(encoding="utf-8"))
    assert f"# What Prism {package['dependencies']['@stoplight/prism-cli']} does not see" in text


@pytest.mark.parametrize("query", ["filter[nothing_eq]=1", "filter[name_eq][]=", "filter[name][eq]=1", "filter=x"])
def test_filter_keys_and_values(http: httpx.Client, query: str) -> None:
    """Filters that the contract forbids pass."""
    assert http.get(f"/medias?{query}").status_code == 200


def test_page_keys(http: httpx.Client) -> None:
    """A page's members are checked by type, others pass."""
    assert http.get("/medias?page[number]=one").status_code == 400
    assert http.get("/medias?page[limit]=1").status_code == 200


def test_unknown_query_parameters(http: httpx.Client) -> None:
    """A query parameter that the contract does not name passes, one that it names is checked."""
    assert http.get("/medias?sort=nothing").status_code == 400
    assert http.get("/medias?nothing=1").status_code == 200


def test_undeclared_fields(proxied: Proxied) -> None:
    """Members that no schema declares pass, in a request and in its response."""
    body = example("/medias/{id}", "put")
    body["data"]["attributes"]["nothing"] = 1
    proxied.upstream.response = Canned(200, JSON, json.dumps(body).encode())
    response = proxied.http.put(MEDIA, json={"data": {"attributes": {"nothing": 1}}})
    assert (response.status_code, response.headers.get("sl-violations")) == (200, None)


def test_schemas_without_required(careless: httpx.Client, http: httpx.Client) -> None:
    """An empty object passes a schema that requires nothing, and not the one that does."""
    assert careless.put(CLIP, json={}).status_code == 200
    assert http.put(CLIP, json={}).status_code == 422


def test_any_credentials(http: httpx.Client) -> None:
    """What follows `Bearer` is never checked, and the scheme's name is case-sensitive."""
    statuses = [
        http.get("/medias", headers={"Authorization": value}).status_code
        for value in ("Bearer no key at all", "Basic bm86a2V5", "bearer key")
    ]
    assert statuses == [200, 401, 401]


def test_mistyped_schema(careless: httpx.Client, http: httpx.Client) -> None:
    """A type that does not exist ends the checks of the whole body; Prism still starts."""
    for body in ({"data": {"attributes": {"description": 7}}}, {"data": 7}, {}):
        assert careless.put(MEDIA, json=body).status_code == 200
        assert http.put(MEDIA, json=body).status_code == 422


@pytest.mark.parametrize("mode", ["mock", "proxy"])
def test_malformed_json_request(request: pytest.FixtureRequest, mode: str) -> None:
    """A malformed JSON body gets no response, while other requests do."""
    http: httpx.Client = request.getfixturevalue("http") if mode == "mock" else request.getfixturevalue("proxied").http
    address = (http.base_url.host, http.base_url.port or 80)
    head = f"PUT {MEDIA} HTTP/1.1\r\nHost: {address[0]}\r\nAuthorization: Bearer {KEY}\r\n"
    with socket.create_connection(address, SECONDS) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{{".encode())
        for _ in range(3):
            assert http.get("/nothing").status_code == 404
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_malformed_json_response(proxied: Proxied) -> None:
    """A response with malformed JSON becomes a 500 that names no violation."""
    response = proxied.exchange(Canned(200, JSON, b'{"data":'), "GET", MEDIA)
    assert (response.status_code, response.headers.get("sl-violations")) == (500, None)
    assert response.json()["type"] == "FetchError"


def test_large_bodies(http: httpx.Client) -> None:
    """More than 10 MB are rejected before they are read."""
    body = {"data": {"attributes": {"name": "x" * (10 * 1024 * 1024)}}}
    assert http.put(MEDIA, json=body).status_code == 413


def test_base_path(http: httpx.Client) -> None:
    """The path of the contract's server is not part of Prism's paths."""
    assert DOCUMENT["servers"][0]["url"].endswith("/api/v1")
    assert http.get("/api/v1/medias").status_code == 404
    assert http.get("/medias").status_code == 200


def test_status_without_schema(careless: httpx.Client, http: httpx.Client) -> None:
    """A status whose body has an example but no schema turns into a success if the body must be generated."""
    body = {"data": {"attributes": ATTRIBUTES["createMedia"]}}
    headers = {"Prefer": "code=402, dynamic=true"}
    assert careless.post("/medias", json=body, headers=headers).status_code == 200
    assert http.post("/medias", json=body, headers=headers).status_code == 402


@pytest.mark.parametrize(
    ("status", "seen", "severity"), [(418, 418, "Warning"), (503, 503, "Warning"), (201, 500, "Error")]
)
def test_undocumented_errors(proxied: Proxied, status: int, seen: int, severity: str) -> None:
    """Error statuses that the contract does not document cause warnings, other statuses errors."""
    response = proxied.exchange(Canned(status, JSON, b"{}"), "GET", MEDIA)
    assert response.status_code == seen
    assert {violation["severity"] for violation in json.loads(response.headers["sl-violations"])} == {severity}


def test_rewritten_json(proxied: Proxied) -> None:
    """Prism decodes and rewrites the JSON of requests and responses."""
    text = b'{ "a": 1.0, "b": 12345678901234567890, "b": 12345678901234567891 }'
    rewritten = b'{"a":1,"b":12345678901234567000}'
    proxied.upstream.response = Canned(500, JSON, b'{"errors": [{"status": "500", "title": "x", "more": %s}]}' % text)
    while proxied.upstream.take():
        pass
    content = b'{"data": {"attributes": %s}}' % text
    response = proxied.http.put(MEDIA, content=content, headers=JSON)
    assert response.content == b'{"errors":[{"status":"500","title":"x","more":%s}]}' % rewritten
    received = proxied.upstream.take()
    assert received is not None
    assert received.content == b'{"data":{"attributes":%s}}' % rewritten


def test_binary_responses(proxied: Proxied) -> None:
    """Bytes that are not UTF-8 become replacement characters."""
    response = proxied.exchange(Canned(503, {"Content-Type": "image/jpeg"}, b"\xff\xd8"), "GET", MEDIA)
    assert response.content == b"\xef\xbf\xbd\xef\xbf\xbd"


def test_multiprocess() -> None:
    """With several processes Prism does not start."""
    several = Prism(("mock", "--multiprocess"), CONTRACT, upstream=None, start_seconds=SECONDS)
    with pytest.raises(PrismError, match="reading 'isPrimary'"):
        several.__enter__()
