"""What the contract documents: each operation with each of its responses, and the calls of the SDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json: TypeAlias = dict[str, Any]

ROOT = Path(__file__).parents[2]
CONTRACT = ROOT / "spec" / "contract.yaml"
DOCUMENT: Json = json.loads((ROOT / "mockserver/contentgroove_mock/contract.json").read_text(encoding="utf-8"))
ID = "9b9a2e82-5b47-4f59-831d-4c239824b983"
# Prism delivers webhooks to the URL of a subscription; nothing listens on the discard port of this machine.
NOWHERE = "http://127.0.0.1:9/hook"


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

ATTRIBUTES: Mapping[str, Json] = {
    "createClip": {"media_id": ID, "name": "Opening", "start_time": 0, "end_time": 2.5},
    "updateClipById": {"name": "Closing"},
    "createMedia": {"upload_id": "an-upload"},
    "updateMediaById": {"name": "Film"},
    "createWebhookSubscription": {"url": NOWHERE},
}
"""What is sent to the operations that take a body."""

CALLS: Mapping[str, Callable[[Any], Any]] = {
    "getMedias": lambda client: client.medias.list(limit=1),
    "createMedia": lambda client: client.medias.create(**ATTRIBUTES["createMedia"]),
    "getMediaById": lambda client: client.medias.get(ID),
    "updateMediaById": lambda client: client.medias.update(ID, **ATTRIBUTES["updateMediaById"]),
    "deleteMediaById": lambda client: client.medias.delete(ID),
    "getClips": lambda client: client.clips.list(limit=1),
    "createClip": lambda client: client.clips.create(**ATTRIBUTES["createClip"]),
    "getClipById": lambda client: client.clips.get(ID),
    "updateClipById": lambda client: client.clips.update(ID, **ATTRIBUTES["updateClipById"]),
    "deleteClipById": lambda client: client.clips.delete(ID),
    "getWebhookSubscriptions": lambda client: client.webhook_subscriptions.list(limit=1),
    "createWebhookSubscription": lambda client: client.webhook_subscriptions.create(
        **ATTRIBUTES["createWebhookSubscription"]
    ),
    "getWebhookSubscriptionById": lambda client: client.webhook_subscriptions.get(ID),
    "deleteWebhookSubscriptionById": lambda client: client.webhook_subscriptions.delete(ID),
    "getUploadUrl": lambda client: client.direct_uploads.prepare(),
}
"""Each operation as a call of the SDK, for a sync and for an async client."""
