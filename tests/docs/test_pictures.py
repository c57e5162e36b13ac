"""The pictures of the pages: each is in use, in light and dark, has a text, is small, and loads nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
from PIL import Image

from .blocks import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 1_500_000
_PICTURE = re.compile(
    r'^<picture>\n  <source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>[^"]+)">\n'
    r'  <img src="(?P<light>[^"]+)" alt="(?P<text>[^"]*)">\n</picture>$',
    re.MULTILINE,
)
# GitHub and the site show `<picture>` in the reader's scheme; other forms show both pictures on one of them.
_IMAGE = re.compile(r"<img\b|<source\b|!\[")


class Picture(NamedTuple):
    """A picture as a page names it."""

    page: Path
    light: Path
    dark: Path
    text: str


def pictures() -> Iterator[Picture]:
    """Yield the pictures of the README and the pages."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for found in _PICTURE.finditer(page.read_text(encoding="utf-8")):
            yield Picture(page, page.parent / found["light"], page.parent / found["dark"], found["text"])


NAMED = list(pictures())
FILES = sorted(FOLDER.iterdir())


def test_every_file_is_in_use_and_exists() -> None:
    """`python -m tests.pictures` writes no more and no less than the pages show."""
    assert {path for picture in NAMED for path in (picture.light, picture.dark)} == set(FILES)


@pytest.mark.parametrize("picture", NAMED, ids=lambda picture: f"{picture.page.stem}-{picture.light.stem}")
def test_both_schemes_and_a_text(picture: Picture) -> None:
    """The two files are one picture, and the text says what is to be seen."""
    name, _, scheme = picture.light.name.rpartition("-light")
    assert picture.dark.name == f"{name}-dark{scheme}"
    assert len(picture.text.split()) >= 10
    assert _size(picture.light) == _size(picture.dark)


def test_no_page_shows_a_picture_in_another_way() -> None:
    """One form, so that the other tests see every picture."""
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        outside = re.sub(r"^```.*?^```|`[^`\n]+`", "", _PICTURE.sub("", text), flags=re.MULTILINE | re.DOTALL)
        assert not _IMAGE.search(outside), page


def test_they_are_small() -> None:
    """A clone and a page stay quick."""
    assert sum(path.stat().st_size for path in FILES) < MOST_BYTES
    assert max(path.stat().st_size for path in FILES) < MOST_BYTES / 8


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".svg"], ids=lambda path: path.stem)
def test_a_drawing_loads_nothing(path: Path) -> None:
    """No font, style or script from elsewhere, and nothing of the machine that drew it."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"@import|@font-face|<script|href=|url\((?!#)", text)
    assert not re.search(r"/root|/home|/tmp|Bearer|X-Amz|api_key=", text)


def _size(path: Path) -> tuple[int, int] | str:
    """Return the size of a picture, which both schemes share."""
    if path.suffix == ".svg":
        return path.read_text(encoding="utf-8").partition("\n")[0]
    with Image.open(path) as image:
        return image.size
