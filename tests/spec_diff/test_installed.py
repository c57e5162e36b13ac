"""Without a checkout: what the installed package brings along, and where it keeps what it downloads."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove.cli.app import run
from contentgroove_mock import npm
from contentgroove_mock.npm import NpmError
from contentgroove_spec import redocly, settings
from contentgroove_spec.errors import PipelineError

from tests.platforms import SHELL

from .conftest import GENERATION_2, GENERATION_3

if TYPE_CHECKING:
    from contentgroove_spec.documents import Document

SPEC = Path(__file__).parents[2] / "spec"


@pytest.fixture
def redocly_home() -> Path:
    """Where Redocly is for this package: beside its lock in a checkout, else in the user's cache."""
    return redocly.install_dir()


@pytest.fixture
def installed(redocly_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the package as a wheel lays it out, and a cache of the user's."""
    del redocly_home  # it is looked for before the package's place is another one
    package = tmp_path / "contentgroove_spec"
    (package / "npm").mkdir(parents=True)
    shutil.copy(SPEC / "pipeline.toml", package)
    shutil.copy(SPEC / "openapi.yaml", package)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SPEC / "redocly" / name, package / "npm")
    monkeypatch.setattr(settings, "_HERE", package)
    shipped = npm.PinnedPackage("redocly", package / "npm" / "package-lock.json", package / "absent")
    monkeypatch.setattr(redocly, "install_dir", shipped.install_dir)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return package


def test_it_compares_what_it_was_made_from(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document lies beside the settings; downloads go to the user's cache."""
    config = settings.default_config()
    assert config.published == installed / "openapi.yaml"
    assert config.cache == installed.parent / "cache" / "contentgroove" / "spec"
    document = installed.parent / "same.yaml"
    shutil.copy(config.published, document)
    assert run(["spec", "diff", str(config.published), str(document)]) == 0
    assert "Nothing changed." in capsys.readouterr().out


@pytest.mark.process
def test_redocly_is_installed_at_its_first_use(
    installed: Path, redocly_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes to a folder that is named for the lock, once, and without Node the reason is told."""
    digest = hashlib.sha256((installed / "npm" / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = installed.parent / "cache" / "contentgroove" / f"redocly-{digest}"
    asked: list[tuple[Path, Path]] = []

    def install(lock: Path, place: Path) -> None:
        asked.append((lock, place))
        shutil.copytree(redocly_home / "node_modules", place / "node_modules")

    monkeypatch.setattr(npm, "npm_ci", install)
    for _ in range(2):
        assert run(["spec", "diff", str(GENERATION_2), str(GENERATION_3)]) == 0
        assert "0 breaking changes" in capsys.readouterr().out
    assert asked == [(installed / "npm" / "package-lock.json", home)]

    def missing() -> Path:
        raise NpmError("Node is not installed: pip install 'contentgroove[prism]'")

    monkeypatch.setattr(redocly, "node_program", missing)
    assert run(["spec", "diff", str(GENERATION_2), str(GENERATION_3)]) == 1
    assert "Documents cannot be compared: Node is not installed" in capsys.readouterr().err


@SHELL
@pytest.mark.process
def test_redocly_that_says_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation_2: Document, generation_3: Document
) -> None:
    """A program that gives no report is told with its own words, and so is one that never ends."""
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(redocly, "node_program", lambda: program)
    with pytest.raises(PipelineError, match="out of luck"):
        redocly.compare(generation_2, generation_3)
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n", encoding="utf-8")
    monkeypatch.setattr(redocly, "_SECONDS", 0.2)
    with pytest.raises(PipelineError, match=r"within 0\.2 s"):
        redocly.compare(generation_2, generation_3)


@SHELL
@pytest.mark.process
def test_the_key_stays_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation_2: Document, generation_3: Document
) -> None:
    """Redocly gets no API key, and is told to report nothing to anybody."""
    program = tmp_path / "node"
    program.write_text(f"#!/bin/sh\nenv > '{tmp_path}/seen'\necho '{{\"changes\": []}}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(redocly, "node_program", lambda: program)
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "canary-of-the-diff")
    assert redocly.compare(generation_2, generation_3) == []
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "canary-of-the-diff" not in seen
    assert "REDOCLY_TELEMETRY=off" in seen
