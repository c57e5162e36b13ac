"""The contract as Schemathesis reads it best: in OpenAPI 3.1, answers closed, with links from making to using.

OpenAPI 3.0 has no `propertyNames`, so Schemathesis would not know which filters exist. The contract has no links, and
those that Schemathesis infers reach neither into request bodies nor from a deletion to what was deleted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

import contentgroove_mock
from contentgroove._openapi.schemas import bundle, to_json_schema

Json: TypeAlias = dict[str, Any]

_USES = {
    "Media": ("get", "update", "delete"),
    "Clip": ("get", "update", "delete"),
    "WebhookSubscription": ("get", "delete"),
}
_MADE = "$response.body#/data/id"
_SAME = "$request.path.id"
_LINKS: list[tuple[str, str, Json]] = [
    # From, to, and what of the one is used for the other.
    ("createMedia", "createClip", {"requestBody": {"data": {"attributes": {"media_id": _MADE}}}}),
    (
        "getUploadUrl",
        "createMedia",
        {"requestBody": {"data": {"attributes": {"upload_id": "$response.body#/data/attributes/upload_id"}}}},
    ),
    *(
        (f"create{kind}", f"{use}{kind}ById", {"parameters": {"id": _MADE}})
        for kind, uses in _USES.items()
        for use in uses
    ),
    *((f"delete{kind}ById", f"get{kind}ById", {"parameters": {"id": _SAME}}) for kind in _USES),
]


def document() -> Json:
    """Read the simulator's contract, convert it, and link what the inferred links leave out."""
    contract: Json = json.loads(Path(contentgroove_mock.__file__).with_name("contract.json").read_text("utf-8"))
    components = contract.pop("components")
    converted = _converted(contract, closed=False)
    converted["openapi"] = "3.1.0"
    converted["components"] = {**components, "schemas": bundle(components["schemas"], closed=True)}
    for source, target, given in _LINKS:
        responses = _operation(converted, source)["responses"]
        success = responses["204" if source.startswith("delete") else "200"]
        success.setdefault("links", {})[target] = {"operationId": target, **given}
    whole: Json = json.loads(json.dumps(converted).replace("#/$defs/", "#/components/schemas/"))
    return whole


def operation_ids(document: Json) -> list[str]:
    """Name the operations."""
    return [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]


def _converted(part: Any, *, closed: bool) -> Any:
    # Only answers are closed: the service ignores what it does not know in a request.
    if isinstance(part, list):
        return [_converted(item, closed=closed) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: to_json_schema(value, closed=closed)
        if name == "schema"
        else _converted(value, closed=closed or name == "responses")
        for name, value in part.items()
    }


def _operation(document: Json, operation_id: str) -> Json:
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and operation.get("operationId") == operation_id:
                return operation
    raise LookupError(f"The contract has no operation {operation_id}")
