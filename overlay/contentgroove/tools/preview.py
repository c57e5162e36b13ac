"""Describes a document before its operations become tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import resolve

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

    from .operations import Operation


def describe_document(document: Json, servers: list[str], operations: list[Operation]) -> Json:
    """Describe a document.

    Args:
        document: The OpenAPI document.
        servers: Its servers' URLs.
        operations: Its operations.
    """
    info = cast("Json", document["info"])
    schemes = _security_schemes(document)
    return {
        "title": info["title"],
        "version": info.get("version"),
        "servers": servers,
        "operationCount": len(operations),
        "operations": [
            {
                "name": operation.name,
                "operationId": operation.operation_id or None,
                "method": operation.method,
                "path": operation.path,
                "summary": operation.title,
            }
            for operation in operations
        ],
        "tags": _tags(document, operations),
        "securitySchemes": schemes,
        "authStrategies": [strategy for name, scheme in schemes.items() for strategy in _strategies(name, scheme)],
    }


def _tags(document: Json, operations: list[Operation]) -> list[str]:
    declared = document.get("tags")
    names = [
        cast("Json", tag).get("name")
        for tag in (cast("list[Any]", declared) if isinstance(declared, list) else [])
        if isinstance(tag, dict)
    ]
    used = [tag for operation in operations for tag in operation.tags]
    return list(dict.fromkeys(name for name in (*names, *used) if isinstance(name, str)))


def _security_schemes(document: Json) -> dict[str, Json]:
    components = document.get("components")
    schemes = cast("Json", components).get("securitySchemes") if isinstance(components, dict) else None
    found = cast("Json", schemes) if isinstance(schemes, dict) else {}
    return {name: resolve(document, scheme) for name, scheme in found.items()}


def _strategies(name: str, scheme: Json) -> list[Json]:
    """Describe how a scheme is used with `openapi.addSource`, whose `headers` are sent with every call."""
    kind = str(scheme.get("type"))
    if kind == "http":
        method = str(scheme.get("scheme", "")).lower()
        value = {"bearer": "Bearer <token>", "basic": "Basic <base64 of user:password>"}.get(method)
        return [_strategy(name, method, "header", "Authorization", value or f"{method.title()} <credentials>")]
    if kind == "apiKey":
        location, key = str(scheme.get("in")), str(scheme.get("name"))
        if location == "header":
            return [_strategy(name, "apiKey", "header", key, "<key>")]
        if location == "cookie":
            return [_strategy(name, "apiKey", "cookie", key, f"{key}=<key>")]
        return [{"scheme": name, "type": "apiKey", "in": location, "name": key, "headers": None}]
    if kind in {"oauth2", "openIdConnect"}:
        return [_strategy(name, kind, "header", "Authorization", "Bearer <access token>")]
    return [{"scheme": name, "type": kind, "headers": None}]


def _strategy(scheme: str, kind: str, location: str, name: str, value: str) -> Json:
    header = "Cookie" if location == "cookie" else name
    return {"scheme": scheme, "type": kind, "in": location, "name": name, "headers": {header: value}}
