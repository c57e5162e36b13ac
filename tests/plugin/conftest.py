"""A folder of tests that use the plugin, run by another pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIGURATION = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers -p no:cacheprovider -p no:schemathesis -p no:respx -p no:hypothesispytest -p no:randomly
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run a test file with options, in its own process: in this one pytester would unload modules in use."""

    def running(source: str, *options: str) -> pytest.RunResult:
        pytester.makeini(CONFIGURATION)
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess(*options)

    return running
