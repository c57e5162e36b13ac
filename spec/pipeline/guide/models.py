"""The public models: their classes and attributes, and the public types of the values of enumerated attributes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from contentgroove._openapi.pointers import lookup

from pipeline.scaffold.insertions import Module
from pipeline.scaffold.resource import import_of_values

from .listings import modules
from .tasks import steps_between

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contentgroove_spec.documents import Document

    from pipeline.scaffold.resource import Field

    from .tasks import Step

MODELS = "overlay/contentgroove/"
NAMES = "overlay/contentgroove/_core/names.py"
TYPES = "overlay/contentgroove/types.py"


@dataclass(frozen=True)
class PublicModel:
    """The class of a public model, and its attributes in both contracts.

    Attributes:
        name: The class.
        file: Its module.
        node: Its syntax tree.
        module: That of its module.
        old: Its attributes in the old contract, by name.
        new: Those in the new one.
        schema: The schema of the new ones.
    """

    name: str
    file: str
    node: ast.ClassDef
    module: ast.Module
    old: Document
    new: Document
    schema: Document

    @property
    def properties(self) -> dict[str, ast.FunctionDef]:
        """The properties of the class."""
        return {item.name: item for item in self.node.body if isinstance(item, ast.FunctionDef)}


def public_models(
    root: Path, models: dict[str, str], before: Document, contract: Document
) -> Iterator[tuple[str, PublicModel]]:
    """Yield the public models that have a class and attributes in the new contract, with the pointers of these."""
    found = {
        node.name: (file, node, tree)
        for file, text in modules(root)
        if file.startswith(MODELS) and "models" in file
        for tree in (ast.parse(text),)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    for model, pointer in models.items():
        name = model.partition(":")[2]
        schema = _found(contract, pointer.rpartition("/")[0])
        if name in found and "properties" in schema:
            yield pointer, PublicModel(name, *found[name], _found(before, pointer), schema["properties"], schema)


def _found(document: Document, pointer: str) -> Document:
    try:
        return cast("Document", lookup(document, pointer))
    except LookupError:
        return {}


def public_values(root: Path, model_file: str, field: Field) -> Iterator[Step]:
    """Yield the lines that give the values of an attribute a public type, like sort orders and events have one.

    Args:
        root: The repository.
        model_file: The module of the model.
        field: The attribute.
    """
    names, types, models = (Module.read(root, file) for file in (NAMES, TYPES, model_file))
    names.import_at_top(import_of_values(field))
    names.into_literal("__all__", f'"{field.values}"', first=True)
    types.import_for_types(f"from ._core.names import {field.values}")
    types.into_literal("_MODULES", f'"{field.values}"', key="._core.names", first=True)
    types.into_literal("__all__", f'"{field.values}"', first=True)
    models.import_for_types(f"from contentgroove._core.names import {field.values}")
    for module in (names, types, models):
        yield from steps_between(root, module.name, module.text)
