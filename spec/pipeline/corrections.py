"""Apply an OpenAPI Overlay document (Overlay Specification 1.0 and 1.1).

Two rules are stricter than the specification, because corrections must not become stale: an action whose target
selects nothing is an error, and so is an action that changes nothing. One is more lenient: in 1.0 no action may select
a primitive, but the specification's own examples remove some, so only updates enforce that.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import jsonpath_rfc9535
from contentgroove._openapi.documents import parse
from contentgroove_spec import PipelineError
from jsonpath_rfc9535 import JSONPathError

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document
    from jsonpath_rfc9535 import JSONPathNode, JSONPathQuery


def read(path: Path) -> Document:
    """Read a committed document.

    Raises:
        DocumentError: It is not a document.
        PipelineError: It is missing or cannot be read.
    """
    try:
        return parse(path.read_bytes(), path.name)
    except OSError as error:
        raise PipelineError(f"Cannot read {path.name}: {error.strerror}.") from error


def make_contract(config: Config) -> Document:
    """Apply the corrections to the published document.

    Raises:
        PipelineError: A file is missing, or a correction is stale.
    """
    return apply_overlay(read(config.published), read(config.corrections))


_VERSION = re.compile(r"1\.[01]\.\d+")
_ROOT_FIELDS = {"overlay", "info", "extends", "actions"}
_INFO_FIELDS = {"title", "version", "description"}
_ACTION_FIELDS = {"target", "description", "update", "remove", "copy"}


def check_overlay(overlay: Document) -> None:
    """Check that a document is an Overlay 1.0 or 1.1 document.

    Raises:
        PipelineError: It violates the specification; the message names the location.
    """
    version = overlay.get("overlay")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise PipelineError(f"overlay: {version!r} is not a version of the Overlay Specification 1.0 or 1.1.")
    _check_fields(overlay, _ROOT_FIELDS, "the overlay")
    if not isinstance(overlay.get("extends", ""), str):
        raise PipelineError("extends must be a URI reference.")
    info = overlay.get("info")
    if not isinstance(info, dict):
        raise PipelineError("The overlay has no info object.")
    _check_fields(cast("Document", info), _INFO_FIELDS, "info")
    for name in sorted(_INFO_FIELDS):
        value = cast("Document", info).get(name, "" if name == "description" else None)
        if not isinstance(value, str):
            raise PipelineError(f"info.{name} must be a string.")
    found = overlay.get("actions")
    if not isinstance(found, list) or not found:
        raise PipelineError("actions must be a list with at least one action.")
    actions = cast("list[object]", found)
    for index, action in enumerate(actions):
        if not isinstance(action, dict):
            raise PipelineError(f"Action {index} must be an object.")
        _check_action(cast("Document", action), index, version)
    if any(action in actions[:index] for index, action in enumerate(actions)):
        raise PipelineError("Two actions are the same.")


def _check_action(action: Document, index: int, version: str) -> None:
    _check_fields(action, _ACTION_FIELDS, f"action {index}")
    for name, kind in (("target", str), ("description", str), ("remove", bool), ("copy", str)):
        if name in action and not isinstance(action[name], kind):
            raise PipelineError(f"{name} of action {index} must be a {kind.__name__}.")
    if "target" not in action:
        raise PipelineError(f"Action {index} has no target.")
    for name in ("target", "copy"):
        if name in action:
            _compile(action[name], f"{name} of action {index}")
    if "copy" in action and version.startswith("1.0"):
        raise PipelineError(f"Action {index} has copy, which is new in Overlay 1.1; the overlay says {version}.")
    if "copy" in action and "update" in action:
        # By the specification, each has no impact if the other is present.
        raise PipelineError(f"Action {index} has both update and copy: keep one of them.")


def _check_fields(value: Document, known: set[str], name: str) -> None:
    unknown = [field for field in value if field not in known and not str(field).startswith("x-")]
    if unknown:
        raise PipelineError(f"{name} has unknown fields: {', '.join(map(str, unknown))}.")


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of applying the actions of an overlay that match.

    Attributes:
        document: The result.
        problems: The errors of the actions that were skipped, by their numbers.
        steps: The document before each action, and at the end.
    """

    document: Document
    problems: dict[int, str]
    steps: tuple[Document, ...]


def apply_overlay(document: Document, overlay: Document) -> Document:
    """Apply all actions in order to a copy of a document.

    Raises:
        PipelineError: The overlay is not valid, or an action cannot be applied, selects nothing or changes nothing.
    """
    check_overlay(overlay)
    result = copy.deepcopy(document)
    for index, action in enumerate(cast("list[Document]", overlay["actions"])):
        _apply(result, action, action_name(index, action), str(overlay["overlay"]))
    return result


