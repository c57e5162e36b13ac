"""Fixtures that every test folder shares."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.processes import ProcessGuard

if TYPE_CHECKING:
    from collections.abc import Generator


# Only `make test-browser` needs a browser: `pytest tests/browser` finds its tests, `pytest` and `pytest tests` do not.
collect_ignore = ["browser"]


def pytest_configure(config: pytest.Config) -> None:
    """Hold tests to their marks."""
    # A busy machine is slow at any example, which is not a fault of the code.
    hypothesis.settings.register_profile("contentgroove", deadline=None)
    hypothesis.settings.load_profile("contentgroove")
    guard = ProcessGuard()
    guard.listen()
    config.pluginmanager.register(guard)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Generator[None]:
    """Let Ctrl-C reach programs that tests start: jobs in a shell's background, and their children, ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, the loop that httpx users have."""
    return "asyncio"
