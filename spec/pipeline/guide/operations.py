"""The work that operations cause: new resources, new and removed operations, statuses, parameters, request fields."""

from __future__ import annotations

import ast
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import resolve

from pipeline.scaffold.insertions import Module
from pipeline.scaffold.names import names_of, snake
from pipeline.scaffold.resource import resource_names

from .listings import find_listings, modules
from .requests import attribute_steps, where_step
from .tasks import Step, Task, line_of, steps_between

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contentgroove._openapi.operations import Operation
    from contentgroove_spec.documents import Document

    from pipeline.scaffold.names import Names

CLIENT = "overlay/contentgroove/_async/client.py"
CALLS = "overlay/contentgroove/_async"
REQUESTS = "overlay/contentgroove/_core/operations.py"
SERVICE = "mockserver/contentgroove_mock/simulator/core/service.py"
JOURNEY = "mockserver/contentgroove_mock/recording/journey.py"
EXPECTED = "tests/recorded/expected.py"
ERRORS = "overlay/contentgroove/errors.py"
ERROR_MAPPING = "overlay/contentgroove/_core/error_mapping.py"
PACKAGE = "overlay/contentgroove/__init__.py"
RECORDED = "Its recordings change with `make record`, below; review them"
KNOWN_PARAMETERS = {"filter", "sort", "page"}


def operation_tasks(root: Path, before: Document, contract: Document) -> Iterator[Task]:
    """Yield the work for the operations of a new contract, in the order in which it is done."""
    old, new = ({_key(item): item for item in operations(document)} for document in (before, contract))
    lacking = lacking_resources(root, contract)
    for key in sorted(new.keys() - old.keys()):
        operation = new[key]
        if _segment(operation) not in lacking:
            yield Task(f"{operation} is new", tuple(_new_operation(root, operation)))
    for key in sorted(old.keys() - new.keys()):
        yield Task(f"{old[key]} was removed", tuple(_removed_operation(root, old[key])))
    for key in sorted(old.keys() & new.keys()):
        yield from _changed_operation(root, old[key], new[key])


def lacking_resources(root: Path, contract: Document) -> list[str]:
    """Return the segments of the resources that the contract has and the SDK lacks."""
    client = (root / CLIENT).read_text(encoding="utf-8")
    return [name for name in resource_names(contract) if f"def {snake(name)}(" not in client]


def _key(operation: Operation) -> tuple[str, str]:
    """Return what tells operations apart; the names of parameters in a path are not sent."""
    return operation.method, re.sub(r"\{[^}]*\}", "{}", operation.path)


def _segment(operation: Operation) -> str:
    return operation.path.strip("/").partition("/")[0]


def _new_operation(root: Path, operation: Operation) -> Iterator[Step]:
    """Yield the lines of the tables, and drafts of the request, the method and the simulator's behaviour."""
    name, names = operation.operation_id, names_of(_segment(operation))
    has_id = "{" in operation.path
    verb = snake(name).removesuffix("_by_id").split("_")[0]
    function = f"{verb}_{names.singular}"
    yield from _function(root, REQUESTS, None, _request(operation, function, names))
    file = f"{CALLS}/{names.plural}.py"
    yield from _function(root, file, f"Async{names.models}", _method(operation, verb, function, names))
    yield from _raw(root, file, f"AsyncRaw{names.models}", verb)
    yield from _route(root, operation)
    target = f'resource="{names.singular}"' if has_id else ""
    yield from _row(root, SERVICE, "self._operations", f'"{name}": partial(self._get, {_records(names)}),')
    yield from _row(root, "tests/sdk_calls.py", "SDK_METHODS", f'"{name}": SdkMethod("{names.plural}", "{verb}"),')
    yield from _row(root, JOURNEY, "USUAL", f'"{name}": RequestSpec({target}),')
    yield from _recorded(root, operation)
    yield Step(
        "decide",
        code=f"{SERVICE} responds to {name} with the unchanged {names.words}: write what it does. A body needs "
        f"arguments in {REQUESTS} and {file}. Its tool belongs into docs/mcp.md, its command into "
        f"overlay/contentgroove/cli/{names.plural}.py and docs/cli.md",
    )


def _raw(root: Path, file: str, owner: str, verb: str) -> Iterator[Step]:
    """Yield the line of the method that returns the raw response, after the last one of them."""
    if not (root / file).is_file():
        return
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            last = max(item.end_lineno or 0 for item in node.body)
            line = line_of(root, file, last)
            yield Step("add", file, last, 0, re.sub(r"\.\w+(?= =|\)$)", f".{verb}", line), line)


