"""The schemas that a document names by `$id`, `$anchor` and `$dynamicAnchor` (OpenAPI 3.1, JSON Schema 2020-12).

A reference is relative to the nearest `$id` around it. Nothing is read from anywhere: a reference that names nothing in
the document is an error of what uses it, not of the document.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast
from urllib.parse import unquote, urljoin

from .documents import DocumentError, as_object
from .pointers import is_local, lookup, other_document_error, resolve_reference

if TYPE_CHECKING:
    from .documents import Json

Scope: TypeAlias = tuple[tuple[str, str], ...]
"""The dynamic anchors that the schemas on the way have, each with the URI of the outermost one."""

# Examples contain anything, such as the names of schemas.
_DATA = frozenset({"example", "examples", "default", "const", "enum"})


class Target(NamedTuple):
    """What a reference names.

    Attributes:
        uri: A key that is the same for all references to it, unless one names it by another way.
        schema: The schema.
        base: The URI that references inside it are relative to; empty for the document's.
    """

    uri: str
    schema: Any
    base: str


class _Index:
    """The named schemas of a document."""

    def __init__(self, document: Json) -> None:
        self.resources: dict[str, Any] = {"": document}
        self.anchors: dict[str, list[Any]] = {}
        self.dynamic: dict[str, list[str]] = {}
        self._bases: dict[int, str] = {}
        pending: list[tuple[Any, str]] = [(document, "")]
        while pending:
            value, base = pending.pop()
            if isinstance(value, list):
                pending.extend((item, base) for item in cast("list[Any]", value))
            elif isinstance(value, dict):
                members = cast("Json", value)
                base = self._add(members, base)
                pending.extend((item, base) for key, item in members.items() if key not in _DATA)

    def base_of(self, schema: Any) -> str:
        return self._bases.get(id(schema), "")

    def _add(self, members: Json, base: str) -> str:
        if isinstance(name := members.get("$id"), str) and name:
            base = absolute(base, name).partition("#")[0]
            self.resources.setdefault(base, members)
        if base:
            self._bases[id(members)] = base
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := members.get(keyword), str):
                self.anchors.setdefault(f"{base}#{name}", []).append(members)
                if keyword == "$dynamicAnchor":
                    self.dynamic.setdefault(base, []).append(name)
        return base


def absolute(base: str, reference: str) -> str:
    """Return a reference as a URI; a fragment stays in its base, whatever scheme that has."""
    return base.partition("#")[0] + reference if reference.startswith("#") else urljoin(base, reference)


class References:
    """Follows the references of one document's schemas.

    Args:
        document: The document, which must not change.
    """

    def __init__(self, document: Json) -> None:
        self._document = document

    @functools.cached_property
    def _index(self) -> _Index:
        # Few documents name schemas otherwise than by pointers.
        return _Index(self._document)

    def enter(self, schema: Json, base: str, scope: Scope) -> tuple[str, Scope]:
        """Return the base and the scope inside a schema, which may have an `$id`."""
        if not isinstance(name := schema.get("$id"), str) or not name:
            return base, scope
        inside = absolute(base, name).partition("#")[0]
        return inside, self._widened(scope, inside)

    def follow(self, reference: str, base: str = "") -> Target:
        """Return what a reference names, which may be a reference again.

        Args:
            reference: The value of a `$ref`.
            base: The URI that it is relative to.

        Raises:
            DocumentError: It names nothing in the document, or more than one schema.
        """
        if is_local(reference) and not base:
            found = resolve_reference(self._document, reference)
            return Target(reference, found, self._index.base_of(found) if "$id" in self._document_keys else "")
        uri = absolute(base, reference)
        resource, _, fragment = uri.partition("#")
        if resource not in self._index.resources:
            raise other_document_error(reference)
        found = self._find(resource, unquote(fragment), reference)
        return Target(uri, found, self._index.base_of(found))

    def follow_dynamic(self, reference: str, base: str, scope: Scope) -> Target:
        """Return what a `$dynamicRef` names: the outermost schema with its dynamic anchor, if it names such an anchor.

        Raises:
            DocumentError: See `follow`.
        """
        target = self.follow(reference, base)
        name = reference.partition("#")[2]
        if as_object(target.schema).get("$dynamicAnchor") != name:
            return target
        outermost = dict(self._widened(scope, base)).get(name, target.uri)
        return self.follow(outermost)

    def scope_of(self, scope: Scope, base: str) -> Scope:
        """Return the scope inside of what a reference has led to."""
        return self._widened(scope, base) if self._has_dynamic else scope

    @functools.cached_property
    def _document_keys(self) -> frozenset[str]:
        return frozenset(_keywords(self._document))

    @property
    def _has_dynamic(self) -> bool:
        return "$dynamicAnchor" in self._document_keys

    def _widened(self, scope: Scope, base: str) -> Scope:
        known = {name for name, _ in scope}
        names = dict.fromkeys(self._index.dynamic.get(base, ()))
        return (*scope, *((name, f"{base}#{name}") for name in names if name not in known))

    def _find(self, resource: str, fragment: str, reference: str) -> Any:
        root = self._index.resources[resource]
        if not fragment or fragment.startswith("/"):
            for inside in (root, self._document):
                # Documents refer to their components from schemas with an `$id`, too.
                try:
                    return lookup(inside, fragment)
                except LookupError:
                    continue
            raise DocumentError(f"The document has nothing at {reference!r}, which a $ref names.")
        found = self._index.anchors.get(f"{resource}#{fragment}", [])
        if len(found) != 1:
            problem = "has no anchor" if not found else "has more than one anchor"
            raise DocumentError(f"The document {problem} {fragment!r}, which the reference {reference!r} names.")
        return found[0]


def _keywords(document: Json) -> set[str]:
    """Return which of the keywords that name schemas a document uses."""
    found: set[str] = set()
    pending: list[Any] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(cast("list[Any]", value))
        elif isinstance(value, dict):
            members = cast("Json", value)
            found |= {key for key in ("$id", "$dynamicAnchor") if isinstance(members.get(key), str)}
            pending.extend(members.values())
    return found
