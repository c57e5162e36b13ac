"""Check a document with prance, and its examples against its own schemas with all objects closed."""

from __future__ import annotations

import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs
from contentgroove._openapi.pointers import resolve_reference
from contentgroove._openapi.schemas import bundle, validator_schema
from contentgroove_spec.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.documents import Document

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
NO_BODY = frozenset({"204", "304"})
COMPONENT_SCHEMAS = "#/components/schemas/"
MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation.

    Attributes:
        operation: The operation or component with the violation.
        location: The location in it.
        rule: The rule and its violation.
    """

    operation: str
    location: str
    rule: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.location}: {self.rule}"


def check_structure(document: Document, name: str) -> None:
    """Validate a document with prance.

    Raises:
        PipelineError: It is not valid OpenAPI, or a reference names nothing.
    """
    import prance
    from prance.util.url import ResolutionError

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "document.json")
        path.write_text(json.dumps(document), encoding="utf-8", newline="\n")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                prance.ResolvingParser(str(path), backend="openapi-spec-validator", strict=True)
        except (prance.ValidationError, ResolutionError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split()).replace(path.as_uri(), name)[:400]
            raise PipelineError(f"{name} is not a valid OpenAPI document: {reason}") from error


def check_contract(document: Document, *, complete: bool = True) -> list[Finding]:
    """Check that examples match and, if it must be complete, that everything has a schema and an example."""
    expanded = with_parts(document)
    return [*(_missing(expanded) if complete else ()), *_examples(expanded)]


def require_valid(document: Document, name: str, *, complete: bool = True) -> None:
    """Check a contract completely.

    Raises:
        PipelineError: It is not valid; the message lists the violations.
    """
    check_structure(document, name)
    findings = check_contract(document, complete=complete)
    if findings:
        listed = "\n".join(f"  {finding}" for finding in findings[:MAX_SHOWN])
        more = f"\n  … and {len(findings) - MAX_SHOWN} more" if len(findings) > MAX_SHOWN else ""
        raise PipelineError(f"{name} violates its own rules at {len(findings)} locations:\n{listed}{more}")


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield every operation, including those of callbacks, with its path's parameters and a name for messages."""
    yield from _operations(document["paths"], "")


def _operations(paths: Document, prefix: str) -> Iterator[tuple[str, Document]]:
    for path, item in paths.items():
        for method in METHODS:
            operation = item.get(method)
            if operation is None:
                continue
            name = f"{prefix}{method.upper()} {path}"
            parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
            yield name, {**operation, "parameters": parameters}
            for callback_name, callback in operation.get("callbacks", {}).items():
                yield from _operations(callback, f"{name} → {callback_name}: ")


def with_parts(document: Document) -> Document:
    """Expand references to shared parameters, bodies, headers and so on; schemas stay references."""

    def expand(value: Any, *, above: frozenset[str] = frozenset()) -> Any:
        if isinstance(value, list):
            return [expand(item, above=above) for item in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        members = cast("Document", value)
        reference = members.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/") or reference in above:
            return {name: expand(item, above=above) for name, item in members.items()}
        if reference.startswith(COMPONENT_SCHEMAS):
            return members
        return expand(resolve_reference(document, reference), above=above | {reference})

    expanded: Document = expand(document)
    return expanded


def _missing(document: Document) -> Iterator[Finding]:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status in NO_BODY or " → " in name:
                continue
            content = response.get("content", {})
            if not any("schema" in media for media in content.values()):
                yield Finding(name, f"response {status}", "it has no schema")
            if not any("example" in media or "examples" in media for media in content.values()):
                yield Finding(name, f"response {status}", "it has no example")
    for pointer, schema in _nodes(document, ""):
        if isinstance(schema.get("properties"), dict) and "type" not in schema:
            yield Finding("schemas", pointer, "it has properties and no type")


def _nodes(value: Any, pointer: str, *, names: bool = False) -> Iterator[tuple[str, Document]]:
    """Yield all objects that are not examples, with their JSON pointers."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _nodes(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        members = cast("Document", value)
        # Below `properties` the keys are names: a property may itself be called "example" or "properties".
        if not names:
            yield pointer, members
        for name, item in members.items():
            if names or name not in {"example", "examples"}:
                inner = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
                yield from _nodes(item, inner, names=name == "properties" and not names)


def _examples(document: Document) -> Iterator[Finding]:
    components = cast("Document", document.get("components", {}).get("schemas", {}))
    definitions = bundle(components, closed=True)

    def check(operation: str, location: str, schema: Document, example: object) -> Iterator[Finding]:
        complete = validator_schema(schema, definitions, closed=True)
        try:
            validator = jsonschema_rs.Draft202012Validator(complete, validate_formats=True)
        except ValueError as error:
            yield Finding(operation, location, f"the schema cannot be used: {error}")
            return
        for broken in validator.iter_errors(example):
            path = "".join(f"/{step}" for step in broken.instance_path)
            yield Finding(operation, f"{location}{path}", broken.message)

    for name, schema in components.items():
        yield from _nested_examples(name, "", schema, check)
    for name, operation in operations(document):
        for location, described in _described(operation):
            # Without a schema every example matches; the missing schema is a separate finding.
            schema = described.get("schema", {})
            for example_location, example in _example_values(described, location):
                yield from check(name, example_location, schema, example)
            yield from _nested_examples(name, location, schema, check)


def _described(operation: Document) -> Iterator[tuple[str, Document]]:
    holders = [(f"parameter {parameter['name']}", parameter) for parameter in operation["parameters"]]
    holders.append(("request body", operation.get("requestBody", {})))
    for status, response in operation["responses"].items():
        holders.append((f"response {status}", response))
        headers = response.get("headers", {}).items()
        holders.extend((f"response {status}, header {name}", header) for name, header in headers)
    for location, holder in holders:
        for media in (holder, *holder.get("content", {}).values()):
            if "schema" in media or media is not holder:
                yield location, media


def _example_values(holder: Document, location: str) -> Iterator[tuple[str, object]]:
    if "example" in holder:
        yield f"{location}, example", holder["example"]
    for name, example in holder.get("examples", {}).items():
        # An external example has an `externalValue` instead.
        if "value" in example:
            yield f"{location}, example {name}", example["value"]


def _nested_examples(operation: str, location: str, schema: Document, check: Any) -> Iterator[Finding]:
    for pointer, inner in _nodes(schema, ""):
        if "example" in inner:
            yield from check(operation, f"{location} schema{pointer}, example", inner, inner["example"])
