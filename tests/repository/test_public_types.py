"""Every type that a public signature mentions can be imported from a public module.

Sources are read instead of objects, because most types are imported for type checkers only.
"""

from __future__ import annotations

import ast
import builtins
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import contentgroove
import contentgroove.types
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC_MODULES = (
    "contentgroove",
    "contentgroove.types",
    "contentgroove.webhooks",
    "contentgroove.tools",
    "contentgroove_mock",
    "contentgroove_mock.types",
)
OWN = {"contentgroove", "contentgroove_api", "contentgroove_mock"}
# The documentation names what is taken of each: clients and timeouts, structs, the console of a progress bar.
# Those of pydantic are in the methods that only it calls.
THIRD_PARTY = {"httpx", "msgspec", "pydantic", "pydantic_core", "rich", "starlette"}
TIMES = {"Times", "_AwareTime"}
"""What stands for `datetime` in structs."""


class Name(NamedTuple):
    """A name and the module that defines it."""

    module: str
    name: str


class Module:
    """The source of a module: what it defines at its top level, and what it imports anywhere."""

    def __init__(self, name: str) -> None:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        self.name = name
        self.definitions: dict[str, ast.stmt] = {}
        self.imports: dict[str, Name] = {}
        package = spec.parent or ""
        for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                self.imports |= {
                    alias.asname or alias.name.partition(".")[0]: Name(alias.name, "") for alias in node.names
                }
            elif isinstance(node, ast.ImportFrom):
                up = package.rsplit(".", node.level - 1)[0] if node.level else ""
                origin = ".".join(filter(None, (up, node.module)))
                self.imports |= {alias.asname or alias.name: Name(origin, alias.name) for alias in node.names}
            elif isinstance(node, ast.Module):
                for statement in node.body:
                    self.definitions |= dict.fromkeys(defined_names(statement), statement)


def defined_names(statement: ast.stmt) -> list[str]:
    """Return the names that a statement defines."""
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


module = cache(Module)


def resolve(origin: str, name: str) -> Name:
    """Follow imports from a module to the module that defines a name."""
    source = module(origin)
    if name in source.definitions or name not in source.imports:
        return Name(origin, name)
    target = source.imports[name]
    # A package may import a module of its own, which is then defined by nothing else.
    if target.module.partition(".")[0] in OWN and target.name and target != (origin, name):
        return resolve(*target)
    return target


def public_names(without: str | None = None) -> dict[Name, str]:
    """Return what the public modules offer, by where it is defined; `without` a name."""
    return {
        resolve(origin, name): name
        for origin in PUBLIC_MODULES
        for name in import_module(origin).__all__
        if name != without
    }


def mentioned(origin: str, annotation: ast.expr) -> Iterator[Name]:
    """Yield the names in an annotation, by the modules that define them."""
    if isinstance(annotation, ast.Constant):
        if isinstance(annotation.value, str):
            yield from mentioned(origin, ast.parse(annotation.value, mode="eval").body)
    elif isinstance(annotation, ast.Name):
        if not hasattr(builtins, annotation.id) or annotation.id in module(origin).imports:
            yield resolve(origin, annotation.id)
    elif isinstance(annotation, ast.Subscript):
        yield from mentioned(origin, annotation.value)
        if ast.unparse(annotation.value) != "Literal":
            yield from mentioned(origin, annotation.slice)
    else:
        for child in ast.iter_child_nodes(annotation):
            if isinstance(child, ast.expr):
                yield from mentioned(origin, child)


def types_of(origin: str, node: ast.stmt, *, fields: bool = True) -> Iterator[Name]:
    """Yield the types that users see of a definition."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for annotation in [*(each.annotation for each in every if each is not None), node.returns]:
            if annotation is not None:
                yield from mentioned(origin, annotation)
    elif isinstance(node, ast.AnnAssign):
        if ast.unparse(node.annotation) == "TypeAlias":
            yield from types_of_alias(origin, node)
        elif fields:
            yield from mentioned(origin, node.annotation)
    elif isinstance(node, ast.ClassDef):
        yield from types_of_class(origin, node)


def types_of_alias(origin: str, node: ast.AnnAssign) -> Iterator[Name]:
    """Yield the types that an alias stands for; aliases in it are only there to shorten it."""
    assert node.value is not None
    for name in mentioned(origin, node.value):
        definition = definition_of(name)
        if isinstance(definition, ast.AnnAssign):
            yield from types_of_alias(name.module, definition)
        else:
            yield name


def types_of_class(origin: str, node: ast.ClassDef) -> Iterator[Name]:
    """Yield the types of a class's public members, inherited ones included."""
    documented = ast.get_docstring(node) or ""
    for statement in node.body:
        names = [name for name in defined_names(statement) if not name.startswith("_") or name.endswith("__")]
        if names == ["__init__"]:
            for attribute in ast.walk(statement):
                if isinstance(attribute, ast.AnnAssign) and not ast.unparse(attribute.target).startswith("self._"):
                    yield from mentioned(origin, attribute.annotation)
            # Users do not create objects of other classes: calls return them.
            if "Args:" not in documented:
                continue
        if names:
            yield from types_of(origin, statement)
    for base in node.bases:
        for name in mentioned(origin, base):
            if definition := definition_of(name):
                yield from types_of(name.module, definition, fields=False)


def definition_of(name: Name) -> ast.stmt | None:
    """Return the statement that defines one of our own names."""
    return module(name.module).definitions.get(name.name) if name.module.partition(".")[0] in OWN else None


def is_type_variable(name: Name) -> bool:
    definition = definition_of(name)
    return isinstance(definition, ast.Assign) and ast.unparse(definition.value).startswith(("TypeVar(", "ParamSpec("))


def problems(public: dict[Name, str]) -> set[str]:
    """Return what public signatures mention and no public module offers."""
    return {
        f"{label}: {name.module}.{name.name}"
        for owner, label in public.items()
        if (definition := definition_of(owner))
        for name in types_of(owner.module, definition)
        if name not in public
        and name.name not in TIMES
        and not is_type_variable(name)
        and name.module.partition(".")[0] not in sys.stdlib_module_names | THIRD_PARTY
    }


def test_every_type_of_a_public_signature_is_public() -> None:
    """A user can annotate everything that is passed to this library or comes from it."""
    assert problems(public_names()) == set()


# `FilterValue` is for those who build a `Filter`.
ONLY_TYPES = sorted(set(contentgroove.types.__all__) - set(contentgroove.__all__) - {"FilterValue"})


@pytest.mark.parametrize("name", [*ONLY_TYPES, "Claim", "Media", "RequestInfo", "RetryPolicy", "Tool", "UploadItem"])
def test_no_name_can_be_taken_out(name: str) -> None:
    """Each name is there because a signature mentions it; without it the test above fails."""
    # The types of the API's names are those of the generated package, under shorter names.
    defined = resolve("contentgroove.types", name).name
    assert any(problem.endswith(f".{defined}") for problem in problems(public_names(without=name)))


@pytest.mark.parametrize("origin", PUBLIC_MODULES)
def test_public_names_are_there(origin: str) -> None:
    """All of them can be imported, and work in annotations that are evaluated."""
    imported = import_module(origin)
    names: list[str] = imported.__all__
    assert set(names) <= set(dir(imported))
    for name in names:
        assert name == "__version__" or not isinstance(getattr(imported, name), str)
    with pytest.raises(AttributeError, match="no attribute 'Absent'"):
        _ = imported.Absent
