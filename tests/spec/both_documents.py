"""Access to parts of both documents, and checks of values against schemas, for the tests of the corrections."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from contentgroove._openapi.operations import operations
from contentgroove._openapi.schemas import bundle, validator_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

MEDIA, CLIP = "media_response_object_data", "clip_response_object_data"
SUBSCRIPTION = "webhook_subscription_response_object_data"
EXPRESSION = "{$request.body#/data/attributes/url}"


RESOURCES = ("medias", "clips", "webhook_subscriptions", "direct_uploads")
"""Those that the numbered defects were found in."""


def own_operations(document: Json) -> list[tuple[str, Json]]:
    """The operations on these resources, without callbacks."""
    return [
        (str(operation), operation.definition)
        for operation in operations(document)
        if operation.path.split("/")[1] in RESOURCES
    ]


def schema(document: Json, name: str, *steps: str) -> Any:
    """Walk into a component schema."""
    value = document["components"]["schemas"][name]
    for step in steps:
        value = value[step]
    return value


def attributes(document: Json, name: str) -> Json:
    """The attributes of a resource's schema."""
    found: Json = schema(document, name, "properties", "attributes", "properties")
    return found


def parameters(document: Json, path: str) -> dict[str, Json]:
    """A list's parameters by name."""
    return {item["name"]: item for item in document["paths"][path]["get"]["parameters"]}


def response_json(document: Json, path: str, method: str, status: str) -> Json:
    """A response's JSON content: its schema and its example."""
    found: Json = document["paths"][path][method]["responses"][status]["content"]["application/json"]
    return found


def request(document: Json, path: str) -> Json:
    """The schema of a POST's body."""
    found: Json = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return found


def published_hook(published: Json) -> Json:
    """The webhook's operation as published."""
    callback = published["paths"]["/medias"]["post"]["callbacks"]["media.processing_finished"]
    found: Json = callback["Provided URL in /webhook_subscriptions"]["post"]
    return found


def published_payload(published: Json) -> Json:
    """The members of the webhook's payload as published."""
    content = published_hook(published)["requestBody"]["content"]["application/json"]
    found: Json = content["schema"]["properties"]["payload"]["properties"]
    return found


def corrected_hook(contract: Json) -> Json:
    """The webhook's operation in the contract."""
    callback = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"]
    found: Json = callback[EXPRESSION]["post"]
    return found


def event(contract: Json) -> Json:
    """The contract's example of a webhook's body."""
    return copy.deepcopy(corrected_hook(contract)["requestBody"]["content"]["application/json"]["example"])


def fits(document: Json, expected: Json | str, value: object, *, closed: bool = False) -> bool:
    """Whether a value matches a schema, or a component schema named by its key."""
    if isinstance(expected, str):
        expected = {"$ref": f"#/components/schemas/{expected}"}
    definitions = bundle(document["components"]["schemas"], closed=closed)
    validator = jsonschema_rs.Draft202012Validator(
        validator_schema(expected, definitions, closed=closed), validate_formats=True
    )
    return validator.is_valid(value)


def objects(value: object) -> Iterator[Json]:
    """Every schema that names its members, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict):
            yield value
        for name, item in value.items():
            if name not in {"example", "examples"}:
                yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def resources(value: object) -> Iterator[Json]:
    """Every resource in an example, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("attributes"), dict) and isinstance(value.get("type"), str):
            yield value
        for item in value.values():
            yield from resources(item)
    elif isinstance(value, list):
        for item in value:
            yield from resources(item)


def texts(value: object) -> Iterator[str]:
    """Every string of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
