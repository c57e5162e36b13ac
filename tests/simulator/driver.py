"""Drives a simulator in tests as a client of the API; all responses are checked against the contract."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import contentgroove_mock
import httpx
import jsonschema_rs
from contentgroove._openapi.schemas import bundle, validator_schema
from contentgroove_mock import sample_video

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

Json: TypeAlias = dict[str, Any]

KEY = "canary-key-of-the-first-account"
ORIGIN = "http://simulator.example"
BASE_URL = f"{ORIGIN}/api/v1"


class Contract:
    """The contract's schemas, closed: members that they do not declare are errors."""

    def __init__(self) -> None:
        path = Path(contentgroove_mock.__file__).with_name("contract.json")
        self._document: Json = json.loads(path.read_text("utf-8"))
        self._definitions = bundle(self._document["components"]["schemas"], closed=True)
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self.seen: set[tuple[str, int]] = set()

    def check_response(self, response: httpx.Response) -> None:
        """Check a response of the API."""
        request = response.request
        for template, item in self._document["paths"].items():
            if re.fullmatch("/api/v1" + re.sub(r"\{\w+\}", "[^/]+", template), request.url.path):
                operation = item.get(request.method.lower(), {})
                break
        else:
            return
        documented = operation.get("responses", {}).get(str(response.status_code))
        if documented is None:
            unnamed = (request.method, response.status_code)
            if request.method == "HEAD":
                return
            assert response.status_code in {405, 503}, f"{unnamed} is not documented"
            self.check_component("error_response_object", response.json())
            return
        self.seen.add((operation["operationId"], response.status_code))
        if response.status_code == 204:
            assert response.content == b""
        else:
            (media_type,) = documented["content"]
            assert response.headers["content-type"] == media_type
            self._check(documented["content"][media_type]["schema"], response.json())

    def check_component(self, name: str, value: object) -> None:
        """Check a value against a component schema."""
        self._check({"$ref": f"#/components/schemas/{name}"}, value)

    def documented(self, status: int) -> set[str]:
        """Return the operations that document a status."""
        return {
            operation["operationId"]
            for item in self._document["paths"].values()
            for method, operation in item.items()
            if method != "parameters" and str(status) in operation["responses"]
        }

    def operations(self) -> list[tuple[str, str, str]]:
        """Return the operationId, method and path of each operation."""
        return [
            (operation["operationId"], method.upper(), path)
            for path, item in self._document["paths"].items()
            for method, operation in item.items()
            if method != "parameters"
        ]

    def _check(self, schema: Json, value: object) -> None:
        name = json.dumps(schema)
        if name not in self._validators:
            whole = validator_schema(schema, self._definitions, closed=True)
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        self._validators[name].validate(value)


class Driver:
    """An authenticated client in this process.

    Attributes:
        api: Calls the API, relative to its base URL.
        bare: Calls any URL of the simulator, without a key.
    """

    def __init__(self, simulator: Simulator, contract: Contract, key: str = KEY) -> None:
        transport = httpx.ASGITransport(app=simulator)

        async def check(response: httpx.Response) -> None:
            await response.aread()
            contract.check_response(response)

        self.simulator = simulator
        self.contract = contract
        self.bare = httpx.AsyncClient(transport=transport, event_hooks={"response": [check]})
        self.api = httpx.AsyncClient(
            transport=transport,
            base_url=BASE_URL,
            headers={"Authorization": f"Bearer {key}"},
            event_hooks={"response": [check]},
        )

    async def post(self, path: str, **attributes: object) -> httpx.Response:
        """Create a resource."""
        return await self.api.post(path, json={"data": {"attributes": attributes}})

    async def put(self, path: str, **attributes: object) -> httpx.Response:
        """Update a resource."""
        return await self.api.put(path, json={"data": {"attributes": attributes}})

    async def data(self, path: str) -> Any:  # a resource or a list of them
        """Fetch a resource or list that exists."""
        response = await self.api.get(path)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    async def media(self, **attributes: object) -> Json:
        """Create a media, by default from a URL."""
        if "upload_id" not in attributes:
            attributes.setdefault("source_url", "https://films.example/one.mp4")
        response = await self.post("/medias", **attributes)
        assert response.status_code == 200, response.text
        return cast("Json", response.json()["data"])

    async def finished(self, **attributes: object) -> Json:
        """Create a media and finish its processing."""
        made = await self.media(**attributes)
        self.simulator.finish_media(made["id"])
        return cast("Json", await self.data(f"/medias/{made['id']}"))

    async def subscribe(self, url: str = "http://receiver.example/hook", **attributes: object) -> Json:
        """Subscribe a URL to webhooks; the default is on another machine, so it receives nothing."""
        response = await self.post("/webhook_subscriptions", url=url, **attributes)
        assert response.status_code == 200, response.text
        return cast("Json", response.json()["data"])

    async def prepare(self) -> tuple[str, str]:
        """Prepare an upload and return its id and URL."""
        attributes = (await self.data("/direct_uploads"))["attributes"]
        return attributes["upload_id"], attributes["upload_url"]

    async def upload(self, content: bytes | None = None) -> str:
        """Upload a file, by default the sample, and return the upload's id."""
        upload_id, url = await self.prepare()
        response = await self.bare.put(url, content=sample_video().read_bytes() if content is None else content)
        assert response.status_code == 200, response.text
        return upload_id

    async def aclose(self) -> None:
        """Close the clients."""
        await self.bare.aclose()
        await self.api.aclose()


def pointers(response: httpx.Response) -> set[str]:
    """Return the JSON pointers of a 422."""
    assert response.status_code == 422, response.text
    return {error["source"]["pointer"] for error in response.json()["errors"]}
