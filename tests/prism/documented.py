"""What the contract documents: each operation with each of its responses, and the calls of the SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tests.sdk_calls import IDS, SDK_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sdk_calls import SdkMethod

Json: TypeAlias = dict[str, Any]

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "spec" / "contract.yaml"
DOCUMENT: Json = json.loads((ROOT / "mockserver/contentgroove_mock/contract.json").read_text(encoding="utf-8"))
ID = "9b9a2e82-5b47-4f59-831d-4c239824b983"


class Documented(NamedTuple):
    """One response that the contract documents.

    Attributes:
        operation: The operationId.
        group: The operation's tag.
        request_schema: The schema of the request's body, None if it has no body.
        schema: The schema of the response's body, None if it has no body.
        example: The contract's example of that body.
    """

    operation: str
    group: str
    method: str
    path: str
    request_schema: Json | None
    status: int
    schema: Json | None
    example: Json

    def __str__(self) -> str:
        return f"{self.operation}-{self.status}"


def _responses() -> list[Documented]:
    found: list[Documented] = []
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json", {})
                found.append(
                    Documented(
                        operation["operationId"],
                        operation.get("tags", ["default"])[0],
                        method.upper(),
                        path,
                        body.get("schema"),
                        int(status),
                        content.get("schema"),
                        content.get("example", {}),
                    )
                )
    return found


RESPONSES = _responses()

ATTRIBUTES: Mapping[str, Json] = {name: made.attributes(IDS) for name, made in SDK_METHODS.items() if made.sent}
"""What is sent to the operations that take a body."""


def _call(made: SdkMethod) -> Callable[[Any], Any]:
    return lambda client: made.on(client, IDS, limit=1)


CALLS: Mapping[str, Callable[[Any], Any]] = {name: _call(made) for name, made in SDK_METHODS.items()}
"""Each operation as a call of the SDK, for a sync and for an async client."""
