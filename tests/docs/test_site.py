"""The site is built without a warning, needs no network, and its generated pages are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from toolchain import reference

from .blocks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)[^>]+src=[\"']?(https?:[^\"' >]+)"
    r"|<link[^>]+stylesheet[^>]+href=[\"']?(https?:[^\"' >]+)"
)
"""What is loaded when a page is read; a link is not."""


@pytest.mark.parametrize(("name", "text"), [pytest.param(*page, id=page[0]) for page in reference.pages()])
def test_reference_is_up_to_date(name: str, text: str) -> None:
    """`python -m toolchain.reference` would change nothing."""
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == text


def test_every_page_of_the_reference_is_generated() -> None:
    """A page whose subject was removed goes with it."""
    assert {path.name for path in reference.FOLDER.iterdir()} == {name for name, _ in reference.pages()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a broken link, a missing anchor or a page that the menu lacks is an error."""
    folder = tmp_path_factory.mktemp("site")
    program = "import pathlib, sys; from toolchain.site import build; sys.exit(build(pathlib.Path(sys.argv[1])))"
    done = subprocess.run(  # noqa: S603  # this interpreter, our own text
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.process
@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Scripts, styles and pictures are the site's own."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    loaded = {
        url for page in pages for match in _LOADED.finditer(page.read_text(encoding="utf-8")) for url in match.groups()
    }
    assert loaded <= {None}


@pytest.mark.process
@pytest.mark.slow
def test_language_models_get_every_page(site: Path) -> None:
    """`llms.txt` lists each page with its title, and `llms-full.txt` has the texts."""
    listed = set(re.findall(r"\]\(([^)]+\.html)\)", (site / "llms.txt").read_text(encoding="utf-8")))
    assert listed == {path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {"404.html"}
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert "# Quickstart" in whole
    assert "contentgroove medias upload film.mp4 --wait" in whole
