"""The part of a document that can be read: one bad operation or parameter does not hide the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .documents import DocumentError
from .operations import METHODS, Operation
from .pointers import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Json

_LOCATIONS = frozenset({"query", "path", "header", "cookie"})


class Readable(NamedTuple):
    """What can be read of a document.

    Attributes:
        document: The document without what cannot be read; schemas are not looked at. Equal parts are shared with the
            original.
        problems: What was left out, each with its location and the reason.
    """

    document: Json
    problems: tuple[str, ...]


def readable(document: Json) -> Readable:
    """Leave out the paths, operations, parameters, bodies, responses and callbacks that cannot be read."""
    problems: list[str] = []
    result = dict(document)
    for name in ("paths", "webhooks"):
        if name in document:
            result[name] = dict(_items(document, document[name], name, problems))
    result.setdefault("paths", {})
    return Readable(result, tuple(problems))


def _items(document: Json, items: Any, location: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the path items of an object that can be read, without their bad parts."""
    if not isinstance(items, dict):
        problems.append(f"{location}: it is not an object, and was left out")
        return
    for path, node in cast("Json", items).items():
        if path.startswith("x-"):
            continue
        try:
            if not isinstance(node, dict):
                raise DocumentError("it is not an object")  # noqa: TRY301 - reported like a reference to nothing
            item = resolve(document, node)
            if "$ref" in item:
                raise DocumentError(f"its $ref {item['$ref']!r} names another document")  # noqa: TRY301
        except DocumentError as error:
            problems.append(f"{path}: it was left out: {error}")
            continue
        yield path, _item(document, item, path, problems)


def _item(document: Json, item: Json, path: str, problems: list[str]) -> Json:
    result = dict(item)
    if "parameters" in item:
        result["parameters"] = _parameters(document, item["parameters"], path, problems)
    for method in METHODS:
        if method not in item:
            continue
        name = f"{method.upper()} {path}"
        if isinstance(item[method], dict):
            result[method] = _operation(
                document, Operation(method.upper(), path, item[method], item, document), problems
            )
        else:
            problems.append(f"{name}: it was left out: it is not an object")
            del result[method]
    return result


def _operation(document: Json, operation: Operation, problems: list[str]) -> Json:
    result = dict(operation.definition)
    name = str(operation)
    if "parameters" in result:
        result["parameters"] = _parameters(document, result["parameters"], name, problems)
    try:
        body = operation.body
        if "requestBody" in result and not isinstance(body.get("content"), dict):
            raise DocumentError("it has no content")  # noqa: TRY301 - reported like a reference to nothing
    except DocumentError as error:
        problems.append(f"{name}: its request body was left out: {error}")
        del result["requestBody"]
    result["responses"] = dict(_responses(document, result.get("responses"), name, problems))
    if "callbacks" in result:
        result["callbacks"] = dict(_callbacks(document, result["callbacks"], name, problems))
    if "security" in result and not isinstance(result["security"], list):
        problems.append(f"{name}: its security was left out: it is not a list")
        del result["security"]
    return result


def _parameters(document: Json, nodes: Any, name: str, problems: list[str]) -> list[Any]:
    if not isinstance(nodes, list):
        problems.append(f"{name}: its parameters were left out: they are not a list")
        return []
    kept: list[Any] = []
    for index, node in enumerate(cast("list[Any]", nodes)):
        try:
            parameter = resolve(document, node)
        except DocumentError as error:
            problems.append(f"{name}: parameter {index} was left out: {error}")
            continue
        if isinstance(parameter.get("name"), str) and parameter.get("in") in _LOCATIONS:
            kept.append(node)
        else:
            found = f"its name is {parameter.get('name')!r} and its location {parameter.get('in')!r}"
            problems.append(f"{name}: parameter {index} was left out: {found}")
    return kept


def _responses(document: Json, nodes: Any, name: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        found = resolve(document, nodes)
    except DocumentError as error:
        problems.append(f"{name}: its responses were left out: {error}")
        return
    for status, node in found.items():
        if status.startswith("x-"):
            continue
        try:
            if not isinstance(node, dict):
                raise DocumentError("it is not an object")  # noqa: TRY301 - reported like a reference to nothing
            resolve(document, node)
        except DocumentError as error:
            problems.append(f"{name}: response {status} was left out: {error}")
            continue
        yield status, node


def _callbacks(document: Json, nodes: Any, name: str, problems: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        found = resolve(document, nodes)
    except DocumentError as error:
        problems.append(f"{name}: its callbacks were left out: {error}")
        return
    for callback, node in found.items():
        if callback.startswith("x-"):
            continue
        try:
            items = resolve(document, node)
        except DocumentError as error:
            problems.append(f"{name}: callback {callback} was left out: {error}")
            continue
        yield callback, dict(_items(document, items, f"{name}: callback {callback}", problems))
