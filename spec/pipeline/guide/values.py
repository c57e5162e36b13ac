"""The work that values cause: events of webhooks, and values of lists that code names."""

from __future__ import annotations

import ast
import itertools
import json
import textwrap
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import resolve
from contentgroove_spec.documents import dump_yaml

from pipeline.locations import ABSENT, find, nodes
from pipeline.scaffold.names import snake

from .tasks import Step, Task, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from contentgroove_spec.documents import Document

    from pipeline.locations import Location

    from .corrections import Overlay

EVENTS = "overlay/contentgroove/webhooks/events.py"
SERVICE = "mockserver/contentgroove_mock/simulator/core/service.py"


def new_events(before: Document, overlay: Overlay) -> dict[str, Document]:
    """Return the events that only the new published document has, each with its operation."""
    known = _events(before)
    return {name: item for name, item in sorted(_events(overlay.published).items()) if name not in known}


def is_callback_of(location: Location, events: Iterable[str]) -> bool:
    """Return whether a location is the callback of one of these events, or in it."""
    return any(pair in {("callbacks", name) for name in events} for pair in itertools.pairwise(location))


def event_tasks(before: Document, overlay: Overlay) -> Iterator[Task]:
    """Yield the work for events that only the new published document has, and for those that it lost."""
    for name, item in new_events(before, overlay).items():
        yield Task(f"The event `{name}` is new", tuple(_new_event(overlay, name, item)))
    for name in sorted(_events(before).keys() - _events(overlay.published).keys()):
        text = f"Delete `{name}` from {EVENTS} and from the overlay's enum of events and callbacks"
        yield Task(f"The event `{name}` was removed", (Step("decide", code=text),))


def order_tasks(root: Path, before: Document, contract: Document) -> Iterator[Task]:
    """Yield the line of the simulator for each list whose sort orders have changed."""
    text = (root / SERVICE).read_text(encoding="utf-8")
    for operation in operations(contract):
        old = find(before, ("paths", operation.path, operation.method.lower()))
        now, then = (_orders(document, operation.path) for document in (contract, before))
        node = _orders_in(text, operation.operation_id)
        if old is ABSENT or now == then or node is None or set(now) == set(ast.literal_eval(node)):
            continue
        # It is written in one line; one order alone needs a comma to be a tuple.
        line = line_of(root, SERVICE, node.lineno)
        written = ", ".join(f'"{name}"' for name in now) + ("," if len(now) == 1 else "")
        code = f"{line[: node.col_offset]}({written}){line[node.end_col_offset :]}"
        yield Task(f"{operation} has other sort orders", (Step("replace", SERVICE, node.lineno, 0, code, line),))


def _orders_in(text: str, operation_id: str) -> ast.Tuple | None:
    """Return the sort orders that the simulator passes to the list of an operation."""
    tree = ast.parse(text)
    named = {
        ast.unparse(node.targets[0]): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
    }
    for node in ast.walk(tree):
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and key.value == operation_id and isinstance(value, ast.Call):
                orders = value.args[-1]
                return orders if isinstance(orders, ast.Tuple) else named.get(ast.unparse(orders))
    return None


def _events(document: Document) -> dict[str, Document]:
    """Return the callbacks of a document by their names, each with its operation."""
    found: dict[str, Document] = {}
    for path in as_object(document.get("paths")).values():
        for operation in as_object(path).values():
            for name, callback in as_object(as_object(operation).get("callbacks")).items():
                found[name] = _first_object(resolve(document, callback))
    return found


def sort_orders(document: Document, model: str) -> frozenset[str]:
    """Return the attributes by which lists of a model can be sorted."""
    paths = as_object(document.get("paths"))
    return frozenset(name for path in paths if path.strip("/") in _lists_of(model) for name in _orders(document, path))


def _orders(document: Document, path: str) -> tuple[str, ...]:
    """Return the attributes by which the list of a path can be sorted, in the order of the document."""
    schema = find(document, ("paths", path, "get", "parameters", "sort in query", "schema"))
    orders = [] if schema is ABSENT else as_list(resolve(document, schema).get("enum"))
    return tuple(dict.fromkeys(str(order).removeprefix("-") for order in orders))


def _lists_of(model: str) -> set[str]:
    plural = f"{snake(model)}s"
    return {plural, plural.replace("_", "-")}


def _first_object(value: Document) -> Document:
    """Return the first member that is an object; an empty one if there is none."""
    for member in value.values():
        if found := as_object(member):
            return found
    return {}


def _new_event(overlay: Overlay, name: str, item: Document) -> Iterator[Step]:
    actions = cast("list[Document]", overlay.corrections.overlay["actions"])
    for index, action in enumerate(actions):
        for path, value in nodes(action.get("update"), ("actions", index, "update")):
            if path[-1] == "callbacks" and isinstance(value, dict):
                yield _callback(overlay, path, cast("Document", value), name, item)
            elif path[-1] == "enum" and path[-2] == "event" and isinstance(value, list):
                first, _, lines = overlay.lines_of(path)
                line = lines[0]
                code = line.replace("]", f", {name}]")
                yield Step("replace", f"spec/{overlay.corrections.file}", first, 0, code, line)
    yield Step(
        "decide",
        code=f"Until it has a class in {EVENTS}, like MediaProcessingFinished, apps receive it as an UnknownEvent",
    )


def _callback(overlay: Overlay, path: tuple[str | int, ...], callbacks: Document, name: str, item: Document) -> Step:
    """Return the lines of a further callback, with the expression and the schema of the one beside it."""
    _, _, lines = overlay.lines_of((*path, next(iter(callbacks))))
    # A callback has one expression, and that one operation.
    expression, methods = next(iter(next(iter(callbacks.values())).items()))
    known = next(iter(methods.values()))
    operation = _first_object(item)
    content = known["requestBody"]["content"]["application/json"]
    shown = find(operation, ("requestBody", "content", "application/json", "example"))
    made: Document = {
        "summary": str(operation.get("summary", f"The webhook of {name}")),
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": content["schema"],
                    "example": _example(name, shown if isinstance(shown, dict) else content.get("example")),
                }
            },
        },
        "responses": known["responses"],
    }
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    code = textwrap.indent(dump_yaml({name: {expression: {"post": made}}}).rstrip("\n"), indent)
    _, last, after = overlay.lines_of(path)
    return Step("add", f"spec/{overlay.corrections.file}", last, 0, code, after[-1])


def _example(name: str, shown: Any) -> Document:
    """Return an example of an event that names this event, whichever event the document shows it with.

    That of another event is shortened to what each event has.
    """
    example: Document = json.loads(json.dumps(shown or {}))
    if example.get("event") != name:
        as_object(example.get("payload")).pop("included", None)
    return {**example, "event": name}
