"""A service whose responses to creations can be lost, for tests of what uploads make of that."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

from .conftest import BASE, STORE, many, media_json, one, sent_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PREPARED_AT = dt.datetime(2025, 10, 15, 13, 51, tzinfo=dt.UTC)
"""The service's time when it prepares an upload."""


def time(seconds: float) -> str:
    """Write a time, in seconds after `PREPARED_AT`, as the service does."""
    return (PREPARED_AT + dt.timedelta(seconds=seconds)).isoformat()


class Service:
    """Keeps medias, and responds to the creations as its script says.

    Attributes:
        script: What happens to the next creations: `created`; `lost` (created, but the connection breaks), `lost 503`
            (created, but the response says 503), `garbled` (created, but the response is a page of a proxy), `twice`
            (created two times, and lost), `never` (not created, and the connection breaks), `unsent` (no connection),
            or a status with which it is refused.
        medias: The medias, newest first.
        uploads: The `upload_id` of each media that a creation made.
        posts: The attributes of each creation.
        updates: The attributes of each update.
        hidden_for: How many lists do not show a new media.
        keep: What the service makes of a description.
        page_size: How many medias a page has at most.
        list_statuses: The statuses of the next lists that fail.
        update_status: The status of updates.
    """

    def __init__(self, *script: str | int) -> None:
        self.script: Sequence[str | int] = script
        self.medias: list[dict[str, Any]] = []
        self.uploads: dict[str, str] = {}
        self.posts: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.hidden_for = 0
        self.keep: Callable[[str | None], str | None] = lambda description: description
        self.page_size = 100
        self.list_statuses: list[int] = []
        self.update_status = 200
        self.lists = 0
        self._prepared = 0
        self._hidden: dict[str, int] = {}

    def add(self, media_id: str, seconds: float = 5, **attributes: Any) -> None:
        """Add a media of another upload."""
        self.medias.insert(0, media_json(media_id, created_at=time(seconds), **attributes))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to a call."""
        media_id = request.url.path.rpartition("/medias/")[2] if "/medias/" in request.url.path else None
        if request.url.path.endswith("/direct_uploads"):
            return self._prepare()
        if request.method == "POST":
            return self._create(request)
        if media_id is None:
            return self._list(request)
        found = [media for media in self.medias if media["id"] == media_id]
        if not found:
            return httpx.Response(404)
        if request.method == "PUT":
            return self._update(found[0], sent_json(request)["data"]["attributes"])
        return one(found[0])

    def _prepare(self) -> httpx.Response:
        self._prepared += 1
        attributes = {
            "upload_id": f"signed-{self._prepared}",
            "upload_url": f"{STORE}/{self._prepared}?X-Amz-Signature=s",
        }
        data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
        return httpx.Response(200, json={"data": data}, headers={"Date": "Wed, 15 Oct 2025 13:51:00 GMT"})

    def _create(self, request: httpx.Request) -> httpx.Response:
        sent = sent_json(request)["data"]["attributes"]
        self.posts.append(sent)
        step = self.script[0] if self.script else "created"
        self.script = self.script[1:]
        if isinstance(step, int):
            return httpx.Response(step)
        if step == "unsent":
            raise httpx.ConnectError("refused", request=request)
        for _ in range({"never": 0, "twice": 2}.get(step, 1)):
            media_id = f"own-{len(self.uploads) + 1}"
            self.uploads[media_id] = sent["upload_id"]
            self._hidden[media_id] = self.lists + self.hidden_for
            self.add(media_id, name=sent.get("name", ""), description=self.keep(sent.get("description")))
        if step == "lost 503":
            return httpx.Response(503)
        if step == "garbled":
            return httpx.Response(200, text="<html>")
        if step != "created":
            raise httpx.ReadError("reset", request=request)
        return one(self.medias[0])

    def _list(self, request: httpx.Request) -> httpx.Response:
        self.lists += 1
        if self.list_statuses:
            return httpx.Response(self.list_statuses.pop(0))
        query = parse_qs(request.url.query.decode())
        number = int(query.get("page[number]", ["1"])[0])
        visible = [media for media in self.medias if self._hidden.get(media["id"], 0) < self.lists]
        begin = (number - 1) * self.page_size
        more = len(visible) > begin + self.page_size
        link = f"{BASE}/medias?page[number]={number + 1}" if more else None
        return many(visible[begin : begin + self.page_size], next=link)

    def _update(self, media: dict[str, Any], sent: dict[str, Any]) -> httpx.Response:
        self.updates.append(sent)
        if self.update_status == 200:
            media["attributes"] |= {name: self.keep(value) for name, value in sent.items()}
            return one(media)
        return httpx.Response(self.update_status)
