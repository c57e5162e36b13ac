"""The frame of all pages: nothing becomes markup by mistake, nothing is loaded, and every colour can be read."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import product

import pytest
from contentgroove._pages.page import (
    SIGNS,
    Html,
    Segment,
    badge,
    bar,
    breakable,
    document,
    element,
    join,
    legend,
    stylesheet,
    table,
)
from jinja2 import Environment

DARK = "@media screen and (prefers-color-scheme: dark)"


def colours(scheme: str) -> dict[str, str]:
    """Return the custom properties that are colours; the dark ones replace the light ones."""
    light, _, dark = stylesheet().partition(DARK)
    texts = [light, dark.partition("/*")[0]][: 2 if scheme == "dark" else 1]
    return dict(match for text in texts for match in re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    """Its extremes, and grey on white: #767676 is the lightest that passes."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") >= 4.5 > contrast("#777777", "#ffffff")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(scheme: str) -> None:
    """Texts have a contrast of 4.5 on every background that they can be on."""
    found = colours(scheme)
    pairs = [*product(("ink", "quiet", "accent"), ("page", "surface", "sunken"))]
    pairs += [(state, back) for state in SIGNS for back in (f"{state}-back", "surface")]
    low = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


def test_each_state_has_its_own_sign() -> None:
    """A badge is told from others without its colour."""
    assert len(set(SIGNS.values())) == len(SIGNS)
    assert badge("bad", "breaking") == ('<span class="badge bad"><i aria-hidden="true">✕</i> breaking</span>')


def test_plain_text_is_escaped_everywhere() -> None:
    """As content and as the value of an attribute; markup that was built stays."""
    assert element("p", "<b>&", element("b", "x"), title='"<') == '<p title="&quot;&lt;">&lt;b&gt;&amp;<b>x</b></p>'
    assert join(["<", Html("<br>")]) == "&lt;<br>"
    assert element("details", open=True, hidden=False, id=None) == "<details open></details>"
    assert element("label", for_="x", aria_label="y") == '<label for="x" aria-label="y"></label>'


def test_long_names_break_between_their_words() -> None:
    """They are escaped, and nothing is added to their text."""
    assert breakable("getMediaById") == "get<wbr>Media<wbr>By<wbr>Id"
    assert breakable("/a/{id}_b<c>") == "/<wbr>a/<wbr>{id}_<wbr>b&lt;c&gt;"
    assert breakable("") == ""


def test_lone_surrogates_are_replaced() -> None:
    """They come from escapes in JSON, and no file in UTF-8 can contain them."""
    assert element("p", "a\ud800b").encode() == "<p>a\ufffdb</p>".encode()


def test_templates_take_it_as_markup() -> None:
    """Jinja escapes what is not Html."""
    template = Environment(autoescape=True).from_string("{{ one }}{{ two }}")
    assert template.render(one=badge("good", "<"), two="<b>").endswith("&lt;</span>&lt;b&gt;")


class Structure(HTMLParser):
    """Collects the elements of a page, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.names.append(tag)
        self.loaded += [f"{name}={value}" for name, value in attrs if name in {"src", "href", "action", "data"}]


def test_a_page_is_one_file() -> None:
    """It names no other, runs nothing, and its policy admits the style that it has and no other."""
    page = document("T", element("section", "x"), about="A", lead="L", footer="F")
    structure = Structure(page)
    assert structure.loaded == []
    assert {"script", "img", "link"}.isdisjoint(structure.names)
    assert [structure.names.count(name) for name in ("h1", "header", "main", "footer")] == [1, 1, 1, 1]
    assert "url(" not in stylesheet()
    assert "@import" not in stylesheet()
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page


def test_tables_name_their_parts() -> None:
    """A caption, the columns' and the rows' scope; cells that are built stay as they are."""
    assert table("C", ["a", "b", "c"], [["<r>", "1", element("td", "2", class_="number")]]) == (
        '<div class="scroll" role="region" aria-label="C" tabindex="0"><table><caption>C</caption>'
        '<thead><tr><th scope="col">a</th><th scope="col">b</th><th scope="col">c</th></tr></thead>'
        '<tbody><tr><th scope="row">&lt;r&gt;</th><td>1</td><td class="number">2</td></tr></tbody></table></div>'
    )


def test_a_bar_stays_in_its_frame() -> None:
    """Shares beyond the whole are cut off."""
    drawn = bar([Segment(-1, 0.25, "good"), Segment(0.25, 7, "bad")], [1.5])
    assert re.findall(r'(?:x|x1|width)="([\d.]+%)"', drawn) == ["0%", "25%", "25%", "100%", "100%"]


def test_a_legend_explains_signs() -> None:
    """As a list of terms and their meanings."""
    assert legend([(badge("good", "seen"), "It was <seen>.")]).endswith(
        "<dd>It was &lt;seen&gt;.</dd></div></dl></section>"
    )