def _recorded(root: Path, operation: Operation) -> Iterator[Step]:
    """Yield the step of the recorded journey, and what its responses mean: the same as those of the resource."""
    name, item = operation.operation_id, operation.document["paths"].get(f"/{_segment(operation)}/{{id}}", {})
    shown = item.get("get", {}).get("operationId")
    for node in ast.walk(ast.parse((root / JOURNEY).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node) in {f"_step('{shown}')", f'_step("{shown}")'}:
            line = line_of(root, JOURNEY, node.lineno)
            yield Step("add", JOURNEY, node.lineno, 0, line.replace(shown, name), line)
    meanings = _assigned(root, EXPECTED, "_SUCCESSES")
    for key, value in zip(meanings.keys, meanings.values, strict=True) if meanings else ():
        if isinstance(key, ast.Constant) and str(key.value).startswith(f"{shown}-2") and _has_body(operation):
            last = value.end_lineno or 0
            code = f'    "{str(key.value).replace(shown, name)}": {ast.unparse(value)},'
            yield Step("add", EXPECTED, last, 0, code, line_of(root, EXPECTED, last))


def _records(names: Names) -> str:
    return "subscriptions" if names.plural == "webhook_subscriptions" else names.plural


def _request(operation: Operation, function: str, names: Names) -> str:
    tags: list[Any] = operation.definition.get("tags") or ["default"]
    module = snake(operation.operation_id)
    argument = f"{names.singular}_id: str" if "{" in operation.path else ""
    checked = f'check_id({names.singular}_id, "{names.words}")' if argument else ""
    returned, decoder = (
        (names.model, f"decode_resource({names.model})") if _has_body(operation) else ("None", "decode_nothing")
    )
    once = "" if operation.method in {"GET", "PUT", "DELETE"} else ", idempotent=False"
    return f"""def {function}({argument}) -> Operation[{returned}]:
    \"\"\"{_summary(operation)}\"\"\"
    from contentgroove_api.api.{snake(str(tags[0]))} import {module}

    request = {module}.build_request({checked})
    return Operation(request, {decoder}{once})"""


def _method(operation: Operation, verb: str, function: str, names: Names) -> str:
    has_id = "{" in operation.path
    taken, passed = (", id: str", "id") if has_id else ("", "")
    noted = "  # noqa: A002 - the API's name" if has_id else ""
    raised = (
        f"""

        Raises:
            NotFoundError: There is no {names.words} with this id.
        \"\"\""""
        if has_id
        else '"""'
    )
    returned = names.model if _has_body(operation) else "None"
    return f"""    async def {verb}(self{taken}) -> {returned}:{noted}
        \"\"\"{_summary(operation)}{raised}
        return await self._call(operations.{function}({passed}))"""


def _has_body(operation: Operation) -> bool:
    return any(status.startswith("2") and response.get("content") for status, response in operation.responses.items())


def _summary(operation: Operation) -> str:
    text = " ".join(str(operation.definition.get("summary") or operation.operation_id).split()).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _function(root: Path, file: str, owner: str | None, code: str) -> Iterator[Step]:
    """Return a step that adds a function at the end of a module, or a method at the end of a class."""
    path = root / file
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    body: list[ast.stmt] = ast.parse(text).body
    if owner is not None:
        classes = [node.body for node in body if isinstance(node, ast.ClassDef) and node.name == owner]
        body = classes[0] if classes else []
    last = max((node.end_lineno or 0 for node in body), default=len(text.splitlines()))
    gap = "\n" if owner else "\n\n"
    yield Step("add", file, last, 0, f"{gap}{code}", line_of(root, file, last))


def _route(root: Path, operation: Operation) -> Iterator[Step]:
    file, variable = "mockserver/contentgroove_mock/simulator/core/faults.py", "API_OPERATIONS"
    path, method, name = operation.path, operation.method, operation.operation_id
    node = _assigned(root, file, variable)
    if node is None:
        return
    for key in node.keys:
        if isinstance(key, ast.Constant) and key.value == path:
            line = line_of(root, file, key.lineno)
            yield Step("replace", file, key.lineno, 0, line.replace("},", f', "{method}": "{name}"}},'), line)
            return
    yield from _row(root, file, variable, f'"{path}": {{"{method}": "{name}"}},')


def _row(root: Path, file: str, variable: str, code: str) -> Iterator[Step]:
    node = _assigned(root, file, variable)
    if node is not None and node.values:
        last, key = node.values[-1].end_lineno or 0, node.keys[-1]
        indent = " " * (4 if key is None else key.col_offset)
        yield Step("add", file, last, 0, f"{indent}{code}", line_of(root, file, last))


def _assigned(root: Path, file: str, variable: str) -> ast.Dict | None:
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(ast.unparse(target) == variable for target in targets):
                return node.value
    return None


def _removed_operation(root: Path, operation: Operation) -> Iterator[Step]:
    """Yield the lines of tables that have its id, and what else names it."""
    name = operation.operation_id
    covered: set[tuple[str, int]] = set()
    for listing in find_listings(root, [name]):
        entry = listing.entries[name]
        if entry.has_own_lines:
            yield Step("delete", listing.file, entry.first, entry.last, anchor=line_of(root, listing.file, entry.first))
            covered |= {(listing.file, line) for line in range(entry.first, entry.last + 1)}
    for step in _removed_functions(root, operation):
        yield step
        covered |= {(step.file, line) for line in range(step.first, step.last + 1)}
    pattern = re.compile(rf"\b({name}|{snake(name)})\b")
    for file, text in modules(root):
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line) and (file, number) not in covered:
                yield Step("decide", code=f"{file}:{number} uses it: `{line.strip()}`")
    recordings = "tests/recorded/exchanges"
    yield Step("decide", code=f"Delete its command in overlay/contentgroove/cli, and {recordings}/{name}-*.json")


