"""Which browser the browser tests use, and what they say without one: they are never skipped in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import MISSING, VARIABLE, NoBrowserError, find, main
from tests.browser.conftest import pytest_sessionstart
from tests.platforms import SHELL

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = SHELL


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def program(path: Path) -> str:
    """Make a program."""
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_first_browser_on_the_path_is_used(commands: Path) -> None:
    """Chromium before Chrome."""
    chrome = program(commands / "google-chrome")
    assert find() == chrome
    chromium = program(commands / "chromium")
    assert find() == chromium


def test_a_named_browser_is_used_and_no_other(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it cannot be run, that is an error, and not a reason to take another one."""
    program(commands / "chromium")
    own = program(commands / "own")
    monkeypatch.setenv(VARIABLE, own)
    assert find() == own
    monkeypatch.setenv(VARIABLE, str(commands / "absent"))
    with pytest.raises(NoBrowserError, match="absent cannot be run"):
        find()


@pytest.mark.usefixtures("commands")
def test_without_a_browser_the_run_fails_and_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, for pytest and for scripts."""
    with pytest.raises(pytest.UsageError) as raised:
        pytest_sessionstart()
    assert str(raised.value) == MISSING
    assert main() == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{MISSING}\n")
    assert "apt-get install chromium" in MISSING
    assert "\n" not in MISSING
