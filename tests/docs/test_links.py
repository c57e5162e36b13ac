"""Every link of a page leads somewhere: to a file of the repository, and to a heading or an anchor in it.

The strict build of the site checks the pages in `docs/` once more; those of the repository are checked here alone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from .blocks import ROOT, pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(<?([^)>\s]+)>?\)")


def links(page: Path) -> Iterator[str]:
    """Yield what the links of a page outside of code name."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    yield from _LINK.findall(re.sub(r"`[^`\n]+`", "", text))


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return what a link can name in a page: its headings as the site and as code hosts write them, and its anchors."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = set(re.findall(r"""<a id="([^"]+)">""", text))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]+)\]\([^)]*\)|`", r"\1", heading)
        words = re.sub(r"[^\w\s-]", "", unicodedata.normalize("NFKD", plain)).strip().lower()
        found |= {re.sub(r"[\s]", "-", words), re.sub(r"[-\s]+", "-", words)}
    return frozenset(found)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links(page: Path) -> None:
    """No link of the page is broken."""
    broken: list[str] = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = page if not path else (page.parent / unquote(path)).resolve()
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_links_are_found() -> None:
    """A page with many links has them."""
    assert len(list(links(ROOT / "README.md"))) > 20
