"""The contract in the form that suits Schemathesis: OpenAPI 3.1, closed responses, links from creation to use.

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
    # From, to, and the part of the first's response that the second uses.
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
    """Read the simulator's contract, convert it, and add the links that Schemathesis does not infer."""
    contract: Json = json.loads(Path(contentgroove_mock.__file__).with_name("contract.json").read_text("utf-8"))
    components = contract.pop("components")
    converted = _converted(contract, closed=False)
    converted["openapi"] = "3.1.0"
    converted["components"] = {**components, "schemas": bundle(components["schemas"], closed=True)}
    for source, target, arguments in _LINKS:
        responses = _operation(converted, source)["responses"]
        success = responses["204" if source.startswith("delete") else "200"]
        success.setdefault("links", {})[target] = {"operationId": target, **arguments}
    whole: Json = json.loads(json.dumps(converted).replace("#/$defs/", "#/components/schemas/"))
    return whole


def operation_ids(document: Json) -> list[str]:
    """Return the ids of the operations."""
    return [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]


def _converted(part: Any, *, closed: bool) -> Any:
    # Only responses are closed: the service ignores unknown members of requests.
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
