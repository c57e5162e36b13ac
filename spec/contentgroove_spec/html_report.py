"""Write the report of a comparison as one HTML page that loads nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .changes import Comparison, Rating
from .reports import TITLES, group_changes, headline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .reports import Section

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


def as_html(comparison: Comparison, sections: Iterable[Section] = ()) -> str:
    """Write a report for browsers: one page without scripts that loads nothing."""
    return "\n".join(_page(comparison, sections)) + "\n"


def _page(comparison: Comparison, sections: Iterable[Section]) -> Iterator[str]:
    title = f"{escape(comparison.old)} → {escape(comparison.new)}"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    # Texts of the documents could contain markup, so the page may neither run nor load anything.
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{title}</h1><p>{escape(headline(comparison))}</p>"
    for section in sections:
        yield f"<h2>{escape(section.title)}</h2><p>{escape(section.summary)}</p>"
        if section.advice:
            yield "<ul>"
            for advice in section.advice:
                yield f'<li>{escape(advice.what)}<br><span class="action">→ {escape(advice.action)}</span></li>'
            yield "</ul>"
    for rating in Rating:
        changes = comparison.rated(rating)
        if changes:
            yield f'<h2 class="{rating.value}">{TITLES[rating]} ({len(changes)})</h2>'
        for group in group_changes(changes):
            opened = " open" if rating is Rating.BREAKING else ""
            yield f"<details{opened}><summary>{escape(group.what)} ({len(group.locations)})</summary>"
            yield f'<p class="reason">{escape(group.reason)}</p><ul>'
            yield from (f'<li class="location">{escape(location)}</li>' for location in group.locations)
            yield "</ul></details>"
    yield "</body></html>"
