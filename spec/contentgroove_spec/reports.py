"""Write the report of a comparison as text, JSON, Markdown or HTML."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from .changes import Change, Comparison, Rating

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_SHOWN_LOCATIONS = 8
"""In the text report; the other formats list all."""

TITLES = {
    Rating.BREAKING: "Breaking",
    Rating.SAFE: "Safe",
    Rating.DOCUMENTATION: "Only in the documentation",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One consequence, and the action that it requires."""

    what: str
    action: str


@dataclass(frozen=True, slots=True)
class Section:
    """The impact of the changes in one respect.

    Attributes:
        title: The respect.
        summary: The impact in one sentence.
        advice: Each consequence.
    """

    title: str
    summary: str
    advice: tuple[Advice, ...] = ()


def group_changes(changes: Iterable[Change]) -> dict[tuple[str, str], list[str]]:
    """Return the locations of each change and reason, in the order of their first occurrence."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for change in changes:
        locations = found.setdefault((change.what, change.reason), {})
        locations.update(dict.fromkeys(str(use.location) for use in change.uses) or {str(change.subject): None})
    return {texts: list(locations) for texts, locations in found.items()}


def _rated_groups(comparison: Comparison) -> Iterator[tuple[Rating, str, dict[tuple[str, str], list[str]]]]:
    """Yield each rating that changes have, with a title and the grouped changes."""
    for rating in Rating:
        changes = comparison.rated(rating)
        if changes:
            yield rating, f"{TITLES[rating]} ({len(changes)})", group_changes(changes)


def _headline(comparison: Comparison) -> str:
    """Summarise a comparison in one line."""
    if not comparison.changes:
        return "Nothing changed."
    counts = {rating: len(comparison.rated(rating)) for rating in Rating}
    return (
        f"{count_text(counts[Rating.BREAKING], 'breaking change')}, {counts[Rating.SAFE]} safe, "
        f"{counts[Rating.DOCUMENTATION]} only in the documentation"
    )


def count_text(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_text(comparison: Comparison, sections: Iterable[Section] = (), beside: Comparison | None = None) -> str:
    """Write a report for terminals. Its texts come from the documents and may contain control characters.

    Args:
        comparison: The comparison that counts.
        sections: Its impact.
        beside: Another comparison to show after it.
    """
    lines = _changes_as_text(comparison)
    if beside is not None:
        lines += ["", *_changes_as_text(beside)]
    for section in sections:
        lines += ["", f"{section.title}: {section.summary}"]
        for advice in section.advice:
            lines += [f"  {advice.what}", f"    → {advice.action}"]
    return "\n".join(lines) + "\n"


def _changes_as_text(comparison: Comparison) -> list[str]:
    lines = [f"{comparison.old} → {comparison.new}: {_headline(comparison)}"]
    for _, title, groups in _rated_groups(comparison):
        lines += ["", title]
        for (what, reason), locations in groups.items():
            lines.append(f"  {what} {reason}")
            lines += [f"    {location}" for location in locations[:MAX_SHOWN_LOCATIONS]]
            if len(locations) > MAX_SHOWN_LOCATIONS:
                lines.append(f"    … and {len(locations) - MAX_SHOWN_LOCATIONS} more locations")
    return lines


def as_json(comparison: Comparison, sections: Iterable[Section] = (), beside: Comparison | None = None) -> str:
    """Write a report for programs: `old`, `new`, `summary`, `changes` and `sections`.

    The other comparison is in `published`, with the same members.
    """
    report = {
        "version": 1,
        **_as_members(comparison),
        "sections": [dataclasses.asdict(section) for section in sections],
    }
    if beside is not None:
        report["published"] = _as_members(beside)
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _as_members(comparison: Comparison) -> dict[str, Any]:
    return {
        "old": comparison.old,
        "new": comparison.new,
        "summary": {rating.value: len(comparison.rated(rating)) for rating in Rating},
        "changes": [
            {
                "rating": change.rating.value,
                "kind": change.kind,
                "rule": change.rule,
                "subject": str(change.subject),
                "component": change.subject.component or None,
                "oldPointer": change.old_pointer,
                "newPointer": change.new_pointer,
                "uses": [
                    {
                        "location": str(use.location),
                        "operation": use.location.operation or None,
                        "webhook": use.location.webhook or None,
                        "part": use.location.part,
                        "name": use.location.name or None,
                        "field": use.location.field or None,
                        "direction": use.direction and use.direction.value,
                        "rating": use.rating.value,
                    }
                    for use in change.uses
                ],
                "what": change.what,
                "reason": change.reason,
                "old": change.old,
                "new": change.new,
            }
            for change in comparison.changes
        ],
    }


def as_markdown(comparison: Comparison, sections: Iterable[Section] = (), beside: Comparison | None = None) -> str:
    """Write a report for pull requests."""
    lines = _changes_as_markdown(comparison)
    if beside is not None:
        lines += ["", *_changes_as_markdown(beside)]
    for section in sections:
        lines += ["", f"## {_escape(section.title)}", "", _escape(section.summary), *([""] if section.advice else [])]
        for advice in section.advice:
            lines += [f"- {_escape(advice.what)}  ", f"  → {_escape(advice.action)}"]
    return "\n".join(lines) + "\n"


def _changes_as_markdown(comparison: Comparison) -> list[str]:
    lines = [f"# {_escape(comparison.old)} → {_escape(comparison.new)}", "", _escape(_headline(comparison))]
    for _, title, groups in _rated_groups(comparison):
        lines += ["", f"## {title}"]
        for (what, reason), locations in groups.items():
            lines += ["", f"**{_escape(what)}** {_escape(reason)}", ""]
            lines += [f"- {_escape(location)}" for location in locations]
    return lines


def _escape(text: str) -> str:
    """Escape text for Markdown; code in backticks stays code."""
    parts = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    return "".join(
        part if index % 2 else re.sub(r"([\\`*_{}\[\]<>#|~@!])", r"\\\1", part) for index, part in enumerate(parts)
    )


_STYLE = """
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h2 { border-left: .4rem solid; padding-left: .6rem }
h2.breaking { border-color: #c62828 }
h2.safe { border-color: #2e7d32 }
h2.documentation { border-color: #757575 }
code, .location { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere }
summary { cursor: pointer }
.reason, .action { opacity: .8 }
"""


def as_html(comparison: Comparison, sections: Iterable[Section] = (), beside: Comparison | None = None) -> str:
    """Write a report for browsers: one page without scripts that loads nothing."""
    title = _title_as_html(comparison)
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        # Texts of the documents could contain markup, so the page may neither run nor load anything.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{escape(_headline(comparison))}</p>",
    ]
    for section in sections:
        lines.append(f"<h2>{escape(section.title)}</h2><p>{escape(section.summary)}</p>")
        if section.advice:
            lines.append("<ul>")
            for advice in section.advice:
                action = f'<span class="action">→ {escape(advice.action)}</span>'
                lines.append(f"<li>{escape(advice.what)}<br>{action}</li>")
            lines.append("</ul>")
    lines += _changes_as_html(comparison)
    if beside is not None:
        headline = escape(_headline(beside))
        lines += [f"<h1>{_title_as_html(beside)}</h1><p>{headline}</p>", *_changes_as_html(beside)]
    lines.append("</body></html>")
    return "\n".join(lines) + "\n"


def _title_as_html(comparison: Comparison) -> str:
    return f"{escape(comparison.old)} → {escape(comparison.new)}"


def _changes_as_html(comparison: Comparison) -> list[str]:
    lines: list[str] = []
    for rating, heading, groups in _rated_groups(comparison):
        lines.append(f'<h2 class="{rating.value}">{heading}</h2>')
        opened = " open" if rating is Rating.BREAKING else ""
        for (what, reason), locations in groups.items():
            lines.append(f"<details{opened}><summary>{escape(what)} ({len(locations)})</summary>")
            lines.append(f'<p class="reason">{escape(reason)}</p><ul>')
            lines += [f'<li class="location">{escape(location)}</li>' for location in locations]
            lines.append("</ul></details>")
    return lines
