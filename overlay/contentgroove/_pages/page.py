"""The frame and the parts of every page and report that this project shows in a browser.

`document` returns a whole page as one file: it loads nothing, runs nothing, and also reads well without its style. Its
content is built of `element`s, which escape every plain `str`; only `Html` goes in as it is, so that a name from a
hostile document cannot become markup. Templates of Jinja take `Html` as safe, too. A page that is served with its own
script uses `stylesheet()` and these classes:

- frame: `body > header` with `.brand`, `h1`, `.lead`; `main` of `section`s; `footer`; `.skip` for the skip link
- `.figures` (a `dl` of `div`s): the main numbers; a `div` may have a state
- `.badge` with a state, and its sign in an `i aria-hidden`: see `badge`
- `.legend` (a section with a `dl` of `div`s): see `legend`
- `.scroll` around a `table`; `.number` aligns right, `.matrix` centres cells
- `svg.bar` of `rect`s with a state, `line`s as marks: see `bar`, also for the rows of a timeline
- `details` with a state; `pre`, `code`, `.name` for texts of others; `.quiet`
- `.controls` around buttons and fields; `button.main` is the page's main action

The states are `good`, `bad`, `warn`, `info` and `idle`. Colours come from custom properties of the same names.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

State: TypeAlias = Literal["good", "bad", "warn", "info", "idle"]

SIGNS: dict[State, str] = {"good": "✓", "bad": "✕", "warn": "!", "info": "i", "idle": "·"}
"""The sign of each state, so that colour is not needed to tell them apart."""

_EMPTY_ELEMENTS = frozenset({"br", "hr", "input", "link", "meta", "wbr"})
_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[/._])(?=[^/._])")
# A lone surrogate comes from the escapes of a JSON document, and no file of UTF-8 can contain it.
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")


class Html(str):
    """Markup that is complete and safe."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the markup: template engines ask for it by this name."""
        return str(self)


class Segment(NamedTuple):
    """A part of a bar.

    Attributes:
        start: Where it begins, from 0 to 1.
        length: Its share of the whole, from 0 to 1.
        state: Its meaning.
    """

    start: float
    length: float
    state: State


@cache
def stylesheet() -> str:
    """Return the style of all pages."""
    return files("contentgroove._pages").joinpath("style.css").read_text(encoding="utf-8")


def text(content: str) -> Html:
    """Escape a text; `Html` stays as it is."""
    if isinstance(content, Html):
        return content
    return Html(escape(content if content.isascii() else content.translate(_SURROGATES)))


def join(parts: Iterable[str]) -> Html:
    """Write parts one after the other, each escaped unless it is `Html`."""
    return Html("".join(map(text, parts)))


def breakable(name: str) -> Html:
    """Let a long name break where its words and parts do; what is copied from the page is the same."""
    return Html(element("wbr").join(map(text, _BREAKS.split(name))))


def element(name: str, /, *content: str, **attributes: str | bool | None) -> Html:
    """Build an element.

    Args:
        name: Its name.
        content: What it contains; every plain `str` is escaped.
        attributes: Their values. Underscores in a name become hyphens, and one at its end is left out (`class_`). True
            writes the name alone, False and None write nothing.
    """
    written = [
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    start = f"<{name}{''.join(written)}>"
    return Html(start if name in _EMPTY_ELEMENTS else f"{start}{join(content)}</{name}>")


def document(title: str, *content: str, about: str, lead: str = "", footer: str = "") -> str:
    """Return a whole page, which is one file and needs no other.

    Args:
        title: Its heading, and its name in a browser's tab.
        content: The sections of its main part.
        about: What kind of page it is, in a few words.
        lead: What it finds, in a sentence.
        footer: Where it comes from.
    """
    style = Html(stylesheet())
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # Texts of others are in these pages: even if one became markup, nothing would run, load, or be sent.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = (
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=Html(policy)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{title} · {about}"),
        element("style", style),
    )
    body = (
        element(
            "header",
            element("p", f"ContentGroove · {about}", class_="brand"),
            element("h1", title),
            element("p", lead, class_="lead") if lead else "",
        ),
        element("main", *content),
        element("footer", element("p", footer)) if footer else "",
    )
    parts = [element("head", *head), element("body", *filter(None, body))]
    return f"<!DOCTYPE html>\n{element('html', *parts, lang='en')}\n"


def section(title: str, *content: str, class_: str | None = None) -> Html:
    """Build a section with a heading."""
    return element("section", element("h2", title), *content, class_=class_)


def badge(state: State, label: str) -> Html:
    """Show a state as a sign and a word."""
    return element("span", element("i", SIGNS[state], aria_hidden="true"), " ", label, class_=f"badge {state}")


def legend(entries: Iterable[tuple[str, str]], title: str = "Legend") -> Html:
    """Explain signs: each with its meaning."""
    rows = (element("div", element("dt", sign), element("dd", meaning)) for sign, meaning in entries)
    return section(title, element("dl", *rows), class_="legend")


def figures(entries: Iterable[tuple[str, str, State | None]]) -> Html:
    """Show the main numbers: each with its name, its value, and its state if it has one."""
    rows = (element("div", element("dt", name), element("dd", value), class_=state) for name, value, state in entries)
    return element("dl", *rows, class_="figures")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], class_: str | None = None) -> Html:
    """Build a table that scrolls sideways where it does not fit.

    Args:
        caption: What it shows; also the name of the part that scrolls.
        head: The names of its columns; one that is a `th` already stays as it is.
        rows: The cells; the first one names its row. A cell that is a `td` or `th` already stays as it is.
        class_: Its class.
    """
    lines = (element("tr", element("th", row[0], scope="row"), *map(_cell, row[1:])) for row in rows)
    inner = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *map(_head_cell, head))),
        element("tbody", *lines),
        class_=class_,
    )
    # Reached by the keyboard, so that it can be scrolled without a mouse.
    return element("div", inner, class_="scroll", role="region", aria_label=caption, tabindex="0")


def bar(segments: Iterable[Segment], marks: Iterable[float] = ()) -> Html:
    """Draw a bar; its figures must be in the text beside it, because readers of the screen pass over it.

    Args:
        segments: Its parts.
        marks: Where lines are drawn over it, from 0 to 1.
    """
    parts = [
        element("rect", x=_percent(part.start), y="0", width=_percent(part.length), height="100%", class_=part.state)
        for part in segments
    ]
    parts += [element("line", x1=_percent(mark), x2=_percent(mark), y1="0", y2="100%") for mark in marks]
    return element("svg", *parts, class_="bar", aria_hidden="true", width="160", height="14")


def _cell(cell: str) -> Html:
    return cell if isinstance(cell, Html) and cell.startswith(("<td", "<th")) else element("td", cell)


def _head_cell(name: str) -> Html:
    return name if isinstance(name, Html) and name.startswith("<th") else element("th", name, scope="col")


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.4g}%"
