"""The lines that give the values of an enumerated attribute a public type, like sort orders and events have one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pipeline.scaffold.insertions import Module
from pipeline.scaffold.resource import import_of_values

from .tasks import Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.scaffold.resource import Field

NAMES = "overlay/contentgroove/_core/names.py"
TYPES = "overlay/contentgroove/types.py"


def public_values(root: Path, model_file: str, field: Field) -> Iterator[Step]:
    """Yield the lines.

    Args:
        root: The repository.
        model_file: The module of the model.
        field: The attribute.
    """
    names, types, models = (_opened(root, file) for file in (NAMES, TYPES, model_file))
    names.import_at_top(import_of_values(field))
    names.into_literal("__all__", f'"{field.values}"')
    types.import_for_types(f"from ._core.names import {field.values}")
    types.into_literal("_MODULES", f'"{field.values}"', key="._core.names")
    types.into_literal("__all__", f'"{field.values}"')
    models.import_for_types(f"from contentgroove._core.names import {field.values}")
    for module in (names, types, models):
        yield from _steps(module.name, _opened(root, module.name).text, module.text)


def _opened(root: Path, file: str) -> Module:
    return Module(file, (root / file).read_text(encoding="utf-8"))


def _steps(file: str, old: str, new: str) -> Iterator[Step]:
    """Yield what makes one text of the other."""
    before, after = old.splitlines(), new.splitlines()
    for kind, first, end, begin, until in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        code = "\n".join(after[begin:until])
        if kind == "insert":
            yield Step("add", file, first, 0, code, before[first - 1])
        elif kind == "replace":
            yield Step("replace", file, first + 1, end if end > first + 1 else 0, code, before[first])
