"""The site: `python -m toolchain.site` builds it from `docs/` into `.cache/site`, strict, to be read without a network.

MkDocs loads this module as its hooks as well: they add what a page needs that is not in `docs/`, and `llms.txt`, the
pages as text for language models.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_PACKAGES = Path(__file__).parent / "site_packages"
_INSTALLED = ROOT / ".cache" / "site-packages"
_SCRIPTS = {
    "assets/mermaid.js": "@mermaid-js/tiny/dist/mermaid.tiny.js",
    "assets/iframe-worker.js": "iframe-worker/shim/index.js",
}
# The theme loads this from elsewhere where no server serves the site.
_FETCHED = "https://unpkg.com/iframe-worker/shim"
# A link that leaves docs/: the site has no page for it.
_OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!https?:)([^)#]+)(?:#[^)]*)?\)")
_pages: list[tuple[str, str, str]] = []


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the scripts that the theme would fetch from elsewhere at each view."""
    from mkdocs.structure.files import File

    for path, script in _SCRIPTS.items():
        files.append(File.generated(config, path, abs_src_path=str(_INSTALLED / "node_modules" / script)))
    _pages.clear()
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Name files of the repository instead of linking them, and keep the text for `llms.txt`."""
    del config, files
    text = _OUTWARD.sub(_named, markdown)
    title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), page.file.src_path)
    _pages.append((title, page.url, text))
    return text


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Load the theme's scripts from the site."""
    del config
    depth = page.url.count("/")
    return output.replace(_FETCHED, "../" * depth + "assets/iframe-worker.js")


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """Do the same for the page of addresses that do not exist."""
    del template_name, config
    return output_content.replace(_FETCHED, "assets/iframe-worker.js")


def on_post_build(config: MkDocsConfig) -> None:
    """Write `llms.txt`, a list of the pages, and `llms-full.txt`, their texts."""
    site = Path(config.site_dir)
    listed = "".join(f"- [{title}]({url}): {_first_sentence(text)}\n" for title, url, text in _pages)
    head = f"# {config.site_name}\n\n> {config.site_description}\n\n"
    (site / "llms.txt").write_text(f"{head}## Pages\n\n{listed}", encoding="utf-8")
    (site / "llms-full.txt").write_text(head + "\n\n".join(text for _, _, text in _pages), encoding="utf-8")


def _named(match: re.Match[str]) -> str:
    text, path = match[1], match[2].rstrip("/")
    return text if path in text.strip("`") or text.startswith("`") else f"{text} (`{path}`)"


def _first_sentence(text: str) -> str:
    """Return the first sentence of a page's first paragraph, without links."""
    paragraphs = re.split(r"\n\s*\n", text)
    prose = next((item for item in paragraphs if re.match(r"[A-Z`\[]", item)), "")
    plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", " ".join(prose.split()))
    return re.split(r"(?<=[.!?:]) ", plain, maxsplit=1)[0]


def build(target: Path) -> int:
    """Build the site into a folder and return MkDocs' exit status; what it prints are its warnings and errors."""
    from contentgroove_mock.npm import npm_ci

    lock, installed = _PACKAGES / "package-lock.json", _INSTALLED / "node_modules"
    if not installed.is_dir() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm_ci(lock, _INSTALLED)
        installed.touch()
    # Its note about its own future is not about these pages.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(target)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603  # fixed words


def main() -> int:
    """Build the site where `make docs` says it is."""
    target = ROOT / ".cache" / "site"
    if status := build(target):
        return status
    sys.stdout.write(f"The site is in {(target / 'index.html').relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
