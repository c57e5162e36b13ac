"""PyYAML's loader for documents: YAML 1.2's core schema, unique string keys, and the merge keys of YAML 1.1.

It imports PyYAML, which is in extras, so it is imported when a YAML document is read.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import yaml
import yamlcore

from contentgroove.errors import ContentGrooveError

_Pairs: TypeAlias = "list[tuple[yaml.Node, yaml.Node]]"

MAX_MERGED = 500_000


class TooManyMergedError(ContentGrooveError):
    """Merge keys stand for too many members."""


# The stubs of PyYAML leave the base classes' members untyped.
class Loader(yamlcore.CCoreLoader):  # type: ignore[misc]
    """Loads one document.

    Attributes:
        max_merged: How many members all merge keys together may stand for: few lines can stand for billions.
    """

    max_merged = MAX_MERGED
    _merged = 0

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Construct a mapping with its own members and those that are merged into it.

        Raises:
            MarkedYAMLError: A key is not a scalar or occurs twice, or a merge key leads in a circle.
            TooManyMergedError: Merge keys stand for more than `max_merged` members.
        """
        merged: _Pairs = []
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if _is_merge(key, value):
                merged += self._pairs(value, (node,))
                continue
            name = _name(key)
            if name in mapping:
                raise yaml.MarkedYAMLError(problem=f"the key {name!r} occurs twice", problem_mark=key.start_mark)
            mapping[name] = cast("Any", self).construct_object(value, deep=deep)
        for key, value in merged:
            # A mapping's own members win over merged ones, and the first of these over later ones.
            if (name := _name(key)) not in mapping:
                mapping[name] = cast("Any", self).construct_object(value, deep=deep)
        return mapping

    def _pairs(self, merged: yaml.Node, above: tuple[yaml.Node, ...]) -> _Pairs:
        """Return the members of what a merge key names, with those that are merged into it."""
        if isinstance(merged, yaml.SequenceNode):
            return [pair for item in merged.value for pair in self._pairs(item, above)]
        if any(merged is node for node in above):
            raise yaml.MarkedYAMLError(problem="a merge key leads in a circle", problem_mark=merged.start_mark)
        own: _Pairs = []
        further: _Pairs = []
        for key, value in merged.value:
            if _is_merge(key, value):
                further += self._pairs(value, (*above, merged))
            else:
                own.append((key, value))
        self._merged += len(own) + 1
        if self._merged > self.max_merged:
            raise TooManyMergedError(f"Merge keys stand for more than {self.max_merged:,} members.")
        return own + further


def _name(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise yaml.MarkedYAMLError(problem="a key is not a scalar", problem_mark=key.start_mark)
    return str(key.value)


def _is_merge(key: yaml.Node, value: yaml.Node) -> bool:
    # A quoted key is an ordinary one, and so is one whose value could not be merged.
    if not isinstance(key, yaml.ScalarNode) or key.value != "<<" or key.style:
        return False
    items = value.value if isinstance(value, yaml.SequenceNode) else [value]
    return all(isinstance(item, yaml.MappingNode) for item in items)
