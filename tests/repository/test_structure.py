"""The modules form layers: each imports from its own layer and those below it, and no imports form a circle."""

from __future__ import annotations

import pytest

from toolchain import structure

GRAPH = structure.import_graph()

FORBIDDEN_IN_CORE = frozenset({"socket", "ssl", "threading", "asyncio", "anyio", "httpcore", "httpx", "time", "random"})
"""The core decides; what it knows of the world is given to it."""

MOST_LINES = 450
FEWEST_LINES = 60
SMALL = {
    "contentgroove._version": "the build reads it",
    "contentgroove._core.levels": "a leaf that models and webhooks import, too",
    "contentgroove._core.moments": "a leaf that models and webhooks import, too",
    "contentgroove._core.names": "types only, which nothing imports at run time",
    "contentgroove._io.interruptible": "a leaf that the mock and the command line import, too",
    "contentgroove._openapi.compositions": "the mock and the pipeline share it, and nothing else of the kind",
    "contentgroove._io.listening": "a leaf that the mock and the command line import, too",
    "contentgroove.checkpoints": "a public module, which only names what others define",
    "contentgroove_spec.reports.annotations": "one module for each format of reports",
    "contentgroove_mock.simulator.web.callers": "a leaf that all pages and interfaces of the mock share",
    "contentgroove.progress": "a public module, which applications import by this name",
}
"""Modules with fewer lines, and why each is one."""


def test_every_import_leads_down() -> None:
    """Imports inside functions and for type checking count."""
    assert list(structure.upward_imports(GRAPH)) == []


def test_no_imports_form_a_circle() -> None:
    """Not even one that only a type checker would walk."""
    assert structure.circle(GRAPH) == []


def test_the_sdk_knows_nothing_of_the_mock() -> None:
    """What people install for an application imports nothing that is made for tests."""
    assert [
        f"{module} imports {other}"
        for module, imported in GRAPH.items()
        for other in imported
        if module.split(".")[0] == "contentgroove" and other.split(".")[0] != "contentgroove"
    ] == []


def test_the_contract_checker_needs_little_of_the_sdk() -> None:
    """It is loaded beside clients of other origin, too."""
    allowed = (
        "contentgroove.errors",
        "contentgroove._extras",
        "contentgroove._core.redaction",
        "contentgroove._core.secret",
        "contentgroove._openapi",
    )
    assert [
        f"{module} imports {other}"
        for module, imported in GRAPH.items()
        for other in imported
        if module.startswith("contentgroove_mock.contract")
        and other.split(".")[0] == "contentgroove"
        and not other.startswith(allowed)
    ] == []


def test_the_core_has_no_input_and_output() -> None:
    """Neither sockets nor threads nor clocks; its coroutines await only each other and the `IO` that they are given."""
    imported = {
        f"{module} imports {name}"
        for module, path in structure.modules().items()
        if module.startswith("contentgroove._core")
        for name in structure.top_level_imports(path.read_text(encoding="utf-8"))
        if name in FORBIDDEN_IN_CORE
    }
    assert imported == set()


def test_modules_are_neither_long_nor_tiny() -> None:
    """Package markers may be short; every other exception says why."""
    sizes = {
        name: len(path.read_text(encoding="utf-8").splitlines())
        for name, path in structure.modules().items()
        if path.name not in {"__init__.py", "__main__.py"}
    }
    assert {name for name, lines in sizes.items() if lines > MOST_LINES} == set()
    assert {name for name, lines in sizes.items() if lines < FEWEST_LINES} == SMALL.keys()


def test_the_diagram_shows_the_imports() -> None:
    """`python -m toolchain.structure` writes it."""
    text = structure.ARCHITECTURE.read_text(encoding="utf-8")
    assert structure.with_diagram(text, structure.diagram(GRAPH)) == text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b.c", {"a.b"}),
        ("from a.b import c", {"a.b"}),
        ("from a import b", {"a.b"}),
        ("from . import b", {"a.b"}),
        ("from .b import name", {"a.b"}),
        ("def f():\n    from a.b import name", {"a.b"}),
        ("if TYPE_CHECKING:\n    import a.b", {"a.b"}),
        ("import os", set()),
    ],
)
def test_imports_are_found(source: str, expected: set[str]) -> None:
    """Wherever they are, absolute and relative ones."""
    assert structure.imports_of("a.other", source, ["a", "a.b", "a.other"]) == expected


def test_faults_are_found() -> None:
    """A circle, an import that leads up, and a module that no layer names."""
    assert len(structure.circle({"a": {"b"}, "b": {"a"}})) == 3
    upward = {"contentgroove.errors": {"contentgroove.cli"}, "contentgroove.cli": {"contentgroove.errors"}}
    assert list(structure.upward_imports(upward)) == ["contentgroove.errors imports contentgroove.cli"]
    with pytest.raises(LookupError, match="names elsewhere"):
        structure.layer_of("elsewhere")
