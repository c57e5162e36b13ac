"""The lines that a removed attribute leaves: those of the model first, then code, pages, and the tests that have it.

A name alone says little, because other models may have it, too. What counts is what stands around it: the object that
it is read from, or else the smallest part of the module that names a model at all.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pipeline.scaffold.names import snake

from .listings import find_listings, modules
from .tasks import LONGEST, Step, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .listings import Listing
    from .models import PublicModel

ORDER = (
    "overlay/contentgroove/_models/",
    "overlay/contentgroove/models.py",
    "overlay/",
    "mockserver/",
    "docs/",
    "examples/",
    "",
)
LEDGER = "overlay/contentgroove/verification/assumptions.toml"
PAGES = (LEDGER, "docs/*.md", "README.md")
GENERATED = "docs/assumptions.md"
MATCHERS = "eq|not_eq|lt|lteq|gt|gteq|present|blank|null|not_null|in|not_in|true|false|cont|i_cont|matches|start|end"
_LIST, _ROW = 3, 2
"""A tuple of so many names is a list of them; rows of so many values belong to a table."""


@dataclass(frozen=True)
class Removed:
    """An attribute that a model has no longer.

    Attributes:
        model: The model.
        name: The attribute.
        models: The classes of the other models.
        sharing: Those of them that have an attribute with this name.
        sorts: The sort orders that lists of the model still have.
    """

    model: PublicModel
    name: str
    models: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    sorts: frozenset[str] = frozenset()

    def is_meant(self, texts: Iterable[str]) -> bool | None:
        """Return whether the first of the texts that names a model names this one; None if all name no model."""
        for text in texts:
            is_named = _names(self.model.name).search(text) is not None
            # A text that names only another model is about that one; one that names both says nothing.
            if any(_names(other).search(text) for other in self.sharing or self.models):
                if not is_named:
                    return False
                if self.sharing:
                    continue
            if is_named:
                return True
        return None


@functools.cache
def _names(model: str) -> re.Pattern[str]:
    """Return the pattern of how code names a model: `clip_json`, `clips`, `createClip`, `CLIP`; not `clip_ids`."""
    words = {snake(model), snake(model).rpartition("_")[2]}
    each = "|".join(f"(?:(?<![a-z]){word}|{word.capitalize()}|{word.upper()})" for word in sorted(words))
    return re.compile(rf"(?:{each}|{model})s?(?![a-z])(?!_(?:ids?|file|type)\b|_file_)")


def removal(root: Path, removed: Removed, filters: Iterable[Step]) -> Iterator[Step]:
    """Yield the lines to delete, and those that must be written otherwise, in the order in which a person does it.

    Args:
        root: The repository.
        removed: The attribute.
        filters: The lines of the simulator's filters without it.
    """
    model, name = removed.model, removed.name
    node = model.properties[name]
    first = min(node.lineno, *(item.lineno for item in node.decorator_list)) - 1
    anchor = line_of(root, model.file, first + 1)
    steps = [Step("delete", model.file, first, node.end_lineno or 0, anchor=anchor), *filters]
    for listing in find_listings(root, [name]):
        entry = listing.entries[name]
        if entry.has_own_lines and _lists_model(listing, model, name):
            anchor = line_of(root, listing.file, entry.first)
            steps.append(Step("delete", listing.file, entry.first, entry.last, anchor=anchor))
    for file, text in (*modules(root), *_examples(root)):
        if name in text:
            steps += _in_module(file, text, removed)
    steps += _in_pages(root, removed)
    covered: set[tuple[str, int]] = set()
    for step in sorted(steps, key=_order):
        lines = {(step.file, number) for number in range(step.first, max(step.first, step.last) + 1)}
        if not lines & covered:
            covered |= lines
            yield step


def _order(step: Step) -> tuple[int, str]:
    return next(rank for rank, start in enumerate(ORDER) if step.file.startswith(start)), step.file


def _lists_model(listing: Listing, model: PublicModel, name: str) -> bool:
    """Return whether the other names of a literal are attributes of a model."""
    others = listing.entries.keys() - {name, "id"}
    return len(others & model.old.keys()) > max(1, len(others) // 2)


def _examples(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "examples").rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def _in_pages(root: Path, removed: Removed) -> Iterator[Step]:
    mention = re.compile(rf"[`\[.\"]{removed.name}(?:_(?:{MATCHERS}))?\b")
    for path in (path for pattern in PAGES for path in sorted(root.glob(pattern))):
        file = path.relative_to(root).as_posix()
        heading = ""
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            heading = line if line.startswith("#") else heading
            if file == GENERATED or not mention.search(line):
                continue
            meant = removed.is_meant((line, heading, file))
            if meant or (meant is None and not removed.sharing):
                yield _page_step(file, number, line, removed.name)


def _page_step(file: str, number: int, line: str, name: str) -> Step:
    """Return a line of a page without a name that is a key or an item of JSON, or else the line."""
    if line.strip().startswith(f'"{name}": ') and line.count('": ') <= _LIST:
        return Step("delete", file, number, number, anchor=line)
    short = line.replace(f'"{name}", ', "")
    return Step("replace", file, number, 0, short, line) if short != line else _mention(file, number, line)


def _mention(file: str, number: int, line: str) -> Step:
    shown = line.strip() if len(line.strip()) <= LONGEST else f"{line.strip()[: LONGEST - 1]}…"
    return Step("decide", file, number, number, f"Write {file}:{number} without it: `{shown}`")


def _in_module(file: str, text: str, removed: Removed) -> Iterator[Step]:
    """Yield what to do with each use of the name in a module."""
    lines = text.splitlines()
    found: list[tuple[bool | None, Step]] = []
    for node, around in _uses(file, text, removed.name):
        levels = [text for item in around for text in _texts(lines, item)]
        if (
            removed.name in removed.sorts
            and isinstance(node, ast.Constant)
            and "sort" in _statement(lines, around).lower()
        ):
            # It still orders lists.
            continue
        owner = [ast.unparse(node.value)] if isinstance(node, ast.Attribute) else []
        found.append((removed.is_meant((*owner, *levels, file)), _edit(file, lines, node, around, removed)))
    # A name that only this model has means the same in all of a module.
    is_known = not removed.sharing and any(meant for meant, _ in found)
    for meant, step in found:
        if meant or (meant is None and is_known):
            yield step


def _uses(file: str, text: str, name: str) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """Yield the nodes that have the name, each with those around it, the nearest first."""
    used = re.compile(rf"(?:.*\battributes\.)?{name}(?:_(?:{MATCHERS}))?(?:=.*)?|filter\[{name}_\w+\]", re.DOTALL)
    for node, around in _nodes(file, text):
        word = next((getattr(node, name) for name in ("attr", "arg", "value", "id") if name in node._fields), None)
        if isinstance(word, str) and name in word and used.fullmatch(word):
            yield node, around


@functools.cache
def _nodes(file: str, text: str) -> tuple[tuple[ast.AST, tuple[ast.AST, ...]], ...]:
    """Return all nodes of a module with those around them; one list asks for them once for each name."""
    del file
    found: list[tuple[ast.AST, tuple[ast.AST, ...]]] = []

    def walk(node: ast.AST, around: tuple[ast.AST, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            # Of names, only the fields of classes.
            is_field = isinstance(child, ast.Name) and isinstance(around[0], ast.AnnAssign)
            if isinstance(child, (ast.Attribute, ast.keyword, ast.Constant)) or is_field:
                found.append((child, around))
            walk(child, (child, *around))

    tree = ast.parse(text)
    walk(tree, (tree,))
    return tuple(found)


def _texts(lines: list[str], node: ast.AST) -> Iterator[str]:
    """Yield what a node says about what is in it: its own name first."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    if isinstance(node, ast.stmt):
        yield "\n".join(lines[node.lineno - 1 : node.end_lineno])
    elif isinstance(node, (ast.BinOp, ast.Call)):
        yield ast.unparse(node)


