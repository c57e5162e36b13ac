"""Reads the corpus: exchanges in full, and others that differ from one of them in what they say."""

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
"""The file of the exchanges that are written in full."""
WEBHOOK = "/webhook"
"""The path that stands for a subscribed URL."""


class Message(NamedTuple):
    """A request or an answer."""

    headers: dict[str, str]
    content: bytes


class Exchange(NamedTuple):
    """A request and its answer.

    Attributes:
        name: Unique in the corpus.
        theme: The file that it stands in.
        good: Whether the contract allows it.
        path: Below the API's base URL, with the query.
    """

    name: str
    theme: str
    good: bool
    method: str
    path: str
    asked: Message
    status: int
    answered: Message

    def __str__(self) -> str:
        return self.name

    @property
    def is_webhook(self) -> bool:
        """Whether the service calls its user here."""
        return self.path == WEBHOOK

    def request(self, base_url: str) -> httpx.Request:
        """Give the request, to an API or a service at this address."""
        return httpx.Request(
            self.method, base_url + self.path, headers=self.asked.headers, content=self.asked.content or None
        )

    def response(self) -> httpx.Response:
        """Give the answer."""
        return httpx.Response(self.status, headers=self.answered.headers, content=self.answered.content)


def read_corpus() -> list[Exchange]:
    """Read all exchanges.

    Raises:
        KeyError, IndexError: One of them changes what is not there.
    """
    whole = read_yaml(CORPUS / f"{WHOLE}.yaml")
    del whole["shared"]
    found = [_exchange(name, WHOLE, document, good=True) for name, document in whole.items()]
    for path in sorted(CORPUS.glob("*.yaml")):
        if path.stem != WHOLE:
            theme = read_yaml(path)
            for kind in ("good", "bad"):
                for entry in theme[kind]:
                    document = copy.deepcopy(whole[entry["of"]])
                    _change(document, entry)
                    found.append(_exchange(entry["id"], path.stem, document, good=kind == "good"))
    return found


def read_yaml(path: Path) -> Json:
    """Read a YAML file."""
    value: object = yaml.load(path.read_text(encoding="utf-8"), Loader=yamlcore.CCoreLoader)  # noqa: S506 - a safe loader
    # Written and read as JSON, so that parts that the file shares are no longer one object.
    document: Json = json.loads(json.dumps(value))
    return document


def _change(document: Json, entry: Json) -> None:
    """Set and remove what an entry says, by JSON pointers (RFC 6901, without escapes: no name here needs one)."""
    for pointer, value in entry.get("set", {}).items():
        parent, key = _place(document, pointer)
        parent[key] = value
    for pointer in entry.get("remove", ()):
        parent, key = _place(document, pointer)
        del parent[key]


def _place(document: Json, pointer: str) -> tuple[Any, Any]:
    parent: Any = document
    *steps, last = pointer.removeprefix("/").split("/")
    for step in steps:
        parent = parent[int(step) if isinstance(parent, list) else step]
    return parent, int(last) if isinstance(parent, list) else last


def _exchange(name: str, theme: str, document: Json, *, good: bool) -> Exchange:
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
