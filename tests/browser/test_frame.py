"""The frame of all pages in a real browser: its policy lets the style in and nothing else, and it fits any screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove._pages.page import Html, Segment, badge, bar, document, figures, legend, section, table

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.sink import Sink
    from tests.browser.watch import Watch

pytestmark = pytest.mark.process

HOSTILE = "</style></title><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def sample(*content: str) -> str:
    """Build a page that has one of everything."""
    return document(
        "A title",
        figures([("Found", "3", "good"), ("Missing", "1", "bad")]),
        section(
            "Table", table("What was seen", ["name", *map(str, range(200, 216))], [["x" * 30, *"abcdefghijklmnop"]])
        ),
        section("Bar", bar([Segment(0, 0.5, "good"), Segment(0.5, 0.25, "bad")], [0.75])),
        legend([(badge("good", "seen"), "Was seen."), (badge("bad", "wrong"), "Was wrong.")]),
        *content,
        about="Sample",
        lead="A sentence.",
        footer="Made by a test.",
    )


@pytest.fixture
def opened(page: Page, tmp_path: Path) -> Page:
    """The page, opened as a file."""
    path = tmp_path / "page.html"
    path.write_text(sample(section(HOSTILE, HOSTILE)), encoding="utf-8")
    page.goto(path.as_uri())
    return page


def test_the_style_applies(opened: Page) -> None:
    """The policy names the digest of the style, so a stylesheet that differs from it would be refused."""
    assert opened.evaluate("getComputedStyle(document.querySelector('section')).borderTopWidth") == "1px"


def test_bars_are_drawn_without_inline_styles(opened: Page) -> None:
    """Their measures are attributes of the drawing, and their parts stand side by side."""
    whole, half, quarter = opened.evaluate(
        "[...document.querySelectorAll('svg.bar, svg.bar rect')].map(drawn => drawn.getBoundingClientRect().toJSON())"
    )
    assert half["width"] == pytest.approx(whole["width"] / 2)
    assert quarter["width"] == pytest.approx(whole["width"] / 4)
    assert quarter["left"] == pytest.approx(half["right"])


def test_names_are_never_markup(opened: Page) -> None:
    """Text that looks like markup stays text, also in a heading."""
    assert opened.title() == "A title · Sample"
    assert opened.locator("script, img").count() == 0
    assert opened.get_by_role("heading", name="</style>").text_content() == HOSTILE


@pytest.mark.parametrize(
    "markup",
    [
        "<script>document.title = 'owned'</script>",
        "<img src='{sink}/x.png' onerror=\"document.title = 'owned'\">",
        "<p style='position: fixed'>over everything</p>",
        "<link rel=stylesheet href='{sink}/x.css'>",
        "<iframe src='{sink}/'></iframe>",
        "<style>main {{ background: url({sink}/x.png) }}</style>",
    ],
)
def test_the_policy_stops_markup_that_got_in(page: Page, watch: Watch, sink: Sink, tmp_path: Path, markup: str) -> None:
    """Even if a mistake let markup in, the browser would neither run nor load it."""
    path = tmp_path / "page.html"
    path.write_text(sample(Html(markup.format(sink=sink.origin))), encoding="utf-8")
    # What the policy stops is on its way as far as the browser's tools tell.
    watch.origins |= {"file://", sink.origin}
    page.goto(path.as_uri())
    assert page.title() == "A title · Sample"
    assert page.evaluate("getComputedStyle(document.querySelector('main > :last-child')).position") == "static"
    assert watch.problems
    assert [problem for problem in watch.problems if "Content Security Policy" not in problem] == []
    assert sink.requests == []
    watch.problems.clear()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_but_tables_scrolls_sideways(opened: Page, width: int, scheme: str) -> None:
    """A page fits its window; wide tables scroll inside of it, by keyboard, too."""
    opened.set_viewport_size({"width": width, "height": 800})
    opened.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    scrolled = opened.get_by_role("region", name="What was seen")
    scrolled.focus()
    before = scrolled.evaluate("part => part.scrollLeft")
    scrolled.evaluate("part => part.scrollBy(50, 0)")
    assert (scrolled.evaluate("part => part.scrollLeft") > before) == (width < 1000)


def test_dark_and_light_differ_and_print_is_light(opened: Page) -> None:
    """The system's choice is followed, but not on paper."""
    colour = "getComputedStyle(document.body).color"
    opened.emulate_media(color_scheme="light")
    light = opened.evaluate(colour)
    opened.emulate_media(color_scheme="dark")
    assert opened.evaluate(colour) != light
    opened.emulate_media(color_scheme="dark", media="print")
    assert opened.evaluate(colour) == light
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_closed_details_are_printed(page: Page, tmp_path: Path) -> None:
    """Paper cannot be clicked."""
    path = tmp_path / "page.html"
    path.write_text(sample(Html("<details><summary>More</summary><p id=inner>inside</p></details>")), encoding="utf-8")
    page.goto(path.as_uri())
    height = "document.getElementById('inner').getBoundingClientRect().height"
    assert not page.locator("#inner").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#inner").is_visible()
    assert page.evaluate(height) > 0
