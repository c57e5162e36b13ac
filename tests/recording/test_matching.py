"""Which recorded response a request gets, and the error if there is none."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, Request
from contentgroove_mock.recording.replay import Replay
from contentgroove_mock.recording.sessions import FORMAT, Session, SessionHeader

BASE_URL = "http://127.0.0.1:8080/api/v1"


def replay_of(*exchanges: tuple[Request, object]) -> Replay:
    """Return a replay of requests and the bodies of their responses."""
    recordings = [
        Recording(
            operation="",
            status=200,
            origin="proxy",
            request=request,
            response=RecordedResponse(headers={"content-type": "application/json"}, body=body),
        )
        for request, body in exchanges
    ]
    return Replay(Session("s.jsonl", SessionHeader(format=FORMAT, target="", contract=""), tuple(recordings)))


def respond(replay: Replay, method: str, path: str, **request: Any) -> Any:
    """Return the body of a response, and the detail of an error."""
    response = replay.respond(httpx.Request(method, BASE_URL + path, **request))
    body = response.json()
    return body["errors"][0]["detail"] if response.status_code == 501 else body


GET = Request(method="GET", path="/medias", query=(("page[size]", "2"), ("filter[a]", "x y"), ("filter[a]", "z")))
POST = Request(method="POST", path="/medias", body={"a": {"b": 6, "c": [1, 2]}, "d": "ü"})


@pytest.mark.parametrize(
    "query",
    ["page[size]=2&filter[a]=x+y&filter[a]=z", "filter%5Ba%5D=z&filter[a]=x%20y&page[size]=2&api_key=any"],
)
def test_queries_match_in_any_order_and_spelling(query: str) -> None:
    """Also with a key in the query."""
    assert respond(replay_of((GET, "found")), "GET", f"/medias?{query}") == "found"


@pytest.mark.parametrize("query", ["", "?page[size]=2", "?page[size]=2&filter[a]=x+y", "?page[size]=2&filter[a]=z&x"])
def test_other_queries_do_not_match(query: str) -> None:
    """One parameter more, or one less."""
    assert "was not recorded in s.jsonl" in respond(replay_of((GET, "found")), "GET", f"/medias{query}")


@pytest.mark.parametrize(
    ("content", "matches"),
    [
        ('{"a": {"b": 6, "c": [1, 2]}, "d": "ü"}', True),
        ('{ "d": "\\u00fc", "a": {"c": [1.0, 2], "b": 6.0} }', True),
        ('{"a": {"b": 6, "c": [2, 1]}, "d": "ü"}', False),
        ('{"a": {"b": "6", "c": [1, 2]}, "d": "ü"}', False),
        ('{"a": {"b": true, "c": [1, 2]}, "d": "ü"}', False),
        ('{"a": {"b": 6, "c": [1, 2]}}', False),
        ("{", False),
        ("", False),
    ],
)
def test_bodies_match_as_json(content: str, *, matches: bool) -> None:
    """Spaces, escapes and the order of members do not matter; values and the order of lists do."""
    headers = {"content-type": "application/json"}
    found = respond(replay_of((POST, "found")), "POST", "/medias", content=content, headers=headers)
    assert (found == "found") is matches


def test_true_is_not_one() -> None:
    """Python's True equals 1; JSON's does not."""
    replay = replay_of((Request(method="POST", path="/medias", body=[1, 0]), "numbers"))
    headers = {"content-type": "application/json"}
    assert respond(replay, "POST", "/medias", content="[1.0, 0]", headers=headers) == "numbers"
    assert "not recorded" in respond(replay, "POST", "/medias", content="[true, false]", headers=headers)


def test_equal_requests_get_the_responses_in_their_order() -> None:
    """Then the last one again; other requests in between do not matter."""
    other = Request(method="GET", path="/clips")
    get = Request(method="GET", path="/medias")
    replay = replay_of((get, 1), (other, "a"), (get, 2), (other, "b"), (get, 3))
    assert [respond(replay, "GET", "/medias") for _ in range(5)] == [1, 2, 3, 3, 3]
    assert [respond(replay, "GET", "/clips") for _ in range(3)] == ["a", "b", "b"]


def test_threads_get_each_response_once() -> None:
    """The order of a hundred equal requests of eight threads is not known, but none gets another's response."""
    get = Request(method="GET", path="/medias")
    replay = replay_of(*((get, number) for number in range(100)))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: respond(replay, "GET", "/medias"), range(100)))
    assert sorted(found) == list(range(100))


@pytest.mark.parametrize(
    ("method", "path", "nearest"),
    [
        ("GET", "/medias?page[size]=3", "GET /medias?page[size]=2, with another query."),
        ("DELETE", "/medias?page[size]=2", "GET /medias?page[size]=2, with another method."),
        ("GET", "/mediass", "GET /medias?page[size]=2, with another path."),
        ("POST", "/medias", 'POST /medias, with another body: {"name":"a"} instead of no body.'),
        ("PATCH", "/clips/7", "PATCH /clips/8, with another path."),
    ],
)
def test_the_nearest_request_is_named(method: str, path: str, nearest: str) -> None:
    """The error says what was recorded instead, and what to do."""
    replay = replay_of(
        (Request(method="GET", path="/medias", query=(("page[size]", "2"),)), 1),
        (Request(method="POST", path="/medias", body={"name": "a"}), 1),
        (Request(method="PATCH", path="/clips/8"), 1),
    )
    detail = respond(replay, method, path)
    assert detail == (
        f"{method} {path} was not recorded in s.jsonl. Nearest: {nearest} Record a session with this request: "
        "contentgroove mock --record FILE."
    )


def test_an_empty_recording() -> None:
    """It has no nearest request."""
    assert "It contains no exchange." in respond(replay_of(), "GET", "/medias")


def test_errors_do_not_contain_credentials() -> None:
    """Neither those of the request's query, nor of its body."""
    body = json.dumps({"token": "canary-1", "url": "https://u:canary-2@f.example/?X-Amz-Signature=canary-3"})
    headers = {"content-type": "application/json", "authorization": "Bearer canary-4"}
    replay = replay_of((POST, 1))
    detail = respond(replay, "POST", "/medias?api_key=canary-5", content=body, headers=headers)
    assert detail.startswith("POST /medias?api_key=scrubbed was not recorded")
    assert "canary" not in detail
