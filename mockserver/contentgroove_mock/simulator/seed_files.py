"""Reads seed data, from a JSON or YAML file or from Python, and says which part of it is wrong."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from contentgroove._extras import needs
from contentgroove._openapi.documents import DocumentError, parse
from contentgroove_api.types import check_levels

from contentgroove_mock.simulator.core.seeds import SeedData

SeedSource: TypeAlias = SeedData | Mapping[str, Any] | Path | str
"""Seed data, the same as JSON's objects and arrays in Python, or the path of a JSON or YAML file."""

_YAML_SUFFIXES = frozenset({".yaml", ".yml"})


def read_seed_data(source: SeedSource) -> SeedData:
    """Read seed data.

    Raises:
        ValueError: It is not seed data; the message names the file and has a path to what is wrong.
        OSError: The file cannot be read.
        ConfigurationError: The file is YAML, and what reads it is not installed.
    """
    if isinstance(source, SeedData):
        return source
    if isinstance(source, Mapping):
        return _convert(source)
    path = Path(source)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OSError(error.errno, f"Cannot read the seed data {path}: {error.strerror}") from error
    try:
        is_yaml = path.suffix.lower() in _YAML_SUFFIXES
        return _convert(_read_yaml(content, path.name)) if is_yaml else decode_seed_data(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def decode_seed_data(content: bytes) -> SeedData:
    """Read seed data in JSON.

    Raises:
        ValueError: It is not seed data; the message has a path to what is wrong.
    """
    try:
        check_levels(content)
        return msgspec.json.decode(content, type=SeedData)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def _convert(document: object) -> SeedData:
    try:
        return msgspec.convert(document, SeedData)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def _read_yaml(content: bytes, name: str) -> object:
    if not content.strip():
        raise ValueError("The file is empty")
    with needs("Seed data in YAML", "spec"):
        importlib.import_module("yamlcore")
    try:
        return parse(content, name)
    except DocumentError as error:
        # Its reader is made for OpenAPI documents, and says so of what is not an object.
        syntax = str(error).removeprefix(f"{name} ")
        is_other = "OpenAPI" in syntax
        raise ValueError("The file must be a mapping, such as `medias: []`" if is_other else f"It {syntax}") from error
