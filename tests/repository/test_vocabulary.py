"""One word for each thing: the reserved words of `docs/architecture.md` are in no name, sentence or page.

A thing that Python, HTTP, OpenAPI or SQL has a word for is called by that word; what a server sends back is a response,
and what is somewhere has a location, a path or a position.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.repository.test_repository import ROOT, tracked

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
SPEECH = "a sentence of the speech that the simulator transcribes, stored in recordings and state files"
EXCEPTIONS = {
    ("tests/repository/test_vocabulary.py", "*"): "the words themselves",
    ("mockserver/contentgroove_mock/recording/contract.py", "answer"): "a name in stored recordings",
    ("tests/recorded/test_stale.py", "answer"): "a name in stored recordings",
    ("mockserver/contentgroove_mock/simulator/core/lifecycle.py", "Whoever"): SPEECH,
    ("mockserver/contentgroove_mock/simulator/core/lifecycle.py", "place"): SPEECH,
    ("tests/recorded/test_webhooks.py", "Whoever"): SPEECH,
    ("examples/first_minute/README.md", "whoever"): SPEECH,
    ("tests/webhooks/postgres_server.py", "nobody"): "an account of the system",
}
"""Files that may use a reserved word, and why."""


class Finding(NamedTuple):
    """A reserved word.

    Attributes:
        line: Its line.
        word: The word, or the name that contains it.
        shown: The words around it.
    """

    line: int
    word: str
    shown: str


def in_code(source: str) -> Iterator[Finding]:
    """Yield what is reserved in the names and texts of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind, line = tokenize.tok_name[token.type], token.start[0]
        if kind == "NAME" and RESERVED_IN_NAMES & {word.lower() for word in _WORDS.findall(token.string)}:
            yield Finding(line, token.string, f"the name {token.string}")
        elif kind in _TEXT_TOKENS:
            yield from in_text(line, " ".join(token.string.split()))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = (ast.get_docstring(node) or "").partition("\n")[0]
            if first.startswith("As `"):
                yield Finding(getattr(node, "lineno", 1), "As", f"the docstring {first!r}")


def in_lines(text: str) -> Iterator[Finding]:
    """Yield what is reserved in a page."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from in_text(number, line)


def in_text(line: int, text: str) -> Iterator[Finding]:
    """Yield what is reserved in a text, with the words around it."""
    for found in RESERVED_IN_TEXTS.finditer(text):
        yield Finding(line, found[0], repr(text[max(0, found.start() - 30) : found.end() + 20]))


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
        if path.suffix not in {".py", ".md"} or name.startswith(GENERATED):
            continue
        text = path.read_text(encoding="utf-8")
        findings = in_code(text) if path.suffix == ".py" else in_lines(text)
        found += [
            f"{name}:{line}: {shown}"
            for line, word, shown in findings
            if not {(name, word), (name, "*")} & EXCEPTIONS.keys()
        ]
    assert found == []
