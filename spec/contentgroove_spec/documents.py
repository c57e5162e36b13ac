"""OpenAPI documents as text and as data: read as YAML 1.2, written so that YAML 1.1 readers get the same."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from typing import Any, TypeAlias, cast

import yaml
import yamlcore

from .errors import PipelineError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Document: TypeAlias = dict[str, Any]

MAX_BYTES = 5 * 1024 * 1024
"""Published API documents are far smaller."""

MAX_NODES = 500_000
MAX_DEPTH = 100

# Line ends in YAML 1.1 only, and invisible characters, are written as escapes.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?")


# The stubs of PyYAML leave the base classes' members untyped.
class _YamlLoader(yamlcore.CCoreLoader):  # type: ignore[misc]
    """YAML 1.2's core schema, in which dates stay strings.

    Keys are strings, as the OpenAPI Specification requires ("Format"): `200:` is "200". Duplicates are rejected.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key is not a scalar", problem_mark=key_node.start_mark)
            key = str(key_node.value)
            if key in mapping:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} occurs twice", problem_mark=key_node.start_mark)
            mapping[key] = cast("Any", self).construct_object(value_node, deep=deep)
        return mapping


class _Dumper(yaml.CSafeDumper):
    """Block style; strings are quoted wherever YAML 1.1 or 1.2 would read another value."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _represent_text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _INVISIBLE.search(text):
        style = '"'
    elif "\n" in text and not re.search(r"[ \t]\n|\t|\r", text):
        style = "|"
    elif not isinstance(_scalar(text), str):
        style = "'"
    node: yaml.ScalarNode = cast("Any", dumper).represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


@functools.lru_cache(maxsize=65_536)
def _scalar(text: str) -> object:
    try:
        return yaml.load(text, Loader=yamlcore.CCoreLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return text


_Dumper.add_representer(str, _represent_text)


def parse(content: bytes, source: str) -> Document:
    """Read a document, YAML or JSON.

    Args:
        content: The document's bytes.
        source: Their source, for messages.

    Raises:
        PipelineError: They are too many, HTML, not UTF-8, neither YAML nor JSON, or not an object; or the object is
            too large, or contains a value that JSON cannot express.
    """
    if len(content) > MAX_BYTES:
        raise PipelineError(f"{source} is larger than {MAX_BYTES:,} bytes: that is not an API document.")
    if re.match(rb"\s*(?:<!doctype\s+html|<html|<\?xml)", content, re.IGNORECASE):
        raise PipelineError(f"{source} returned an HTML or XML page instead of an OpenAPI document.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PipelineError(f"{source} is not UTF-8: {error}.") from error
    language = "JSON" if text.lstrip().startswith("{") else "YAML"
    try:
        data = _load_json(text) if language == "JSON" else _load_yaml(text, source)
    except (ValueError, KeyError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise PipelineError(f"{source} is not valid {language}, or is truncated: {reason}.") from error
    if not isinstance(data, dict):
        raise PipelineError(
            f"{source} is not an OpenAPI document: its content is a {type(data).__name__}, not an object."
        )
    document = cast("Document", data)
    _check_size(document, source)
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise PipelineError(f"{source} contains a value that JSON cannot express: {error}.") from error
    return document


def _load_json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_unique)


def _load_yaml(text: str, source: str) -> object:
    # libyaml's builder recurses in C, where too many levels end the process, so they are counted first.
    try:
        too_deep = _is_too_deep(text)
    except yaml.YAMLError as error:
        # libyaml 0.2.6 has its own limit on the depth.
        if "nesting depth" not in str(error):
            raise
        too_deep = True
    if too_deep:
        raise PipelineError(f"{source} has more than {MAX_DEPTH} levels: that is not an API document.")
    data: object = yaml.load(text, Loader=_YamlLoader)  # noqa: S506 - derived from a safe loader
    return data


def _is_too_deep(text: str) -> bool:
    depth = 0
    for event in cast("Any", yaml.parse)(text, Loader=_YamlLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} occurs twice")
    return found


def _check_size(data: object, source: str) -> None:
    # A few lines of YAML can expand to billions of nodes, so every alias is followed.
    count = 0
    pending: list[tuple[object, int]] = [(data, 0)]
    while pending:
        value, depth = pending.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise PipelineError(
                f"{source} has more than {MAX_NODES:,} nodes or {MAX_DEPTH} levels: that is not an API document."
            )
        if isinstance(value, dict):
            pending.extend((item, depth + 1) for item in cast("dict[Any, object]", value).values())
        elif isinstance(value, list):
            pending.extend((item, depth + 1) for item in cast("list[object]", value))


def dump_yaml(document: Document) -> str:
    """Write a document as YAML, keys in the document's order.

    Raises:
        PipelineError: A YAML 1.1 or 1.2 reader would read another value.
    """
    # Some releases of the stubs give `dump` a type that a strict checker rejects.
    text: str = cast("Any", yaml).dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    readers = (yaml.CSafeLoader, _YamlLoader)
    if any(yaml.load(text, Loader=reader) != document for reader in readers):  # noqa: S506 - safe ones
        raise PipelineError("The document cannot be written as YAML that all readers understand alike.")
    return text


def dump_json(document: Document) -> str:
    """Write a document as JSON, keys in the document's order."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def canonical_digest(document: Document) -> str:
    """Return the SHA-256 of a document without key order, notation and timestamps in examples."""
    canonical = json.dumps(without_timestamps(document), sort_keys=True, ensure_ascii=True)
    return digest(canonical.encode())


def without_timestamps(value: Any, *, in_example: bool = False) -> Any:
    """Replace the timestamps inside examples by placeholders."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            name: without_timestamps(item, in_example=in_example or name in {"example", "examples"})
            for name, item in members.items()
        }
    if isinstance(value, list):
        return [without_timestamps(item, in_example=in_example) for item in cast("list[Any]", value)]
    if in_example and isinstance(value, str):
        # The mirror's build writes its own date into examples.
        return _TIMESTAMP.sub("<timestamp>", value)
    return value


def check_version(document: Document, source: str) -> None:
    """Check that a document is OpenAPI 3.

    Raises:
        PipelineError: It is not.
    """
    if "swagger" in document:
        raise PipelineError(
            f"{source} is a Swagger {document['swagger']} document; OpenAPI 3.x is needed. Convert it first."
        )
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise PipelineError(f"{source} is not an OpenAPI 3.x document (openapi: {version!r}).")


def check_openapi(document: Document, source: str, *, title: str, path_ends: tuple[str, ...]) -> None:
    """Check that a document is OpenAPI 3 and describes the expected API.

    Raises:
        PipelineError: It is not.
    """
    check_version(document, source)
    info = document.get("info")
    found = cast("Document", info).get("title") if isinstance(info, dict) else None
    if found != title:
        raise PipelineError(f"{source} describes another API: its title is {found!r}, not {title!r}.")
    paths = document.get("paths")
    keys = [str(key) for key in cast("Document", paths)] if isinstance(paths, dict) else []
    missing = [end for end in path_ends if not any(key.endswith(end) for key in keys)]
    if missing:
        raise PipelineError(f"{source} lacks the paths {', '.join(missing)}: it is not the expected document.")