def _removed_functions(root: Path, operation: Operation) -> Iterator[Step]:
    """Yield the request of an operation, the method that sends it, and the method that returns the raw response."""
    module = snake(operation.operation_id)
    requests = {
        node.name: node
        for node in ast.parse((root / REQUESTS).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and f"import {module}\n" in f"{ast.unparse(node)}\n"
    }
    for request in requests.values():
        yield _deletion(root, REQUESTS, request, gap=2)
    file = f"{CALLS}/{snake(_segment(operation))}.py"
    if not (root / file).is_file():
        return
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    sent = tuple(f"operations.{name}(" for name in requests)
    methods = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(text in ast.unparse(node) for text in sent)
    ]
    for method in methods:
        yield _deletion(root, file, method, gap=1)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == f"self.{method.name}":
                yield _deletion(root, file, node, gap=0)


def _deletion(root: Path, file: str, node: ast.stmt, *, gap: int) -> Step:
    """Return a step that deletes a statement with the blank lines before it."""
    return Step("delete", file, node.lineno - gap, node.end_lineno or 0, anchor=line_of(root, file, node.lineno))


def _changed_operation(root: Path, old: Operation, new: Operation) -> Iterator[Task]:
    known = _known_statuses(root)
    for status in sorted(new.responses.keys() - old.responses.keys()):
        steps = [Step("decide", code=RECORDED)]
        if status.isdigit() and status not in known and int(status) in range(400, 500):
            steps = [*_error(root, status, new), *steps]
        yield Task(f"{new} can respond with {status}", tuple(steps))
    for status in sorted(old.responses.keys() - new.responses.keys()):
        yield Task(f"{new} no longer responds with {status}", (Step("decide", code=RECORDED),))
    before, after = ({_name(item) for item in operation.parameters} for operation in (old, new))
    for name in sorted(after - before):
        if name.partition(" in ")[0] not in KNOWN_PARAMETERS:
            yield Task(f"{new} has the parameter {name}", (where_step(root, new, name.partition(" in ")[0]),))
    for name in sorted(before - after):
        yield Task(f"{new} no longer has the parameter {name}", (where_step(root, new, name.partition(" in ")[0]),))
    fields = [_request_fields(operation) for operation in (old, new)]
    for name in sorted(fields[1].keys() - fields[0].keys()):
        needed = "requires" if fields[1][name] else "takes"
        added = attribute_steps(root, new, name, required=fields[1][name])
        yield Task(f"The request of {new} {needed} `{name}`", tuple(added))
    for name in sorted(fields[0].keys() - fields[1].keys()):
        yield Task(f"The request of {new} no longer takes `{name}`", (where_step(root, new, name),))
    for name in sorted(fields[0].keys() & fields[1].keys()):
        if fields[1][name] and not fields[0][name]:
            yield Task(f"The request of {new} now requires `{name}`", (where_step(root, new, name),))


def _name(parameter: Document) -> str:
    return f"{parameter.get('name')} in {parameter.get('in')}"


def _known_statuses(root: Path) -> set[str]:
    """Return the statuses of errors that have a class."""
    text = (root / "overlay/contentgroove/_core/error_mapping.py").read_text(encoding="utf-8")
    return {str(HTTPStatus[name].value) for name in re.findall(r"HTTPStatus\.([A-Z_]+)", text)}


def _error(root: Path, status: str, operation: Operation) -> Iterator[Step]:
    title = str(operation.responses[status].get("description", "")).strip().rstrip(".") or f"status {status}"
    name = "".join(word.capitalize() for word in re.findall(r"[A-Za-z]+", title)) + "Error"
    errors, mapping, package = (Module.read(root, file) for file in (ERRORS, ERROR_MAPPING, PACKAGE))
    errors.before("ServerError", f'class {name}(APIError):\n    """Status {status}: {title}."""')
    errors.into_literal("__all__", f'"{name}"')
    mapping.import_at_top(f"from contentgroove.errors import {name}")
    mapping.into_literal("_ERRORS", f"{status}: {name}")
    package.import_at_top(f"from .errors import {name}")
    package.into_literal("__all__", f'"{name}"')
    for module in (errors, mapping, package):
        yield from steps_between(root, module.name, module.text)
    yield Step("decide", code=f"Describe {name} in the table of errors in docs/errors.md")


def _request_fields(operation: Operation) -> dict[str, bool]:
    """Return the attributes of a request's body, and whether each is required."""
    content = operation.body.get("content", {}).get("application/json", {})
    schema: Document = resolve(operation.document, content.get("schema"))
    for step in ("data", "attributes"):
        schema = resolve(operation.document, schema.get("properties", {}).get(step)) or schema
    required = set(schema.get("required", ()))
    return {name: name in required for name in json.loads(json.dumps(schema.get("properties", {})))}
