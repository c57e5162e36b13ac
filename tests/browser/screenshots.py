"""Takes pictures of every page that this project shows, from real runs, for people to look at.

`python -m tests.browser.screenshots FOLDER` writes each page in light and dark, wide and narrow, and as it is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from contentgroove import ContentGroove
from contentgroove_mock import Simulator, serve

from benchmarks.figures import VARIABLE
from tests.browser.chromium import NoBrowserError, launched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "tests" / "spec" / "diff" / "published"


class Look(NamedTuple):
    """How a page is looked at; the width is in CSS pixels."""

    name: str
    width: int
    scheme: Literal["light", "dark"]
    media: Literal["screen", "print"] = "screen"


LOOKS = (
    Look("light-wide", 1280, "light"),
    Look("light-narrow", 390, "light"),
    Look("dark-wide", 1280, "dark"),
    Look("dark-narrow", 390, "dark"),
    Look("print", 794, "dark", "print"),
)


def reports(folder: Path) -> Iterator[Path]:
    """Write each report with its own command, and yield its file."""
    coverage, data = folder / "coverage.html", folder / "coverage.json"
    options = [f"--contentgroove-coverage={path}" for path in (coverage, data)]
    run("pytest", "-q", "-n", "0", "examples/highlights", *options)
    yield coverage
    documents = [str(PUBLISHED / f"{version}.json") for version in ("1.3.1", "1.3.17")]
    for name, others in (("changes", ()), ("changes-for-an-app", ("--coverage", str(data)))):
        path = folder / f"{name}.html"
        run("contentgroove", "spec", "diff", *documents, "--format", "html", "--output", str(path), *others)
        yield path
    figures, path = folder / "figures.jsonl", folder / "benchmarks.html"
    run("benchmarks.webhooks", "--seconds", "0.02", **{VARIABLE: str(figures)})
    run("benchmarks.contract", **{VARIABLE: str(figures)})
    run("benchmarks.report", str(figures), str(path))
    yield path


def take(browser: Browser, url: str, name: str, folder: Path) -> None:
    """Take all pictures of one page."""
    for look in LOOKS:
        context = browser.new_context(viewport={"width": look.width, "height": 900}, color_scheme=look.scheme)
        page = context.new_page()
        page.emulate_media(media=look.media)
        page.goto(url)
        page.screenshot(path=folder / f"{name}-{look.name}.png", full_page=True)
        context.close()


def main(arguments: list[str]) -> int:
    """Write the pictures into the folder that is named."""
    if len(arguments) != 1:
        print("usage: python -m tests.browser.screenshots FOLDER", file=sys.stderr)  # noqa: T201 - a command
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as written, launched() as browser:
            for path in reports(Path(written)):
                take(browser, path.as_uri(), path.stem, folder)
            with serve(Simulator(control=True)) as server, ContentGroove("any-key", server.base_url) as client:
                client.medias.create(source_url="https://films.test/film.mp4", name="A film")
                take(browser, f"{server.origin}/_mock/", "mock", folder)
    except NoBrowserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")  # noqa: T201 - a command
    return 0


def run(module: str, *arguments: str, **environment: str) -> None:
    """Run one of this project's commands, without what it prints."""
    subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
