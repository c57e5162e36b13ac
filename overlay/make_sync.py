# ruff: noqa: INP001  # a script, not a package
"""Generate the sync client from the async one: `make sync`, or `--check` to compare without writing.

The modules of `contentgroove/_async` are translated as text, so that comments and layout stay:

- lines that end in the comment `# async only` are dropped;
- `TEXTS` replaces the passages that differ; an entry that is not found is an error;
- names lose the prefix `Async`, or change as listed in `NAMES`;
- `async` and `await` are dropped, and `Awaitable[X]` becomes `X`.

A result that still mentions async code is an error, so that nothing is forgotten.
"""

from __future__ import annotations

import argparse
import difflib
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = Path(__file__).parent / "contentgroove"
SOURCE, TARGET = PACKAGE / "_async", PACKAGE / "_sync"

NAMES = {
    "AsyncIO": "SyncIO",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "aclose": "close",
    "async_io": "sync_io",
    "aupload_batch": "upload_batch",
    "check_async_progress": "check_progress",
    "open_async_source": "open_source",
    "open_async_store": "open_store",
    "run_async": "run_sync",
}

# Module, passage in `_async`, passage in `_sync`.
TEXTS = (
    (
        "__init__",
        "The async client. Written by hand: `overlay/make_sync.py` generates `_sync` from it.",
        "The sync client.",
    ),
    ("base", "resources of an async client", "resources of a sync client"),
    ("client", "The async client: turns", "The sync client: turns"),
    (
        "client",
        "API, to use from one event loop at a time; it is tested with asyncio.",
        "API; safe to share between threads.",
    ),
    ("client", " redacted; it may be an async function.", " redacted."),
    ("client", " after it was read; it may be an async function.", " after it was read."),
    ("client", "An async function that replaces sleeping", "A function that replaces sleeping"),
    ("client", ", awaited=True", ""),
    ("clips", " each time it has changed; it may be an async function.", " each time it has changed."),
    ("medias", " each time it has changed; it may be an async function.", " each time it has changed."),
    ("medias", "open_async_store(checkpoint, self._session.io)", "open_async_store(checkpoint)"),
    ("medias", "an iterable\n                or async iterable of bytes.", "an iterable\n                of bytes."),
    ("medias", "; it may be an async function, which is awaited before more is sent.", "."),
)

_ASYNC_ONLY = re.compile(r"^.*# async only\n", re.MULTILINE)
_ASYNC_RULES = re.compile(r"  # noqa: ASYNC\d+.*")
_NAME = re.compile(rf"\b(?:{'|'.join(NAMES)}|Async(?=[A-Z])(\w+))\b")
_REMAINS = re.compile(r"async|await", re.IGNORECASE)


class TranslationError(Exception):
    """A module cannot be translated; the message names it and the reason."""


def translate(text: str, module: str) -> str:
    """Translate the text of a module.

    Raises:
        TranslationError: An entry of `TEXTS` was not found, or the result still mentions async code.
    """
    text = _ASYNC_RULES.sub("", _ASYNC_ONLY.sub("", text))
    for name, before, after in TEXTS:
        if name == module:
            if before not in text:
                raise TranslationError(f"{module}: an entry of TEXTS was not found: {before!r}")
            text = text.replace(before, after)
    text = _NAME.sub(lambda found: NAMES.get(found[0], found[1]), text)
    text = _without_keywords(text)
    if remaining := [line for line in text.splitlines() if _REMAINS.search(line)]:
        raise TranslationError(f"{module}: not translated: {remaining}")
    return text


def _without_keywords(text: str) -> str:
    """Drop `async`, `await` and `Awaitable`, which tokens tell apart from words in texts."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    lines = text.splitlines(keepends=True)
    # From the end to the start, so that the positions of the remaining tokens stay valid.
    for index in reversed(range(len(tokens) - 1)):
        token, following = tokens[index], tokens[index + 1]
        if token.type != tokenize.NAME:
            continue
        if token.string in {"async", "await"}:
            _cut(lines, token.start, following.start)
        elif token.string == "Awaitable" and following.string == "[":
            closing = tokens[_closing(tokens, index + 1)]
            _cut(lines, closing.start, closing.end)
            _cut(lines, token.start, following.end)
        elif token.string == "Awaitable" and following.string == ",":
            _cut(lines, token.start, tokens[index + 2].start)
    return "".join(lines)


def _cut(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> None:
    """Remove the text between two positions of one line."""
    row = start[0] - 1
    lines[row] = lines[row][: start[1]] + lines[row][end[1] :]


def _closing(tokens: list[tokenize.TokenInfo], opening: int) -> int:
    """Return the index of the bracket that closes the one at an index."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {"[": 1, "]": -1}.get(tokens[index].string, 0)
        if depth == 0:
            return index
    raise TranslationError(f"a bracket in line {tokens[opening].start[0]} is never closed")


def generate(source: Path) -> str:
    """Return the text of the sync module of an async one, formatted as the project is."""
    header = f"# Generated from _async/{source.name} by overlay/make_sync.py: edit that file and run `make sync`.\n"
    text = header + translate(source.read_text(encoding="utf-8"), source.stem)
    # New names can change the order of imports and the breaks of lines.
    for command in (["check", "--select=I", "--fix-only", "--quiet"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, f"--stdin-filename={source}", "-"]
        done = subprocess.run(ruff, input=text, capture_output=True, encoding="utf-8", check=True)  # noqa: S603 - fixed
        text = done.stdout
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sync modules, or compare them; return the exit status."""
    parser = argparse.ArgumentParser(description="Generate the sync client from the async one.")
    parser.add_argument("--check", action="store_true", help="compare without writing; fail if a module differs")
    check = parser.parse_args(arguments).check
    # None for a module whose source no longer exists.
    wanted: dict[str, str | None] = dict.fromkeys(path.name for path in TARGET.glob("*.py"))
    wanted |= {path.name: generate(path) for path in SOURCE.glob("*.py")}
    status = 0
    for name, text in sorted(wanted.items()):
        target = TARGET / name
        present = target.read_text(encoding="utf-8") if target.exists() else None
        if present == text:
            continue
        if check:
            status = 1
            lines = difflib.unified_diff(
                (present or "").splitlines(), (text or "").splitlines(), f"_sync/{name}", f"_sync/{name}, generated"
            )
            sys.stdout.write(f"_sync/{name} differs; run `make sync`\n" + "\n".join(map(str.rstrip, lines)) + "\n")
        elif text is None:
            target.unlink()
        else:
            target.write_text(text, encoding="utf-8", newline="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
