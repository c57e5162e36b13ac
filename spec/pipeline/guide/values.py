"""The work that values cause: events of webhooks, and values of lists that code names."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.pointers import resolve
from contentgroove_spec.documents import dump_yaml

from pipeline.locations import ABSENT, find
from pipeline.scaffold.resource import snake

from .tasks import Step, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.documents import Document

    from .corrections import Overlay

EVENTS = "overlay/contentgroove/webhooks/events.py"


def event_tasks(before: Document, overlay: Overlay) -> Iterator[Task]:
    """Yield the work for events that only the new published document has, and for those that it lost."""
    known = set(_events(before))
    published = _events(overlay.published)
    for name in sorted(published.keys() - known):
        yield Task(f"The event `{name}` is new", tuple(_new_event(overlay, name, published[name])))
    for name in sorted(known - published.keys()):
        text = f"Delete `{name}` from {EVENTS} and from the overlay's enum of events and callbacks"
        yield Task(f"The event `{name}` was removed", (Step("decide", code=text),))


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
    listed = next((as_object(paths[path]) for path in paths if path.strip("/") in _lists_of(model)), {})
    schema = find(listed, ("get", "parameters", "sort in query", "schema"))
    orders = as_list(resolve(document, schema).get("enum")) if schema is not ABSENT else []
    return frozenset(str(order).removeprefix("-") for order in orders)


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
        for path, value in _members(action.get("update"), ("actions", index, "update")):
            if path[-1] == "callbacks" and isinstance(value, dict):
                yield _callback(overlay, path, cast("Document", value), name, item)
            elif path[-1] == "enum" and path[-2] == "event" and isinstance(value, list):
                first, _, lines = overlay.lines_of(path)
                line = lines[0]
                code = line.replace("]", f", {name}]")
                yield Step("replace", f"spec/{overlay.corrections.file}", first, 0, code, line)
    yield Step("run", code="make generate ACCEPT=1")
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
    content = as_object(find(operation, ("requestBody", "content", "application/json")))
    made: Document = {
        "summary": str(operation.get("summary", f"The webhook of {name}")),
        "security": [],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": known["requestBody"]["content"]["application/json"]["schema"],
                    **({"example": content["example"]} if "example" in content else {}),
                }
            },
        },
        "responses": known["responses"],
    }
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    code = textwrap.indent(dump_yaml({name: {expression: {"post": made}}}).rstrip("\n"), indent)
    _, last, after = overlay.lines_of(path)
    return Step("add", f"spec/{overlay.corrections.file}", last, 0, code, after[-1])


def _members(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for key, member in cast("Document", value).items():
            yield (*path, key), member
            yield from _members(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _members(item, (*path, index))
