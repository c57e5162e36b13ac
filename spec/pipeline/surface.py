"""The API of a generated package: its functions, classes, fields and types, read from its source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from contentgroove_spec.reports import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def package_api(package: Path) -> dict[str, str]:
    """Read the definitions of every module of a package.

    Returns:
        By dotted names below the package: a field's or alias's type, a function's signature, a class's bases. A
        module's value is empty.
    """
    found: dict[str, str] = {}
    for path in sorted(package.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        found[module] = ""
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            found.update((f"{module}.{name}", text) for name, text in _defined(node))
    return found


def _defined(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        yield node.name, f"({ast.unparse(node.args)}){returns}"
    elif isinstance(node, ast.ClassDef):
        yield node.name, ", ".join(map(ast.unparse, node.bases))
        for member in node.body:
            yield from ((f"{node.name}.{name}", text) for name, text in _defined(member))
    elif isinstance(node, ast.AnnAssign):
        yield ast.unparse(node.target), ast.unparse(node.annotation)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield ast.unparse(target), ast.unparse(node.value)


def differences(old: dict[str, str], new: dict[str, str]) -> Iterator[Advice]:
    """Yield the definitions that were added, removed or changed, each with an action."""
    for name in sorted(old.keys() | new.keys()):
        owner = name.rpartition(".")[0]
        if name not in new:
            if owner not in old or owner in new:
                yield Advice(
                    f"`{name}` was removed.", "Code that uses it fails: replace it, or keep the name by a correction."
                )
        elif name not in old:
            if owner not in new or owner in old:
                text = f": {_shorten(new[name])}" if new[name] else "."
                yield Advice(f"`{name}` is new{text}", "Use it where it helps.")
        elif old[name] != new[name]:
            yield Advice(
                f"`{name}` changed from {_shorten(old[name])} to {_shorten(new[name])}", "Check the code that uses it."
            )


def _shorten(text: str, longest: int = 120) -> str:
    return f"`{text if len(text) <= longest else text[: longest - 1] + '…'}`"
