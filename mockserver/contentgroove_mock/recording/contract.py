"""The parts of the contract that recordings depend on: operations with documented responses, and their digests."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = ("get", "post", "put", "delete", "patch", "head", "options", "trace")
_SCHEMAS = "#/components/schemas/"
_DIGITS = 16
# Texts and examples do not matter to a client; a recorded example is compared itself.
_ANNOTATIONS = frozenset({"description", "summary", "title", "example", "examples"})
# Below these, keys are names of the API, such as the attribute `description`.
_NAMED = frozenset({"properties", "headers", "content", "mapping"})


class Operation(Struct, frozen=True, kw_only=True):
    """An operation, or the request of a callback.

    Attributes:
        name: The operationId, or the callback's name.
        method: In upper case.
        path: Its template below the API's base path; a callback has an expression instead.
        callback: True if the service sends the request.
        declaration: The operation object of the contract.
    """

    name: str
    method: str
    path: str
    callback: bool
    declaration: dict[str, Any]

    @property
    def statuses(self) -> tuple[int, ...]:
        """The documented statuses in ascending order."""
        return tuple(sorted(int(status) for status in self.declaration["responses"] if status.isdecimal()))

    def response_spec(self, status: int) -> dict[str, Any]:
        """Return the response object of a status."""
        return cast("dict[str, Any]", self.declaration["responses"][str(status)])


class PackagedContract:
    """A contract's operations and callbacks, by name.

    Attributes:
        operations: The operations that clients call, and the requests that the service sends.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operations = {operation.name: operation for operation in _operations(document)}

    @classmethod
    def load_packaged(cls) -> PackagedContract:
        """Read the contract that is part of this package."""
        return cls(json.loads(files("contentgroove_mock").joinpath("contract.json").read_text("utf-8")))

    def response_specs(self) -> set[tuple[str, int]]:
        """Return the operation and status of every documented response."""
        return {(operation.name, status) for operation in self.operations.values() for status in operation.statuses}

    def example(self, operation: str, status: int) -> Any:
        """Return the example of a response, None if there is none."""
        content = self.operations[operation].response_spec(status).get("content", {})
        return content.get("application/json", {}).get("example")

    def delivered_example(self, callback: str) -> Any:
        """Return the example of a callback's request, None if there is none."""
        body = self.operations[callback].declaration.get("requestBody", {})
        return body.get("content", {}).get("application/json", {}).get("example")

    def parts(self, operation: str, status: int) -> dict[str, str]:
        """Return digests of the parts of the contract that a response depends on, by readable names.

        They are digests of the canonical form: texts, titles and examples do not count.
        """
        found = self.operations[operation]
        request = {name: value for name, value in found.declaration.items() if name not in {"responses", "callbacks"}}
        parts: dict[str, object] = {
            "request": {"method": found.method, "path": found.path, **request},
            "answer": found.response_spec(status),
        }
        schemas = self.document.get("components", {}).get("schemas", {})
        pending = [name for part in parts.values() for name in _references(part)]
        while pending:
            name = pending.pop()
            if f"schema {name}" not in parts:
                parts[f"schema {name}"] = schemas[name]
                pending += _references(schemas[name])
        return {name: _digest(part) for name, part in sorted(parts.items())}


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, declaration in item.items():
            if method not in _METHODS:
                continue
            shared = item.get("parameters", [])
            merged = {**declaration, "parameters": [*shared, *declaration.get("parameters", [])]}
            yield Operation(
                name=declaration["operationId"], method=method.upper(), path=path, callback=False, declaration=merged
            )
            for event, expressions in declaration.get("callbacks", {}).items():
                for expression, callback in expressions.items():
                    yield Operation(
                        name=event, method="POST", path=expression, callback=True, declaration=callback["post"]
                    )


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        members = cast("dict[str, object]", part)
        reference = members.get("$ref")
        here = [reference.removeprefix(_SCHEMAS)] if isinstance(reference, str) else []
        return here + [name for value in members.values() for name in _references(value)]
    if isinstance(part, list):
        return [name for value in cast("list[object]", part) for name in _references(value)]
    return []


def _digest(part: object) -> str:
    text = json.dumps(_canonical_json(part), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _canonical_json(part: object, *, names: bool = False) -> object:
    if isinstance(part, dict):
        members = cast("dict[str, object]", part).items()
        return {
            key: _canonical_json(value, names=not names and key in _NAMED)
            for key, value in members
            if names or key not in _ANNOTATIONS
        }
    if isinstance(part, list):
        return [_canonical_json(value) for value in cast("list[object]", part)]
    return part
