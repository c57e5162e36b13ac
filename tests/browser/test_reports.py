"""The three reports in a real browser, opened as files, with names that are hostile or very long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_mock.contract import Checker
from contentgroove_mock.coverage.collected import CoverageData, OperationUsage
from contentgroove_mock.coverage.matrix import matrix
from contentgroove_mock.coverage.page import html_report
from contentgroove_spec.changes import Change, Comparison, Location, NotCompared, Rating, Subject, Use
from contentgroove_spec.reports.html import as_html
from contentgroove_spec.reports.report import Advice, Report, Section

from benchmarks.figures import Figure
from benchmarks.report import page as bench_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.process

HOSTILE = "</title></style><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
LONG = "averyveryverylongname" * 12
REVERSED = "\u202egnp.exe"


def coverage() -> str:
    collected = CoverageData()
    collected.operations["getMedias"] = OperationUsage(statuses={"200": 3, "503": 1}, query={HOSTILE, LONG})
    collected.violations += [f"getMedias: {HOSTILE}", LONG]
    collected.faults["status getMedias"] = 1
    return html_report(matrix(collected, Checker()))


def changes() -> str:
    names = (HOSTILE, LONG, REVERSED)
    found = [
        Change(
            "operation-added",
            rating,
            "added",
            Subject(location=Location(name, part="operation"), pointer=name),
            f"`{name}` was changed.",
            name,
            new_pointer="/paths",
            uses=tuple(Use(Location(f"{name}{number}", part="operation"), None, rating, "Why.") for number in range(3)),
        )
        for rating in Rating
        for name in names
    ]
    comparison = Comparison(HOSTILE, LONG, tuple(found), not_compared=(NotCompared("new", LONG, HOSTILE),))
    sections = (Section(HOSTILE, LONG, (Advice(HOSTILE, LONG),)),)
    return as_html(Report(comparison, sections=sections, beside=Report(Comparison("a", "b", tuple(found[:1])))))


def benchmarks() -> str:
    figures = [Figure(HOSTILE, LONG, 1.0, ">= 2", detail=HOSTILE), Figure("b", REVERSED, 3.0, "about 3", "ms")]
    return bench_page(figures, {HOSTILE: LONG})


REPORTS: list[Callable[[], str]] = [coverage, changes, benchmarks]


@pytest.fixture(params=REPORTS, ids=lambda report: report.__name__)
def opened(page: Page, tmp_path: Path, request: pytest.FixtureRequest) -> Page:
    """A report, opened from a file."""
    path = tmp_path / "report.html"
    path.write_text(request.param(), encoding="utf-8")
    page.goto(path.as_uri())
    return page


def test_a_report_is_safe_and_fits(opened: Page) -> None:
    """No name became markup, and the page fits wide and narrow windows; `page` fails on any other complaint."""
    assert "owned" not in opened.title().partition("<")[0]
    assert opened.locator("script, img, link, iframe").count() == 0
    for width in (320, 1280):
        opened.set_viewport_size({"width": width, "height": 800})
        assert opened.evaluate("document.documentElement.scrollWidth") == width


def test_a_report_can_be_used_without_seeing_it(opened: Page) -> None:
    """One heading of the first level, landmarks, tables with captions and scopes, and a legend."""
    for name in ("h1", "body > header", "body > main", "html[lang]"):
        assert opened.locator(name).count() == 1, name
    assert opened.get_by_role("heading", name="Legend").count() == 1
    tables = opened.locator("table")
    assert opened.locator("table > caption").count() == tables.count()
    assert opened.locator("th:not([scope])").count() == 0
    assert opened.locator("[tabindex]:not([role=region][aria-label])").count() == 0
    assert opened.locator("svg:not([aria-hidden=true])").count() == 0


def test_each_state_of_a_report_is_in_its_legend(opened: Page) -> None:
    """A sign that the legend does not explain would have to be guessed."""
    signs = "selector => [...document.querySelectorAll(selector)].map(badge => badge.className)"
    shown = set(opened.evaluate(signs, "section:not(.legend) .badge"))
    assert shown
    assert shown <= set(opened.evaluate(signs, ".legend .badge"))
