"""Without a checkout: the files of the installed package, and its folder for downloads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from contentgroove.cli.app import run
from contentgroove_spec import config

SPEC = Path(__file__).parents[3] / "spec"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the package as in a wheel, and a user's cache."""
    package = tmp_path / "contentgroove_spec"
    package.mkdir()
    shutil.copy(SPEC / "pipeline.toml", package)
    shutil.copy(SPEC / "openapi.yaml", package)
    monkeypatch.setattr(config, "_HERE", package)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return package


def test_it_compares_what_it_was_made_from(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document is next to the configuration; downloads go to the user's cache."""
    default = config.default_config()
    assert default.published == installed / "openapi.yaml"
    assert default.cache == installed.parent / "cache" / "contentgroove" / "spec"
    document = installed.parent / "same.yaml"
    shutil.copy(default.published, document)
    assert run(["spec", "diff", str(default.published), str(document)]) == 0
    assert "Nothing changed." in capsys.readouterr().out
