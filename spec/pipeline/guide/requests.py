"""The work that requests cause: attributes that a body has now, and parameters of a query."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contentgroove._openapi.pointers import resolve

from pipeline.scaffold.code import argument_type, checked, option, sample
from pipeline.scaffold.names import names_of, snake
from pipeline.scaffold.resource import ScaffoldError, fields, request_attributes

from .tasks import Step, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contentgroove._openapi.operations import Operation
    from contentgroove_spec.documents import Document

    from pipeline.scaffold.resource import Field

CALLS = "overlay/contentgroove/_async"
REQUESTS = "overlay/contentgroove/_core/operations.py"
INPUTS = "overlay/contentgroove/_core/inputs.py"
COMMANDS = "overlay/contentgroove/cli"
JOURNEY = "mockserver/contentgroove_mock/recording/journey.py"
SDK_CALLS = "tests/sdk_calls.py"
SERVICE = "mockserver/contentgroove_mock/simulator/core/service.py"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}


@dataclass(frozen=True)
class _Module:
    """A module in which code is inserted, found by its syntax tree."""

    root: Path
    file: str
    tree: ast.Module

    @classmethod
    def read(cls, root: Path, file: str) -> _Module | None:
        path = root / file
        return cls(root, file, ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def function(self, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Return the first function or method with a name."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return next((node for node in ast.walk(self.tree) if isinstance(node, kinds) and node.name == name), None)

    def calls(self, within: ast.AST, start: str = "", end: str = "") -> Iterator[ast.Call]:
        """Yield the calls of what has such a name."""
        for node in ast.walk(within):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name.startswith(start) and name.endswith(end):
                    yield node

    def after(self, node: ast.expr | ast.keyword | ast.arg, code: str, default: ast.expr | None = None) -> Step:
        """Return a step that writes an argument after another one: on a line of its own if that one has one."""
        number, end = (default or node).end_lineno or 0, (default or node).end_col_offset or 0
        line = line_of(self.root, self.file, number)
        if not line.encode()[: node.col_offset].strip():
            indent = line[: len(line) - len(line.lstrip())]
            return Step("add", self.file, number, 0, f"{indent}{code},", line)
        before, rest = line.encode()[:end].decode(), line.encode()[end:].decode()
        return Step("replace", self.file, number, 0, f"{before}, {code}{rest}", line)

    def argument(self, function: ast.FunctionDef | ast.AsyncFunctionDef, code: str) -> Step | None:
        """Return a step that declares another argument by keyword."""
        given = function.args
        if not given.kwonlyargs:
            return None
        return self.after(given.kwonlyargs[-1], code, given.kw_defaults[-1] or given.kwonlyargs[-1].annotation)


def attribute_steps(root: Path, operation: Operation, name: str, *, required: bool) -> Iterator[Step]:
    """Yield the lines of a new attribute of a request.

    Args:
        root: The repository.
        operation: The operation in the new contract.
        name: The attribute.
        required: Whether the service requires it.
    """
    field = _field(operation, name)
    method = _VERBS.get(operation.method, "")
    calls = _Module.read(root, f"{CALLS}/{_plural(operation)}.py")
    function = calls.function(method) if calls else None
    if field is None or calls is None or function is None:
        yield where_step(root, operation, name)
        return
    default = "" if required else " = None"
    declared = f"{name}: {argument_type(field, required)}"
    requested = next(calls.calls(function, start="operations."), None)
    found = [calls.argument(function, declared + default), _documented(calls, function, field)]
    if requested is not None and requested.keywords:
        found.append(calls.after(requested.keywords[-1], f"{name}={name}"))
        request = ast.unparse(requested.func).rpartition(".")[2]
        found += _request_steps(root, request, field, declared, required=required)
    found += _command_steps(root, operation, method, field, required=required)
    if required:
        found += _test_steps(root, operation, field)
    yield from (step for step in found if step is not None)
    reader = f"where {SERVICE} reads the body of {operation.operation_id}"
    yield Step("decide", code=f"Decide what the simulator does with `{name}`: {reader}")
    if required:
        yield Step("decide", code=f"Apps that call `{method}` without `{name}` fail: say so in CHANGELOG.md")


def where_step(root: Path, operation: Operation, name: str) -> Step:
    """Return where an argument of a method and its request are declared."""
    method = _VERBS.get(operation.method, "get" if "{" in operation.path else "list")
    found: list[str] = []
    for file, function in (
        (f"{CALLS}/{_plural(operation)}.py", method),
        (REQUESTS, f"{method}_{names_of(_plural(operation)).singular}{'s' if method == 'list' else ''}"),
    ):
        module = _Module.read(root, file)
        node = module.function(function) if module else None
        found.append(f"`{function}` in {file}:{node.lineno if node else 1}")
    listed = ", which takes those of lists from ListArguments in overlay/contentgroove/_core/paging.py"
    more = listed if method == "list" else f", with its check in {INPUTS}"
    return Step("decide", code=f"`{name}` is an argument of {found[0]}, and of its request {found[1]}{more}")


def _plural(operation: Operation) -> str:
    return snake(operation.path.strip("/").partition("/")[0])


def _field(operation: Operation, name: str) -> Field | None:
    document: Document = operation.document
    try:
        schema = resolve(document, request_attributes(document, operation))
        only = {**schema, "properties": {name: schema["properties"][name]}}
        (field,) = fields(document, only, names_of(_plural(operation)))
    except (ScaffoldError, KeyError):
        return None
    return field


def _documented(module: _Module, function: ast.FunctionDef | ast.AsyncFunctionDef, field: Field) -> Step | None:
    """Return the line of an argument in a docstring that has a list of them."""
    text = function.body[0]
    last = 0
    for number in range(text.lineno, (text.end_lineno or text.lineno) + 1):
        line = line_of(module.root, module.file, number)
        if line.strip() == "Args:":
            last = number
        elif last and not line.strip():
            return Step("add", module.file, number - 1, 0, f"{' ' * 12}{field.name}: {field.text}", "Args:")
    return None


def _request_steps(root: Path, name: str, field: Field, declared: str, *, required: bool) -> Iterator[Step | None]:
    module, inputs = _Module.read(root, REQUESTS), _Module.read(root, INPUTS)
    function = module.function(name) if module else None
    if module is None or inputs is None or function is None:
        return
    value = checked(field)
    check = value.partition("(")[0]
    # The others have no check of their own: the service's response says what is wrong.
    if inputs.function(check) is None or f"{check}(" not in (root / REQUESTS).read_text(encoding="utf-8"):
        value = field.name
    yield module.argument(function, declared)
    body = next(module.calls(function, end="Attributes"), None)
    if body is not None and body.keywords:
        sent = value if required else f"UNSET if {field.name} is None else {value}"
        yield module.after(body.keywords[-1], f"{field.name}={sent}")


def _command_steps(
    root: Path, operation: Operation, method: str, field: Field, *, required: bool
) -> Iterator[Step | None]:
    module = _Module.read(root, f"{COMMANDS}/{_plural(operation)}.py")
    function = module.function(method) if module else None
    if module is None or function is None:
        return
    yield module.argument(function, f"{field.name}: {option(field, required)}")
    call = next(module.calls(function, start=f"run.client.{_plural(operation)}.{method}"), None)
    if call is not None and call.keywords:
        yield module.after(call.keywords[-1], f"{field.name}={field.name}")


def _test_steps(root: Path, operation: Operation, field: Field) -> Iterator[Step | None]:
    """Yield the lines of what tests and recordings send, without which the request is not valid."""
    for file in (JOURNEY, SDK_CALLS):
        module = _Module.read(root, file)
        for node in ast.walk(module.tree) if module else ():
            pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
            for key, value in pairs:
                if module and isinstance(key, ast.Constant) and key.value == operation.operation_id:
                    yield _sent(module, value, field)


def _sent(module: _Module, value: ast.expr, field: Field) -> Step | None:
    if not isinstance(value, ast.Call):
        return None
    if value.keywords:
        return module.after(value.keywords[-1], f"{field.name}={sample(field)!r}")
    if value.args and isinstance(value.args[-1], ast.Dict) and value.args[-1].values:
        return module.after(value.args[-1].values[-1], f'"{field.name}": {sample(field)!r}')
    return None
