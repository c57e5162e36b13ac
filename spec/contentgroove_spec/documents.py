"""Write documents as text that YAML 1.1 and 1.2 readers understand alike, and digest their content."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from typing import Any, TypeAlias, cast

import yaml
import yamlcore
from contentgroove._openapi.documents import yaml_loader

from . import PipelineError

Document: TypeAlias = dict[str, Any]

# Line ends in YAML 1.1 only, and invisible characters, are written as escapes.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?")


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


def dump_yaml(document: Document) -> str:
    """Write a document as YAML, keys in the document's order.

    Raises:
        PipelineError: A YAML 1.1 or 1.2 reader would read another value.
    """
    # Some releases of the stubs give `dump` a type that a strict checker rejects.
    text: str = cast("Any", yaml).dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    readers = (yaml.CSafeLoader, yaml_loader())
    if any(yaml.load(text, Loader=reader) != document for reader in readers):  # noqa: S506 - safe ones
        raise PipelineError("The document cannot be written as YAML that all readers understand alike.")
    return text


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
