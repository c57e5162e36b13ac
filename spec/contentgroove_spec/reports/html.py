"""The report for browsers: one page without scripts that loads nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .report import action_for, compared, groups, headline, reached, same_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .report import Group, Report

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d8de, #3a3f4a); --dim: light-dark(#5b6270, #9aa3b2);
  --red: light-dark(#b3261e, #ff8a80); --amber: light-dark(#8a5300, #ffb74d); --green: light-dark(#1b6e3c, #7bd88f); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .dim { color: var(--dim); }
h2.breaking_for_you, .legend .breaking_for_you { color: var(--red); }
h2.breaking, .legend .breaking { color: var(--amber); }
h2.safe, .legend .safe { color: var(--green); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; list-style: none; padding: 0; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
li { overflow-wrap: anywhere; } .position, code { font-family: ui-monospace, monospace; font-size: .9em; }
"""


def as_html(report: Report) -> str:
    """Write a report for browsers."""
    title = f"{report.comparison.old} → {report.comparison.new}"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        # Texts of the documents could contain markup, so the page may neither run nor load anything.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>",
    ]
    lines += [line for part in compared(report) for line in _lines(part)]
    return "\n".join([*lines, "</main></body></html>"]) + "\n"


def _lines(report: Report) -> Iterator[str]:
    comparison = report.comparison
    if report.title:
        yield f"<p class=dim>{escape(report.title)}</p>"
    yield f"<h1>{escape(comparison.old)} → {escape(comparison.new)}</h1><p>{escape(headline(report))}</p>"
    found = list(groups(report))
    yield '<ul class="legend" aria-label="Numbers of changes">'
    yield from (f'<li class="{group.level}">{group.title}: <b>{len(group.changes):,}</b></li>' for group in found)
    if comparison.not_compared:
        yield f"<li>Not compared: <b>{len(comparison.not_compared):,}</b></li>"
    yield "</ul>"
    for group in found:
        yield from _group(group)
    if comparison.not_compared:
        yield f"<h2>Not compared ({len(comparison.not_compared):,})</h2><ul>"
        for part in comparison.not_compared:
            position = f'<span class="position">{escape(part.pointer or "/")}</span>'
            yield f"<li>{position} in the {part.document} document: {escape(part.reason)}</li>"
        yield "</ul>"
    for section in report.sections:
        yield f"<h2>{escape(section.title)}</h2><p>{escape(section.summary)}</p>"
        if section.advice:
            yield "<ul>"
            for advice in section.advice:
                yield f'<li>{escape(advice.what)}<br><span class="dim">→ {escape(advice.action)}</span></li>'
            yield "</ul>"


def _with_code(text: str) -> str:
    """Escape a text; what is between backticks becomes code."""
    parts = text.split("`")
    # A backtick without a partner stays one.
    if not len(parts) % 2:
        return escape(text)
    return "".join(f"<code>{escape(part)}</code>" if index % 2 else escape(part) for index, part in enumerate(parts))


def _group(group: Group) -> Iterator[str]:
    yield f'<h2 class="{group.level}">{group.title} ({len(group.changes):,})</h2>'
    opened = " open" if group.level.startswith("breaking") else ""
    for changes in same_changes(group.changes):
        count = f" ({len(changes):,})" if len(changes) > 1 else ""
        yield f"<details{opened}><summary>{_with_code(changes[0].what)}{count}</summary>"
        yield f'<p class="dim">{escape(changes[0].reason)}</p><ul>'
        for change in changes:
            subject, locations = reached(change)
            inner = "".join(f'<li class="position">{escape(location)}</li>' for location in locations)
            yield f'<li><span class="position">{escape(subject)}</span>{f"<ul>{inner}</ul>" if inner else ""}</li>'
        yield "</ul>"
        if group.level == "breaking_for_you":
            yield from (f"<p>→ {escape(action)}</p>" for action in dict.fromkeys(map(action_for, changes)))
        yield "</details>"
