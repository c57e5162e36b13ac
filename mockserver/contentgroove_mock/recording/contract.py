"""The parts of the contract that recordings depend on: operations with documented responses, and their digests."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list
from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import references, resolve_reference
from contentgroove._openapi.schemas import COMPONENTS

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json
    from contentgroove._openapi.operations import Operation

_DIGITS = 16
# Texts and examples do not matter to a client; a recorded example is compared itself.
_ANNOTATIONS = frozenset({"description", "summary", "title", "example", "examples"})
# Below these, keys are names of the API, such as the attribute `description`.
_NAMED = frozenset({"properties", "headers", "content", "mapping"})


class PackagedContract:
    """A contract's operations and callbacks.

    Attributes:
        operations: The operations that clients call, and the requests that the service sends, by operationId or the
            callback's name.
    """

    def __init__(self, document: Json) -> None:
        self.document = document
        self.operations: dict[str, Operation] = {}
        for operation in operations(document):
            self.operations[operation.operation_id] = operation
            self.operations |= {callback.callback: callback for callback in operation.callbacks}

    @classmethod
    def load_packaged(cls) -> PackagedContract:
        """Read the contract that is part of this package."""
        return cls(json.loads(files("contentgroove_mock").joinpath("contract.json").read_bytes()))

    @cached_property
    def listed_values(self) -> frozenset[str]:
        """Every text that the contract lists as a value, so that it cannot be a text of an account."""
        found: set[str] = set()
        pending: list[Any] = [self.document]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                found |= {item for item in as_list(cast("Json", value).get("enum")) if isinstance(item, str)}
                pending += cast("Json", value).values()
            elif isinstance(value, list):
                pending += cast("list[Any]", value)
        return frozenset(found)

    def statuses(self, operation: str) -> list[int]:
        """Return the documented statuses of an operation in ascending order."""
        return sorted(int(status) for status in self.operations[operation].responses if status.isdecimal())

    def response_specs(self) -> set[tuple[str, int]]:
        """Return the operation and status of every documented response."""
        return {(operation, status) for operation in self.operations for status in self.statuses(operation)}

    def example(self, operation: str, status: int) -> Any:
        """Return the example of a response, or of a callback's request; None if there is none."""
        found = self.operations[operation]
        message = found.body if found.callback else found.responses[str(status)]
        return message.get("content", {}).get("application/json", {}).get("example")

    def parts(self, operation: str, status: int) -> dict[str, str]:
        """Return digests of the parts of the contract that a response depends on, by readable names.

        They are digests of the canonical form: texts, titles and examples do not count.
        """
        found = self.operations[operation]
        request = {name: value for name, value in found.definition.items() if name not in {"responses", "callbacks"}}
        if not found.callback:
            request["parameters"] = [*found.item.get("parameters", []), *found.definition.get("parameters", [])]
        parts: dict[str, object] = {
            "request": {"method": found.method, "path": found.path, **request},
            "answer": found.responses[str(status)],
        }
        pending = list(parts.values())
        while pending:
            for reference in references(pending.pop()):
                name = f"schema {reference.removeprefix(COMPONENTS)}"
                if name not in parts:
                    parts[name] = resolve_reference(self.document, reference)
                    pending.append(parts[name])
        return {name: _digest(part) for name, part in sorted(parts.items())}


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