def apply_matching(document: Document, overlay: Document) -> Applied:
    """Apply the actions that can be applied, and collect the errors of the others.

    Raises:
        PipelineError: The overlay is not valid.
    """
    check_overlay(overlay)
    steps, problems = [copy.deepcopy(document)], dict[int, str]()
    for index, action in enumerate(cast("list[Document]", overlay["actions"])):
        result = copy.deepcopy(steps[-1])
        try:
            _apply(result, action, action_name(index, action), str(overlay["overlay"]))
        except PipelineError as error:
            problems[index] = str(error)
            result = steps[-1]
        steps.append(result)
    return Applied(steps[-1], problems, tuple(steps))


def _apply(result: Document, action: Document, name: str, version: str) -> None:
    # Compared as text, because 1, 1.0 and True are equal in Python.
    before = json.dumps(result, sort_keys=True)
    nodes = _select(result, action["target"], name)
    if not nodes:
        raise PipelineError(
            f"{name} selects nothing in the published document. Its subject was removed or moved: check "
            "the document, then change or delete the action."
        )
    if action.get("remove") is True:
        _remove(nodes, name)
    elif "copy" in action:
        sources = _select(result, action["copy"], name)
        if len(sources) != 1:
            raise PipelineError(f"{name}: copy must select one node, not {len(sources)}.")
        _update(nodes, copy.deepcopy(sources[0].value), name)
    elif "update" in action:
        _update(nodes, action["update"], name, is_1_0=version.startswith("1.0"))
    if json.dumps(result, sort_keys=True) == before:
        raise PipelineError(f"{name} changes nothing: the published document is already correct. Delete the action.")


def action_name(index: int, action: Document) -> str:
    """Return an action's name: its number, its description and its target."""
    description = " ".join(str(action.get("description", "without description")).split())
    return f"Action {index} ({description[:100]}; target {action['target']})"


def _compile(query: str, name: str) -> JSONPathQuery:
    try:
        return jsonpath_rfc9535.compile(query)
    except JSONPathError as error:
        raise PipelineError(f"{name} is not a JSONPath (RFC 9535): {error}.") from error


def _select(document: Document, query: str, name: str) -> list[JSONPathNode]:
    # A query may return a node more than once (RFC 9535, 2.1.2), but an action changes each node once.
    return list({node.location: node for node in _compile(query, name).find(document)}.values())


def _remove(nodes: list[JSONPathNode], name: str) -> None:
    # From the back, because removing an item moves those after it.
    for node in sorted(nodes, key=lambda n: [(isinstance(step, int), step) for step in n.location], reverse=True):
        if node.parent is None:
            raise PipelineError(f"{name}: the root cannot be removed.")
        container: Any = node.parent.value
        del container[node.location[-1]]


def _update(nodes: list[JSONPathNode], value: Any, name: str, *, is_1_0: bool = False) -> None:
    kinds = {_kind(node.value) for node in nodes}
    if len(kinds) > 1:
        raise PipelineError(f"{name}: the target selects nodes of several kinds ({', '.join(sorted(kinds))}).")
    for node in nodes:
        new: object = copy.deepcopy(value)
        old: object = node.value
        if isinstance(old, dict):
            if not isinstance(new, dict):
                raise PipelineError(f"{name}: an object can only be merged with an object.")
            _merge(cast("Document", old), cast("Document", new), name)
        elif isinstance(old, list):
            # In 1.0 the value is one entry, whatever it is; 1.1 concatenates arrays.
            is_entry = is_1_0 or not isinstance(new, list)
            cast("list[Any]", old).extend([new] if is_entry else cast("list[Any]", new))
        elif is_1_0:
            raise PipelineError(
                f"{name}: Overlay 1.0 updates only objects and arrays; use 1.1.0 to replace other values."
            )
        elif isinstance(new, (dict, list)):
            raise PipelineError(f"{name}: a primitive can only be replaced by a primitive.")
        else:
            # A document is an object, so that a primitive in it has a parent.
            container: Any = cast("JSONPathNode", node.parent).value
            container[node.location[-1]] = new


def _merge(target: Document, update: Document, name: str) -> None:
    for key, value in update.items():
        if key not in target:
            target[key] = value
            continue
        old = target[key]
        if _kind(old) != _kind(value):
            raise PipelineError(f"{name}: {key} is {_kind(old)} and cannot be merged with {_kind(value)}.")
        if isinstance(old, dict):
            _merge(cast("Document", old), cast("Document", value), name)
        elif isinstance(old, list):
            cast("list[Any]", old).extend(value)
        else:
            target[key] = value


def _kind(value: object) -> str:
    return "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else "a primitive"
