"""The committed lists: what the public cases of other tools expect, and where this engine dissents.

A list names its documents by their paths in the other tool's repository, which is not part of this one, and the edits
that the other tool's test makes to a document before it compares. `python -m tests.spec.diff.public` reads the
documents from folders that its user has.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.bundling import bundle
from contentgroove._openapi.documents import Limits, parse
from contentgroove_spec.changes import Rating

from .kinds import Rule, is_directionless, kind_of_locations, kind_of_rules, rules_of_list
from .restated import RECEIVED, Pair, patched, read_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contentgroove_spec.documents import Document

HERE = Path(__file__).parent
NAMES = ("oasdiff", "openapi_diff", "swagger_brake")


class Expected(StrEnum):
    """The rating that another tool gives a pair of documents."""

    BREAKING = "breaking"
    WARNING = "warning"
    """Its user decides: by its own words it may break, or only a setting makes it break."""
    SAFE = "safe"
    NONE = "none"
    """It reports nothing."""


class Verdict(StrEnum):
    """How two ratings of one pair compare."""

    AGREES = "agrees"
    MISSED = "missed"
    """The other tool: breaking; this engine: not."""
    FALSE_ALARM = "false alarm"
    """This engine: breaking; the other tool: safe or nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """A pair of documents of another tool's tests.

    Attributes:
        name: The other test's name.
        base: The old document's path.
        revision: The new document's path.
        theirs: The other tool's rating: that of the gravest change that it reports.
        ours: This engine's rating if it dissents; None if it agrees.
        reason: The reason for the dissent.
        left_out: The kind of change that the other tool does not judge, for which the pair is left out of the second
            figure, whether it agrees or not; an empty text if it is compared.
        rules: The other tool's rules that give the pair this rating.
        edits: JSON Patches (RFC 6902) that the test applies to the old and to the new document.
    """

    name: str
    base: str
    revision: str
    theirs: Expected
    ours: Rating | None = None
    reason: str = ""
    left_out: str = ""
    rules: tuple[str, ...] = ()
    edits: tuple[list[Any], list[Any]] = field(default=([], []))

    @property
    def listed(self) -> Verdict:
        """How the rating in the list compares with the other tool's."""
        return Verdict.AGREES if self.ours is None else verdict(self.theirs, self.ours)

    def documents(self, folder: Path) -> tuple[Document, Document]:
        """Read both documents and edit them.

        Raises:
            OSError: A document is missing.
            DocumentError: A document cannot be read.
        """
        old, new = (
            patched(bundle(parse((folder / path).read_bytes(), path), folder / path, Limits()), edits)
            for path, edits in zip((self.base, self.revision), self.edits, strict=True)
        )
        return old, new


@dataclass(frozen=True, slots=True)
class CaseList:
    """The cases of one tool.

    Attributes:
        name: The tool's name.
        repository: Its repository.
        commit: The commit that the cases were taken from.
        folder: The folder in it that contains the documents.
        omitted: What cannot be compared, with the reason.
        kinds: Patterns of its rules of kinds that are left out.
        cases: Its cases.
    """

    name: str
    repository: str
    commit: str
    folder: str
    omitted: Mapping[str, str]
    kinds: Mapping[str, tuple[str, ...]]
    cases: tuple[Case, ...]


def verdict(theirs: Expected, ours: Rating | None) -> Verdict:
    """Compare two ratings of a pair; None means that this engine found nothing.

    A warning leaves the rating to the tool's user, so that any rating agrees with it. What the other tool rates as safe
    and this engine as documentation, or not at all, breaks for neither.
    """
    if theirs is Expected.BREAKING and ours is not Rating.BREAKING:
        return Verdict.MISSED
    if theirs in {Expected.SAFE, Expected.NONE} and ours is Rating.BREAKING:
        return Verdict.FALSE_ALARM
    return Verdict.AGREES


@functools.cache
def read_list(name: str) -> CaseList:
    """Read the list of one tool."""
    content = parse((HERE / f"{name}.yaml").read_bytes(), name)
    return CaseList(
        name,
        content["repository"],
        content["commit"],
        content["folder"],
        content["omitted"],
        {kind: tuple(patterns) for kind, patterns in content.get("kinds", {}).items()},
        tuple(_read_case(case, content) for case in content["cases"]),
    )


def _read_case(case: dict[str, Any], content: dict[str, Any]) -> Case:
    ours = case.get("ours")
    return Case(
        case["case"],
        case["base"],
        case["revision"],
        Expected(case["theirs"]),
        None if ours is None else Rating(ours),
        content["reasons"][case["reason"]] if "reason" in case else "",
        _kind_left_out(case, content),
        tuple(case.get("rules", ())),
        (case.get("base_edits", []), case.get("revision_edits", [])),
    )


def _kind_left_out(case: dict[str, Any], content: dict[str, Any]) -> str:
    kind: str = case.get("kind", "")
    if kind in (keywords := content.get("keywords", {})):
        return kind if is_directionless(keywords[kind]) else ""
    return kind or kind_of_rules(case.get("rules", ()), case["theirs"], oasdiff_rules(), content.get("kinds", {}))


@functools.cache
def oasdiff_rules() -> dict[str, Rule]:
    """Return the rules of oasdiff by their ids."""
    return rules_of_list(parse((HERE / "oasdiff_rules.yaml").read_bytes(), "oasdiff_rules.yaml")["checks"])


def figures() -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table of the agreement: the lists' and their sum, Redocly's, and the sum."""
    everything: list[tuple[Verdict, bool]] = []
    for name in NAMES:
        cases = [(case.listed, bool(case.left_out)) for case in read_list(name).cases]
        everything += cases
        yield _figures_row(name.replace("_", "-"), cases)
    cases = [(verdict(Expected(pair.redocly), pair.rating_or_none), bool(left_out(pair))) for pair in redocly_pairs()]
    yield _figures_row("public cases", everything)
    yield _figures_row("Redocly", cases)
    yield _figures_row("all", everything + cases)


def redocly_pairs() -> list[Pair]:
    """Return the pairs that Redocly rated. It rates a schema alike wherever it is sent, or received."""
    return list({(pair.change, pair.position in RECEIVED): pair for pair in read_pairs()}.values())


def left_out(pair: Pair) -> str:
    """Return the kind for which a pair of Redocly's is left out; an empty text if it is compared."""
    facts = read_redocly()
    return kind_of_locations(pair.old, pair.new, facts["unread"], facts["directionless"])


@functools.cache
def read_redocly() -> dict[str, Any]:
    """Return the facts about Redocly."""
    return parse((HERE / "redocly.yaml").read_bytes(), "redocly.yaml")


def _figures_row(name: str, cases: list[tuple[Verdict, bool]]) -> tuple[str, ...]:
    """Return a row; cases that are left out of the second figure are so whether they agree or not."""
    counts = Counter(outcome for outcome, _ in cases)
    rest = [outcome for outcome, is_left_out in cases if not is_left_out]
    agree, missed, false_alarms = (counts[outcome] for outcome in Verdict)
    return (
        name, str(len(cases)), str(agree), f"{100 * agree / len(cases):.1f} %", str(missed), str(false_alarms),
        str(len(cases) - len(rest)), f"{100 * rest.count(Verdict.AGREES) / len(rest):.1f} %",
    )  # fmt: skip
