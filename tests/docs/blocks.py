"""The code blocks of the pages, and how the pages say what runs them.

A comment before a block can say more about it:

- `<!-- continues -->`: the block goes on from the one before it.
- `<!-- run by: tests/… -->`: that test runs it.
- `<!-- not run: reason -->`: nothing runs it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>continues|run by|not run)(?:: (?P<detail>[^\n]+?))? -->\n)?"
    r"(?P<indent>[ ]*)```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page.

    Attributes:
        page: The page's path in the repository.
        line: The line of its fence in the page.
        language: What its fence names.
        text: Its text; that of a block that continues another begins with the other's.
        run_by: The path of the test that runs it; empty if it is run here.
        not_run: Why nothing runs it; empty if something does.
    """

    page: str
    line: int
    language: str
    text: str
    run_by: str = ""
    not_run: str = ""

    @property
    def location(self) -> str:
        """Page and line, as an editor opens it."""
        return f"{self.page}:{self.line}"

    @property
    def is_transcript(self) -> bool:
        """Whether a console block shows commands with what they print, not commands alone."""
        return self.language == "console" and self.text.startswith("$ ")


@cache
def pages() -> tuple[Path, ...]:
    """Return every page that a reader is shown: those of the site, of the repository and of the examples."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return tuple(sorted(path for path in found if path.name != "CHANGELOG.md"))


@cache
def all_blocks() -> tuple[Block, ...]:
    """Return the blocks of all pages, in their order."""
    return tuple(block for page in pages() for block in _blocks(page))


def _blocks(page: Path) -> list[Block]:
    content = page.read_text(encoding="utf-8")
    found: list[Block] = []
    before: dict[str, str] = {}
    for match in _BLOCK.finditer(content):
        indent, language, mark = len(match["indent"]), match["language"], match["mark"]
        text = "".join(line[indent:] if line.strip() else line for line in match["text"].splitlines(keepends=True))
        if mark == "continues":
            text = before[language] + text
        before[language] = text
        found.append(
            Block(
                page.relative_to(ROOT).as_posix(),
                content.count("\n", 0, match.start("indent")) + 1,
                language,
                text,
                run_by=match["detail"] if mark == "run by" else "",
                not_run=match["detail"] if mark == "not run" else "",
            )
        )
    return found
