"""The contract as recordings see it: operations with their documented answers, and digests of each part."""

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
# Words and examples mean nothing to a client; an example that is recorded is compared by itself.
_ANNOTATIONS = frozenset({"description", "summary", "title", "example", "examples"})
# Below these, keys are names of the API's own, such as the attribute `description`.
_NAMED = frozenset({"properties", "headers", "content", "mapping"})


class Operation(Struct, frozen=True, kw_only=True):
    """An operation, or the request of a callback.

    Attributes:
        name: The operationId, or the callback's name.
        method: In capitals.
        path: Its template below the API's base path; a callback has an expression instead.
        callback: Whether the service sends it.
        declaration: As the contract has it.
    """

    name: str
    method: str
    path: str
    callback: bool
    declaration: dict[str, Any]

    @property
    def statuses(self) -> tuple[int, ...]:
        """The documented ones, in ascending order."""
        return tuple(sorted(int(status) for status in self.declaration["responses"] if status.isdecimal()))

    def response_spec(self, status: int) -> dict[str, Any]:
        """Give what the contract says of a status."""
        return cast("dict[str, Any]", self.declaration["responses"][str(status)])


class PackagedContract:
    """A contract's operations and callbacks, by name.

    Attributes:
        operations: Those that clients call and those that the service sends.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operations = {operation.name: operation for operation in _operations(document)}

    @classmethod
    def load_packaged(cls) -> PackagedContract:
        """Read the contract that this package was made with."""
        return cls(json.loads(files("contentgroove_mock").joinpath("contract.json").read_text("utf-8")))

    def response_specs(self) -> set[tuple[str, int]]:
        """Name every documented answer."""
        return {(operation.name, status) for operation in self.operations.values() for status in operation.statuses}

    def example(self, operation: str, status: int) -> Any:
        """Give the example of an answer, None without one."""
        content = self.operations[operation].response_spec(status).get("content", {})
        return content.get("application/json", {}).get("example")

    def delivered_example(self, callback: str) -> Any:
        """Give the example of what a callback sends, None without one."""
        body = self.operations[callback].declaration.get("requestBody", {})
        return body.get("content", {}).get("application/json", {}).get("example")

    def parts(self, operation: str, status: int) -> dict[str, str]:
        """Give the digests of all that an answer rests on, by names that mean something to a reader.

        They are of the meaning: words, titles and examples are left out.
        """
        found = self.operations[operation]
        request = {name: value for name, value in found.declaration.items() if name not in {"responses", "callbacks"}}
        parts: dict[str, object] = {
            "request": {"method": found.method, "path": found.path, **request},
            "answer": found.response_spec(status),
        }
        schemas = self.document.get("components", {}).get("schemas", {})
        waiting = [name for part in parts.values() for name in _references(part)]
        while waiting:
            name = waiting.pop()
            if f"schema {name}" not in parts:
                parts[f"schema {name}"] = schemas[name]
                waiting += _references(schemas[name])
        return {name: _digest(part) for name, part in sorted(parts.items())}


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, declaration in item.items():
            if method not in _METHODS:
                continue
            shared = item.get("parameters", [])
            whole = {**declaration, "parameters": [*shared, *declaration.get("parameters", [])]}
            yield Operation(
                name=declaration["operationId"], method=method.upper(), path=path, callback=False, declaration=whole
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
