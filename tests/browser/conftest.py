"""A real browser for the tests of pages; a page that complains about anything fails its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Simulator, serve
from contentgroove_mock.simulator.server import serve_app

from tests.browser.chromium import NoBrowserError, find, launched
from tests.browser.sink import Sink
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove_mock.simulator.server import Server
    from playwright.sync_api import Browser, Page


def pytest_sessionstart() -> None:
    """Stop before the first test if there is no browser: these tests are never skipped."""
    try:
        find()
    except NoBrowserError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """One browser for all tests; each test has its own profile in it, by `browser.new_context()` or `page`."""
    with launched() as started:
        yield started


@pytest.fixture
def server() -> Generator[Server]:
    """A simulator with its control interface, on a port of its own."""
    with serve(Simulator(control=True)) as served:
        yield served


@pytest.fixture
def sink() -> Generator[Sink]:
    """Another local web site, which records what is sent to it."""
    site = Sink()
    with serve_app(site) as origin:
        site.origin = origin
        yield site


@pytest.fixture
def watch() -> Watch:
    """What `page` saw; a test may add to `watch.origins`, and take out of `watch.problems` what it provoked."""
    return Watch()


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Generator[Page]:
    """A tab in a new profile.

    The test fails if the page logs an error or a warning, raises one, breaks its security policy, or requests anything
    from another origin than its own.
    """
    context = browser.new_context()
    tab = context.new_page()
    watch.over(tab)
    yield tab
    context.close()
    assert watch.problems == []
