"""Two tools instead of hundreds: one finds the operations of a source, the other calls them.

The tools of the operations exist, too, and can be called by their names, but no list contains them.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from .registry import ProgressCallback, Tool, ToolRegistry, object_schema
from .results import Success, ToolError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

MAX_RESULTS = 50
RESULTS = 10
"""Operations in a result by default."""

MAX_SCHEMAS = 40_000
"""Characters of the input schemas in one result, which a model reads."""

MIN_PLURAL = 3
MIN_PREFIX = 3

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")


def search_tools(namespace: str, title: str, tools: list[Tool], registry: ToolRegistry) -> list[Tool]:
    """Create the two tools of a source.

    Args:
        namespace: The source's namespace.
        title: The title of its document.
        tools: The tools of its operations.
        registry: Calls the tools.
    """
    index = _Index(tools)
    by_name: dict[str, Tool] = {}
    for names in zip(*(_names(tool, registry) for tool in tools), strict=True):
        # A canonical name always means its own tool, whatever ids the document has.
        for name, tool in zip(names, tools, strict=True):
            by_name.setdefault(name, tool)

    async def search(arguments: Json, _report: ProgressCallback) -> Success:
        found = index.search(arguments["query"])
        named = by_name.get(arguments["query"])
        if named is not None:
            found = [named, *(tool for tool in found if tool is not named)]
        visible = [tool for tool in found if registry.find(tool.name) is not None]
        shown = visible[: arguments.get("limit", RESULTS)]
        return Success({"found": len(visible), "operations": _described(shown)})

    async def call(arguments: Json, report: ProgressCallback) -> Success:
        tool = by_name.get(arguments["name"])
        if tool is None or registry.find(tool.name) is None:
            similar = [other.name for other in index.search(arguments["name"][:200]) if registry.find(other.name)]
            hint = f" Did you mean {' or '.join(similar[:3])}?" if similar else ""
            problem = f"{namespace} has no operation {arguments['name'][:100]!r}: find it with searchOperations.{hint}"
            raise ToolError("unknown_tool", problem)
        return await registry.run(tool, arguments.get("arguments") or {}, report)

    access = registry.access
    return [
        Tool(
            name=f"{namespace}.searchOperations",
            title=f"Find operations of {title}",
            description=(
                f"Find some of the {len(tools)} operations of {title} by words of their names, paths and descriptions, "
                f"or one by its name. Each has a name and an inputSchema for {namespace}_callOperation; if a schema "
                "is missing for want of space, search for that name."
            ),
            input_schema=object_schema(
                {
                    "query": {"type": "string", "minLength": 1, "description": "Words, or an operation's name."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_RESULTS, "default": RESULTS},
                },
                "query",
            ),
            run=search,
            is_read_only=True,
            is_idempotent=True,
            source=namespace,
        ),
        Tool(
            name=f"{namespace}.callOperation",
            title=f"Call an operation of {title}",
            description=(
                f"Call one of the operations of {title} that {namespace}_searchOperations finds. The arguments must "
                "match the operation's inputSchema."
            ),
            input_schema=object_schema(
                {
                    "name": {"type": "string", "minLength": 1, "description": "The operation's name."},
                    "arguments": {"type": "object", "description": "Its arguments."},
                },
                "name",
            ),
            run=call,
            # What is not allowed to a tool's callers is not reached by this way either.
            is_read_only=access.read_only,
            is_destructive=access.allow_destructive,
            source=namespace,
        ),
    ]


def _names(tool: Tool, registry: ToolRegistry) -> tuple[str, ...]:
    """Return the names that a call may use, the most exact first; the last ones are empty without an id."""
    short = tool.name.partition(".")[2]
    return tool.name, registry.public_name(tool), short, tool.operation_id, tool.operation_id.partition(".")[2]


def _described(tools: list[Tool]) -> list[Json]:
    described: list[Json] = []
    size = 0
    for tool in tools:
        entry: Json = {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description[:500],
            "readOnly": tool.is_read_only,
            "destructive": tool.is_destructive,
        }
        size += len(json.dumps(tool.input_schema))
        # The first one has its schema in any case: a search for its name finds it there.
        if size <= MAX_SCHEMAS or not described:
            entry["inputSchema"] = tool.input_schema
        described.append(entry)
    return described


class _Index:
    """The words of tools; rare ones count more, and so do those in names."""

    def __init__(self, tools: list[Tool]) -> None:
        self._tools = tools
        self._words: dict[str, dict[int, float]] = {}
        for number, tool in enumerate(tools):
            weights: Counter[str] = Counter()
            for text, weight in ((tool.name.partition(".")[2], 3), (tool.title, 3), (tool.operation_id, 2)):
                for word in set(_words(text)):
                    weights[word] += weight
            for word in set(_words(tool.description)):
                weights[word] += 1
            for word, weight in weights.items():
                self._words.setdefault(word, {})[number] = weight

    def search(self, query: str) -> list[Tool]:
        scores: dict[int, float] = {}
        matched: Counter[int] = Counter()
        for word in set(_words(query)):
            best: dict[int, float] = {}
            for known, weights in self._words.items():
                if likeness := _likeness(known, word):
                    rarity = math.log(1 + len(self._tools) / len(weights))
                    for number, weight in weights.items():
                        best[number] = max(best.get(number, 0.0), likeness * weight * rarity)
            for number, score in best.items():
                scores[number] = scores.get(number, 0.0) + score
                matched[number] += 1
        ranked = sorted(scores, key=lambda number: (-matched[number] * scores[number], number))
        return [self._tools[number] for number in ranked]


def _likeness(known: str, word: str) -> float:
    if known == word:
        return 1.0
    # `invo` finds `invoice`, too, but less surely.
    is_similar = min(len(known), len(word)) >= MIN_PREFIX and (known.startswith(word) or word.startswith(known))
    return 0.5 if is_similar else 0.0


def _words(text: str) -> list[str]:
    words = (word.lower() for word in _WORD.findall(text))
    # Singular and plural are the same.
    return [word[:-1] if len(word) > MIN_PLURAL and word.endswith("s") else word for word in words]
