"""One word for each thing: the reserved words of `docs/architecture.md` are in no name, sentence or page.

A thing that Python, HTTP, OpenAPI or SQL has a word for is called by that word; what a server sends back is a response,
and what is somewhere has a location, a path or a position.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING

import pytest

from tests.toolchain.test_repository import ROOT, tracked

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.process

RESERVED_IN_NAMES = frozenset({"answer", "answered", "answering", "answers", "place", "placed", "places"})
RESERVED_IN_TEXTS = re.compile(
    r"\banswer(?:s|ed|ing)?\b|\bplace[sd]?\b"
    r"|\bwhoever\b|\bnobody\b|\bsomebody\b|\beverybody\b|\banew\b|\ball the same\b|\bfor ever\b"
    # "There is no X" is English; "X is no Y" is a translation of it.
    r"|(?<!\bthere )\b(?:is|are) no\b(?! longer\b)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TEXT_TOKENS = {"STRING", "COMMENT", "FSTRING_MIDDLE"}

GENERATED = ("generated/", "spec/templates/")
EXCEPTIONS = {
    "tests/repository/test_vocabulary.py": "the words themselves",
}
"""Files that say a reserved word, and why."""


def in_code(source: str) -> Iterator[str]:
    """Yield what is reserved in the names and texts of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind, line = tokenize.tok_name[token.type], token.start[0]
        if kind == "NAME" and RESERVED_IN_NAMES & {word.lower() for word in _WORDS.findall(token.string)}:
            yield f"{line}: the name {token.string}"
        elif kind in _TEXT_TOKENS:
            yield from (f"{line}: {found!r}" for found in in_text(" ".join(token.string.split())))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = (ast.get_docstring(node) or "").partition("\n")[0]
            if first.startswith("As `"):
                yield f"{getattr(node, 'lineno', 1)}: the docstring {first!r}"


def in_text(text: str) -> Iterator[str]:
    """Yield what is reserved in a text, with the words around it."""
    for found in RESERVED_IN_TEXTS.finditer(text):
        yield text[max(0, found.start() - 30) : found.end() + 20]


@pytest.mark.parametrize(
    "source",
    [
        "answer = 1",
        "def place_of(x): pass",
        "class BadAnswer: pass",
        "x.answered_at",
        '"""The answer of a server."""',
        "# Whoever calls this",
        'f"{x} is no file"',
        'def f():\n    """As `g`, awaited."""',
    ],
)
def test_reserved_words_are_found(source: str) -> None:
    """In names, also in parts of them, in docstrings, comments and messages."""
    assert len(list(in_code(source))) == 1


@pytest.mark.parametrize(
    "source",
    ["os.replace(a, b)", "placeholder = 1", '"""There is no file; it is no longer needed."""', "# replaced, misplaced"],
)
def test_other_words_pass(source: str) -> None:
    """Words that only contain a reserved one are others."""
    assert list(in_code(source)) == []


def test_no_file_says_a_reserved_word() -> None:
    """All that is written by hand: packages, tests, tools, pages; generated files and others' documents are not."""
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in {".py", ".md"} or name in EXCEPTIONS or name.startswith(GENERATED):
            continue
        text = path.read_text(encoding="utf-8")
        findings = in_code(text) if path.suffix == ".py" else in_lines(text)
        found += [f"{name}:{finding}" for finding in findings]
    assert found == []


def in_lines(text: str) -> Iterator[str]:
    """Yield what is reserved in a page."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from (f"{number}: {found!r}" for found in in_text(line))
