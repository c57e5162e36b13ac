"""Read the corpus: complete exchanges, and others as differences from one of them."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import httpx
import yaml
import yamlcore

Json: TypeAlias = dict[str, Any]

CORPUS = Path(__file__).parent / "corpus"
FURTHER_PATH = Path(__file__).parent / "further_path.yaml"
WHOLE = "exchanges"
"""The file of the complete exchanges."""
WEBHOOK = "/webhook"
"""The path that represents a subscribed URL."""


class Message(NamedTuple):
    """A request or a response."""

    headers: dict[str, str]
    content: bytes


class Exchange(NamedTuple):
    """A request and its response.

    Attributes:
        name: Unique in the corpus.
        theme: The name of its file.
        good: True if the contract allows it.
        path: The path below the API's base URL, with the query.
    """

    name: str
    theme: str
    good: bool
    method: str
    path: str
    sent: Message
    status: int
    received: Message

    def __str__(self) -> str:
        return self.name

    @property
    def is_webhook(self) -> bool:
        """True if the service sends the request."""
        return self.path == WEBHOOK

    def request(self, base_url: str) -> httpx.Request:
        """Return the request, to an API with this base URL."""
        return httpx.Request(
            self.method, base_url + self.path, headers=self.sent.headers, content=self.sent.content or None
        )

    def response(self) -> httpx.Response:
        """Return the response."""
        return httpx.Response(self.status, headers=self.received.headers, content=self.received.content)


def read_corpus() -> list[Exchange]:
    """Read all exchanges.

    Raises:
        KeyError, IndexError: One of them changes a member that does not exist.
    """
    whole = read_exchanges()
    found = [exchange_of(name, WHOLE, document, good=True) for name, document in whole.items()]
    for path in sorted(CORPUS.glob("*.yaml")):
        if path.stem != WHOLE:
            theme = read_yaml(path)
            for kind in ("good", "bad"):
                for entry in theme[kind]:
                    document = copy.deepcopy(whole[entry["of"]])
                    apply_changes(document, entry)
                    found.append(exchange_of(entry["id"], path.stem, document, good=kind == "good"))
    return found


def read_exchanges() -> Json:
    """Read the complete exchanges by their names."""
    whole: Json = read_yaml(CORPUS / f"{WHOLE}.yaml")
    del whole["shared"]
    return whole


def read_yaml(path: Path) -> Any:
    """Read a YAML file."""
    value: object = yaml.load(path.read_text(encoding="utf-8"), Loader=yamlcore.CCoreLoader)  # noqa: S506 - a safe loader
    # Encoded and decoded as JSON, so that shared parts of the file are separate objects.
    return json.loads(json.dumps(value))


def apply_changes(document: Json, entry: Json) -> None:
    """Set and remove members of an entry by JSON pointers (RFC 6901, without escapes: no name here needs one)."""
    for pointer, value in entry.get("set", {}).items():
        parent, key = _find_member(document, pointer)
        parent[key] = value
    for pointer in entry.get("remove", ()):
        parent, key = _find_member(document, pointer)
        del parent[key]


def _find_member(document: Json, pointer: str) -> tuple[Any, Any]:
    parent: Any = document
    *steps, last = pointer.removeprefix("/").split("/")
    for step in steps:
        parent = parent[int(step) if isinstance(parent, list) else step]
    return parent, int(last) if isinstance(parent, list) else last


def exchange_of(name: str, theme: str, document: Json, *, good: bool) -> Exchange:
    """Return the exchange that an entry describes."""
    request, response = document["request"], document["response"]
    return Exchange(
        name,
        theme,
        good,
        request["method"],
        request["path"],
        Message(request["headers"], _content(request)),
        response["status"],
        Message(response["headers"], _content(response)),
    )


def _content(message: Json) -> bytes:
    if "json" in message:
        return json.dumps(message["json"]).encode()
    if "base64" in message:
        return base64.b64decode(message["base64"])
    text: str = message.get("text", "")
    return text.encode()
