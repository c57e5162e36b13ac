"""Apply an OpenAPI Overlay document (Overlay Specification 1.0 and 1.1).

Two rules are stricter than the specification, because corrections must not become stale: an action whose target
selects nothing is an error, and so is an action that changes nothing. One is more lenient: in 1.0 no action may select
a primitive, but the specification's own examples remove some, so only updates enforce that.
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import jsonpath_rfc9535
from contentgroove_spec import PipelineError
from jsonpath_rfc9535 import JSONPathError

from .locations import Location, item_name, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove_spec.documents import Document
    from jsonpath_rfc9535 import JSONPathNode, JSONPathQuery

MAX_QUERIES = 100
"""A target that names more nodes than these is checked as a whole."""

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
            try:
                _compile(action[name])
            except JSONPathError as error:
                message = f"{name} of action {index} is not a JSONPath (RFC 9535): {error}."
                raise PipelineError(message) from error
    if "copy" in action and version.startswith("1.0"):
        raise PipelineError(f"Action {index} has copy, which is new in Overlay 1.1; the overlay says {version}.")
    if "copy" in action and "update" in action:
        # By the specification, each has no impact if the other is present.
        raise PipelineError(f"Action {index} has both update and copy: keep one of them.")


def _check_fields(value: Document, known: set[str], name: str) -> None:
    unknown = [key for key in value if key not in known and not str(key).startswith("x-")]
    if unknown:
        raise PipelineError(f"{name} has unknown fields: {', '.join(map(str, unknown))}.")


WriteKind: TypeAlias = Literal["merge", "set", "append", "remove"]


@dataclass(frozen=True, slots=True)
class Write:
    """One thing that an action does to one node.

    Attributes:
        action: The action's number.
        kind: Merging into an object or a list that exists, setting a value, appending an item, or removing a value.
        location: The location of the node, or of the item to append.
        path: The keys that lead to the value in the action's update.
        value: What is written, or what is removed.
    """

    action: int
    kind: WriteKind
    location: Location
    path: tuple[str | int, ...] = ()
    value: Any = None


Gap: TypeAlias = Literal["selects nothing", "changes nothing", "cannot be applied"]


@dataclass(frozen=True, slots=True)
class Failed:
    """An action that cannot be applied to a document, or need not.

    Attributes:
        action: Its number.
        gap: What is wrong.
        target: The target, or the part of it that selects nothing.
        reason: The reason, if it cannot be applied.
    """

    action: int
    gap: Gap
    target: str
    reason: str = ""

    def message(self, overlay: Document) -> str:
        """Return a sentence that names the action and says what to do."""
        name = action_name(self.action, overlay["actions"][self.action])
        if self.gap == "selects nothing":
            return (
                f"{name} selects nothing in the published document. Its subject was removed or moved: check "
                "the document, then change or delete the action."
            )
        if self.gap == "changes nothing":
            return f"{name} changes nothing: the published document is already correct. Delete the action."
        return f"{name}: {self.reason}"


def apply_overlay(document: Document, overlay: Document) -> Document:
    """Apply all actions in order to a copy of a document.

    Raises:
        PipelineError: The overlay is not valid, or an action cannot be applied, selects nothing or changes nothing; the
            message names all such actions.
    """
    result, failed = apply_actions(document, overlay)
    if failed:
        raise PipelineError("\n".join(failure.message(overlay) for failure in failed))
    return result


def apply_actions(
    document: Document,
    overlay: Document,
    allow: Callable[[Write], bool] = lambda _: True,
    *,
    each_name: bool = False,
) -> tuple[Document, list[Failed]]:
    """Apply the actions that can be applied, in order, to a copy of a document.

    Args:
        document: The document.
        overlay: The overlay.
        allow: Called before each write; one for which it returns False is left out.
        each_name: Whether each name that a target lists must select something.

    Returns:
        The result, and the actions that select nothing, change nothing or cannot be applied.

    Raises:
        PipelineError: The overlay is not valid.
    """
    check_overlay(overlay)
    # Not a deep copy: what a YAML alias shares would be changed twice.
    result: Document = json.loads(json.dumps(document))
    failed: list[Failed] = []
    for index, action in enumerate(cast("list[Document]", overlay["actions"])):
        run = _Run(result, index, allow, is_1_0=str(overlay["overlay"]).startswith("1.0"))
        if each_name:
            run.failed += run.empty_parts(str(action["target"]))
        run.apply(action)
        failed += run.failed
    return result, failed


@dataclass(slots=True)
class _Run:
    """The application of one action."""

    document: Document
    index: int
    allow: Callable[[Write], bool]
    is_1_0: bool
    is_effective: bool = False
    failed: list[Failed] = field(default_factory=list[Failed])

    def empty_parts(self, target: str) -> Iterator[Failed]:
        queries = list(single_queries(target))
        empty = [query for query in queries if not select(self.document, query)]
        if len(empty) < len(queries):
            yield from (Failed(self.index, "selects nothing", query) for query in empty)

    def apply(self, action: Document) -> None:
        target = str(action["target"])
        nodes = select(self.document, target)
        if not nodes:
            self.failed.append(Failed(self.index, "selects nothing", target))
            return
        if action.get("remove") is True:
            self._remove(nodes, target)
        elif "copy" in action:
            sources = select(self.document, str(action["copy"]))
            if len(sources) != 1:
                self._fail(target, f"copy must select one node, not {len(sources)}.")
                return
            self._update(nodes, copy.deepcopy(sources[0].value), target)
        elif "update" in action:
            self._update(nodes, action["update"], target)
        if not self.is_effective and not self.failed:
            self.failed.append(Failed(self.index, "changes nothing", target))

    def _fail(self, target: str, reason: str) -> None:
        self.failed.append(Failed(self.index, "cannot be applied", target, reason))

    def _may(self, kind: WriteKind, location: Location, path: tuple[str | int, ...], value: Any) -> bool:
        allowed = self.allow(Write(self.index, kind, location, path, value))
        # A write that is left out on purpose is not one that the document makes needless.
        self.is_effective |= not allowed
        return allowed

    def _remove(self, nodes: list[JSONPathNode], target: str) -> None:
        located = [(node, locate(self.document, node.location)) for node in nodes]
        # From the back, because removing an item moves those after it.
        located.sort(key=lambda pair: [(isinstance(step, int), step) for step in pair[0].location], reverse=True)
        for node, location in located:
            if node.parent is None:
                self._fail(target, "the root cannot be removed.")
            elif self._may("remove", location, (), node.value):
                container: Any = node.parent.value
                del container[node.location[-1]]
                self.is_effective = True

    def _update(self, nodes: list[JSONPathNode], value: Any, target: str) -> None:
        kinds = {kind_name(node.value) for node in nodes}
        if len(kinds) > 1:
            self._fail(target, f"the target selects nodes of several kinds ({', '.join(sorted(kinds))}).")
            return
        for node in nodes:
            location = locate(self.document, node.location)
            new: object = copy.deepcopy(value)
            old: object = node.value
            if isinstance(old, dict):
                if isinstance(new, dict):
                    self._merge(cast("Document", old), cast("Document", new), location, (), target)
                else:
                    self._fail(target, "an object can only be merged with an object.")
            elif isinstance(old, list):
                # In 1.0 the value is one entry, whatever it is; 1.1 concatenates arrays.
                is_entry = self.is_1_0 or not isinstance(new, list)
                items: list[Any] = [new] if is_entry else cast("list[Any]", new)
                self._append(cast("list[Any]", old), items, location, None if is_entry else ())
            elif self.is_1_0:
                self._fail(target, "Overlay 1.0 updates only objects and arrays; use 1.1.0 to replace other values.")
            elif isinstance(new, (dict, list)):
                self._fail(target, "a primitive can only be replaced by a primitive.")
            else:
                # A document is an object, so that a primitive in it has a parent.
                container: Any = cast("JSONPathNode", node.parent).value
                self._set(container, node.location[-1], new, location, ())

    def _merge(
        self, old: Document, update: Document, location: Location, path: tuple[str | int, ...], target: str
    ) -> None:
        if not self._may("merge", location, path, update):
            return
        for key, new in update.items():
            value = cast("object", new)
            inner, inner_path = (*location, key), (*path, key)
            if key == "required" and isinstance(value, list) and key not in old:
                # Each name stands for itself: one that is left out must not hold the others back.
                names: list[Any] = []
                self._append(names, cast("list[Any]", value), inner, inner_path, is_new=True)
                if names:
                    old[key] = names
            elif key not in old:
                self._set(old, key, value, inner, inner_path)
            elif kind_name(old[key]) != kind_name(new):
                reason = f"{key} is {kind_name(old[key])} and cannot be merged with {kind_name(new)}."
                self._fail(target, reason)
            elif isinstance(value, dict):
                self._merge(old[key], cast("Document", value), inner, inner_path, target)
            elif isinstance(value, list):
                self._append(old[key], cast("list[Any]", value), inner, inner_path)
            else:
                self._set(old, key, value, inner, inner_path)

    def _append(
        self,
        old: list[Any],
        items: list[Any],
        location: Location,
        path: tuple[str | int, ...] | None,
        *,
        is_new: bool = False,
    ) -> None:
        first = len(old)
        if not is_new and not self._may("merge", location, path or (), items):
            return
        for index, item in enumerate(items):
            item_path = () if path is None else (*path, index)
            if self._may("append", (*location, item_name(item, first + index)), item_path, item):
                old.append(item)
                self.is_effective = True

    def _set(self, container: Any, key: str | int, value: Any, location: Location, path: tuple[str | int, ...]) -> None:
        if self._may("set", location, path, value):
            is_new = isinstance(container, dict) and key not in container
            self.is_effective |= is_new or not is_same(container[key], value)
            container[key] = value


def action_name(index: int, action: Document) -> str:
    """Return an action's name: its number, its description and its target."""
    return f"Action {index} ({describe_action(action)[:100]}; target {action['target']})"


