"""`docs/mock.md`: its tables are those of the code, and everything in it works as it stands."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove_mock import ManualClock, Simulator
from contentgroove_mock.simulator.web.control import list_routes

from toolchain import mock_page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from contentgroove_mock.simulator.web.control import ControlRoute

PAGE = mock_page.PAGE.read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
CURL = [line for _, text in BLOCKS for line in text.splitlines() if line.startswith("curl ")]
ROUTES = {mock_page.key_of(route): route for route in list_routes(Simulator)}


@pytest.fixture
async def control() -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a simulator that has one of everything that a route names."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    simulator = Simulator(
        clock=ManualClock(),
        seed=1,
        control=True,
        webhook_client=client,
        data={
            "accounts": [{"key": "a-key", "name": "demo"}],
            "medias": [{"id": "film", "stage": "processing", "source_url": "https://films.example/one.mp4"}],
            "webhook_subscriptions": [{"id": "hook", "url": "http://127.0.0.1:9000/hook"}],
        },
    )
    simulator.save_snapshot("start")
    transport = httpx.ASGITransport(simulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080/_mock") as used:
        yield used
    await simulator.aclose()
    await client.aclose()


async def path_of(route: ControlRoute, control: httpx.AsyncClient) -> str:
    """Return a route's path with an id that exists."""
    kind = route.path.split("/")[1]
    ids = {"medias": "film", "accounts": "demo", "snapshots": "start", "webhook_subscriptions": "hook"}
    needs_webhook = kind in {"deliveries", "clips"} or route.path.endswith("/redeliver")
    if "{id}" in route.path and needs_webhook:
        assert (await control.post("/medias/film/finish")).status_code == 204
    if kind == "faults" and "{id}" in route.path:
        ids["faults"] = (await control.post("/faults", json={"kind": "status"})).json()["id"]
    if kind in {"deliveries", "clips"} and "{id}" in route.path:
        ids[kind] = (await control.get(f"/{kind}")).json()[0]["id"]
    return route.path.replace("{id}", ids.get(kind, ""))


@pytest.mark.anyio
@pytest.mark.parametrize("key", ROUTES)
async def test_each_route_works_with_its_example(control: httpx.AsyncClient, key: str) -> None:
    """And each route that takes a body has an example."""
    route = ROUTES[key]
    takes_body = route.body is not None or route.from_json is not None
    assert takes_body == (key in mock_page.EXAMPLES)
    path = await path_of(route, control)
    example = mock_page.EXAMPLES.get(key)
    if example is not None and not example.startswith("{"):
        example = (await control.get("/snapshot")).text
    headers = {} if example is None else {"Content-Type": "application/json"}
    response = await control.request(route.method, path, content=example, headers=headers)
    assert response.is_success, response.text
    assert route.summary.endswith(".")


def test_the_tables_are_up_to_date() -> None:
    """`python -m toolchain.mock_page` changes nothing; no example is left of a route that is gone."""
    assert mock_page.with_tables(PAGE) == PAGE
    assert set(mock_page.EXAMPLES) <= set(ROUTES)
    assert PAGE.count("| `") > len(ROUTES)


@pytest.mark.parametrize("index", range(len(PYTHON)))
def test_each_python_example_runs(index: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands."""
    monkeypatch.chdir(tmp_path)
    exec(compile(PYTHON[index], f"example {index} of docs/mock.md", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own page


@pytest.mark.anyio
@pytest.mark.parametrize("line", CURL)
async def test_each_call_of_curl_works(control: httpx.AsyncClient, line: str) -> None:
    """With its method, header and body."""
    words = shlex.split(line)[1:]
    options = {words[index]: words[index + 1] for index, word in enumerate(words) if word in {"-X", "-H", "-d"}}
    (url,) = [word for word in words if word.startswith("http://")]
    name, _, value = options.get("-H", "Accept: */*").partition(": ")
    response = await control.request(options.get("-X", "GET"), url, content=options.get("-d"), headers={name: value})
    assert response.is_success, response.text


def test_the_seed_data_can_be_loaded() -> None:
    """It has what the text says."""
    (text,) = [text for language, text in BLOCKS if language == "json"]
    medias = Simulator(data=json.loads(text)).medias
    assert [media.stage for media in medias] == ["finished", "processing", "failed"]


def test_there_are_examples() -> None:
    """A change of the page's layout does not silently switch these tests off."""
    assert (len(PYTHON) >= 4, len(CURL) >= 3) == (True, True)
