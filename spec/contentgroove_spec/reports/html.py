"""The report for browsers: one page without scripts that loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._pages.page import Html, State, badge, document, element, figures, join, legend, section, table, text

from .report import action_for, compared, count_text, groups, headline, reached, same_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove_spec.changes import Change, NotCompared

    from .report import Group, Level, Report, Section

_STATES: dict[Level, State] = {"breaking_for_you": "bad", "breaking": "warn", "safe": "good", "documentation": "info"}
_MEANINGS: dict[Level, str] = {
    "breaking_for_you": "Your app uses it, by its coverage report, and can fail without a change of its own.",
    "breaking": "An app that uses it can fail without a change of its own.",
    "safe": "No app that works today can fail because of it.",
    "documentation": "What is sent stays the same; only descriptions, summaries or examples differ.",
}
_NOT_COMPARED = "A part of a document that cannot be read: nothing is known about changes in it."


def as_html(report: Report) -> str:
    """Write a report for browsers."""
    comparison = report.comparison
    return document(
        f"{comparison.old} → {comparison.new}",
        *(part for shown in compared(report) for part in _parts(shown, _legend(report) if shown is report else None)),
        about="Changes of an API's document",
        lead=headline(report),
    )


def _legend(report: Report) -> Html:
    """Explain the levels that the page can have; the one for an app needs its coverage."""
    shown = list(compared(report))
    own = any(part.affected is not None for part in shown)
    titles: dict[Level, str] = {
        "breaking_for_you": "Breaking for you",
        "breaking": "Breaking for others" if own else "Breaking",
        "safe": "Safe",
        "documentation": "Only in texts",
    }
    entries: list[tuple[str, str]] = [
        (badge(_STATES[level], title), _MEANINGS[level])
        for level, title in titles.items()
        if own or level != "breaking_for_you"
    ]
    if any(part.comparison.not_compared for part in shown):
        entries.append((badge("idle", "Not compared"), _NOT_COMPARED))
    return legend(entries)


def _parts(report: Report, explained: Html | None) -> Iterator[Html]:
    comparison = report.comparison
    if explained is None:
        # A page has one main heading and one legend; the first comparison has them.
        name = f"{comparison.old} → {comparison.new}"
        yield join([element("h2", name), element("p", headline(report), class_="lead")])
    if report.title:
        yield element("p", report.title, class_="quiet")
    found = list(groups(report))
    counts: list[tuple[str, str, State | None]] = [
        (group.title, f"{len(group.changes):,}", _STATES[group.level]) for group in found
    ]
    if comparison.not_compared:
        counts.append(("Not compared", f"{len(comparison.not_compared):,}", "warn"))
    if counts:
        yield figures(counts)
    if explained is not None:
        yield explained
    yield from map(_group, found)
    if comparison.not_compared:
        yield _not_compared(comparison.not_compared)
    yield from map(_section, report.sections)


def _group(group: Group) -> Html:
    is_open = group.level.startswith("breaking")
    found = (_changes(group, changes, is_open=is_open) for changes in same_changes(group.changes))
    return section(f"{group.title} ({len(group.changes):,})", *found)


def _changes(group: Group, changes: Sequence[Change], *, is_open: bool) -> Html:
    """Show the changes with the same text."""
    first, state = changes[0], _STATES[group.level]
    count = element("small", f" {count_text(len(changes), 'time')}") if len(changes) > 1 else ""
    actions = dict.fromkeys(map(action_for, changes)) if group.level == "breaking_for_you" else ()
    return element(
        "details",
        element("summary", badge(state, group.title), " ", _with_code(first.what), count),
        element("p", first.reason, class_="quiet"),
        element("ul", *map(_change, changes)),
        *(element("p", f"→ {action}") for action in actions),
        class_=state,
        open=is_open,
    )


def _change(change: Change) -> Html:
    subject, locations = reached(change)
    if not locations:
        return element("li", _name(subject))
    # A large API has hundreds of thousands of them.
    items = "".join([f'<li class="name">{text(location)}</li>' for location in locations])
    return element("li", _name(subject), element("ul", Html(items)))


def _not_compared(parts: Sequence[NotCompared]) -> Html:
    rows = ([_name(part.pointer or "/"), part.document, part.reason] for part in parts)
    return section(
        f"Not compared ({len(parts):,})",
        element("p", _NOT_COMPARED, class_="quiet"),
        table("Parts that cannot be read.", ["position", "document", "reason"], rows),
    )


def _section(part: Section) -> Html:
    advice = (
        element("li", one.what, element("br"), element("span", f"→ {one.action}", class_="quiet"))
        for one in part.advice
    )
    return section(part.title, element("p", part.summary), element("ul", *advice) if part.advice else "")


def _name(name: str) -> Html:
    return element("span", name, class_="name")


def _with_code(sentence: str) -> Html:
    """Escape a text; what is between backticks becomes code."""
    parts = sentence.split("`")
    # A backtick without a partner stays one.
    if not len(parts) % 2:
        return text(sentence)
    return join(element("code", part) if index % 2 else part for index, part in enumerate(parts))
