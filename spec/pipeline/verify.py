"""Check a document with prance, and its examples against its own schemas with all objects closed."""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import escape, resolve
from contentgroove_mock.contract.schemas import Components
from contentgroove_spec import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contentgroove._openapi.operations import Operation
    from contentgroove_mock.contract.schemas import Side
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
                prance.ResolvingParser(
                    str(path),
                    backend="openapi-spec-validator",
                    strict=True,
                    # Schemas may contain themselves.
                    recursion_limit_handler=_cut,
                )
        except (prance.ValidationError, ResolutionError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split()).replace(path.as_uri(), name)[:400]
            raise PipelineError(f"{name} is not a valid OpenAPI document: {reason}") from error


def _cut(limit: int, parsed_url: object, recursions: object) -> object:
    del limit, parsed_url, recursions
    return {}


def check_contract(document: Document, *, complete: bool = True) -> list[str]:
    """Check that examples match and, if it must be complete, that everything has a schema and an example.

    Returns:
        The violations: the operation or component, the location in it, and the rule.
    """
    return [*(_missing(document) if complete else ()), *wrong_examples(document)]


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


def wrong_examples(document: Document) -> Iterator[str]:
    """Yield the examples that do not match their schemas, and the schemas that cannot be used."""
    components = Components(document)
    schemas = as_object(as_object(document.get("components")).get("schemas"))
    examples: Iterator[tuple[str, str, Any, object, Side]] = (
        (name, location, inner, example, "either")
        for name, schema in schemas.items()
        for location, inner, example in _schema_examples("", schema)
    )
    in_operations: Iterator[tuple[str, str, Any, object, Side]] = (
        (name, *found) for name, operation in _with_callbacks(operations(document)) for found in _examples(operation)
    )
    for operation, location, schema, example, side in (*examples, *in_operations):
        for found in components.compiled(schema, side, f"{operation}: {location}").findings(example):
            path = "".join(f"/{step}" for step in found.steps)
            yield f"{operation}: {location}{path}: {found.message}"
    yield from components.problems


def _with_callbacks(found: Iterable[Operation], prefix: str = "") -> Iterator[tuple[str, Operation]]:
    """Yield operations and those of their callbacks, with names for messages."""
    for operation in found:
        name = f"{prefix}{operation}"
        yield name, operation
        for callback in operation.callbacks:
            yield from _with_callbacks([callback], f"{name} → {callback.callback}: ")


def _examples(operation: Operation) -> Iterator[tuple[str, Any, object, Side]]:
    """Yield the location, the schema, the value and the side of each example of an operation."""
    for location, holder in _holders(operation):
        side: Side = "response" if location.startswith("response") else "request"
        for media in (holder, *map(as_object, as_object(holder.get("content")).values())):
            # Without a schema every example matches; the missing schema is a separate finding.
            schema = media.get("schema", {})
            if "example" in media:
                yield f"{location}, example", schema, media["example"], side
            for name, node in as_object(media.get("examples")).items():
                example = resolve(operation.document, node)
                # An external example has an `externalValue` instead.
                if "value" in example:
                    yield f"{location}, example {name}", schema, example["value"], side
            for found in _schema_examples(location, schema):
                yield *found, side


def _holders(operation: Operation) -> Iterator[tuple[str, Document]]:
    for parameter in operation.parameters:
        yield f"parameter {parameter['name']}", parameter
    yield "request body", operation.body
    for status, response in operation.responses.items():
        yield f"response {status}", response
        for name, header in as_object(response.get("headers")).items():
            yield f"response {status}, header {name}", resolve(operation.document, header)


def _schema_examples(location: str, schema: Any) -> Iterator[tuple[str, Document, object]]:
    for pointer, inner in _objects(schema, ""):
        if "example" in inner:
            yield f"{location} schema{pointer}, example", inner, inner["example"]