def _statement(lines: list[str], around: tuple[ast.AST, ...]) -> str:
    return next(text for item in around if isinstance(item, ast.stmt) for text in _texts(lines, item))


def _edit(file: str, lines: list[str], node: ast.AST, around: tuple[ast.AST, ...], removed: Removed) -> Step:
    """Return the lines without a use, or the use if a person must write it otherwise."""
    number = cast("ast.expr", node).lineno
    span = _span(node, around, removed)
    if span is None:
        return _mention(file, number, lines[number - 1])
    first, last = span[0].lineno, span[1].end_lineno or span[1].lineno
    start = len(lines[first - 1].encode()[: span[0].col_offset].decode())
    end = len(lines[last - 1].encode()[: span[1].end_col_offset].decode())
    before, after = lines[first - 1][:start], lines[last - 1][end:]
    if not before.strip() and re.fullmatch(r",?\s*(#.*)?", after):
        return Step("delete", file, first, last, anchor=lines[first - 1])
    if first != last:
        return _mention(file, number, lines[number - 1])
    code = before + after[2:] if after.startswith(", ") else before.removesuffix(", ") + after
    return Step("replace", file, first, 0, code, lines[first - 1])


def _span(node: ast.AST, around: tuple[ast.AST, ...], removed: Removed) -> tuple[ast.expr, ast.expr] | None:
    """Return the first and the last node of what can go as a whole: an item, a row, an argument, an assertion."""
    holder, outer = around[:2]
    if isinstance(node, ast.keyword):
        return _argument(node, holder, outer)
    if isinstance(node, ast.Name):
        is_field = isinstance(outer, ast.ClassDef) and len(outer.body) > 1
        return (node, cast("ast.expr", holder)) if is_field else None
    if isinstance(node, ast.Constant) and isinstance(holder, ast.Dict):
        return (node, holder.values[holder.keys.index(node)]) if node in holder.keys else None
    if isinstance(node, ast.Constant) and isinstance(holder, (ast.List, ast.Set, ast.Tuple)):
        known = {*removed.model.old, "id"}
        is_name = [isinstance(item, ast.Constant) and item.value in known for item in holder.elts]
        if len(holder.elts) >= _LIST and all(is_name):
            return node, node
        if isinstance(holder, ast.Tuple) and _is_table(outer):
            return holder, holder
    return _around_it(node, around)


