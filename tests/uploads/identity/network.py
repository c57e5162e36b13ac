"""The network and the service between one upload and the simulator, with all that goes wrong there."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from msgspec import structs

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_mock import Simulator

    from tests.uploads.identity.scenarios import Scenario


class Killed(BaseException):
    """The process was killed."""


@dataclass
class Network:
    """Passes an upload's calls on, and knows what its creations made.

    Attributes:
        simulator: The service.
        scenario: What goes wrong.
        compete: Lets another client upload the same file.
        inner: The connections to the service.
        steps: The steps of the upload so far, before or after each of which it can be killed.
        posts: How many creations were sent.
        own: The ids of the medias that they created.
        lists: How many lists were read since the last of these was created.
        visible: The ids of its own medias that lists have shown.
    """

    simulator: Simulator
    scenario: Scenario
    compete: Callable[[], None]
    inner: httpx.BaseTransport
    steps: int = 0
    posts: int = 0
    own: list[str] = field(default_factory=list[str])
    lists: int = 0
    visible: set[str] = field(default_factory=set[str])

    def step(self) -> None:
        """Count a step, and end the process at those of the scenario."""
        self.steps += 1
        if self.steps in self.scenario.kills:
            raise Killed

    def transport(self) -> httpx.BaseTransport:
        """Return a transport for a client of the upload."""
        return _Transport(self)

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send one request of the upload."""
        self.step()
        operation = (request.method, request.url.path.rpartition("/")[2])
        if operation == ("POST", "medias"):
            response = self._create(request)
        elif operation == ("GET", "medias"):
            response = self._list(request)
        elif request.method == "PUT" and self.scenario.update_failures:
            self.scenario.update_failures -= 1
            response = httpx.Response(503)
        else:
            response = self._pass_on(request)
        self.step()
        return response

    def _pass_on(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        response.read()
        return response

    def _create(self, request: httpx.Request) -> httpx.Response:
        fault = self.scenario.next_fault()
        if fault == "no connection":
            raise httpx.ConnectError("refused")
        if fault == "429":
            return httpx.Response(429, headers={"Retry-After": "0"})
        self.posts += 1
        for _ in range(self.scenario.crowd_during):
            self.compete()
        if fault == "reset before":
            raise httpx.ReadError("reset")
        if fault == "503 before":
            return httpx.Response(503)
        response = self._commit(request)
        if fault == "twice":
            self._commit(request)
        for _ in range(self.scenario.crowd_after):
            self.compete()
        self._add_newer(self.scenario.newer)
        if fault == "503 after":
            return httpx.Response(503)
        if fault == "garbled":
            return httpx.Response(200, text="<html>")
        if fault in {"reset after", "twice"}:
            raise httpx.ReadError("reset")
        return response

    def _commit(self, request: httpx.Request) -> httpx.Response:
        if self.scenario.takes_uploads_twice:
            with self.simulator._context.locked_service() as service:
                for upload in service.state.uploads.values():
                    upload.used = False
        content = request.read()
        again = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        response = self._pass_on(again)
        if response.status_code == 200:
            media_id = response.json()["data"]["id"]
            self.own.append(media_id)
            self.lists = 0
            self.visible.clear()
            self.scenario.tidy(self.simulator, media_id)
        return response

    def _add_newer(self, count: int) -> None:
        if not count:
            return
        with self.simulator._context.locked_service() as service:
            newest = service.state.medias[self.own[-1]]
            for _ in range(count):
                later = newest.created_at + dt.timedelta(milliseconds=1)
                copy = structs.replace(newest, id=str(uuid.uuid4()), created_at=later, description=None)
                service.state.medias[copy.id] = copy

    def _list(self, request: httpx.Request) -> httpx.Response:
        if self.scenario.list_failures:
            self.scenario.list_failures -= 1
            return httpx.Response(500)
        response = self._pass_on(request)
        document: dict[str, Any] = response.json()
        if b"number" not in request.url.query:
            self.lists += 1
        hidden = set(self.own) if self.lists <= self.scenario.hidden_for else set[str]()
        document["data"] = [media for media in document["data"] if media["id"] not in hidden]
        self.visible |= {media["id"] for media in document["data"]} & set(self.own)
        headers = {"Content-Type": response.headers["Content-Type"]}
        return httpx.Response(200, content=json.dumps(document), headers=headers)


class _Transport(httpx.BaseTransport):
    def __init__(self, network: Network) -> None:
        self._network = network

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._network.send(request)
