"""The page of the benchmarks: verdicts that are right, and one file that is safe to attach anywhere."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from benchmarks.figures import VARIABLE, Figure, Verdict, keep, read, show
from benchmarks.report import facts, main, page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "goal", "verdict"),
    [
        (1.5, ">= 1.5", "met"),
        (1.49, ">= 1.5", "missed"),
        (0.65, "<= 0.65 (time)", "met"),
        (0.66, "<= 0.65 (time)", "missed"),
        (1.0, "> 1", "missed"),
        (0.5, "< 0.5", "missed"),
        (0.019, "< 0.020", "met"),
        (1.25, "about 1", "met"),
        (1.26, "about 1", "missed"),
        (0.74, "about 1", "missed"),
        (7.0, "", "no goal"),
    ],
)
def test_verdicts(value: float, goal: str, verdict: Verdict) -> None:
    """A limit itself is met by "at least" and "at most" only."""
    assert Figure("b", "n", value, goal).verdict == verdict


def test_every_goal_of_the_benchmarks_can_be_compared() -> None:
    """A goal that is spelled in another way would count as none."""
    from tests.repository.test_repository import ROOT

    sources = [
        path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").rglob("*.py") if path.name != "report.py"
    ]
    goals = {goal for text in sources for goal in re.findall(r'"((?:[<>]=?|about) [^"{]+)"', text)}
    assert len(goals) > 5
    assert [goal for goal in sorted(goals) if Figure("b", "n", 1.0, goal).limit is None] == []


def test_figures_are_kept_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each benchmark adds to the file; without one, figures are only printed."""
    kept = tmp_path / "figures.jsonl"
    figure = Figure("Calls", "one / two", 1.25, ">= 1")
    monkeypatch.delenv(VARIABLE, raising=False)
    keep(figure)
    monkeypatch.setenv(VARIABLE, str(kept))
    show(figure)
    keep(figure)
    assert read(kept.read_bytes().splitlines()) == [figure, figure]
    assert re.fullmatch(r"one / two +1\.250   goal >= 1\n", capsys.readouterr().out)


FIGURES = [
    Figure("Calls", "<script>alert(1)</script>", 2.0, ">= 1.5", detail="4/s and 2/s"),
    Figure("Calls", "slow / fast", 0.5, ">= 1"),
    Figure("Start", "help", 120.0, "", "ms"),
]


def test_the_page_says_what_was_missed_first() -> None:
    """A summary, then each benchmark with its rows, then the machine."""
    text = page(FIGURES, {"cores": "2"})
    assert "<h1>1 of 2 goals met</h1>" in text
    assert "1 of 2 goals are missed" in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    titles = [text.index(f"<h2>{title}</h2>") for title in ("Legend", "Calls", "Start", "Machine")]
    assert titles == sorted(titles)
    assert [text.count(f"</i> {verdict}</span></td>") for verdict in ("met", "missed", "no goal")] == [1, 1, 1]
    assert "120 ms" in text


def test_bars_show_the_figure_and_its_goal() -> None:
    """In the same measure: the longer of both has four fifths of the width."""
    text = page([Figure("b", "n", 1.0, ">= 2")], {})
    rows = text.partition("<h2>b</h2>")[2]
    assert re.findall(r' (?:width|x1)="([\d.]+%)"', rows) == ["40%", "80%"]


def test_no_figures_are_no_success() -> None:
    """An empty run has met no goal."""
    assert "No figure with a goal was measured." in page([], {})


def test_the_facts_name_no_machine() -> None:
    """They say what figures depend on, and neither the machine's name nor a folder."""
    found = facts()
    assert {"cores", "Python", "httpx"} <= found.keys()
    assert "/" not in "".join(found.values()).replace("@", "")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes the page; without figures it says what to run."""
    kept, written = tmp_path / "figures.jsonl", tmp_path / "out" / "page.html"
    monkeypatch.setattr(sys, "argv", ["report", str(kept), str(written)])
    assert main() == 1
    assert "Run: make bench" in capsys.readouterr().err
    kept.write_bytes(b"".join(msgspec.json.encode(figure) + b"\n" for figure in FIGURES))
    assert main() == 0
    assert "1 of 2 goals met" in written.read_text(encoding="utf-8")