def _argument(node: ast.keyword, call: ast.AST, outer: ast.AST) -> tuple[ast.expr, ast.expr]:
    """Return an argument; with its key of a dictionary if the call is its value and says nothing without it."""
    # An argument has the positions of an expression.
    argument = cast("ast.expr", node)
    if isinstance(outer, ast.Dict) and isinstance(call, ast.Call) and len(call.keywords) == 1 and call in outer.values:
        key = outer.keys[outer.values.index(call)]
        return (key or call), call
    return argument, argument


def _around_it(node: ast.AST, around: tuple[ast.AST, ...]) -> tuple[ast.expr, ast.expr] | None:
    """Return the item of a list, such as a column of a table, or the assertion that is only about the name."""
    inner = node
    for outer in around:
        if isinstance(outer, ast.List) and isinstance(inner, ast.Call):
            return inner, inner
        if isinstance(outer, ast.Assert):
            # It has the positions of an expression.
            assertion = cast("ast.expr", outer)
            is_alone = isinstance(outer.test, ast.Compare) and not isinstance(
                outer.test.left, (ast.Tuple, ast.Dict, ast.List)
            )
            return (assertion, assertion) if is_alone else None
        if isinstance(outer, (ast.stmt, ast.Tuple, ast.Dict, ast.comprehension, ast.ListComp, ast.GeneratorExp)):
            return None
        inner = outer
    return None


def _is_table(node: ast.AST) -> bool:
    """Return whether a literal has rows of values."""
    rows = node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else []
    return len(rows) >= _ROW and all(isinstance(row, ast.Tuple) for row in rows)
