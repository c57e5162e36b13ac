"""The kinds of change that a tool does not judge: its cases are left out of the second figure, if they agree or not.

The criterion is the same for all tools. A kind of change is left out if

- the tool gives one level to the change and to its reverse, such as an addition and a removal;
- it gives one level to the change wherever the value goes, although what is relaxed for a sender breaks a receiver;
- the level follows an announcement (deprecation, end of life, stability), not the change;
- the change is about an extension, or about a keyword that restricts no value of its type.

The first two are computed from facts of the tool's own source: `oasdiff_rules.yaml`, `keywords` in `openapi_diff.yaml`,
`unread` and `directionless` in `redocly.yaml`. The last two are named in each list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

ONE_LEVEL = "one level"
REVERSES = (("add", "remove"), ("increase", "decrease"), ("generalize", "specialize"), ("set", "remove"))
LEVELS = {"ERR": "breaking", "WARN": "warning", "INFO": "safe"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of oasdiff, with the words of its source.

    Attributes:
        check: The function that applies it, with all others about the same kind of change.
        level: `breaking`, `warning` or `safe`.
        aspect: What it is about; `lifecycle` is what was announced.
        action: What happened: `add`, `remove`, `change` and others.
    """

    check: str
    level: str
    aspect: str
    action: str


def rules_of_list(checks: Mapping[str, Mapping[str, str]]) -> dict[str, Rule]:
    """Read the rules from the committed list, by their ids."""
    return {id_: Rule(check, *facts.split()) for check, rules in checks.items() for id_, facts in rules.items()}


def rules_of_source(checkout: Path) -> dict[str, Rule]:
    """Read the rules from a checkout of oasdiff, by their ids."""
    folder = checkout / "checker"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.go") if not path.stem.endswith("_test")]
    ids = dict(re.findall(r'^\s*(?:const\s+)?(\w+)\s*=\s*"([^"]+)"', "\n".join(texts), re.MULTILINE))
    rows = re.findall(
        r"newBackwardCompatibilityRule\((\w+), (\w+), (\w+), Direction\w+, Area\w+, Kind(\w+), Action(\w+)\)",
        (folder / "rules.go").read_text(encoding="utf-8"),
    )
    return {
        ids[constant]: Rule(check, LEVELS[level], aspect.lower(), action.lower())
        for constant, level, check, aspect, action in rows
    }


def checks_of_one_level(rules: Mapping[str, Rule]) -> set[str]:
    """Return the checks whose rules include a change and its reverse, and give all of them one level."""
    return {check for check in {rule.check for rule in rules.values()} if _has_one_level(rules, check)}


def _has_one_level(rules: Mapping[str, Rule], check: str) -> bool:
    ids = {id_: rule for id_, rule in rules.items() if rule.check == check}
    actions = {rule.action for rule in ids.values()}
    reverses = any(actions.issuperset(pair) for pair in REVERSES)
    negated = any(id_.replace("-became-not-", "-became-") in ids for id_ in ids if "-became-not-" in id_)
    return len({rule.level for rule in ids.values()}) == 1 and (reverses or negated)


def kind_of_rules(
    ids: Sequence[str], theirs: str, rules: Mapping[str, Rule], named: Mapping[str, Sequence[str]]
) -> str:
    """Return the kind that a case of oasdiff is left out for; an empty text if it can be compared.

    One rule that judges is enough to call a pair breaking. A pair is safe only if all of its rules say so.

    Args:
        ids: The rules that give the pair its level.
        theirs: The level.
        rules: All rules of the tool, by their ids.
        named: Patterns of the rules of the kinds that are named in the list.
    """
    unjudged = checks_of_one_level(rules)
    kinds = [_kind_of_rule(id_, rules, unjudged, named) for id_ in ids]
    left_out = any(kinds) if theirs == "safe" else bool(kinds) and all(kinds)
    return next(filter(None, kinds)) if left_out else ""


def _kind_of_rule(id_: str, rules: Mapping[str, Rule], unjudged: set[str], named: Mapping[str, Sequence[str]]) -> str:
    for kind, patterns in named.items():
        if any(fnmatchcase(id_, pattern) for pattern in patterns):
            return kind
    rule = rules.get(id_)
    if rule is None:
        return ""
    if rule.check in unjudged:
        return ONE_LEVEL
    return "announcements" if rule.aspect == "lifecycle" else ""


def is_directionless(levels: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a keyword of openapi-diff is rated without direction, or its change like the reverse.

    Args:
        levels: The levels of narrowing and of widening, for `sent` and `received` values.
    """
    both = list(levels.values())
    return all(narrowed == widened for narrowed, widened in both) or (len(both) > 1 and both[0] == both[1])


@dataclass(frozen=True, slots=True)
class Location:
    """A location where two documents differ.

    Attributes:
        path: The keys that lead to it, after slashes.
        replaced: Whether both documents have a single value there; otherwise one has none, or a list or an object.
    """

    path: str
    replaced: bool


def changed_locations(old: Any, new: Any, path: str = "") -> Iterator[Location]:
    """Yield the outermost locations where two documents differ."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if key in old and key in new:
                yield from changed_locations(old[key], new[key], f"{path}/{key}")
            else:
                yield Location(f"{path}/{key}", replaced=False)
    elif _are_lists_of_objects(old, new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from changed_locations(one, other, f"{path}/{index}")
    else:
        yield Location(path, replaced=not isinstance(old, list | dict) and not isinstance(new, list | dict))


def _are_lists_of_objects(old: Any, new: Any) -> bool:
    return (
        isinstance(old, list)
        and isinstance(new, list)
        and len(old) == len(new)
        and all(isinstance(item, dict) for item in (*old, *new))
    )


def kind_of_locations(old: Any, new: Any, unread: Sequence[str], directionless: Sequence[str]) -> str:
    """Return the kind that a pair of Redocly's is left out for; an empty text if it can be compared.

    Args:
        old: The old document.
        new: The new document.
        unread: Expressions for the ends of the locations that none of its rules read.
        directionless: Keywords whose values are replaced without a look at the direction.
    """
    locations = list(changed_locations(old, new))
    if locations and all(any(re.search(f"{end}$", location.path) for end in unread) for location in locations):
        return ONE_LEVEL
    if locations and all(
        location.replaced and location.path.rpartition("/")[2] in directionless for location in locations
    ):
        return "no direction"
    return ""
