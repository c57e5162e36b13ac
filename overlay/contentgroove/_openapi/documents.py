"""Reads OpenAPI documents, JSON or YAML, within limits on their size and depth.

Documents come from anywhere: a model passes a URL, a user names a file, a pipeline downloads one. So each limit is
checked before the work that it limits. YAML is read by version 1.2; its reader is in extras and imported when a YAML
document is read.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from contentgroove_api.types import check_levels
from msgspec import Struct

from contentgroove.errors import ContentGrooveError

if TYPE_CHECKING:
    from .shared_values import SharedValues

Json: TypeAlias = dict[str, Any]
"""A JSON object."""

MAX_BYTES = 5 * 1024 * 1024
"""Larger than nearly all documents that describe one API."""

MAX_NODES = 500_000
"""Values of a document, with every YAML alias counted as what it names."""

MAX_DEPTH = 100


class Limits(Struct, frozen=True):
    """How large a document may be.

    Attributes:
        bytes: Its size in UTF-8.
        nodes: Its values, with every YAML alias and merge key counted as what it names.
    """

    bytes: int = MAX_BYTES
    nodes: int = MAX_NODES


class DocumentError(ContentGrooveError):
    """A text is not a usable OpenAPI document; the message says what is wrong and where."""


class _TooLargeError(Exception):
    """A document has too many values or levels."""


def parse(content: bytes | str, source: str, limits: Limits | None = None, shared: SharedValues | None = None) -> Json:
    """Read a JSON or YAML document; text that starts with `{` or `[` is JSON.

    Keys are strings, as the OpenAPI Specification demands ("Format"): `200:` is "200". They must be unique. YAML's
    merge keys (`<<: *shared`) are followed, although version 1.2 has none: documents have them.

    Args:
        content: The document, in UTF-8 if it is bytes.
        source: The document's name in messages, such as its URL.
        limits: How large it may be; `Limits()` by default.
        shared: The values of documents that were read before. Equal parts become the same object, which takes a
            fraction of the time and memory of large documents. None of them may be changed then.

    Raises:
        DocumentError: It is too large, empty, HTML, not UTF-8, neither JSON nor YAML or not an object, or it contains
            a value that JSON does not support.
    """
    limits = limits or Limits()
    if shared is None:
        return _parse(content, source, limits)
    document = _read_shared(content, limits, shared)
    return shared.share(_parse(content, source, limits)) if document is None else document


def _read_shared(content: bytes | str, limits: Limits, shared: SharedValues) -> Json | None:
    """Return the object of a JSON text; None if there may be anything wrong with it."""
    text = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if len(text) > limits.bytes or not text.lstrip().startswith(b"{"):
        return None
    try:
        document = cast("Json", shared.read_json(text))
        _check_size(document, limits.nodes, shared.sizes)
    except (ValueError, _TooLargeError):
        return None
    return document


def _parse(content: bytes | str, source: str, limits: Limits) -> Json:
    text = _decode(content, source, limits.bytes)
    if not text.strip():
        raise DocumentError(f"{source} is empty. Pass an OpenAPI 3.x document.")
    if re.match(r"\s*(?:<!doctype\s+html|<html|<\?xml)", text, re.IGNORECASE):
        raise DocumentError(f"{source} is an HTML or XML page, not an OpenAPI document: find the document's own URL.")
    language, load = ("JSON", _load_json) if text.lstrip().startswith(("{", "[")) else ("YAML", _load_yaml)
    try:
        data = load(text, limits.nodes)
        _check_size(data, limits.nodes)
    except _TooLargeError as error:
        raise DocumentError(f"{source} has more than {limits.nodes:,} values or {MAX_DEPTH} levels.") from error
    except (ValueError, KeyError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise DocumentError(f"{source} is not valid {language}, or is truncated: {reason}.") from error
    if not isinstance(data, dict):
        raise DocumentError(f"{source} is not an OpenAPI document: it is a {type(data).__name__}, not an object.")
    document = cast("Json", data)
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise DocumentError(f"{source} contains a value that JSON does not support: {error}.") from error
    return document


def check_version(document: Json, source: str) -> None:
    """Check that a document is OpenAPI 3.

    Raises:
        DocumentError: It is not.
    """
    if "swagger" in document:
        raise DocumentError(
            f"{source} is a Swagger {str(document['swagger'])[:20]} document, and OpenAPI 3.x is needed. Convert it, "
            "for example with `npx swagger2openapi` or at converter.swagger.io, and pass the result."
        )
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise DocumentError(f"{source} is not an OpenAPI 3.x document (openapi: {str(version)[:50]!r}).")


def as_object(value: Any) -> Json:
    """Return a value of a document if it is an object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return a value of a document if it is a list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


@functools.cache
def yaml_loader() -> Any:
    """Return PyYAML's loader class for YAML 1.2's core schema, in which dates stay strings.

    Its mappings have unique string keys, and merge keys are followed.
    """
    from .yaml_loading import Loader

    return Loader


def _decode(content: bytes | str, source: str, max_bytes: int) -> str:
    size = len(content)
    if isinstance(content, str) and size <= max_bytes:
        size = len(content.encode("utf-8", "replace"))
    if size > max_bytes:
        raise DocumentError(f"{source} is larger than {max_bytes:,} bytes.")
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{source} is not UTF-8: {error}.") from error


def _load_json(text: str, _max_nodes: int) -> object:
    try:
        check_levels(text.encode("utf-8", "replace"))
    except msgspec.DecodeError as error:
        raise _TooLargeError from error
    return json.loads(text, object_pairs_hook=_unique_members)


def _unique_members(pairs: list[tuple[str, Any]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} occurs twice")
    return members


def _load_yaml(text: str, max_nodes: int) -> object:
    import yaml

    from .yaml_loading import TooManyMergedError

    loader = type("Loader", (yaml_loader(),), {"max_merged": max_nodes})
    # Levels are counted before anything is built: libyaml's builder recurses in C, where too many end the process.
    depth = 0
    try:
        for event in cast("Any", yaml.parse)(text, Loader=loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                raise _TooLargeError
        data: object = yaml.load(text, Loader=loader)  # noqa: S506 - derived from a safe loader
    except TooManyMergedError as error:
        raise _TooLargeError from error
    except yaml.YAMLError as error:
        # libyaml 0.2.6 counts as well, and stops at a depth of its own.
        if "nesting depth" in str(error):
            raise _TooLargeError from error
        raise ValueError(str(error)) from error
    return data


def _check_size(data: object, max_nodes: int, known: dict[int, tuple[int, int]] | None = None) -> None:
    count, levels = _size(data, 0, {} if known is None else known)
    if count > max_nodes or levels > MAX_DEPTH + 1:
        raise _TooLargeError


def _size(value: object, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the number of values in a value and of its levels, with everything as often as it is used.

    A few lines of YAML can stand for billions of values, so each is counted once, and used as often as it occurs.

    Raises:
        _TooLargeError: There are too many levels; they may have no end.
    """
    if not isinstance(value, (dict, list)):
        return 1, 1
    identity = id(cast("object", value))
    if identity not in known:
        if depth > MAX_DEPTH:
            raise _TooLargeError
        items = cast("Json", value).values() if isinstance(value, dict) else cast("list[object]", value)
        count, levels = 1 + len(items), min(len(items), 1)
        for item in items:
            if isinstance(item, (dict, list)):
                inner = _size(cast("object", item), depth + 1, known)
                count, levels = count + inner[0] - 1, max(levels, inner[1])
        known[identity] = count, levels + 1
    return known[identity]
