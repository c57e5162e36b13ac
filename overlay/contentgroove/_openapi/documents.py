"""OpenAPI documents that come from anywhere: read with limits, and never by following what they point to."""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

import msgspec
import yaml
import yamlcore
from contentgroove_api.types import check_levels

from contentgroove.tools.errors import SpecError

Json: TypeAlias = dict[str, Any]

MAX_BYTES = 5 * 1024 * 1024
"""Larger than nearly all documents that describe one API."""

MAX_NODES = 500_000
MAX_DEPTH = 100


# The stubs of PyYAML leave the base classes' members untyped.
class _Loader(yamlcore.CCoreLoader):  # type: ignore[misc]
    """YAML 1.2's core schema. Keys are strings, as the OpenAPI Specification demands: `200:` is "200"."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Json:  # noqa: FBT001, FBT002 - PyYAML's signature
        mapping: Json = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is no scalar", problem_mark=key.start_mark)
            if key.value in mapping:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            mapping[str(key.value)] = cast("Any", self).construct_object(value, deep=deep)
        return mapping


def parse(text: str, source: str) -> Json:
    """Read an OpenAPI 3.x document from JSON or YAML.

    Args:
        text: The document.
        source: What it is called in messages.

    Raises:
        SpecError: It is none, is too large, or has a `$ref` to another document: such are never fetched.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise SpecError(f"{source} is larger than {MAX_BYTES:,} bytes, which is the limit.")
    if not text.strip():
        raise SpecError(f"{source} is empty: pass the URL or the text of an OpenAPI 3.x document.")
    if re.match(r"\s*(?:<!doctype\s+html|<html|<\?xml)", text, re.IGNORECASE):
        raise SpecError(f"{source} is an HTML or XML page, not an OpenAPI document: find the document's own URL.")
    language = "JSON" if text.lstrip().startswith(("{", "[")) else "YAML"
    try:
        data = _load_json(text, source) if language == "JSON" else _load_yaml(text, source)
    except (ValueError, KeyError, OverflowError, yaml.YAMLError, RecursionError) as error:
        raise SpecError(f"{source} is no {language}, or is cut short: {' '.join(str(error).split())}.") from error
    _check_size(data, source)
    if not isinstance(data, dict):
        raise SpecError(f"{source} is no OpenAPI document: it holds a {type(data).__name__}, not an object.")
    document = cast("Json", data)
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise SpecError(f"{source} holds a value that JSON has not: {error}.") from error
    _check_openapi(document, source)
    return document


def resolve_reference(document: Json, reference: str) -> Any:
    """Give what a `$ref` within the document points to.

    Raises:
        SpecError: There is nothing at that place.
    """
    value: Any = document
    # As a URI's fragment, a pointer can be percent-encoded (RFC 6901, 6).
    for part in unquote(reference.removeprefix("#")).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = cast("Json", value)[key]
        elif isinstance(value, list) and key.isascii() and key.isdigit() and int(key) < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[int(key)]
        else:
            raise SpecError(f"The document has nothing at {reference!r}, which a $ref names.")
    return value


def follow_references(document: Json, value: Any) -> Json:
    """Follow the `$ref`s that stand in an object's place; anything but an object is an empty one.

    Raises:
        SpecError: A `$ref` leads nowhere, or in a circle.
    """
    seen: set[str] = set()
    while isinstance(value, dict) and "$ref" in value:
        reference = str(cast("Json", value)["$ref"])
        if reference in seen:
            raise SpecError(f"The $ref {reference!r} leads in a circle.")
        seen.add(reference)
        value = resolve_reference(document, reference)
    return cast("Json", value) if isinstance(value, dict) else {}


def _load_json(text: str, source: str) -> object:
    try:
        check_levels(text.encode("utf-8", "replace"))
    except msgspec.DecodeError as error:
        raise _too_large_error(source) from error
    return json.loads(text, parse_constant=_reject_constant)


def _load_yaml(text: str, source: str) -> object:
    # Levels are counted before anything is built: libyaml's builder recurses in C, where too many end the process.
    depth = 0
    try:
        for event in cast("Any", yaml.parse)(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                raise _too_large_error(source)
    except yaml.YAMLError as error:
        if "nesting depth" in str(error):
            raise _too_large_error(source) from error
        raise
    data: object = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from a safe loader
    return data


def _check_size(data: object, source: str) -> None:
    # Counted with every alias followed: a few lines of YAML can stand for billions of nodes.
    count = 0
    pending: list[tuple[object, int]] = [(data, 0)]
    while pending:
        value, depth = pending.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise _too_large_error(source)
        if isinstance(value, dict):
            members = cast("Json", value)
            reference = members.get("$ref")
            if isinstance(reference, str) and reference != "#" and not reference.startswith("#/"):
                raise SpecError(
                    f"{source} has the $ref {reference[:200]!r} to another document, and those are not fetched: pass "
                    "a document that holds everything."
                )
            pending.extend((item, depth + 1) for item in members.values())
        elif isinstance(value, list):
            pending.extend((item, depth + 1) for item in cast("list[object]", value))


def _too_large_error(source: str) -> SpecError:
    return SpecError(f"{source} has more than {MAX_NODES:,} values or {MAX_DEPTH} levels, which is the limit.")


def _reject_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _check_openapi(document: Json, source: str) -> None:
    if "swagger" in document:
        raise SpecError(
            f"{source} is a Swagger {document['swagger']} document, and OpenAPI 3.x is needed: convert it first."
        )
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise SpecError(f"{source} is no OpenAPI 3.x document (openapi: {str(version)[:50]!r}).")
    info = document.get("info")
    if not isinstance(info, dict) or not isinstance(cast("Json", info).get("title"), str):
        raise SpecError(f"{source} has no info.title, which OpenAPI demands.")
    if not isinstance(document.get("paths", {}), dict):
        raise SpecError(f"{source} has no paths that are an object.")
