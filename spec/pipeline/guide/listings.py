"""Where handwritten code lists the attributes of a resource: the simulator's responses, the factories, the tests.

They are found by their content, not by their names: what lists nearly all attributes of a resource gets its new ones.
"""

from __future__ import annotations

import ast
import functools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FOLDERS = ("overlay/contentgroove", "mockserver/contentgroove_mock", "tests")
GENERATED = ("overlay/contentgroove/_sync",)
MISSING = 0.1
"""The share of a resource's attributes that a complete list may lack."""


@dataclass(frozen=True)
class Entry:
    """A name in a listing, and its lines; they hold nothing else only if it has lines of its own."""

    first: int
    last: int
    has_own_lines: bool


@dataclass(frozen=True)
class Listing:
    """A literal of Python code that lists names.

    Attributes:
        file: Its module, relative to the repository.
        is_dict: Whether the names are keys.
        entries: The names, in their order.
        first: The first line of the literal.
        last: The last one.
        end_column: Where its last line ends, in characters.
        owner: The name of the variable or function around it.
    """

    file: str
    is_dict: bool
    entries: dict[str, Entry]
    first: int
    last: int
    end_column: int
    owner: str

    def is_complete(self, names: Iterable[str]) -> bool:
        """Return whether it lists nearly all of the names."""
        wanted = set(names)
        return self.is_dict and bool(wanted) and len(wanted - self.entries.keys()) <= MISSING * len(wanted)


def modules(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each handwritten module."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(GENERATED):
                yield name, path.read_text(encoding="utf-8")


def find_listings(root: Path, names: Iterable[str], files: tuple[str, ...] = ()) -> Iterator[Listing]:
    """Yield the listings that contain one of the names, in the named modules or in all."""
    wanted = set(names)
    texts = [(file, (root / file).read_text(encoding="utf-8")) for file in files] if files else modules(root)
    for file, text in texts:
        if any(f'"{name}"' in text for name in wanted):
            yield from (found for found in _listings(file, text) if wanted & found.entries.keys())


@functools.cache
def _listings(file: str, text: str) -> tuple[Listing, ...]:
    """Return all listings of a module; one update asks for them once for each name."""
    return tuple(_read_listings(file, text))


def _read_listings(file: str, text: str) -> Iterator[Listing]:
    for owner, node in _owned(ast.parse(text), ""):
        if isinstance(node, ast.Dict):
            pairs = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            pairs = [(item, item) for item in node.elts]
        else:
            continue
        entries: dict[str, Entry] = {}
        taken = Counter(line for key, value in pairs for line in {key.lineno, value.end_lineno or 0})
        for key, value in pairs:
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                first, last = key.lineno, value.end_lineno or key.lineno
                own = {node.lineno, node.end_lineno}.isdisjoint({first, last}) and taken[first] == 1
                entries[key.value] = Entry(first, last, own and (first == last or taken[last] == 1))
        if entries:
            last = node.end_lineno or 0
            line = text.splitlines()[last - 1].encode()
            end_column = len(line[: node.end_col_offset or 0].decode())
            yield Listing(file, isinstance(node, ast.Dict), entries, node.lineno, last, end_column, owner)


def _owned(node: ast.AST, owner: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the nodes below a node, each with the function or variable that it is a part of."""
    for child in ast.iter_child_nodes(node):
        inner = owner
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = child.name
        elif isinstance(child, ast.Assign | ast.AnnAssign) and not owner:
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            inner = ast.unparse(targets[0])
        yield inner, child
        yield from _owned(child, inner)
