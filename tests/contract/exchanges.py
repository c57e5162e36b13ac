"""Build exchanges from the contract's own examples."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, TypeAlias

import contentgroove_mock
import httpx

Json: TypeAlias = dict[str, Any]

DOCUMENT: Json = json.loads(Path(contentgroove_mock.__file__).with_name("contract.json").read_bytes())
ORIGIN = "https://api.contentgroove.com"
KEY = {"Authorization": "Bearer canary-key"}
JSON = {"Content-Type": "application/json"}
WEBHOOK: Json = DOCUMENT["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"][
    "{$request.body#/data/attributes/url}"
]["post"]["requestBody"]["content"]["application/json"]["example"]


def example(path: str, method: str = "get", status: int = 200) -> Json:
    """Return a copy of the example of a response."""
    documented = DOCUMENT["paths"][path][method]["responses"][str(status)]
    found: Json = copy.deepcopy(documented["content"]["application/json"]["example"])
    return found


def webhook() -> Json:
    """Return a copy of the example of a webhook."""
    return copy.deepcopy(WEBHOOK)


def request(method: str, target: str, body: object = None, headers: dict[str, str] | None = None) -> httpx.Request:
    """Return a request that was read; JSON with its type, unless the body is bytes."""
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    all_headers = (KEY if headers is None else headers) | ({} if body is None else JSON)
    made = httpx.Request(method, f"{ORIGIN}{target}", headers=all_headers, content=content)
    made.read()
    return made


def response(status: int, body: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return a response that was read; JSON with its type, unless the body is bytes."""
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    all_headers = ({} if body is None else JSON) if headers is None else headers
    return httpx.Response(status, headers=all_headers, content=content)