def describe_action(action: Document) -> str:
    """Return an action's description in one line."""
    return " ".join(str(action.get("description", "without description")).split())


def select(document: Document, query: str) -> list[JSONPathNode]:
    """Return the nodes that a query selects."""
    # A query may return a node more than once (RFC 9535, 2.1.2), but an action changes each node once.
    return list({node.location: node for node in _compile(query).find(document)}.values())


def single_queries(query: str) -> Iterator[str]:
    """Yield a query for each combination of the names that a query lists, such as `['get','put']`."""
    segments = _compile(query).segments
    choices = [
        [f"[{selector}]" for selector in segment.selectors]
        if type(segment).__name__ == "JSONPathChildSegment" and all(map(_is_name, segment.selectors))
        else [str(segment)]
        for segment in segments
    ]
    for number, combination in enumerate(itertools.product(*choices)):
        if number >= MAX_QUERIES:
            return
        yield "$" + "".join(combination)


def names_of_target(query: str) -> Location:
    """Return the names that a query consists of; empty if it has other steps."""
    selectors = [selector for segment in _compile(query).segments for selector in segment.selectors]
    names = [cast("str", cast("Any", selector).name) for selector in selectors if _is_name(selector)]
    return tuple(names) if len(names) == len(selectors) == len(_compile(query).segments) else ()


def depth_of_reach(query: str, location: Location) -> int:
    """Return how many steps of a location a query can select, 0 if it selects others; a filter selects anything."""
    segments = _compile(query).segments
    for segment, step in zip(segments, location, strict=False):
        if type(segment).__name__ != "JSONPathChildSegment":
            return len(location)
        if all(_is_name(selector) and cast("Any", selector).name != step for selector in segment.selectors):
            return 0
    return min(len(segments), len(location))


def _is_name(selector: object) -> bool:
    return type(selector).__name__ == "NameSelector"


@functools.lru_cache(maxsize=1024)
def _compile(query: str) -> JSONPathQuery:
    return jsonpath_rfc9535.compile(query)


def is_same(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON: unlike in Python, 1, 1.0 and True are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def kind_name(value: object) -> str:
    """Return the kind of a value with its article."""
    return "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else "a primitive"
