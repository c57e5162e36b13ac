"""Check a document with prance, and its examples against its own schemas with all objects closed."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs
from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import escape, resolve
from contentgroove._openapi.schemas import bundle, validator_schema
from contentgroove_spec import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contentgroove._openapi.operations import Operation
    from contentgroove_spec.documents import Document

NO_BODY = frozenset({"204", "304"})
MAX_SHOWN = 20


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


def check_contract(document: Document, *, complete: bool = True) -> list[str]:
    """Check that examples match and, if it must be complete, that everything has a schema and an example.

    Returns:
        The violations: the operation or component, the location in it, and the rule.
    """
    return [*(_missing(document) if complete else ()), *_wrong_examples(document)]


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


def _missing(document: Document) -> Iterator[str]:
    for operation in operations(document):
        for status, response in operation.responses.items():
            if status not in NO_BODY:
                present = {name for media in response.get("content", {}).values() for name in media}
                if "schema" not in present:
                    yield f"{operation}: response {status}: it has no schema"
                if not present & {"example", "examples"}:
                    yield f"{operation}: response {status}: it has no example"
    for pointer, schema in _objects(document, ""):
        if isinstance(schema.get("properties"), dict) and "type" not in schema:
            yield f"schemas: {pointer}: it has properties and no type"


def _objects(value: Any, pointer: str, *, names: bool = False) -> Iterator[tuple[str, Document]]:
    """Yield all objects that are not examples, with their JSON pointers."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _objects(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        members = cast("Document", value)
        # Below `properties` the keys are names: a property may itself be called "example" or "properties".
        if not names:
            yield pointer, members
        for name, item in members.items():
            if names or name not in {"example", "examples"}:
                yield from _objects(item, f"{pointer}/{escape(name)}", names=name == "properties" and not names)


def _wrong_examples(document: Document) -> Iterator[str]:
    components = cast("Document", document.get("components", {}).get("schemas", {}))
    definitions = bundle(components, closed=True)
    examples = [(name, *found) for name, schema in components.items() for found in _schema_examples("", schema)]
    examples += [
        (name, *found) for name, operation in _with_callbacks(operations(document)) for found in _examples(operation)
    ]
    for operation, location, schema, example in examples:
        complete = validator_schema(schema, definitions, closed=True)
        try:
            validator = jsonschema_rs.Draft202012Validator(complete, validate_formats=True)
        except ValueError as error:
            yield f"{operation}: {location}: the schema cannot be used: {error}"
            continue
        for broken in validator.iter_errors(example):
            path = "".join(f"/{step}" for step in broken.instance_path)
            yield f"{operation}: {location}{path}: {broken.message}"


def _with_callbacks(found: Iterable[Operation], prefix: str = "") -> Iterator[tuple[str, Operation]]:
    """Yield operations and those of their callbacks, with names for messages."""
    for operation in found:
        name = f"{prefix}{operation}"
        yield name, operation
        for callback in operation.callbacks:
            yield from _with_callbacks([callback], f"{name} → {callback.callback}: ")


def _examples(operation: Operation) -> Iterator[tuple[str, Document, object]]:
    """Yield the location, the schema and the value of each example of an operation."""
    for location, holder in _holders(operation):
        for media in (holder, *holder.get("content", {}).values()):
            # Without a schema every example matches; the missing schema is a separate finding.
            schema = media.get("schema", {})
            if "example" in media:
                yield f"{location}, example", schema, media["example"]
            for name, node in media.get("examples", {}).items():
                example = resolve(operation.document, node)
                # An external example has an `externalValue` instead.
                if "value" in example:
                    yield f"{location}, example {name}", schema, example["value"]
            yield from _schema_examples(location, schema)


def _holders(operation: Operation) -> Iterator[tuple[str, Document]]:
    for parameter in operation.parameters:
        yield f"parameter {parameter['name']}", parameter
    yield "request body", operation.body
    for status, response in operation.responses.items():
        yield f"response {status}", response
        for name, header in response.get("headers", {}).items():
            yield f"response {status}, header {name}", resolve(operation.document, header)


def _schema_examples(location: str, schema: Document) -> Iterator[tuple[str, Document, object]]:
    for pointer, inner in _objects(schema, ""):
        if "example" in inner:
            yield f"{location} schema{pointer}, example", inner, inner["example"]
