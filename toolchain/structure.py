"""Which handwritten module imports which, the layers that they form, and the diagram of them.

`python -m toolchain.structure` writes the diagram into `docs/architecture.md`; a test compares it with the imports, and
holds them to the layers. Imports inside functions and those for type checking count like all others.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[1]
SOURCES = {
    "contentgroove": "overlay/contentgroove",
    "contentgroove_mock": "mockserver/contentgroove_mock",
    "contentgroove_spec": "spec/contentgroove_spec",
    "pipeline": "spec/pipeline",
}
ARCHITECTURE = ROOT / "docs" / "architecture.md"
_DIAGRAM = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Layer:
    """Modules that may import each other and those of the layers below.

    Attributes:
        name: What they are for.
        modules: Their names; a package stands for all that is in it, unless another layer names a part of it.
    """

    name: str
    modules: tuple[str, ...]


LAYERS = (
    Layer(
        "Basics",
        (
            "contentgroove._error_protocols",
            "contentgroove.errors",
            "contentgroove._version",
            "contentgroove._extras",
            "contentgroove._pages",
            "contentgroove._core.levels",
            "contentgroove._core.moments",
            "contentgroove._core.names",
            "contentgroove._core.redaction",
            "contentgroove._core.secret",
            "contentgroove._core.tracebacks",
        ),
    ),
    Layer("OpenAPI documents", ("contentgroove._openapi",)),
    Layer(
        "Models",
        (
            "contentgroove._models",
            "contentgroove.models",
        ),
    ),
    Layer(
        "Events and inboxes",
        tuple(
            f"contentgroove.webhooks.{name}"
            for name in (
                "events",
                "inbox",
                "memory",
                "forks",
                "migrations",
                "sql",
                "sql_connections",
                "sql_database",
                "sqlite",
                "sqlite_file",
                "sqlite_spool",
                "postgres",
            )
        ),
    ),
    Layer("Decisions", ("contentgroove._core",)),
    Layer("Input and output", ("contentgroove._io",)),
    Layer(
        "Clients",
        (
            "contentgroove",
            "contentgroove._async",
            "contentgroove._sync",
            "contentgroove.captions",
            "contentgroove.checkpoints",
            "contentgroove.progress",
            "contentgroove.types",
        ),
    ),
    Layer("Webhook service", ("contentgroove.webhooks",)),
    Layer("Checks of assumptions", ("contentgroove.verification",)),
    Layer("Tools", ("contentgroove.tools",)),
    Layer("Entry points", ("contentgroove.cli", "contentgroove.mcp", "contentgroove.__main__")),
    Layer(
        "Mock: contract and programs",
        (
            "contentgroove_mock.factories",
            "contentgroove_mock.npm",
            "contentgroove_mock.prism",
            "contentgroove_mock.contract",
        ),
    ),
    Layer("Mock: the service's rules", ("contentgroove_mock.simulator.core",)),
    Layer(
        "Mock: what was seen",
        tuple(f"contentgroove_mock.coverage.{name}" for name in ("collected", "listed_values", "matrix")),
    ),
    Layer("Mock: simulator", ("contentgroove_mock.simulator", "contentgroove_mock.inspector", "contentgroove_mock")),
    Layer("Mock: recording and coverage", ("contentgroove_mock.recording", "contentgroove_mock.coverage")),
    Layer(
        "Mock: plugin and command",
        ("contentgroove_mock.pytest_plugin", "contentgroove_mock.document_mock", "contentgroove_mock.command"),
    ),
    Layer("Comparison of documents", ("contentgroove_spec",)),
    Layer("Pipeline", ("pipeline",)),
)
"""From bottom to top."""


def modules() -> dict[str, Path]:
    """Return the file of each handwritten module."""
    found: dict[str, Path] = {}
    for package, folder in SOURCES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if "node_modules" not in parts:
                found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


def imports_of(name: str, source: str, known: Iterable[str], *, is_package: bool = False) -> set[str]:
    """Return the known modules that a module imports, wherever in it.

    Args:
        name: The module's name.
        source: Its text.
        known: The names of all modules.
        is_package: True if it is a package's `__init__`.
    """
    known = set(known)
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(_nearest(alias.name, known) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".") if is_package else name.split(".")[:-1]
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])
            found.update(_nearest(f"{base}.{alias.name}", known) for alias in node.names)
    return found - {"", name}


def top_level_imports(source: str) -> set[str]:
    """Return the first part of the name of everything that a module imports absolutely."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def _nearest(name: str, known: set[str]) -> str:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def import_graph() -> dict[str, set[str]]:
    """Return for each handwritten module those that it imports."""
    found = modules()
    return {
        name: imports_of(name, path.read_text(encoding="utf-8"), found, is_package=path.name == "__init__.py")
        for name, path in found.items()
    }


def layer_of(module: str) -> int:
    """Return the index of a module's layer, that of the longest name that fits.

    Raises:
        LookupError: No layer names the module.
    """
    fitting = [
        (len(name), index)
        for index, layer in enumerate(LAYERS)
        for name in layer.modules
        if module == name or module.startswith(f"{name}.")
    ]
    if not fitting:
        raise LookupError(f"No layer of toolchain/structure.py names {module}.")
    return max(fitting)[1]


def upward_imports(graph: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the imports that lead to a higher layer."""
    for module, imported in sorted(graph.items()):
        for other in sorted(imported):
            if layer_of(other) > layer_of(module):
                yield f"{module} imports {other}"


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one import circle, none if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def diagram(graph: Mapping[str, set[str]]) -> str:
    """Draw which layer imports which, in Mermaid's language; what follows from other arrows has none of its own."""
    below: dict[int, set[int]] = {index: set() for index in range(len(LAYERS))}
    for module, imported in graph.items():
        below[layer_of(module)] |= {layer_of(other) for other in imported} - {layer_of(module)}
    reached: dict[int, set[int]] = {}
    for index, others in below.items():
        reached[index] = others.union(*(reached[other] for other in others))
    lines = ["flowchart BT"]
    for index, layer in enumerate(LAYERS):
        lines.append(f'    L{index}["{layer.name}"]')
    for index, others in below.items():
        direct = others - set().union(*(reached[other] for other in others))
        lines += [f"    L{other} --> L{index}" for other in sorted(direct)]
    return "\n".join(lines) + "\n"


def with_diagram(text: str, drawn: str) -> str:
    """Return a page's text with its diagram replaced."""
    return _DIAGRAM.sub(lambda _: drawn, text, count=1)


def main() -> int:
    """Write the diagram into the page about the architecture."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    ARCHITECTURE.write_text(with_diagram(text, diagram(import_graph())), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
