"""Small documents around one schema, one operation or some components."""

from __future__ import annotations

from typing import Any


def document(paths: dict[str, Any] | None = None, *, version: str = "3.0.3", **members: Any) -> dict[str, Any]:
    """A document with some paths."""
    return {"openapi": version, "info": {"title": "Things", "version": "1"}, "paths": paths or {}, **members}


def around(schema: Any, *, version: str = "3.0.3", **schemas: Any) -> dict[str, Any]:
    """A document with a schema that is sent and received, and the schemas that it refers to."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": content, "responses": {"200": {"description": "", **content}}}
    return document({"/things": {"post": operation}}, version=version, components={"schemas": schemas})


def with_parameters(*parameters: Any, path: str = "/things") -> dict[str, Any]:
    """A document with one operation that has parameters."""
    return document({path: {"get": {"parameters": list(parameters), "responses": {"200": {"description": ""}}}}})


def query(name: str, **members: Any) -> dict[str, Any]:
    """A query parameter."""
    return {"name": name, "in": "query", "schema": {"type": "string"}, **members}


def component(name: str) -> dict[str, str]:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
