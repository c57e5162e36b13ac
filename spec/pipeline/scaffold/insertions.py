"""Where in an existing module a line belongs, found in its syntax tree: a change elsewhere in it does not matter.

What is inserted need not be formatted or sorted: the project's own formatter runs over each changed file.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .resource import ScaffoldError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Module:
    """The text of a module, and the insertions into it.

    Attributes:
        name: Its path, for messages.
        text: Its text with all insertions so far.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @classmethod
    def read(cls, root: Path, name: str) -> Module:
        """Read a module of a repository."""
        return cls(name, (root / name).read_text(encoding="utf-8"))

    def append(self, code: str) -> None:
        """Add code at the end."""
        self.text = f"{self.text.rstrip()}\n\n\n{code.strip()}\n"

    def into_literal(self, variable: str, item: str, *, key: str | None = None, first: bool = False) -> None:
        """Add an item to the list, tuple, dict or call that a module assigns to a variable.

        Args:
            variable: The variable.
            item: The item's code.
            key: The key of the dict whose value gets the item.
            first: Whether it comes first.
        """
        value = self._value(variable)
        if key is not None:
            value = self._member(variable, value, key)
        self._add_item(value, item, first=first)

    def import_at_top(self, line: str) -> None:
        """Add an import to those at the top."""
        self._insert(self._last(self._tree().body, f"an import, for `{line}`", ast.Import, ast.ImportFrom), line)

    def import_for_types(self, line: str) -> None:
        """Add an import to those in `if TYPE_CHECKING:`."""
        body = self._type_checking().body
        self._insert(self._last(body, f"an import in TYPE_CHECKING, for `{line}`", ast.Import, ast.ImportFrom), line)

    def alias_for_types(self, name: str, value: str, otherwise: str) -> None:
        """Add a name with one value for type checkers and another one at run time."""
        block = self._type_checking()
        if not block.orelse:
            raise self._lost("else: of TYPE_CHECKING")
        self._insert(block.orelse[-1], f"{name} = {otherwise}")
        self._insert(self._type_checking().body[-1], f"{name} = {value}")

    def into_class(self, name: str, code: str, *, after: str | None = None) -> None:
        """Add code to a class: at its end, or after the method, or the block of fields, that `after` names."""
        body = self._class(name).body
        last = body[-1] if after is None else next((node for node in body if _name(node) == after), None)
        if last is None:
            raise self._lost(f"{after} in the class {name}")
        self._insert(last, code)

    def before(self, name: str, code: str) -> None:
        """Add code before a class or a function."""
        node = next((node for node in self._tree().body if _name(node) == name), None)
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            raise self._lost(name)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        lines = self.text.splitlines(keepends=True)
        lines.insert(first - 1, f"{code.strip()}\n\n\n")
        self.text = "".join(lines)

    def has(self, name: str) -> bool:
        """Return whether the module defines a function or class."""
        return any(_name(node) == name for node in self._tree().body)

    def replace(self, old: str, new: str) -> None:
        """Replace a text that occurs once."""
        if self.text.count(old) != 1:
            raise self._lost(f"{old.strip()!r} once")
        self.text = self.text.replace(old, new)

    def add_line(self, line: str, new: str) -> None:
        """Add a line after one that occurs once."""
        self.replace(line, line + new)

    def row_after(self, start: str, line: str) -> None:
        """Add a line of text after the last one that begins as given."""
        lines = self.text.splitlines(keepends=True)
        found = [index for index, text in enumerate(lines) if text.startswith(start)]
        if not found:
            raise self._lost(f"a line that begins with {start!r}")
        lines.insert(found[-1] + 1, f"{line}\n")
        self.text = "".join(lines)

    def _tree(self) -> ast.Module:
        return ast.parse(self.text)

    def _type_checking(self) -> ast.If:
        for node in self._tree().body:
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                return node
        raise self._lost("if TYPE_CHECKING:")

    def _class(self, name: str) -> ast.ClassDef:
        for node in self._tree().body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return node
        raise self._lost(f"the class {name}")

    def _value(self, variable: str) -> ast.expr:
        for node in ast.walk(self._tree()):
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(ast.unparse(target) == variable for target in targets):
                    return node.value
        raise self._lost(f"the variable {variable}")

    def _member(self, variable: str, value: ast.expr, key: str) -> ast.expr:
        for name, member in _items(value):
            if isinstance(name, ast.Constant) and name.value == key:
                return member
        raise self._lost(f"{key!r} in {variable}")

    def _add_item(self, value: ast.expr, item: str, *, first: bool) -> None:
        start, end = _offsets(self.text, value)
        source = self.text[start:end]
        opening = min(index for index in (source.find(bracket) for bracket in "[({") if index >= 0)
        if first:
            changed = f"{source[: opening + 1]}\n{item},{source[opening + 1 :]}"
        else:
            inner = source[:-1].rstrip()
            comma = "" if inner.endswith((",", "[", "(", "{")) else ","
            changed = f"{inner}{comma}\n{item},\n{source[-1]}"
        self.text = self.text[:start] + changed + self.text[end:]

    def _last(self, body: list[ast.stmt], what: str, *kinds: type[ast.stmt]) -> ast.stmt:
        found = [node for node in body if isinstance(node, kinds)]
        if not found:
            raise self._lost(what)
        return found[-1]

    def _insert(self, node: ast.stmt, code: str) -> None:
        indent = " " * node.col_offset
        lines = self.text.splitlines(keepends=True)
        new = [f"{indent}{line}\n" if line.strip() else "\n" for line in code.rstrip("\n").split("\n")]
        lines[node.end_lineno or node.lineno : node.end_lineno or node.lineno] = new
        self.text = "".join(lines)

    def _lost(self, what: str) -> ScaffoldError:
        return ScaffoldError(
            f"{self.name} no longer has {what}, where the scaffold adds its lines: change edits.py or "
            "simulator_edits.py in spec/pipeline/scaffold with it. Nothing was written."
        )


def _items(value: ast.expr) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    if isinstance(value, ast.Dict):
        yield from zip(value.keys, value.values, strict=True)


def _name(node: ast.stmt) -> str:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    return ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else ""


def _offsets(text: str, node: ast.expr) -> tuple[int, int]:
    """Return where a node's source begins and ends; the tree counts bytes of UTF-8."""
    lines = text.splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        return sum(len(before) for before in lines[: line - 1]) + len(lines[line - 1].encode()[:column].decode())

    return offset(node.lineno, node.col_offset), offset(node.end_lineno or 0, node.end_col_offset or 0)
